/** A stop waits for nobody who has not said what they want. */
import { connect, type Socket } from 'node:net'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { startBot, type RunningBot } from '../../src/bot/index.ts'
import { text } from '../../src/texts.ts'
import {
  ask,
  botParts,
  openTestEnvironment,
  quietLog,
  until,
  type TestEnvironment,
} from '../environment/test-environment.ts'

const secret = 'topsecret'
let town: TestEnvironment
let bot: RunningBot
let port = 0
const sockets: Socket[] = []

async function start(): Promise<void> {
  const log = { ...quietLog, info: (fields: object) => void ('port' in fields && (port = Number(fields.port))) }
  bot = await startBot(botParts(town, { webhook: { url: 'http://127.0.0.1:9/unused', secret, port: 0 }, log }))
}

/** A connection on which so much was said. What comes back, and its end. */
async function saying(bytes: string): Promise<{ ended: Promise<string>; socket: Socket }> {
  const socket = connect(port, '127.0.0.1')
  sockets.push(socket)
  let heard = ''
  socket.on('data', (chunk) => (heard += chunk.toString('utf8')))
  const ended = new Promise<string>((resolve) => socket.on('close', () => resolve(heard)).on('error', () => undefined))
  await new Promise((resolve) => socket.once('connect', resolve))
  if (bytes !== '') await new Promise((resolve) => socket.write(bytes, resolve))
  return { ended, socket }
}

const post = (headers: string, body = '') => `POST / HTTP/1.1\r\nHost: x\r\n${headers}\r\n${body}`
const known = `X-Telegram-Bot-Api-Secret-Token: ${secret}\r\n`
const whole = (update: object) =>
  post(`${known}Content-Length: ${Buffer.byteLength(JSON.stringify(update))}\r\n`, JSON.stringify(update))

beforeAll(async () => {
  town = await openTestEnvironment()
})
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
})
afterAll(() => town.close())

describe('a bot with a webhook that is asked to stop', () => {
  it.each([
    { what: 'nothing', bytes: '' },
    { what: 'half a header', bytes: 'POST / HTTP/1.1\r\nHost: x\r\n' },
    {
      what: 'a wrong secret and no body',
      bytes: post('X-Telegram-Bot-Api-Secret-Token: no\r\nContent-Length: 100\r\n', 'abc'),
    },
    { what: 'the right secret and half a body', bytes: post(`${known}Content-Length: 100\r\n`, 'abc') },
    { what: 'a whole call, and keeps the connection', bytes: whole({ update_id: 1 }) },
  ])('ends at once though somebody said $what', async ({ bytes }) => {
    await start()
    const { ended } = await saying(bytes)
    // A second one is answered, so the first has been read.
    const other = await saying(post('Content-Length: 0\r\n'))
    expect(await other.ended).toMatch(/^HTTP\/1\.1 401 /)
    const begun = Date.now()
    await bot.stop(20_000)
    await ended
    expect(Date.now() - begun).toBeLessThan(10_000)
  })

  it('answers whoever has said everything, before it ends', async () => {
    await start()
    const { key, display } = ask('Клим')
    await town.db.videoAsset.create({ data: { template: 'tiny', name: key, display } })
    const holder = new pg.Client(town.database.url)
    await holder.connect()
    await holder.query('BEGIN')
    await holder.query('SELECT 1 FROM "VideoAsset" FOR UPDATE')
    const id = 9_100
    await town.telegram.say({ userId: id, text: '/start' })
    const { ended } = await saying(
      whole({
        update_id: 7,
        message: {
          message_id: 1,
          date: 1,
          chat: { id, type: 'private', first_name: 'x' },
          from: { id, is_bot: false, first_name: 'x' },
          text: 'Клим',
        },
      }),
    )
    await until(
      async () =>
        (
          await town.db.$queryRaw<
            object[]
          >`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
        ).length > 0,
      'the wait for the row',
    )
    await bot.stop(20_000)
    expect(await ended).toMatch(/^HTTP\/1\.1 200 /)
    expect(await town.db.heldUpdate.count()).toBe(1)
    await holder.query('ROLLBACK')
    await holder.end()
    await start()
    await town.telegram.waitForMessage(id, ({ text: words }) => words === text('ru', 'making', { name: 'Клим' }))
    await bot.stop(1_000)
  })

  it('is not kept by a call whose database does not answer', async () => {
    await start()
    const { ended } = await saying(post(`${known}Content-Length: 5\r\n`, 'ab'))
    bot.abortNow()
    await bot.stop(60_000)
    await ended
  })
})
