/** The storage channels: what is wrong with each, and what is done while none takes posts. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { currentOutages } from '../../src/greetings/outages.ts'
import { checkChannels, takeBackChannels } from '../../src/telegram/channels.ts'
import { openTestEnvironment, quietLog, until, type TestEnvironment } from '../environment/test-environment.ts'

let town: TestEnvironment
beforeAll(async () => {
  town = await openTestEnvironment({ channels: 2 })
})
afterEach(() => town.telegram.release())
afterAll(() => town.close())

const setPosting = (chatId: string, may: boolean) =>
  town.telegram.setMember({
    chatId: Number(chatId),
    status: may ? 'administrator' : 'kicked',
    can_post_messages: may,
  })

it('a channel that refuses the bot is a finding; a Telegram that cannot be asked is none', async () => {
  const [first = '', second = ''] = town.storage.chatIds
  await setPosting(first, false)
  expect(await checkChannels(town.api, [first, second], town.botId)).toMatchObject([{ chatId: first }])
  for (const kind of ['drop-before', 'html'] as const) {
    await town.telegram.fault({ method: 'getChat', answer: kind === 'html' ? { kind, code: 502 } : { kind } })
    await expect(checkChannels(town.api, [first, second], town.botId)).rejects.toMatchObject({ name: 'TelegramError' })
  }
  await setPosting(first, true)
})

it('while none takes posts that is on record, until one does again', async () => {
  const chatIds = town.storage.chatIds
  for (const chatId of chatIds) await setPosting(chatId, false)
  const channels = { chatIds, leftOut: new Map(chatIds.map((chatId) => [chatId, 'was refused'])) }
  const { db, api, botId, times } = town
  const stop = new AbortController()
  const watching = takeBackChannels(channels, { db, api, botId, times, log: quietLog }, stop.signal)
  const onRecord = async () => (await currentOutages(db)).map(({ step }) => step)
  await until(async () => (await onRecord()).includes('storage'), 'the record', 5_000)
  await setPosting(chatIds[1] ?? '', true)
  await until(async () => (await onRecord()).length === 0, 'the end of the outage')
  expect([...channels.leftOut.keys()]).toEqual([chatIds[0]])
  await setPosting(chatIds[0] ?? '', true)
  await watching
  expect(channels.leftOut.size).toBe(0)
})
