/** The tables of commands and their options, from the program's own table. */
import type { Command, Help } from 'commander'
import { commandTable } from '../../src/command-table/index.ts'
import { table } from './blocks.ts'

/** Options that every command reading lists has; they stand once, in names-and-lists.md. */
const ofLists = ['--column', '--header-row', '--no-header', '--delimiter', '--encoding']

/** A command with the words that call it: `db start`. */
export interface Verb {
  path: string
  command: Command
}

/** All commands that do something, in the order of the help. */
export function verbs(): Verb[] {
  const below = (command: Command, path: string[]): Verb[] =>
    command.commands.length === 0
      ? [{ path: path.join(' '), command }]
      : command.commands.flatMap((child) => below(child, [...path, child.name()]))
  return below(
    commandTable(() => undefined),
    [],
  )
}

const optionRow = ({ flags, description }: { flags: string; description: string }) => [`\`${flags}\``, description]

/** What each command does, each with a link to its options. */
export function commandsTable(): string {
  return table(
    ['command', ''],
    verbs().map(({ path, command }) => [`[\`${path}\`](#${path.replaceAll(' ', '-')})`, `${command.description()}`]),
  )
}

/** How a command is called, its arguments and its options. */
export function optionsTable({ path, command }: Verb): string {
  const help: Help = command.createHelp()
  const usage = ['greetings', path, ...command.registeredArguments.map(argumentUsage)].join(' ')
  const rows = [
    ...command.registeredArguments.map((argument) => [
      `\`${argumentUsage(argument)}\``,
      help.argumentDescription(argument),
    ]),
    ...command.options.filter(({ long }) => !ofLists.includes(long ?? '')).map(optionRow),
    ...(readsLists(command) ? [['…', 'and the [options of lists](names-and-lists.md#lists)']] : []),
  ]
  const description = command.description()
  return [
    `\`${usage}\``,
    '',
    `${description.charAt(0).toUpperCase()}${description.slice(1)}.`,
    ...(rows.length === 0 ? [] : ['', table(['', ''], rows)]),
  ].join('\n')
}

function argumentUsage(argument: Command['registeredArguments'][number]): string {
  const word = `${argument.name()}${argument.variadic ? '...' : ''}`
  return argument.required ? `<${word}>` : `[${word}]`
}

const readsLists = (command: Command) => command.options.some(({ long }) => long === '--column')

/** The options by which a list is read. */
export function listOptionsTable(): string {
  const command = verbs().find(({ command }) => readsLists(command))?.command
  return table(
    ['option', ''],
    (command?.options ?? []).filter(({ long }) => ofLists.includes(long ?? '')).map(optionRow),
  )
}

/** The options of the program, which every command takes. */
export function programOptionsTable(): string {
  const program = commandTable(() => undefined)
  return table(['option', ''], program.options.map(optionRow))
}
