/** Commands that fill the cache, and those that take work back or try it again. */
import type { Command } from 'commander'
import {
  examples,
  jsonOption,
  newBotOption,
  optionsOf,
  outlives,
  quietOption,
  readsLists,
  sandboxOption,
  type Done,
} from './options.ts'
import { duration, share, whole } from './values.ts'

export function addWarm(program: Command, done: Done): void {
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
    .action(async (files: string[], _options: object, command: Command) =>
      done(await (await import('../commands/warm/index.ts')).warm(files, optionsOf(command))),
    )
}

export function addCancel(program: Command, done: Done): void {
  readsLists(program.command('cancel'))
    .description('cancel queued warm work that nobody waits for')
    .argument('[name|csv...]', 'names, or files with names (anything with a dot or a slash, or - for standard input)')
    .option('--all', 'everything that is queued')
    .addOption(sandboxOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('cancel names/ru.csv', 'cancel Маша', 'cancel --all'))
    .action(async (what: string[], _options: object, command: Command) =>
      done(await (await import('../commands/cancel.ts')).cancel(what, optionsOf(command))),
    )
}

export function addRetry(program: Command, done: Done): void {
  readsLists(program.command('retry'))
    .description('queue failed names again')
    .argument('[name|csv...]', 'names, or files with names (anything with a dot or a slash, or - for standard input)')
    .option('--all', 'everything that failed')
    .addOption(sandboxOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('retry --all', 'retry Маша Петя', 'retry names/ru.csv'))
    .action(async (what: string[], _options: object, command: Command) =>
      done(await (await import('../commands/retry.ts')).retry(what, optionsOf(command))),
    )
}
