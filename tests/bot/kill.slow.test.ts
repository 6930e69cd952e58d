import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { request } from '../../src/greetings/request.ts'
import { createServices, videosOf } from '../queue/processes.ts'
import { ask, openTown, until, type Town } from '../town.ts'

let town: Town
const services = createServices(() => town)

beforeAll(async () => {
  town = await openTown()
})
afterEach(() => services.endAll())
afterAll(() => town.close())

describe('a bot that is killed', () => {
  it('property 6: with 50 updates in hand, each person still gets one video', async () => {
    const worker = await services.start('worker')
    await request(town.door, [ask('Ульяна'), ask('Фёдор')])
    await until(async () => (await town.db.videoAsset.count({ where: { status: 'AVAILABLE' } })) === 2, 'two videos to hit', 60_000)

    // Hits and misses, none of which is answered before the bot is killed.
    const people = Array.from({ length: 50 }, (_, n) => 2_000 + n)
    const names = ['Ульяна', 'Фёдор', 'Эмма', 'Юлиан', 'Ярослав']
    const hold = await town.telegram.fault({ chatId: undefined, method: ['sendMessage', 'sendVideo', 'sendChatAction'], answer: { kind: 'hold' } })
    const bot = await services.start('bot')
    await town.telegram.sayAll(people.map((userId, n) => ({ userId, text: names[n % names.length] ?? '' })))
    await town.telegram.waitForHeld(hold.id, 20, { timeoutMs: 60_000 })
    await bot.kill()
    await town.telegram.release()

    await services.start('bot')
    await until(async () => (await town.db.userRequest.count({ where: { status: 'COMPLETED' } })) === people.length, 'all videos', 90_000)
    for (const id of people) expect(await videosOf(town, id)).toBe(1)
    expect(await town.db.userRequest.count()).toBe(people.length)
    expect(await town.db.videoAsset.count()).toBe(names.length)
    expect((await town.telegram.pending()).updateIds).toEqual([])
    expect(worker.output()).not.toContain('"level":"error"')
  })

  it('ends with exit 2 and a remedy when its token is revoked', async () => {
    const bot = await services.start('bot')
    await town.telegram.revokeToken(town.token)
    expect(await bot.ended).toBe(2)
    expect(bot.output()).toContain('@BotFather')
    expect(bot.output()).not.toContain(town.token)
  })
})
