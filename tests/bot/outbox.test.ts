import { expect, it } from 'vitest'
import { createOutbox } from '../../src/bot/outbox.ts'
import { waitingTimes } from '../../src/config.ts'
import type { Api } from '../../src/telegram/api.ts'
import { TelegramError, type TelegramErrorKind } from '../../src/telegram/errors.ts'
import type { LiveFloods } from '../../src/telegram/live-floods.ts'

/** An outbox whose first answers all fail in one way, with what it tried and what it said about it. */
function failing(kind: TelegramErrorKind, failures = Infinity) {
  const tried: string[] = []
  const warned: [fields: object, message: string][] = []
  const stop = new AbortController()
  const api = {
    sendMessage(_chatId: number, text: string) {
      tried.push(text)
      return tried.length <= failures
        ? Promise.reject(new TelegramError(kind, 'sendMessage', 500, 'Bad Gateway', 1))
        : Promise.resolve({ message_id: 1 })
    },
  } as unknown as Api
  const outbox = createOutbox(
    {
      api,
      floods: { restMs: () => 0 } as unknown as LiveFloods,
      times: waitingTimes(1_000),
      log: { warn: (fields, message) => warned.push([fields, message]) },
    },
    stop.signal,
  )
  return { outbox, tried, warned, stop }
}

it.each(['server', 'not_sent', 'flood'] as const)('warns once when five tries of a text end with %s', async (kind) => {
  const { outbox, tried, warned } = failing(kind)
  await outbox.say(1, { text: 'hello' })
  expect(tried).toEqual(Array(5).fill('hello'))
  expect(warned).toEqual([[{ error: 'sendMessage: 500 Bad Gateway' }, 'an answer could not be sent now']])
  expect(outbox.isIdle(1)).toBe(true)
})

it('says nothing about a text that arrives at the fifth try', async () => {
  const { outbox, tried, warned } = failing('server', 4)
  await outbox.say(1, { text: 'hello' })
  expect(tried).toHaveLength(5)
  expect(warned).toEqual([])
})

it('neither tries again nor warns when the person cannot be reached', async () => {
  const { outbox, tried, warned } = failing('person_unreachable')
  await outbox.say(1, { text: 'hello' })
  expect(tried).toHaveLength(1)
  expect(warned).toEqual([])
})

it('does not warn about what a stop ended', async () => {
  const { outbox, warned, stop } = failing('server')
  const said = outbox.say(1, { text: 'hello' })
  stop.abort()
  await said
  expect(warned).toEqual([])
})
