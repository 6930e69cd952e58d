/** The command line: a table of commands, loaded when they are called, and the only place where an error becomes an exit code. */
import { closeSync, openSync } from 'node:fs'
import { isatty } from 'node:tty'
import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { parseAddress, type Address } from './http/address.ts'
import { version } from './installation.ts'
import { watchOutput } from './terminal/stdout.ts'

const whole = (text: string) => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number above 0.')
  return value
}

/** `0.95` or `95%`, as a part of 1. */
function share(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(%)?$/.exec(text.trim())
  const value = match === null ? NaN : Number(match[1]) / (match[2] === undefined ? 1 : 100)
  if (!(value > 0 && value <= 1))
    throw new InvalidArgumentError('It must be a share above 0 and at most 1, such as 0.95, or 95%.')
  return value
}

const wholeOrNone = (text: string) => {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

/** Rows are held until the header is found. */
function headerRow(text: string): number {
  const value = whole(text)
  if (value > 1_000) throw new InvalidArgumentError('It must be a line, 1 to 1000.')
  return value
}

function port(text: string): number {
  const value = wholeOrNone(text)
  if (value > 65_535) throw new InvalidArgumentError('It must be a port, 0 to 65535.')
  return value
}

/** `90s`, `30m`, `8h` or `90d`, as milliseconds. A number alone could be any of them. */
export function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(text.trim())
  if (match === null) throw new InvalidArgumentError('It must be a duration such as 90s, 30m, 8h or 90d.')
  if (match[2] === undefined)
    throw new InvalidArgumentError(`It needs a unit: ${match[1]}s for seconds, ${match[1]}m for minutes, or h or d.`)
  return (
    Number(match[1]) *
    { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] as 'ms' | 's' | 'm' | 'h' | 'd']
  )
}

/** `9464`, or `0.0.0.0:9464`. */
function address(text: string): Address {
  const value = parseAddress(text)
  if (value === undefined)
    throw new InvalidArgumentError('It must be a port, or host:port, such as 9464 or 0.0.0.0:9464.')
  return value
}

const sandboxOption = () => new Option('--sandbox', 'use the local Telegram sandbox, with its own database and queue')
const jsonOption = () => new Option('--json', 'print one JSON object instead of text')
const newBotOption = () => new Option('--new-bot', 'hand this database over to another bot')
const quietOption = () => new Option('-q, --quiet', 'no progress')

/** How lists are read, the same for every command that reads one. */
function readsLists(command: Command): Command {
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
}

const examples = (...lines: string[]) => `\nExamples:\n${lines.map((line) => `  $ greetings ${line}`).join('\n')}\n`

const outlives = (line: string) =>
  [
    '',
    'Closing the terminal stops it, even under nohup. To outlive the terminal:',
    `  $ setsid greetings ${line} > greetings.log 2>&1 < /dev/null &`,
    `  $ tmux new -d 'greetings ${line}'`,
    `  $ systemd-run --user --collect --same-dir greetings ${line}`,
    '',
  ].join('\n')

