/** `completion`: scripts by which a shell completes commands and options, made from the table of commands. */

/** What is used of a command of the table. */
export interface TableCommand {
  name(): string
  description(): string
  readonly commands: readonly TableCommand[]
  readonly options: readonly {
    long?: string
    short?: string
    description: string
    required: boolean
    optional: boolean
  }[]
  readonly registeredArguments: readonly { argChoices?: readonly string[] }[]
}

/** The shells there is a script for. */
export const shells = ['bash', 'zsh', 'fish'] as const

interface Entry {
  /** `warm`, or `db start` */
  path: string
  description: string
  /** what may follow: subcommands, or fixed values of its argument */
  words: { word: string; description: string }[]
  options: { flags: string[]; description: string; takesValue: boolean }[]
}

/** Prints the script. */
export function completion(shell: (typeof shells)[number], table: TableCommand): number {
  const entries = entriesOf(table, '')
  process.stdout.write({ bash, zsh, fish }[shell](entries))
  return 0
}

/** The program itself first, under an empty path. What the program takes, every command takes. */
function entriesOf(command: TableCommand, path: string, inherited: TableCommand['options'] = []): Entry[] {
  const words = [
    ...command.commands.map((child) => ({ word: child.name(), description: child.description() })),
    ...command.registeredArguments.flatMap(({ argChoices = [] }) =>
      argChoices.map((word) => ({ word, description: '' })),
    ),
  ]
  const taken = [...command.options, ...inherited]
  const options = taken.map(({ short, long, description, required, optional }) => ({
    flags: [short, long].filter((flag) => flag !== undefined),
    description,
    takesValue: required || optional,
  }))
  const help = { flags: ['-h', '--help'], description: 'help for the command', takesValue: false }
  return [
    { path, description: command.description(), words, options: [...options, help] },
    ...command.commands.flatMap((child) =>
      entriesOf(
        child,
        `${path} ${child.name()}`.trim(),
        path === '' ? command.options.filter(({ long }) => long !== '--version') : inherited,
      ),
    ),
  ]
}

/** One line without anything a shell would read in single quotes. */
const quoted = (text: string) => `'${text.replaceAll("'", '’').replaceAll('\n', ' ')}'`

/** The longest path first, so that `db start` is not taken for `db`. */
const deepestFirst = (entries: Entry[]) =>
  entries.toSorted(
    (one, other) => other.path.split(' ').length - one.path.split(' ').length || other.path.length - one.path.length,
  )

function bash(entries: Entry[]): string {
  const cases = deepestFirst(entries).map(({ path, words, options }) => {
    const all = [...words.map(({ word }) => word), ...options.flatMap(({ flags }) => flags)].join(' ')
    const valued = options
      .filter(({ takesValue }) => takesValue)
      .flatMap(({ flags }) => flags)
      .join('|')
    return (
      `    ${path === '' ? '*' : quoted(path)}) words=${quoted(all)}; ` +
      `valued=${quoted(valued === '' ? '' : `|${valued}|`)} ;;`
    )
  })
  const paths = entries.filter(({ path }) => path !== '').map(({ path }) => path)
  return `# Completion of greetings for bash. Use it once: source <(greetings completion bash)
# For good: greetings completion bash > ~/.local/share/bash-completion/completions/greetings
_greetings() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path='' words='' valued='' n
  for ((n = 1; n < COMP_CWORD; n++)); do
    case "\${path:+$path }\${COMP_WORDS[n]}" in
      ${paths.map(quoted).join('|')}) path="\${path:+$path }\${COMP_WORDS[n]}" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=()
  # The value of an option is a file or free text, which bash completes by itself.
  if [[ -n $valued && $valued == *"|$previous|"* ]]; then return; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _greetings greetings
`
}

function zsh(entries: Entry[]): string {
  const described = (word: string, description: string) => quoted(`${word}:${description.replaceAll(':', ' ')}`)
  const cases = deepestFirst(entries).map(({ path, words, options }) => {
    const all = [
      ...words.map(({ word, description }) => described(word, description)),
      ...options.flatMap(({ flags, description }) => flags.map((flag) => described(flag, description))),
    ]
    return `    ${path === '' ? '*' : quoted(path)}) words_here=(${all.join(' ')}) ;;`
  })
  return `#compdef greetings
# Completion of greetings for zsh. Use it once: source <(greetings completion zsh)
# For good: greetings completion zsh > a folder of $fpath, as _greetings
_greetings() {
  local command_path='' word
  local -a words_here
  for word in "\${words[@]:1:$((CURRENT - 2))}"; do
    case "\${command_path:+$command_path }$word" in
      ${entries
        .filter(({ path }) => path !== '')
        .map(({ path }) => quoted(path))
        .join('|')}) command_path="\${command_path:+$command_path }$word" ;;
    esac
  done
  case "$command_path" in
${cases.join('\n')}
  esac
  _describe 'greetings' words_here
  _files
}
compdef _greetings greetings
`
}

function fish(entries: Entry[]): string {
  const lines = entries.flatMap(({ path, words, options }) => {
    const parts = path.split(' ').filter((part) => part !== '')
    const seen = parts.map((part) => `__fish_seen_subcommand_from ${part}`)
    const children = words.map(({ word }) => word).join(' ')
    const conditions =
      parts.length === 0
        ? ['__fish_use_subcommand']
        : [...seen, ...(children === '' ? [] : [`not __fish_seen_subcommand_from ${children}`])]
    const when = `complete -c greetings -n ${quoted(conditions.join('; and '))}`
    return [
      ...words.map(({ word, description }) => `${when} -f -a ${quoted(word)} -d ${quoted(description)}`),
      ...options.map(
        ({ flags, description, takesValue }) =>
          `${when} ` +
          flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`)).join(' ') +
          `${takesValue ? ' -r' : ''} -d ${quoted(description)}`,
      ),
    ]
  })
  return `# Completion of greetings for fish. Use it once: greetings completion fish | source
# For good: greetings completion fish > ~/.config/fish/completions/greetings.fish
${lines.join('\n')}
`
}
