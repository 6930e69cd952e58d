/** How a client waits for what happens in a sandbox: it follows the events, and looks again after each. */
import { request as httpRequest } from 'node:http'
import type { SandboxControl } from './client.ts'
import type { SandboxEvent } from './contract.ts'

export type Waits = Pick<SandboxControl, 'waitFor' | 'waitForMessage' | 'waitForCalls' | 'waitForHeld' | 'watch'>

export function waitsOf(
  url: string,
  { messages, calls, faults }: Pick<SandboxControl, 'messages' | 'calls' | 'faults'>,
): Waits {
  const watch: SandboxControl['watch'] = (each, types) => watchEvents(url, each, types)

  const waitFor: SandboxControl['waitFor'] = async (
    look,
    { timeoutMs = 20_000, what = 'what was waited for' } = {},
  ) => {
    let wake = () => {}
    const stop = await watch(() => wake())
    const deadline = Date.now() + timeoutMs
    try {
      for (;;) {
        const event = new Promise<void>((resolve) => (wake = resolve))
        const found = await look()
        if (found !== undefined && found !== null && found !== false) return found
        const left = deadline - Date.now()
        if (left <= 0) throw new Error(`sandbox: ${what} did not happen within ${timeoutMs} ms`)
        let timer: NodeJS.Timeout | undefined
        await Promise.race([event, new Promise<void>((resolve) => (timer = setTimeout(resolve, left)))])
        clearTimeout(timer)
      }
    } finally {
      stop()
    }
  }

  return {
    watch,
    waitFor,
    waitForMessage: (chatId, fits = () => true, { botId, timeoutMs } = {}) =>
      waitFor(async () => (await messages(chatId, { botId })).find(fits), {
        timeoutMs,
        what: `a message in chat ${chatId}`,
      }),
    waitForCalls: (filter, count = 1, { timeoutMs } = {}) =>
      waitFor(
        async () => {
          const found = await calls(filter)
          return found.length >= count && found
        },
        { timeoutMs, what: `${count} calls of ${JSON.stringify(filter)}` },
      ),
    waitForHeld: async (id, count = 1, { timeoutMs } = {}) => {
      const held = async () => ((await faults()).find((fault) => fault.id === id)?.holding ?? 0) >= count
      await waitFor(held, { timeoutMs, what: `${count} calls held by fault ${id}` })
    },
  }
}

function watchEvents(
  url: string,
  each: (event: SandboxEvent) => void,
  types?: SandboxEvent['type'][],
): Promise<() => void> {
  const address = `${url}/sandbox/events${types === undefined ? '' : `?types=${types.join(',')}`}`
  return new Promise((resolve, reject) => {
    const request = httpRequest(address, { agent: false }, (response) => {
      let rest = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        const parts = (rest + chunk).split('\n\n')
        rest = parts.pop() ?? ''
        for (const part of parts) if (part.startsWith('data: ')) each(JSON.parse(part.slice(6)) as SandboxEvent)
      })
      response.on('error', () => {})
      resolve(() => request.destroy())
    })
    request.on('error', reject)
    request.end()
  })
}
