/** What commands of the table have in common. */
import { Option, type Command } from 'commander'
import { headerRow } from './values.ts'

/** Receives the exit code of the command that ran. */
export type Done = (code: number) => void

export const sandboxOption = () =>
  new Option('--sandbox', 'use the local Telegram sandbox, with its own database and queue')
export const jsonOption = () => new Option('--json', 'print one JSON object instead of text')
export const newBotOption = () => new Option('--new-bot', 'hand this database over to another bot')
export const quietOption = () => new Option('-q, --quiet', 'no progress')

/** Whether several names are one video. */
export const togetherOption = () =>
  new Option('--together', 'take “Маша и Петя”, two or three names, as one video for all of them')

/** How lists are read, the same for every command that reads one. */
export function readsLists(command: Command): Command {
  return command
    .option(
      '--column <column>',
      'of a list: the column with the names, its header (in one of the first 20 rows) or its number from 1',
    )
    .option(
      '--header-row <line>',
      'of a list: the line of its header (default: the first, if it has a known header)',
      headerRow,
    )
    .option('--no-header', 'of a list: its first row is already a name')
    .option('--delimiter <character>', 'of a list: what separates columns, one character or tab (default: detected)')
    .option('--encoding <label>', 'of a list, such as windows-1251 (default: detected)')
    .addOption(togetherOption())
}

/** Examples below the help of a command. */
export const examples = (...lines: string[]) =>
  `\nExamples:\n${lines.map((line) => `  $ greetings ${line}`).join('\n')}\n`

/** How a command that runs for long outlives its terminal. */
export const outlives = (line: string) =>
  [
    '',
    'Closing the terminal stops it, even under nohup. To outlive the terminal:',
    `  $ setsid greetings ${line} > greetings.log 2>&1 < /dev/null &`,
    `  $ tmux new -d 'greetings ${line}'`,
    `  $ systemd-run --user --collect --same-dir greetings ${line}`,
    '',
  ].join('\n')

/** The options of a command and those of the program. A flag that was not given is false. */
export function optionsOf<T>(command: Command): T {
  const flags = command.options.filter((option) => option.isBoolean())
  const notGiven = Object.fromEntries(flags.map((flag) => [flag.attributeName(), false]))
  return { ...notGiven, ...command.optsWithGlobals() } as T
}
