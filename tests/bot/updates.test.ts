/** Where updates come from, and people who wait: each part by itself, on a real server of the Bot API. */
import { connect } from 'node:net'
import { Bot } from 'grammy'
import type { Update } from 'grammy/types'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { BotContext } from '../../src/bot/context.ts'
import type { Intake, Round } from '../../src/bot/intake.ts'
import { listenForWebhook, poll } from '../../src/bot/updates.ts'
import { openPendingNotes } from '../../src/bot/pending-note.ts'
import { clientOptions, ownErrors } from '../../src/telegram/api.ts'
import { openTestEnvironment, person, quietLog, until, type TestEnvironment } from '../environment/test-environment.ts'

let town: TestEnvironment
beforeAll(async () => {
  town = await openTestEnvironment({ channels: 0 })
})
afterAll(() => town.close())
afterEach(() => town.telegram.release())
beforeEach(async () => {
  await town.db.$executeRaw`TRUNCATE "VideoAsset", "UserRequest", "SoundReport", "User"`
  await town.telegram.clearCalls()
})

let people = 9_000
async function says(id: number, text: string): Promise<void> {
  await town.telegram.say({ userId: id, text })
}

/** An intake that takes what `takes` says. */
const intakeThat = (takes: (update: Update) => Promise<boolean>): Intake => ({
  pass: () => false,
  openRound: async (): Promise<Round> => ({ held: new Set(), waiting: new Set() }),
  take: takes,
  keepTrying: async () => undefined,
  idle: async () => undefined,
})

describe('polling', () => {
  function start(takes: (update: Update) => Promise<boolean>) {
    const stop = new AbortController()
    const bot = new Bot<BotContext>(town.token, { client: clientOptions({ apiRoot: town.server.url }) })
    bot.api.config.use(ownErrors(town.times))
    return { stop, ended: poll({ bot, intake: intakeThat(takes), times: town.times, log: quietLog }, stop.signal) }
  }
  const unconfirmed = async () => (await town.telegram.pending()).updateIds.length

  it('confirms nothing that was not taken in, whatever else was, also when it stops', async () => {
    await says(people++, 'first')
    await says(people++, 'second')
    let tries = 0
    const { stop, ended } = start(async (update) => {
      tries++
      return update.message?.text === 'first'
    })
    await until(async () => tries >= 4, 'several tries')
    expect(await unconfirmed()).toBe(2)
    stop.abort(new Error('stop'))
    await ended
    expect(await unconfirmed()).toBe(2)
  })

  it('takes again only what was not taken, and goes on when all is', async () => {
    const taken: string[] = []
    let isAway = true
    await says(people++, 'late')
    await says(people++, 'early')
    const { stop, ended } = start(async ({ message }) => {
      if (message?.text === 'late' && isAway) return false
      taken.push(message?.text ?? '')
      return true
    })
    await until(async () => taken.includes('early'), 'the first update')
    await new Promise((resolve) => setTimeout(resolve, 3 * town.times.pollMs))
    isAway = false
    await until(async () => taken.includes('late'), 'the other')
    await says(people++, 'next')
    await until(async () => taken.includes('next'), 'the next')
    stop.abort(new Error('stop'))
    await ended
    expect(taken.filter((text) => text === 'early').length).toBe(1)
    expect(await unconfirmed()).toBe(0)
  })

  it('confirms its last batch when it stops, so that the next start does not get it again', async () => {
    const { stop, ended } = start(async () => {
      stop.abort(new Error('stop'))
      return true
    })
    await says(people++, 'last')
    await ended
    expect(await unconfirmed()).toBe(0)
    expect((await town.telegram.calls({ method: 'getUpdates' })).at(-1)?.parameters).toMatchObject({ timeout: 0 })
  })

  it('ends when its token is refused, and at nothing else', async () => {
    await town.telegram.fault({ method: 'getUpdates', answer: { kind: 'html', code: 502 } })
    await town.telegram.fault({
      method: 'getUpdates',
      answer: { kind: 'refuse', code: 409, description: 'Conflict: terminated by other getUpdates request' },
    })
    let taken = 0
    const first = start(async () => ++taken > 0)
    await says(people++, 'hello')
    await until(async () => taken > 0, 'the update')
    await town.telegram.fault({
      method: 'getUpdates',
      answer: { kind: 'refuse', code: 401, description: 'Unauthorized' },
    })
    await says(people++, 'wake up')
    await expect(first.ended).rejects.toMatchObject({ kind: 'token' })
  })
})

