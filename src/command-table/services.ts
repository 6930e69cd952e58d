/** Commands that run until they are stopped. */
import type { Command } from 'commander'
import { examples, newBotOption, optionsOf, outlives, sandboxOption, type Done } from './options.ts'
import { address, port } from './values.ts'

export function addServices(program: Command, done: Done): void {
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
      .action(async (_options: object, command: Command) =>
        done(await (await import('../commands/serve.ts')).serve(verb, optionsOf(command))),
      )
  }
}

export function addDashboard(program: Command, done: Done): void {
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
    .action(async (_options: object, command: Command) =>
      done(await (await import('../commands/dashboard.ts')).dashboard(optionsOf(command))),
    )
}

export function addDemo(program: Command, done: Done): void {
  program
    .command('demo')
    .description('everything on the sandbox, with a chat page in the browser')
    .option('--no-open', 'do not open the browser')
    .addHelpText('after', examples('demo'))
    .action(async (_options: object, command: Command) =>
      done(
        await (
          await import('../commands/serve.ts')
        ).serve('demo', { ...optionsOf<{ open: boolean }>(command), sandbox: true, newBot: false }),
      ),
    )
}
