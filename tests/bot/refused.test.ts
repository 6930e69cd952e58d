/**
 * What the bot refuses is counted from its first update on, by reason, and a start that fails leaves nobody listening.
 */
import { channel } from 'node:diagnostics_channel'
import pg from 'pg'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startBot, type BotParts } from '../../src/bot/index.ts'
import { refusalsOfDay } from '../../src/greetings/refusals.ts'
import { botParts, openTestEnvironment, type TestEnvironment } from '../environment/test-environment.ts'

let town: TestEnvironment
beforeAll(async () => {
  town = await openTestEnvironment()
})
afterAll(() => town.close())

const parts = (): BotParts =>
  botParts(town, { templateFor: ({ script }) => (script === 'Latin' ? { id: 'tiny' } : undefined) })
const isListenedTo = () => channel('greetings').hasSubscribers

it('counts what was refused while the bot was still starting, and keeps no text', async () => {
  const texts = ['жопа', '12345', 'Маша']
  for (const [n, text] of texts.entries()) await town.telegram.say({ userId: 50 + n, text, languageCode: 'ru' })
  // The last step of the start waits until the first updates are answered.
  const holder = new pg.Client(town.database.url)
  await holder.connect()
  await holder.query('BEGIN; LOCK TABLE "BotProcess" IN ACCESS EXCLUSIVE MODE')
  const starting = startBot(parts())
  for (const n of texts.keys())
    await town.telegram.waitForMessage(50 + n, ({ from }) => from?.id === Number(town.botId))
  await holder.query('ROLLBACK')
  await holder.end()
  const bot = await starting
  await bot.stop(1_000)
  expect((await refusalsOfDay(town.db)).map(({ reason, count }) => `${reason} ${count}`).toSorted()).toEqual([
    'digits 1',
    'no_template 1',
    'offensive 1',
  ])
  expect(JSON.stringify(await town.db.$queryRaw`SELECT "RefusalCount"::text AS row FROM "RefusalCount"`)).not.toMatch(
    /маша|петя/i,
  )
  expect(isListenedTo()).toBe(false)
})

it('a start that fails leaves nobody listening', async () => {
  await expect(startBot({ ...parts(), token: '1:wrong' })).rejects.toThrow()
  expect(isListenedTo()).toBe(false)
})
