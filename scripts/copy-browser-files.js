// Copies what browsers get, `src/*/browser`, into `dist`: the compiler writes what it compiled and nothing else.
import { cpSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

for (const folder of readdirSync(join(root, 'src'))) {
  const source = join(root, 'src', folder, 'browser')
  if (!existsSync(source)) continue
  const target = join(root, 'dist', folder, 'browser')
  // What is no longer in the source would still be served.
  rmSync(target, { recursive: true, force: true })
  cpSync(source, target, { recursive: true })
}
