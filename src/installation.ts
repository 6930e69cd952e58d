/** Where the program's own files are: the package's root, its templates, migrations and built scripts. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'

/** The package's root: `src/` and `dist/` both lie directly below it. */
export const packageRoot = fileURLToPath(new URL('..', import.meta.url))

/** The package's version. */
export function version(): string {
  return (JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }).version
}

/** The templates that ship. */
export const templatesFolder = join(packageRoot, 'templates')

/** Ordinary SQL migrations, one folder each. */
export const migrationsFolder = join(packageRoot, 'prisma', 'migrations')

/**
 * A built script of ours that runs in a process or thread of its own, by its path below `src`
 * without ending: `builtScript('sandbox/serve')`. Always the compiled one: Node runs no TypeScript.
 */
export function builtScript(pathBelowSrc: string): string {
  return join(packageRoot, 'dist', `${pathBelowSrc}.js`)
}
