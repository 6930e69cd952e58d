/** `completion`: the table as a script for the shell. */
import { Argument, type Command } from 'commander'
import type { Done } from './options.ts'

export function addCompletion(program: Command, done: Done): void {
  program
    .command('completion')
    .description('print a script for shell completion of commands and options')
    .addArgument(new Argument('<shell>', 'which shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText(
      'after',
      '\nExamples:\n  $ source <(greetings completion bash)\n  $ greetings completion fish | source\n',
    )
    .action(async (shell: 'bash' | 'zsh' | 'fish') =>
      done((await import('../commands/completion.ts')).completion(shell, program)),
    )
}
