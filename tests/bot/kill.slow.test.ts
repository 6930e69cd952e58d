import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { request } from '../../src/greetings/request.ts'
import { text } from '../../src/texts.ts'
import { createServices, videosOf } from '../queue/processes.ts'
import { ask, openTestEnvironment, until, type TestEnvironment } from '../environment/test-environment.ts'

let town: TestEnvironment
const services = createServices(() => town)

beforeAll(async () => {
  town = await openTestEnvironment()
})
afterEach(() => services.endAll())
afterAll(() => town.close())

describe('a bot that is killed', () => {
  it('property 6: with 50 updates in hand, each person still gets one video', async () => {
    const worker = await services.start('worker')
    await request(town.door, [ask('Ульяна'), ask('Фёдор')])
    await until(
      async () => (await town.db.videoAsset.count({ where: { status: 'AVAILABLE' } })) === 2,
      'two videos to hit',
      60_000,
    )

    // Hits and misses, none of which is answered before the bot is killed.
    const people = Array.from({ length: 50 }, (_, n) => 2_000 + n)
    const names = ['Ульяна', 'Фёдор', 'Эмма', 'Юлиана', 'Ярослав']
    const hold = await town.telegram.fault({
      chatId: undefined,
      method: ['sendMessage', 'sendVideo', 'sendChatAction'],
      answer: { kind: 'hold' },
    })
    const bot = await services.start('bot')
    await town.telegram.sayAll(people.map((userId, n) => ({ userId, text: names[n % names.length] ?? '' })))
    await town.telegram.waitForHeld(hold.id, 20, { timeoutMs: 60_000 })
    await bot.kill()
    await town.telegram.release()

    await services.start('bot')
    await until(
      async () => (await town.db.userRequest.count({ where: { status: 'COMPLETED' } })) === people.length,
      'all videos',
      90_000,
    )
    for (const id of people) expect(await videosOf(town, id)).toBe(1)
    expect(await town.db.userRequest.count()).toBe(people.length)
    expect(await town.db.videoAsset.count()).toBe(names.length)
    expect((await town.telegram.pending()).updateIds).toEqual([])
    expect(worker.output()).not.toContain('"level":"error"')
  })

  it('while a locked row keeps a question from being stored, it is answered after the next start, before what came later', async () => {
    await services.start('worker')
    await request(town.door, [ask('Клим'), ask('Агата')])
    await until(
      async () =>
        (await town.db.videoAsset.count({ where: { name: { in: ['клим', 'агата'] }, status: 'AVAILABLE' } })) === 2,
      'two videos to hit',
      60_000,
    )
    const holder = new pg.Client(town.database.url)
    await holder.connect()
    await holder.query('BEGIN')
    await holder.query(`SELECT 1 FROM "VideoAsset" WHERE name = 'клим' FOR UPDATE`)
    const bot = await services.start('bot')
    await town.telegram.say({ userId: 2_500, text: 'Клим', languageCode: 'ru' })
    await until(async () => (await town.db.heldUpdate.count()) === 1, 'the held update')
    await bot.kill()
    await services.start('bot')
    await town.telegram.say({ userId: 2_500, text: 'Агата', languageCode: 'ru' })
    await town.telegram.say({ userId: 2_501, text: 'Агата', languageCode: 'ru' })
    await town.telegram.waitForMessage(2_501, ({ video }) => video !== undefined)
    await until(async () => (await town.db.heldUpdate.count()) === 2, 'what came later')
    await holder.query('ROLLBACK')
    await holder.end()
    await until(async () => (await videosOf(town, 2_500)) === 2, 'both videos')
    expect((await town.telegram.messages(2_500)).flatMap(({ caption }) => caption?.split('\n', 1) ?? [])).toEqual([
      text('ru', 'caption', { name: 'Клим' }),
      text('ru', 'caption', { name: 'Агата' }),
    ])
    expect(await town.db.userRequest.count({ where: { userId: 2_500n } })).toBe(2)
  })

  it('ends with exit 2 and a remedy when its token is revoked', async () => {
    const bot = await services.start('bot')
    await town.telegram.revokeToken(town.token)
    expect(await bot.ended).toBe(2)
    expect(bot.output()).toContain('@BotFather')
    expect(bot.output()).not.toContain(town.token)
  })
})
