// Copies into `dist` what is used as it is: what browsers get, `src/*/browser`, and the texts, `src/languages`. The
// compiler writes what it compiled and nothing else.
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const browser = readdirSync(join(root, 'src')).map((folder) => join(folder, 'browser'))

for (const folder of ['languages', ...browser]) {
  const source = join(root, 'src', folder)
  if (!existsSync(source)) continue
  const target = join(root, 'dist', folder)
  // What is no longer in the source would still be used.
  rmSync(target, { recursive: true, force: true })
  cpSync(source, target, { recursive: true })
}
