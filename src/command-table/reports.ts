/** Commands that only look. */
import type { Command } from 'commander'
import { examples, jsonOption, optionsOf, readsLists, sandboxOption, type Done } from './options.ts'
import { duration, share, whole, wholeOrNone } from './values.ts'

export function addStatus(program: Command, done: Done): void {
  readsLists(program.command('status'))
    .description(
      'counts of videos and requests, waiting times, queue, workers, bots, failures; with a ' +
        'name, everything about that name',
    )
    .argument('[name]', 'one name, instead of everything')
    .addOption(sandboxOption())
    .option('--csv <file>', 'also how much of this list of names is in the cache (- is standard input)')
    .option('--watch', 'refresh every two seconds until Ctrl-C; with --json, one line each time')
    .option(
      '--check',
      'for a monitor: the first line says OK or WARNING, then a line for each finding; exit 1 if there is ' +
        'one. Without limits: --max-oldest 10m (for people), --max-failed 5, --min-workers 1, --min-bots 1',
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
    .action(async (name: string | undefined, _options: object, command: Command) =>
      done(await (await import('../commands/status/index.ts')).status(name, optionsOf(command))),
    )
}

export function addNames(program: Command, done: Done): void {
  program
    .command('names')
    .description('list names from the database, as CSV ready for warm')
    .option('--missed', 'names people had to wait for, most asked for first')
    .option('--failed', 'names whose video failed, with the reason and the time')
    .option('--available', 'names in the cache')
    .option('--pending', 'names still to be rendered')
    .option('--reported', 'names people said sound wrong, most reported first, with the stress they wish')
    .option('--since <duration>', 'with --missed: asked for within this time, such as 30d', duration)
    .option('--template <id>', 'only of this template')
    .option('--limit <n>', 'only the first N', whole)
    .option('--together', 'also several names that share a video, for warm --together')
    .addOption(sandboxOption())
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'names --missed --since 30d > missed.csv',
        'names --missed | greetings warm -',
        'names --failed',
        'names --reported',
      ),
    )
    .action(async (_options: object, command: Command) =>
      done(await (await import('../commands/names.ts')).names(optionsOf(command))),
    )
}

export function addDoctor(program: Command, done: Done): void {
  program
    .command('doctor')
    .description('check everything a run needs, and say how to fix what is wrong')
    .addOption(sandboxOption())
    .addOption(jsonOption())
    .option(
      '--set-profile',
      'give the bot its name, descriptions and command menus at Telegram, in every language, in place of what is there',
      false,
    )
    .addHelpText('after', examples('doctor', 'doctor --sandbox', 'doctor --set-profile'))
    .action(async (_options: object, command: Command) =>
      done(await (await import('../commands/doctor/index.ts')).doctor(optionsOf(command))),
    )
}
