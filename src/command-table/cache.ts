/** Commands that keep the cache: its copies, its checks, and what is removed from it. */
import type { Command } from 'commander'
import { examples, jsonOption, optionsOf, quietOption, sandboxOption, togetherOption, type Done } from './options.ts'
import { duration, whole } from './values.ts'

export function addPurge(program: Command, done: Done): void {
  program
    .command('purge')
    .description('remove old finished requests, and people who have no others; the statistics stay')
    .option('--older-than <duration>', 'finished longer ago than this, at least 2d (default: 90d)', duration)
    .option('--dry-run', 'only show how many')
    .addOption(sandboxOption())
    .addOption(jsonOption())
    .addOption(quietOption())
    .addHelpText('after', examples('purge', 'purge --older-than 30d --dry-run'))
    .action(async (_options: object, command: Command) =>
      done(await (await import('../commands/purge.ts')).purge(optionsOf(command))),
    )
}

export function addVerify(program: Command, done: Done): void {
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
    .action(async (_options: object, command: Command) =>
      done(await (await import('../commands/verify.ts')).verifyCache(optionsOf(command))),
    )
}

export function addForget(program: Command, done: Done): void {
  program
    .command('forget')
    .description(
      'remove a name: its videos of all templates and those it shares with other names, kept files, requests; ' +
        'tells people who wait for it; says what stays at Telegram',
    )
    .argument('<name>', 'the name')
    .option('--delete-post', 'also delete its posts in the storage channels; needs the bot')
    .addOption(togetherOption())
    .addOption(sandboxOption())
    .addOption(jsonOption())
    .addHelpText('after', examples('forget Маша', 'forget Маша --delete-post'))
    .action(async (name: string, _options: object, command: Command) =>
      done(await (await import('../commands/forget.ts')).forget(name, optionsOf(command))),
    )
}

export function addExport(program: Command, done: Done): void {
  program
    .command('export')
    .description('the cache as JSON lines, one per video: for a backup, or to move to another database')
    .option('-o, --output <file>', 'write to this file instead of stdout (-)')
    .option('--force', 'overwrite the file')
    .addOption(sandboxOption())
    .addOption(jsonOption())
    .addOption(quietOption())
    .addHelpText('after', examples('export -o cache.jsonl', 'export | gzip > cache.jsonl.gz'))
    .action(async (_options: object, command: Command) =>
      done(await (await import('../commands/export.ts')).exportCache(optionsOf(command))),
    )
}

export function addImport(program: Command, done: Done): void {
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
    .action(async (file: string, _options: object, command: Command) =>
      done(await (await import('../commands/import.ts')).importCache(file, optionsOf(command))),
    )
}
