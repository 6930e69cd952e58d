/**
 * The command line: a table of commands, loaded when they are called, and the
 * only place where an error becomes an exit code.
 */
import { closeSync, openSync } from 'node:fs'
import { isatty } from 'node:tty'
import { commandTable, parsingEnd, throwInsteadOfExit } from './command-table/index.ts'
import { watchOutput } from './terminal/stdout.ts'

/** What runs until it is stopped. */
const services = new Set(['bot', 'worker', 'up', 'demo', 'dashboard'])

/** Runs the command line; the result is the exit code. Nothing else decides one. */
export async function run(argv: string[]): Promise<number> {
  let code = 0
  const terminals = [0, 1, 2].filter((fd) => isatty(fd))
  const output = watchOutput(3)
  const program = commandTable((result) => {
    code = result
  })
  throwInsteadOfExit(program)
  let verb = ''
  program.hook('preAction', async (_program, command) => {
    verb = command.name()
    // A shell asks for completion wherever it starts; it needs no configuration.
    if (command.name() === 'completion') return
    const { envFile } = program.opts<{ envFile?: string }>()
    const { readFirstEnvFile, readEnvFileOfHome } = await import('./env-file.ts')
    await readFirstEnvFile(envFile)
    if (process.getuid?.() === 0) {
      // Loaded while everything can be read, for what it reports may be that the owner cannot read us.
      const [{ namedHome }, { actAsHomeOwner }] = await Promise.all([
        import('./config.ts'),
        import('./home-owner.ts'),
        import('./terminal/exit.ts'),
      ])
      await actAsHomeOwner({ explicit: namedHome(), cwd: process.cwd() })
    }
    // As its owner: what root would not believe is theirs.
    if (envFile === undefined) await readEnvFileOfHome()
  })
  try {
    if (argv.length <= 2) program.outputHelp()
    else await program.parseAsync(argv)
    return code
  } catch (error) {
    if (output.isLost()) return 3
    const parsed = parsingEnd(error)
    if (parsed !== undefined) return parsed
    const { endOf } = await import('./terminal/exit.ts')
    const end = endOf(error)
    const { sayLast } = await import('./log.ts')
    sayLast(end.lines, { isService: services.has(verb) })
    return end.code
  } finally {
    letGoOfClosed(terminals)
  }
}

/** At its end Node puts terminals back as they were, and aborts (134 instead of our code) over one that was closed. */
function letGoOfClosed(terminals: number[]): void {
  for (const fd of terminals) {
    if (isatty(fd)) continue
    closeSync(fd)
    openSync('/dev/null', 'r+') // gets the number that is free now
  }
}
