/**
 * One person's trouble at the database is nobody else's: a locked row, a database that is away, updates that are held.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startBot, type BotParts, type RunningBot } from '../../src/bot/index.ts'
import { openIntake, TookTooLong, type IntakeParts, type Outcome } from '../../src/bot/intake.ts'
import { chatOf, createPerChat } from '../../src/bot/per-chat.ts'
import { openDatabase, type Database } from '../../src/db/database.ts'
import { endHeld, heldQuestions, holdUpdate, takeHeld } from '../../src/greetings/held-updates.ts'
import { reconcile } from '../../src/greetings/reconcile.ts'
import { parseName } from '../../src/names/name.ts'
import { text } from '../../src/texts.ts'
import { videosOf } from '../queue/processes.ts'
import {
  ask,
  botParts,
  openTestEnvironment,
  quietLog,
  until,
  type TestEnvironment,
} from '../environment/test-environment.ts'

let town: TestEnvironment
let bot: RunningBot | undefined
let people = 7_000
const newPerson = () => people++
const releases: (() => Promise<void>)[] = []

const parts = (more: Partial<BotParts> = {}): BotParts => botParts(town, more)

/** A video that Telegram knows. */
async function made(name: string): Promise<void> {
  const { key, display } = ask(name)
  const { video } = await town.api.sendVideo(String(town.channelId), await aFile())
  await town.db.videoAsset.create({
    data: {
      template: 'tiny',
      name: key,
      display,
      status: 'AVAILABLE',
      telegramFileId: video.file_id,
      telegramBotId: town.botId,
    },
  })
}

async function aFile() {
  const { makeClip } = await import('../environment/clip.ts')
  const { videoUpload } = await import('../../src/telegram/storage.ts')
  return videoUpload(await makeClip(town.folder))
}

/** Somebody holds the name's row, until the result is called. */
async function lock(name: string): Promise<() => Promise<void>> {
  const client = new pg.Client(town.database.url)
  await client.connect()
  await client.query('BEGIN')
  const { rowCount } = await client.query(`SELECT 1 FROM "VideoAsset" WHERE name = $1 FOR UPDATE`, [ask(name).key])
  expect(rowCount).toBe(1)
  let isOpen = true
  const release = async () => {
    if (!isOpen) return
    isOpen = false
    await client.query('ROLLBACK')
    await client.end()
  }
  releases.push(release)
  return release
}

const held = () => town.db.heldUpdate.count()
const said = async (id: number) =>
  (await town.telegram.messages(id))
    .filter(({ from }) => from?.id === Number(town.botId))
    .map(({ text, video, caption }) => (video === undefined ? text : caption))
const write = (userId: number, text: string) => town.telegram.say({ userId, text, languageCode: 'ru' })

beforeAll(async () => {
  town = await openTestEnvironment()
  await made('Агата')
  await made('Клим')
})
beforeEach(async () => {
  bot = await startBot(parts())
})
afterEach(async () => {
  for (const release of releases.splice(0)) await release()
  await until(async () => (await held()) === 0, 'all that was held')
  await bot?.stop(1_000)
})
afterAll(() => town.close())

