/** `db`: the embedded server by hand. */
import type { Command } from 'commander'
import { examples, optionsOf, sandboxOption, type Done } from './options.ts'

export function addDb(program: Command, done: Done): void {
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
      .action(async (_options: object, command: Command) =>
        done(await (await import('../commands/db.ts')).db(verb, optionsOf(command))),
      )
  }
  db.command('backup')
    .description('write the embedded database, live and sandbox, to a file; no command may be using it')
    .argument('<file>', 'a .tar.gz file')
    .option('--force', 'overwrite the file')
    .addHelpText('after', examples('db backup greetings.tar.gz'))
    .action(async (file: string, _options: object, command: Command) =>
      done(await (await import('../commands/db-backup.ts')).dbBackup(file, optionsOf(command))),
    )
  db.command('restore')
    .description('put a backup in the place of the embedded database; what was there before is kept beside it')
    .argument('<file>', 'what db backup wrote')
    .addHelpText('after', examples('db restore greetings.tar.gz'))
    .action(async (file: string) => done(await (await import('../commands/db-backup.ts')).dbRestore(file)))
}
