/** Where the program's own files are: the package's root, its templates, migrations and built scripts. */
import { readFileSync, realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'

/** The package's root: `src/` and `dist/` both lie directly below it. */
export const packageRoot = fileURLToPath(new URL('..', import.meta.url))

/** The package's version. */
export function version(): string {
  return (JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }).version
}

/** The usual link to this program, made when it is installed. */
const usualLink = '/usr/local/bin/greetings'

/**
 * How to call this very installation from anywhere: by its link, when there is one. Never by npx, which changes the
 * mode of the file it runs and so fails for whoever does not own it.
 */
export function commandLine(link = usualLink): string {
  const program = join(packageRoot, 'bin', 'greetings.js')
  try {
    if (realpathSync(link) === realpathSync(program)) return link
  } catch {
    // there is none, or it leads nowhere
  }
  return `node ${/^[\w@%+=:,./-]+$/.test(program) ? program : `'${program.replaceAll("'", `'\\''`)}'`}`
}

/** The templates that ship. */
export const templatesFolder = join(packageRoot, 'templates')

/** The lists of names that ship, with the declension of the Russian ones. */
export const namesFolder = join(packageRoot, 'names')

/** Ordinary SQL migrations, one folder each. */
export const migrationsFolder = join(packageRoot, 'prisma', 'migrations')

/**
 * A built script of ours that runs in a process or thread of its own, by its path below `src`
 * without ending: `builtScript('sandbox/process/serve')`. Always the compiled one: Node runs no TypeScript.
 */
export function builtScript(pathBelowSrc: string): string {
  return join(packageRoot, 'dist', `${pathBelowSrc}.js`)
}