describe('a row that stays locked', () => {
  it('keeps nobody else from being answered, and those who ask for it are answered when it is free', async () => {
    const release = await lock('Клим')
    const stuck = Array.from({ length: 20 }, newPerson)
    const others = Array.from({ length: 300 }, newPerson)
    await town.telegram.sayAll(stuck.map((userId) => ({ userId, text: 'Клим', languageCode: 'ru' })))
    await until(async () => (await held()) > 0, 'the first held update')
    await town.telegram.clearCalls()
    for (let n = 0; n < others.length; n += 60)
      await town.telegram.sayAll(
        others
          .slice(n, n + 60)
          .map((userId) => ({ userId, text: userId % 2 === 0 ? 'Агата' : '/start', languageCode: 'ru' })),
      )
    const answers = async () => {
      const { sendVideo = 0, sendMessage = 0 } = (await town.telegram.counts()).succeeded
      return sendVideo + sendMessage
    }
    await until(async () => (await answers()) >= others.length, 'an answer for each of the others', 60_000)
    const answered = (await town.telegram.calls()).filter(
      ({ method, status }) => ['sendVideo', 'sendMessage'].includes(method) && status === 200,
    )
    expect([...new Set(answered.map(({ chatId }) => chatId))].sort()).toEqual(others)
    expect(await Promise.all(stuck.map(said))).toEqual(stuck.map(() => []))
    expect(await held()).toBe(stuck.length)
    expect((await town.telegram.pending()).updateIds).toEqual([])

    await release()
    await until(
      async () => (await Promise.all(stuck.map((id) => videosOf(town, id)))).every((videos) => videos === 1),
      'a video for those who were held',
    )
    expect(await town.db.userRequest.count({ where: { userId: { in: stuck.map(BigInt) } } })).toBe(stuck.length)
  })

  it('takes three connections of the bot at most, however many ask for it at a time', async () => {
    await bot?.stop(1_000)
    await lock('Клим')
    const stuck = Array.from({ length: 20 }, newPerson)
    await town.telegram.sayAll(stuck.map((userId) => ({ userId, text: 'Клим', languageCode: 'ru' })))
    const watcher = new pg.Client(town.database.url)
    await watcher.connect()
    // All of them are fetched together.
    bot = await startBot(parts())
    let most = 0
    await until(async () => {
      const { rowCount } = await watcher.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      )
      most = Math.max(most, rowCount ?? 0)
      return (await held()) === stuck.length
    }, 'all of them being held')
    await watcher.end()
    expect(most).toBeGreaterThan(0)
    expect(most).toBeLessThanOrEqual(3)
  })

  it('keeps the order within a chat, also across a restart', async () => {
    const release = await lock('Клим')
    const id = newPerson()
    await write(id, 'Клим')
    await write(id, '/start')
    await until(async () => (await held()) === 2, 'both')
    await bot?.stop(1_000)
    bot = await startBot(parts())
    await write(id, 'Агата')
    await until(async () => (await held()) === 3, 'what came after the restart')
    expect(await said(id)).toEqual([])
    await release()
    await until(async () => (await said(id)).length === 3, 'all answers')
    expect(await said(id)).toEqual([
      text('ru', 'caption', { name: 'Клим' }),
      text('ru', 'welcome'),
      text('ru', 'caption', { name: 'Агата' }),
    ])
  })

  it('property 6: an update that comes again while it is held makes no second request', async () => {
    const release = await lock('Клим')
    const id = newPerson()
    const updateId = await write(id, 'Клим')
    await until(async () => (await held()) === 1, 'the held update')
    await town.telegram.resend([updateId ?? 0])
    await write(newPerson(), '/start')
    await until(async () => (await town.telegram.pending()).updateIds.length === 0, 'all updates')
    expect(await held()).toBe(1)
    await release()
    await until(async () => (await held()) === 0, 'its end')
    await town.telegram.resend([updateId ?? 0])
    await write(id, '/help')
    await town.telegram.waitForMessage(id, ({ text: words }) => words === text('ru', 'help'))
    expect(await videosOf(town, id)).toBe(1)
    expect(await town.db.userRequest.count({ where: { userId: BigInt(id) } })).toBe(1)
  })

  it('is waited for a day at most, then the person hears that it did not work', async () => {
    await lock('Клим')
    const id = newPerson()
    await write(id, 'Клим')
    await until(async () => (await held()) === 1, 'the held update')
    await town.db
      .$executeRaw`UPDATE "HeldUpdate" SET "heldAt" = now() - ${town.times.heldMs}::float8 * interval '1 millisecond'`
    await town.telegram.waitForMessage(id, ({ text: words }) => words === text('ru', 'trouble'))
    await until(async () => (await held()) === 0, 'its end')
  })

  it('holds what a webhook tells as well, in time for the answer 200', async () => {
    await bot?.stop(1_000)
    let port = 0
    bot = await startBot(
      parts({
        webhook: { url: 'http://127.0.0.1:9/unused', secret: 'secret', port: 0 },
        log: { ...quietLog, info: (fields: object) => void ('port' in fields && (port = Number(fields.port))) },
      }),
    )
    const release = await lock('Клим')
    const id = newPerson()
    await town.telegram.saveUser({ userId: id, languageCode: 'ru' })
    await write(id, '/start') // goes to the address nobody listens at: the person is known from then on
    const tell = async (updateId: number, text: string) => {
      const body = {
        update_id: updateId,
        message: {
          message_id: updateId,
          date: 1,
          chat: { id, type: 'private', first_name: 'x' },
          from: { id, is_bot: false, first_name: 'x', language_code: 'ru' },
          text,
        },
      }
      return (
        await fetch(`http://127.0.0.1:${port}/`, {
          method: 'POST',
          headers: { 'x-telegram-bot-api-secret-token': 'secret' },
          body: JSON.stringify(body),
        })
      ).status
    }
    expect(await Promise.all([tell(800_000_001, 'Клим'), tell(800_000_002, 'Агата')])).toEqual([200, 200])
    expect(await held()).toBe(2)
    await release()
    await until(async () => (await videosOf(town, id)) === 2, 'both videos')
    expect(await said(id)).toEqual([text('ru', 'caption', { name: 'Клим' }), text('ru', 'caption', { name: 'Агата' })])
  })
})

