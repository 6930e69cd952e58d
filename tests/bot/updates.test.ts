/** Where updates come from, and people who wait: each part by itself, on a real server of the Bot API. */
import { connect } from 'node:net'
import { Bot } from 'grammy'
import type { Update } from 'grammy/types'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { BotContext } from '../../src/bot/context.ts'
import type { Intake, Round } from '../../src/bot/intake.ts'
import { listenForWebhook, poll } from '../../src/bot/updates.ts'
import { openPendingNotes } from '../../src/bot/pending-note.ts'
import { clientOptions, ownErrors } from '../../src/telegram/api.ts'
import { text } from '../../src/texts.ts'
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
  type Asset = Parameters<typeof town.db.videoAsset.create>[0]['data']
  async function waits(asset: Partial<Asset> = {}, request: { language?: string; status?: 'COMPLETED' } = {}) {
    const id = people++
    await says(id, '/start')
    const display = `Name${id}`
    const { id: assetId } = await town.db.videoAsset.create({
      data: { ...asset, template: 'tiny', name: display, display },
    })
    await town.db.user.create({ data: { id } })
    const { updateId } = person(id)
    const { id: requestId } = await town.db.userRequest.create({
      data: { userId: id, assetId, chatId: id, language: 'ru', botId: town.botId, updateId, ...request },
    })
    return { id, display, assetId, requestId, seat: { requestId, chatId: BigInt(id) } }
  }
  const notes = async (id: number) =>
    (await town.telegram.messages(id)).filter(({ from }) => from?.id === Number(town.botId)).map((each) => each.text)
  const noteIs = (id: number, words: string) =>
    until(async () => (await notes(id)).join('|') === words, `the note “${words}” and no other`, 5_000)
  const actions = async (id: number) =>
    (await town.telegram.calls({ method: 'sendChatAction', chatId: id })).map(({ parameters }) => parameters.action)
  const edits = async (id: number) => (await town.telegram.calls({ method: 'editMessageText', chatId: id })).length
  const noteOf = async (requestId: string) =>
    (await town.db.userRequest.findUniqueOrThrow({ where: { id: requestId } })).noteMessageId
  const resting = new Set<bigint>()
  // A look every four seconds of Telegram's.
  const secondMs = 10
  const open = (telegramSecondMs = secondMs) =>
    openPendingNotes({
      db: town.db,
      api: town.api,
      times: { ...town.times, telegramSecondMs },
      floods: { restMs: (chatId) => (resting.has(BigInt(chatId)) ? 1_000 : 0) },
      channels: { usable: () => [], ratePerMinute: 20 },
      stop: new AbortController().signal,
    })
  /** One worker, that takes so many of Telegram's seconds for a video. */
  async function measured(seconds: number) {
    await town.db.$executeRaw`TRUNCATE "StepPace", "WorkerProcess", "WaitingNote"`
    const at = { host: 'here', template: 'tiny', step: 'render', parallel: 1, samples: 9 }
    await town.db.stepPace.create({ data: { ...at, seconds: (seconds * secondMs) / 1_000 } })
    const seenAt = new Date(Date.now() + 3_600_000)
    await town.db.workerProcess.create({ data: { id: 'w', host: 'here', pid: 1, concurrency: 1, seenAt } })
  }
  beforeEach(() => measured(100))

  it.each(['ru', 'en'])('is told the place and how long it takes, in one note that changes (%s)', async (language) => {
    const [first, second] = [await waits({}, { language }), await waits({}, { language })]
    const room = open()
    await Promise.all([room.show(first.seat), room.show(second.seat)])
    await noteIs(first.id, text(language, 'making-place', { name: first.display, place: 1, minutes: 2 }))
    await noteIs(second.id, text(language, 'making-place', { name: second.display, place: 2, minutes: 4 }))
    expect(await noteOf(first.requestId)).not.toBeNull()
    await town.db.videoAsset.update({ where: { id: first.assetId }, data: { status: 'GENERATING' } })
    await noteIs(second.id, text(language, 'making-place', { name: second.display, place: 1, minutes: 4 }))
    // Made, and waiting for its upload: whoever comes after it is nearer.
    const renderedAt = new Date(Date.now() - 10_000)
    await town.db.videoAsset.update({ where: { id: first.assetId }, data: { renderedAt } })
    await noteIs(first.id, text(language, 'sending', { name: first.display }))
    await noteIs(second.id, text(language, 'making-place', { name: second.display, place: 1, minutes: 2 }))
    await room.close()
    expect([await edits(first.id), await edits(second.id)]).toEqual([2, 2])
  })

  it('is told so when it takes longer, once, by whichever bot looks at the note then', async () => {
    const { id, display, requestId, seat } = await waits()
    await measured(10)
    const first = open()
    await first.show(seat)
    await first.close()
    await noteIs(id, text('ru', 'making', { name: display }))
    await town.db.waitingNote.update({ where: { requestId }, data: { promisedAt: new Date(Date.now() - 1) } })
    // Two that start after it.
    const others = [open(), open()]
    await noteIs(id, text('ru', 'making-longer', { name: display }))
    await until(async () => (await town.db.waitingNote.findFirstOrThrow()).says === 'longer', 'the record')
    const { dueAt } = await town.db.waitingNote.findFirstOrThrow()
    await until(async () => (await town.db.waitingNote.findFirstOrThrow()).dueAt > dueAt, 'another look')
    await Promise.all(others.map((each) => each.close()))
    expect(await edits(id)).toBe(1)
  })

  it('is shown what is done, as long as it is done, and nothing while Telegram wants rest', async () => {
    const { id, assetId, requestId, seat } = await waits({ status: 'GENERATING' })
    const room = open()
    await room.show(seat)
    await until(async () => (await actions(id)).length >= 3, 'the action being shown again')
    expect(new Set(await actions(id))).toEqual(new Set(['record_video']))
    resting.add(BigInt(id))
    await town.db.videoAsset.update({ where: { id: assetId }, data: { renderedAt: new Date(0) } })
    const { dueAt } = await town.db.waitingNote.findUniqueOrThrow({ where: { requestId } })
    await until(
      async () => (await town.db.waitingNote.findFirstOrThrow()).dueAt.getTime() > dueAt.getTime() + 100,
      'looks',
    )
    expect(await edits(id)).toBe(0)
    expect(await actions(id)).not.toContain('upload_video')
    resting.clear()
    await until(async () => (await actions(id)).at(-1) === 'upload_video', 'the upload')
    await town.db.userRequest.update({ where: { id: requestId }, data: { status: 'COMPLETED' } })
    await until(async () => (await town.db.waitingNote.count()) === 0, 'the end')
    const shown = (await actions(id)).length
    await room.close()
    expect((await actions(id)).length - shown).toBeLessThan(2)
  })

  it('far back in a long line is told how many are before, not a place that nobody counted', async () => {
    await town.db.$executeRaw`INSERT INTO "User" (id) SELECT 1000000 + n FROM generate_series(1, 2100) AS n`
    await town.db.$executeRaw`INSERT INTO "VideoAsset" (id, template, name, display)
      SELECT 'far' || n, 'tiny', 'far' || n, 'Far' FROM generate_series(1, 2100) AS n`
    await town.db.$executeRaw`
      INSERT INTO "UserRequest" ("userId", "assetId", "chatId", language, "botId", "updateId", "createdAt")
      SELECT 1000000 + n, 'far' || n, n, 'ru', ${town.botId}, n, now() - interval '1 hour'
      FROM generate_series(1, 2100) AS n`
    const { id, display, seat } = await waits()
    const room = open()
    await room.show(seat)
    await room.close()
    expect(await notes(id)).toEqual([text('ru', 'making-far', { name: display, count: 2_000 })])
    expect(await actions(id)).toEqual([])
  })

  it('whose video was faster keeps no note', async () => {
    const room = open()
    const hold = await town.telegram.fault({ method: 'sendMessage', answer: { kind: 'hold' } })
    const { id, requestId, seat } = await waits()
    const shown = room.show(seat)
    await town.telegram.waitForHeld(hold.id)
    await town.db.userRequest.update({ where: { id: requestId }, data: { status: 'COMPLETED' } })
    await town.telegram.release(hold.id)
    await shown
    // Nor does anybody whose video is there already.
    const other = await waits({}, { status: 'COMPLETED' })
    await room.show(other.seat)
    expect([await notes(id), await notes(other.id)]).toEqual([[], []])
    expect(await noteOf(requestId)).toBeNull()
    await room.close()
  })

  it('who cannot be written to is no trouble', async () => {
    const room = open()
    const { id, requestId, seat } = await waits()
    await town.telegram.block(id)
    await room.show(seat)
    expect(await noteOf(requestId)).toBeNull()
    await room.close()
  })
})