describe('a webhook', () => {
  const secret = 'secret'
  const whole = (updateId: number) => {
    const body = JSON.stringify({ update_id: updateId })
    const head = `POST / HTTP/1.1\r\nHost: x\r\nX-Telegram-Bot-Api-Secret-Token: ${secret}\r\nContent-Length: ${body.length}\r\n\r\n`
    return { head, body }
  }
  /** A connection on which this was said, and the status of its answer. */
  async function call(port: number, words: string) {
    const socket = connect(port, '127.0.0.1')
    const answered = new Promise<number>((resolve) =>
      socket.once('data', (answer) => resolve(Number(answer.toString('latin1').split(' ')[1]))),
    )
    await new Promise((resolve) => socket.write(words, resolve))
    return { socket, answered }
  }

  it('that closes takes nothing more, from whoever had not said everything, and answers what it took', async () => {
    const taken: number[] = []
    let finish = () => {}
    const finished = new Promise<void>((resolve) => (finish = resolve))
    const intake = intakeThat(async ({ update_id: id }) => {
      taken.push(id)
      await finished
      return true
    })
    const server = await listenForWebhook({ intake, log: quietLog }, { port: 0, secret })
    const [early, late] = [whole(1), whole(2)]
    const slow = await call(server.port, late.head)
    const quick = await call(server.port, early.head + early.body)
    await until(async () => taken.length === 1, 'the first update')
    const closed = server.close(new AbortController().signal)
    slow.socket.write(late.body)
    // Either it is refused, or it would have been taken.
    expect(await Promise.race([slow.answered, until(async () => taken.length === 2, 'the second', 5_000)])).toBe(503)
    finish()
    expect(await quick.answered).toBe(200)
    await closed
    expect(taken).toEqual([1])
  })

  it('outlives whoever goes away in the middle of a word', async () => {
    const intake = intakeThat(async () => true)
    const server = await listenForWebhook({ intake, log: quietLog }, { port: 0, secret })
    const { head, body } = whole(3)
    const { socket } = await call(server.port, head + body.slice(0, 3))
    socket.resetAndDestroy()
    expect(await (await call(server.port, head + body)).answered).toBe(200)
    await server.close(AbortSignal.abort())
  })
})

describe('a person who waits', () => {
  async function waits(status: 'PENDING' | 'COMPLETED' = 'PENDING') {
    const id = people++
    await says(id, '/start')
    const asset = await town.db.videoAsset.create({ data: { template: 'tiny', name: `name ${id}`, display: '' } })
    await town.db.user.create({ data: { id } })
    const request = await town.db.userRequest.create({
      data: {
        userId: id,
        assetId: asset.id,
        chatId: id,
        language: 'ru',
        botId: town.botId,
        updateId: person(id).updateId,
        status,
      },
    })
    return { id, requestId: request.id, seat: { requestId: request.id, chatId: BigInt(id), note: 'being made' } }
  }
  const notes = async (id: number) => (await town.telegram.messages(id)).filter(({ text }) => text === 'being made')
  const actions = async (id: number) => (await town.telegram.calls({ method: 'sendChatAction', chatId: id })).length
  const noteOf = async (requestId: string) =>
    (await town.db.userRequest.findUniqueOrThrow({ where: { id: requestId } })).noteMessageId
  // An action every four seconds of Telegram's, for three minutes at most.
  const secondMs = 50
  const open = (telegramSecondMs = secondMs) =>
    openPendingNotes({
      db: town.db,
      api: town.api,
      times: { ...town.times, telegramSecondMs },
      stop: new AbortController().signal,
    })

  it('gets a note that is remembered, and is shown that it goes on until the video is there', async () => {
    const room = open()
    const [one, other] = [await waits(), await waits()]
    await room.show(one.seat)
    await room.show(other.seat)
    expect(await noteOf(one.requestId)).toBe((await notes(one.id))[0]?.message_id)
    await until(async () => (await actions(one.id)) >= 3, 'the action being shown again')
    await town.db.userRequest.update({ where: { id: one.requestId }, data: { status: 'COMPLETED' } })
    await until(
      async () => {
        const before = await actions(one.id)
        await new Promise((resolve) => setTimeout(resolve, 12 * secondMs))
        return (await actions(one.id)) === before
      },
      'the end of the action',
      120 * secondMs,
    )
    room.close()
    expect((await notes(one.id)).length).toBe(1)
  })

  it('is shown at once that something goes on', async () => {
    const room = open(60_000)
    const { id, seat } = await waits()
    await room.show(seat)
    await until(async () => (await actions(id)) === 1, 'the action', 3_000)
    room.close()
  })

  it('is shown so for three minutes of Telegram’s and no longer', async () => {
    const room = open(20)
    const { id, seat } = await waits()
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      await room.show(seat)
      const shownAt = Date.now()
      vi.setSystemTime(shownAt + 178 * 20)
      const before = await actions(id)
      await until(async () => (await actions(id)) > before + 1, 'the action being shown still')
      vi.setSystemTime(shownAt + 182 * 20)
      let last = -1
      await until(async () => {
        const earlier = last
        last = await actions(id)
        await new Promise((resolve) => setTimeout(resolve, 12 * 20))
        return last === earlier
      }, 'the end of the action')
    } finally {
      vi.useRealTimers()
      room.close()
    }
  })

  it('whose video was faster keeps no note', async () => {
    const room = open()
    const { id, requestId, seat } = await waits('COMPLETED')
    await room.show(seat)
    expect(await notes(id)).toEqual([])
    expect(await noteOf(requestId)).toBeNull()
    room.close()
  })

  it('who cannot be written to is no trouble', async () => {
    const room = open()
    const { id, requestId, seat } = await waits()
    await town.telegram.block(id)
    await room.show(seat)
    expect(await noteOf(requestId)).toBeNull()
    room.close()
  })
})
