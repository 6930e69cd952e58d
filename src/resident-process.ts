/**
 * A process of ours that stays: started once, asked again and again over its channel. It leaves when our end of the
 * channel closes, however we ended, and keeps this program alive only while an answer is due.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { childEnvironment } from './child-environment.ts'
import { builtScript } from './installation.ts'
import { killGroup } from './process-group.ts'

/** A piece of work of a resident process, from the question to the last answer. */
interface Exchange<Answer> {
  onAnswer(answer: Answer): void
  /** The process has ended, so nothing more will come. */
  onGone(): void
}

export interface ResidentProcess<Question, Answer> {
  /** how many exchanges are open */
  readonly open: number
  /** Opens an exchange under an id of its own; questions and answers about it carry the id. Close it. */
  begin(exchange: Exchange<Answer>): { id: number; close: () => void }
  /** One that cannot be sent any more is dropped: the end of the process settles what is open. */
  send(question: Question): void
  /** At once, with all that it started. */
  kill(): void
  /** Closes the channel and waits until the process has left. */
  stop(): Promise<void>
}

/** Whatever a resident process tells; without an id it concerns no exchange. */
interface Message {
  id?: number
}

/**
 * Starts a built script as a resident process.
 * @param on `message`: the process lives, whatever it says. `idle`: the first exchange was opened, or the last one
 * closed. `gone`: told before the open exchanges are.
 */
export function startResidentProcess<Question extends Message, Answer extends Message>(
  script: string,
  on: { message?: () => void; idle?: (isIdle: boolean) => void; gone: () => void },
): ResidentProcess<Question, Answer> {
  const child = forkScript(script)
  const exchanges = new Map<number, Exchange<Answer>>()
  let nextId = 1
  const settle = () => {
    const isIdle = exchanges.size === 0
    for (const handle of [child, child.channel]) {
      if (isIdle) handle?.unref()
      else handle?.ref()
    }
    on.idle?.(isIdle)
  }
  const gone = new Promise<void>((resolve) => {
    const end = () => {
      on.gone()
      for (const { onGone } of [...exchanges.values()]) onGone()
      resolve()
    }
    child.once('exit', end)
    child.once('error', end)
  })
  child.on('message', (answer: Answer) => {
    on.message?.()
    if (answer.id !== undefined) exchanges.get(answer.id)?.onAnswer(answer)
  })
  settle()
  return {
    get open() {
      return exchanges.size
    },
    begin(exchange) {
      const id = nextId++
      exchanges.set(id, exchange)
      settle()
      return {
        id,
        close: () => {
          exchanges.delete(id)
          settle()
        },
      }
    },
    send(question) {
      if (child.connected) child.send(question, () => undefined)
    },
    kill: () => killGroup(child.pid),
    async stop() {
      if (child.connected) child.disconnect()
      child.ref()
      await gone
    },
  }
}

function forkScript(script: string): ChildProcess {
  return fork(builtScript(script), [], {
    env: childEnvironment(),
    // A group of its own: Ctrl-C in a terminal reaches us, and we decide.
    detached: true,
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
}
