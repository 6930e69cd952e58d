#!/usr/bin/env -S node --
// The dashes keep Node 20 from looking for the file of our option --env-file itself.
import { existsSync } from 'node:fs'

const program = new URL('../dist/cli.js', import.meta.url)
if (!existsSync(program)) {
  process.stderr.write('greetings is not built yet. Run `npm ci` (or `npm run build`) in its folder.\n')
  process.exit(2)
}
const { run } = await import(program.href)
process.exitCode = await run(process.argv)
