/** Commands about videos and templates that need no database. */
import type { Command } from 'commander'
import { examples, jsonOption, optionsOf, quietOption, togetherOption, type Done } from './options.ts'

export function addRender(program: Command, done: Done): void {
  program
    .command('render')
    .description('one video to a file; needs neither Telegram nor a database')
    .argument('<name>', 'the name')
    .requiredOption('-o, --output <file>', 'the .mp4 file to write, or - for stdout')
    .option('--template <id>', 'instead of the first of TEMPLATES that serves the name’s script')
    .option('--say <text>', 'what the voice should say instead of the name')
    .addOption(togetherOption())
    .option('--force', 'overwrite the file')
    .addOption(jsonOption())
    .addOption(quietOption())
    .addHelpText(
      'after',
      examples(
        'render Маша -o masha.mp4',
        'render "O\'Connor" -o oconnor.mp4 --template new-year-en',
        'render "Маша и Петя" --together -o both.mp4',
      ),
    )
    .action(async (name: string, _options: object, command: Command) =>
      done(await (await import('../commands/render.ts')).render(name, optionsOf(command))),
    )
}

export function addTemplate(program: Command, done: Done): void {
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
        const ids = argument === undefined ? [] : (given[0] as string[])
        done(await (await import('../commands/template.ts')).template(verb, ids, optionsOf(command)))
      })
  }
}