describe('held updates', () => {
  const update = (updateId: number, chatId: number, text = 'Клим') => ({
    update_id: updateId,
    message: {
      message_id: 1,
      date: 1,
      chat: { id: chatId, type: 'private' as const, first_name: 'x' },
      from: { id: chatId, is_bot: false, first_name: 'x', language_code: 'ru' },
      text,
    },
  })
  const hold = (one: ReturnType<typeof update>, botId = town.botId) =>
    holdUpdate(town.db, botId, { updateId: one.update_id, chatId: BigInt(chatOf(one)), body: JSON.stringify(one) }, 0)

  /** The intake of a process, without a bot around it. */
  const alone = (
    handle: (...of: Parameters<IntakeParts['handle']>) => Promise<Outcome>,
    times: Partial<TestEnvironment['times']> = {},
  ) =>
    openIntake({
      db: town.db,
      botId: town.botId,
      handle,
      answered: async () => undefined,
      sendFailureNotice: () => undefined,
      handling: createPerChat(),
      times: { ...town.times, ...times },
      log: quietLog,
    })

  it('are handled once each and in the order of their chat, by two processes together', async () => {
    await bot?.stop(1_000)
    for (let n = 0; n < 60; n++) await hold(update(700 + n, n % 20))
    const handled: number[] = []
    const stop = new AbortController()
    const processes = [1, 2].map(() =>
      alone(async ({ update_id: id }) => {
        handled.push(id)
        await new Promise((resolve) => setImmediate(resolve))
        return 'handled'
      }).keepTrying(stop.signal),
    )
    await until(async () => (await held()) === 0, 'all of them')
    stop.abort()
    await Promise.all(processes)
    expect([...handled].sort((one, other) => one - other)).toEqual(Array.from({ length: 60 }, (_, n) => 700 + n))
    for (let chat = 0; chat < 20; chat++)
      expect(handled.filter((id) => (id - 700) % 20 === chat)).toEqual([700 + chat, 720 + chat, 740 + chat])
  })

  it('are tried fifty at a time', async () => {
    await bot?.stop(1_000)
    for (let n = 0; n < 110; n++) await hold(update(5_000 + n, 5_000 + n))
    let inHand = 0
    let go = () => {}
    const released = new Promise<void>((resolve) => (go = resolve))
    const stop = new AbortController()
    const trying = alone(async () => {
      inHand++
      await released
      inHand--
      return 'handled'
    }).keepTrying(stop.signal)
    await until(async () => inHand >= 50, 'the first of them')
    expect(inHand).toBe(50)
    go()
    await until(async () => (await held()) === 0, 'all of them')
    stop.abort()
    await trying
  })

  it('are confirmed as soon as they are held, and their try hears that it took too long', async () => {
    await bot?.stop(1_000)
    const handleMs = 1_500
    let reason: unknown
    const intake = alone(
      (_update, { giveUp }) =>
        new Promise((resolve) =>
          giveUp.addEventListener('abort', () => {
            reason = giveUp.reason
            // Goes on for a while: what runs at the database is not ended by that.
            setTimeout(() => resolve('handled'), 2 * handleMs)
          }),
        ),
      { handleMs },
    )
    const late = new Promise((resolve) => setTimeout(resolve, 1.8 * handleMs, 'later'))
    expect(await Promise.race([intake.take(update(690, 9)), late])).toBe(true)
    expect(await held()).toBe(1)
    expect(reason).toBeInstanceOf(TookTooLong)
    await intake.idle()
    expect(await held()).toBe(0)
  })

  it('are taken by nobody else while somebody is at them', async () => {
    await bot?.stop(1_000)
    await hold(update(650, 1))
    const take = () => takeHeld(town.db, town.botId, { most: 10, leaseMs: 60_000, heldMs: 60_000 })
    const taken = await Promise.all([take(), take(), take()])
    expect(taken.flat().map(({ updateId }) => updateId)).toEqual([650])
    await town.db.heldUpdate.deleteMany()
  })

  it('keep what came as it came, also what is no proper text', async () => {
    await bot?.stop(1_000)
    const odd = update(651, 2, 'a\u0000b\ud83dc')
    await hold(odd)
    const [one] = await takeHeld(town.db, town.botId, { most: 10, leaseMs: 60_000, heldMs: 60_000 })
    expect(JSON.parse(one?.body ?? '')).toEqual(odd)
    await town.db.heldUpdate.deleteMany()
  })

  it('property 14: end after a day, also where no bot runs that would handle them', async () => {
    const ofAnother = 4_242n
    await hold(update(652, 3), ofAnother)
    const dayAgo = new Date(Date.now() - town.times.heldMs - town.times.outageMs - 1_000)
    await endHeld(town.db, town.times.heldMs)
    expect(await held()).toBe(1)
    await town.db.heldUpdate.updateMany({ data: { heldAt: dayAgo } })
    await reconcile({ db: town.db, queue: town.queue, botId: town.botId, times: town.times })
    expect(await held()).toBe(0)
  })

  it('are found by the name they ask for, however it is spelt', async () => {
    const ofAnother = 4_242n
    await hold(update(660, 4, ' аГРИППИНА '), ofAnother)
    await hold(update(661, 5, 'Агриппа'), ofAnother)
    await hold(update(662, 6, '/start'), ofAnother)
    expect(
      await heldQuestions(town.db, ask('Агриппина').key, (words) => {
        const parsed = parseName(words)
        return parsed.ok ? [parsed.name] : []
      }),
    ).toEqual([{ botId: ofAnother, updateId: 660, chatId: 4n, languageCode: 'ru', display: 'Агриппина' }])
    await town.db.heldUpdate.deleteMany()
  })

  it('of one chat are so many at most', async () => {
    const ofAnother = 4_242n
    for (let n = 0; n < 120; n++) await hold(update(n, 5), ofAnother)
    expect(await held()).toBe(100)
    await town.db.heldUpdate.deleteMany()
  })
})