/** The table of commands. `done` receives the exit code of the one that ran. */
export function commandTable(done: (code: number) => void): Command {
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

  readsLists(program.command('warm'))
    .description(
      'render and upload every name of a list that is not in the cache yet; run again, it does only what is missing',
    )
    .argument('<csv...>', 'files with names, or - for standard input')
    .addOption(sandboxOption())
    .option('--dry-run', 'only show what would be done; does not need Telegram')
    .option('--limit <n>', 'only the first N distinct names', whole)
    .option(
      '--coverage <share>',
      'the fewest names that make up this share of all children, by the list’s count column (0.95 or 95%)',
      share,
    )
    .option('--no-wait', 'queue the names and exit')
    .option('--no-work', 'leave the work to other workers')
    .option('--retry-failed', 'try failed names again')
    .option(
      '--refresh',
      're-render outdated videos (template, voice, spelling or recording changed); the old ones are served meanwhile',
    )
    .option('--template <id>', 'for all names, instead of the first of TEMPLATES that serves the name’s script')
    .option('--timeout <duration>', 'stop after this time (90s, 30m, 8h); the rest stays queued', duration)
    .option('--rejects <file>', 'write rejected rows to this CSV file')
    .option('--strict', 'exit 1 if any row was rejected')
    .addOption(newBotOption())
    .addOption(jsonOption())
    .addOption(quietOption())
    .addHelpText(
      'after',
      examples(
        'warm names/ru.csv --sandbox --limit 12',
        'warm names/ru.csv names/en.csv',
        'warm list.csv --dry-run --coverage 0.95',
        'cut -f1 list.tsv | greetings warm -',
        'warm list.csv --timeout 8h --quiet --rejects rejected.csv',
      ) + outlives('warm list.csv --quiet'),
    )
    .action(async (files: string[], options: object) =>
      done(await (await import('./commands/warm/index.ts')).warm(files, all(program, options))),
    )

  for (const [verb, description] of [
    ['up', 'the bot and a worker in one process'],
    ['bot', 'the bot alone: answers from the cache and queues missing names'],
    ['worker', 'a worker alone: renders, uploads, delivers'],
  ] as const) {
    program
      .command(verb)
      .description(description)
      .addOption(sandboxOption())
      .addOption(newBotOption())
      .option(
        '--http <[host:]port>',
        'answer /healthz, /readyz and, for Prometheus, /metrics; on 127.0.0.1 unless a host is given',
        address,
      )
      .addHelpText('after', examples(`${verb} --sandbox`, verb, `${verb} --http 9464`) + outlives(verb))
      .action(async (options: object) =>
        done(await (await import('./commands/serve.ts')).serve(verb, all(program, options))),
      )
  }

  readsLists(program.command('status'))
    .description(
      'counts of videos and requests, waiting times, queue, workers, bots, failures; with a name, everything about that name',
    )
    .argument('[name]', 'one name, instead of everything')
    .addOption(sandboxOption())
    .option('--csv <file>', 'also how much of this list of names is in the cache (- is standard input)')
    .option('--watch', 'refresh every two seconds until Ctrl-C; with --json, one line each time')
    .option(
      '--check',
      'for a monitor: the first line says OK or WARNING, then a line for each finding; exit 1 if there is one. Without limits: --max-oldest 10m (for people), --max-failed 5, --min-workers 1, --min-bots 1',
    )
    .option('--max-oldest <duration>', 'how long a person or a job may have been waiting', duration)
    .option('--max-failed <n>', 'failed videos', wholeOrNone)
    .option('--max-pending <n>', 'videos still to be rendered', wholeOrNone)
    .option('--min-hit-rate <share>', 'of the last 24 hours, 0 to 1', share)
    .option('--min-workers <n>', 'live workers', wholeOrNone)
    .option('--min-bots <n>', 'live bots', wholeOrNone)
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'status',
        'status Маша',
        'status --json',
        'status --csv names/ru.csv',
        'status --watch --sandbox',
        'status --check',
        'status --check --max-oldest 10m --min-hit-rate 0.9',
      ),
    )
    .action(async (name: string | undefined, options: object) =>
      done(await (await import('./commands/status/index.ts')).status(name, all(program, options))),
    )

  program
    .command('dashboard')
    .description('the operator’s page: cache, hit rate, waiting times, what is being made, failures, workers, queue')
    .option('--port <n>', 'the port to listen on (default: 8090; 0: any free port)', port)
    .option('--host <host>', 'the address to listen on (default: 127.0.0.1); any other needs DASHBOARD_PASSWORD')
    .option('--no-open', 'do not open the browser')
    .addOption(sandboxOption())
    .addHelpText(
      'after',
      examples('dashboard', 'dashboard --sandbox --no-open', 'dashboard --host 0.0.0.0 --port 8090'),
    )
    .action(async (options: object) =>
      done(await (await import('./commands/dashboard.ts')).dashboard(all(program, options))),
    )

  program
    .command('render')
    .description('one video to a file; needs neither Telegram nor a database')
    .argument('<name>', 'the name')
    .requiredOption('-o, --output <file>', 'the .mp4 file to write, or - for stdout')
    .option('--template <id>', 'instead of the first of TEMPLATES that serves the name’s script')
    .option('--say <text>', 'what the voice should say instead of the name')
    .option('--force', 'overwrite the file')
    .addOption(jsonOption())
    .addOption(quietOption())
    .addHelpText(
      'after',
      examples('render Маша -o masha.mp4', 'render "O\'Connor" -o oconnor.mp4 --template new-year-en'),
    )
    .action(async (name: string, options: object) =>
      done(await (await import('./commands/render.ts')).render(name, all(program, options))),
    )

  readsLists(program.command('cancel'))
    .description('cancel queued warm work that nobody waits for')
    .argument('[name|csv...]', 'names, or files with names (anything with a dot or a slash, or - for standard input)')
    .option('--all', 'everything that is queued')
    .addOption(sandboxOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('cancel names/ru.csv', 'cancel Маша', 'cancel --all'))
    .action(async (what: string[], options: object) =>
      done(await (await import('./commands/cancel.ts')).cancel(what, all(program, options))),
    )

  program
    .command('purge')
    .description('remove old finished requests, and people who have no others; the statistics stay')
    .option('--older-than <duration>', 'finished longer ago than this, at least 2d (default: 90d)', duration)
    .option('--dry-run', 'only show how many')
    .addOption(sandboxOption())
    .addOption(jsonOption())
    .addOption(quietOption())
    .addHelpText('after', examples('purge', 'purge --older-than 30d --dry-run'))
    .action(async (options: object) => done(await (await import('./commands/purge.ts')).purge(all(program, options))))

  program
    .command('verify')
    .description(
      'check that the stored file_ids can still be sent, oldest checks first; exit 1 if some are dead and not repaired',
    )
    .option(
      '--repair',
      'repair dead ones: a fresh id from the stored post, or an upload of the kept file, or a new render',
    )
    .option('--new-bot', 'hand this database over to another bot and take every video over for it (implies --repair)')
    .option('--rate <n>', 'ids a second (default: 10)', whole)
    .option('--limit <n>', 'only the first N', whole)
    .option('--older-than <duration>', 'only those not checked for this long, such as 30d', duration)
    .addOption(sandboxOption())
    .addOption(jsonOption())
    .addOption(quietOption())
    .addHelpText(
      'after',
      examples('verify', 'verify --repair --limit 5000', 'verify --older-than 30d --json', 'verify --new-bot'),
    )
    .action(async (options: object) =>
      done(await (await import('./commands/verify.ts')).verifyCache(all(program, options))),
    )

  readsLists(program.command('retry'))
    .description('queue failed names again')
    .argument('[name|csv...]', 'names, or files with names (anything with a dot or a slash, or - for standard input)')
    .option('--all', 'everything that failed')
    .addOption(sandboxOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('retry --all', 'retry Маша Петя', 'retry names/ru.csv'))
    .action(async (what: string[], options: object) =>
      done(await (await import('./commands/retry.ts')).retry(what, all(program, options))),
    )

  program
    .command('names')
    .description('list names from the database, as CSV ready for warm')
    .option('--missed', 'names people had to wait for, most asked for first')
    .option('--failed', 'names whose video failed, with the reason and the time')
    .option('--available', 'names in the cache')
    .option('--pending', 'names still to be rendered')
    .option('--since <duration>', 'with --missed: asked for within this time, such as 30d', duration)
    .option('--template <id>', 'only of this template')
    .option('--limit <n>', 'only the first N', whole)
    .addOption(sandboxOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples('names --missed --since 30d > missed.csv', 'names --missed | greetings warm -', 'names --failed'),
    )
    .action(async (options: object) => done(await (await import('./commands/names.ts')).names(all(program, options))))

  program
    .command('forget')
    .description(
      'remove a name: its videos of all templates, kept files, requests; tells people who wait for it; says what stays at Telegram',
    )
    .argument('<name>', 'the name')
    .option('--delete-post', 'also delete its posts in the storage channels; needs the bot')
    .addOption(sandboxOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('forget Маша', 'forget Маша --delete-post'))
    .action(async (name: string, options: object) =>
      done(await (await import('./commands/forget.ts')).forget(name, all(program, options))),
    )

  program
    .command('export')
    .description('the cache as JSON lines, one per video: for a backup, or to move to another database')
    .option('-o, --output <file>', 'write to this file instead of stdout (-)')
    .option('--force', 'overwrite the file')
    .addOption(sandboxOption())
    .addOption(jsonOption())
    .addOption(quietOption())
    .addHelpText('after', examples('export -o cache.jsonl', 'export | gzip > cache.jsonl.gz'))
    .action(async (options: object) =>
      done(await (await import('./commands/export.ts')).exportCache(all(program, options))),
    )

  program
    .command('import')
    .description('take over what export wrote, all of it or nothing; can be repeated')
    .argument('<file>', 'the file, or - for standard input')
    .option('--overwrite', 'also replace videos that are newer than those of the file')
    .option('--partial', 'take what there is of a file that was cut off or written by an earlier version')
    .addOption(sandboxOption())
    .addOption(jsonOption())
    .addOption(quietOption())
    .addHelpText('after', examples('import cache.jsonl', 'import - < cache.jsonl'))
    .action(async (file: string, options: object) =>
      done(await (await import('./commands/import.ts')).importCache(file, all(program, options))),
    )

  program
    .command('doctor')
    .description('check everything a run needs, and say how to fix what is wrong')
    .addOption(sandboxOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('doctor', 'doctor --sandbox'))
    .action(async (options: object) => done(await (await import('./commands/doctor.ts')).doctor(all(program, options))))

  const template = program.command('template').description('list, check and build templates')
  for (const [verb, description, argument] of [
    ['list', 'list all templates', undefined],
    [
      'check',
      'check manifest, clip, letters and recordings; each fault with its file and key',
      'templates to check (default: all)',
    ],
    [
      'build',
      'prepare what all videos of a template share, so that the first one is not slow',
      'templates to build (default: TEMPLATES)',
    ],
  ] as const) {
    const command = template.command(verb).description(description)
    if (argument !== undefined) command.argument('[id...]', argument)
    if (verb === 'build') command.addOption(quietOption())
    command
      .addOption(jsonOption())
      .addHelpText(
        'after',
        examples(`template ${verb}`, ...(argument === undefined ? [] : [`template ${verb} new-year-ru`])),
      )
      .action(async (...given: unknown[]) => {
        const [ids, options] = argument === undefined ? [[], given[0]] : [given[0], given[1]]
        done(
          await (
            await import('./commands/template.ts')
          ).template(verb, ids as string[], all(program, options as object)),
        )
      })
  }

  program
    .command('demo')
    .description('everything on the sandbox, with a chat page in the browser')
    .option('--no-open', 'do not open the browser')
    .addHelpText('after', examples('demo'))
    .action(async (options: object) =>
      done(await (await import('./commands/serve.ts')).serve('demo', all(program, { ...options, sandbox: true }))),
    )

  const db = program.command('db').description('the embedded PostgreSQL server, by hand')
  for (const [verb, description] of [
    ['start', 'start the server and leave it running'],
    ['stop', 'stop the server, unless a command uses it'],
    ['url', 'print its address, password included'],
  ] as const) {
    db.command(verb)
      .description(description)
      .addOption(sandboxOption())
      .addHelpText('after', examples(`db ${verb}`))
      .action(async (options: object) => done(await (await import('./commands/db.ts')).db(verb, all(program, options))))
  }
  db.command('backup')
    .description('write the embedded database, live and sandbox, to a file; no command may be using it')
    .argument('<file>', 'a .tar.gz file')
    .option('--force', 'overwrite the file')
    .addHelpText('after', examples('db backup greetings.tar.gz'))
    .action(async (file: string, options: object) =>
      done(await (await import('./commands/db-backup.ts')).dbBackup(file, all(program, options))),
    )
  db.command('restore')
    .description('put a backup in the place of the embedded database; what was there before is kept beside it')
    .argument('<file>', 'what db backup wrote')
    .addHelpText('after', examples('db restore greetings.tar.gz'))
    .action(async (file: string) => done(await (await import('./commands/db-backup.ts')).dbRestore(file)))

  program
    .command('completion')
    .description('print a script for shell completion of commands and options')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      '\nExamples:\n  $ source <(greetings completion bash)\n  $ greetings completion fish | source\n',
    )
    .action(async (shell: 'bash' | 'zsh' | 'fish') =>
      done((await import('./commands/completion.ts')).completion(shell, program)),
    )
  return program
}

/** The options of the command and those of the program, as the table above declares them. */
function all<T>(program: Command, options: object): T {
  return { ...program.opts<object>(), ...options } as T
}

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
  const withExit = (command: Command) => {
    command.exitOverride()
    for (const child of command.commands) withExit(child)
  }
  withExit(program)
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
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
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
