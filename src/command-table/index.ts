/** The command line as a table: what commands there are and what they take. Each is loaded when it is called. */
import { Command, CommanderError, Option } from 'commander'
import { version } from '../installation.ts'
import { addExport, addForget, addImport, addPurge, addVerify } from './cache.ts'
import { addCompletion } from './completion.ts'
import { addDb } from './database.ts'
import { examples, type Done } from './options.ts'
import { addDoctor, addNames, addStatus } from './reports.ts'
import { addDashboard, addDemo, addServices } from './services.ts'
import { addRender, addTemplate } from './videos.ts'
import { addCancel, addRetry, addWarm } from './warming.ts'

/** In the order in which the help lists them. */
const commands = [
  addWarm,
  addServices,
  addStatus,
  addDashboard,
  addRender,
  addCancel,
  addPurge,
  addVerify,
  addRetry,
  addNames,
  addForget,
  addExport,
  addImport,
  addDoctor,
  addTemplate,
  addDemo,
  addDb,
  addCompletion,
]

/** The program and its commands. `done` receives the exit code of the one that ran. */
export function commandTable(done: Done): Command {
  const program = new Command('greetings')
    .description(
      'Short video greetings that show and speak a child’s name: a Telegram bot, and the tool that fills its cache.',
    )
    .version(version())
    .addOption(
      new Option('--log-level <level>', 'how much to log (default: LOG_LEVEL, or info)').choices([
        'trace',
        'debug',
        'info',
        'warn',
        'error',
        'silent',
      ]),
    )
    .option(
      '--env-file <file>',
      'read variables from this file instead of .env in the working directory and in the home',
    )
    .showHelpAfterError('(add --help for the options)')
    .addHelpText('after', examples('warm names/ru.csv --sandbox --limit 12', 'demo', 'up', 'status --json'))
  for (const add of commands) add(program, done)
  return program
}

/** Makes mistakes on the command line errors, instead of ends of the process. */
export function throwInsteadOfExit(command: Command): void {
  command.exitOverride()
  for (const child of command.commands) throwInsteadOfExit(child)
}

/** The exit code when the command line itself ended the program, for help or a mistake; undefined: it did not. */
export function parsingEnd(error: unknown): number | undefined {
  if (!(error instanceof CommanderError)) return undefined
  return error.exitCode === 0 ? 0 : 2
}