describe('a database that is away', () => {
  let proxy: Proxy
  let throughProxy: Database
  beforeAll(async () => {
    proxy = await openProxy(new URL(town.database.url))
    throughProxy = await openDatabase({ home: town.folder, databaseUrl: proxy.url, sandbox: false, role: 'test' })
  })
  afterAll(async () => {
    await throughProxy.close()
    await proxy.close()
  })

  it('is what the intake waits for: nothing is confirmed, nothing is lost, and the log says so', async () => {
    await bot?.stop(1_000)
    const told: string[] = []
    const note = (_fields: object, message: string) => void told.push(message)
    bot = await startBot(
      parts({
        door: { ...town.door, db: throughProxy.db },
        delivery: { ...town.delivery, db: throughProxy.db },
        log: { info: note, warn: note, error: note },
      }),
    )
    await proxy.goAway()
    const id = newPerson()
    await write(id, 'Агата')
    await until(async () => told.includes('the database is away; updates wait'), 'the log')
    expect((await town.telegram.pending()).updateIds.length).toBe(1)
    await proxy.comeBack()
    await town.telegram.waitForMessage(id, ({ video }) => video !== undefined)
    await until(async () => (await town.telegram.pending()).updateIds.length === 0, 'the confirmation')
    expect(await held()).toBe(0)
    expect(told.filter((message) => message.includes('away'))).toHaveLength(1)
    expect(told).not.toContain('an update could not be handled')
  })
})

interface Proxy {
  url: string
  goAway(): Promise<void>
  comeBack(): Promise<void>
  close(): Promise<void>
}

/** The way to the database, which can be cut. */
async function openProxy(database: URL): Promise<Proxy> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((incoming) => {
    const outgoing = connect(Number(database.port), database.hostname)
    for (const socket of [incoming, outgoing]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        incoming.destroy()
        outgoing.destroy()
      })
    }
    incoming.pipe(outgoing).pipe(incoming)
  })
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  await listen(0)
  const { port } = server.address() as { port: number }
  const url = new URL(database)
  url.hostname = '127.0.0.1'
  url.port = String(port)
  const goAway = async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    for (const socket of sockets) socket.destroy()
    await closed
  }
  return { url: url.href, goAway, comeBack: () => listen(port), close: goAway }
}
