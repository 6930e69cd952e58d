import { expect, it } from 'vitest'
import { chatOf, createPerChat } from '../../src/bot/per-chat.ts'

/** A task that ends when it is told to. */
function task(log: string[], name: string) {
  let end = () => {}
  const work = async () => {
    log.push(`${name} begins`)
    await new Promise<void>((resolve) => (end = resolve))
    log.push(`${name} ends`)
    return name
  }
  return { work, end: () => end() }
}
const soon = () => new Promise(setImmediate)

it('keeps the order within a chat, while another chat goes on', async () => {
  const chats = createPerChat()
  const log: string[] = []
  const [first, second, other] = [task(log, 'first'), task(log, 'second'), task(log, 'other')]
  const done = [chats.add(1, first.work), chats.add(1n, second.work), chats.add(2, other.work)]
  await soon()
  expect(log).toEqual(['first begins', 'other begins'])
  expect([chats.waiting(1), chats.waiting(2n), chats.waiting(3)]).toEqual([2, 1, 0])
  first.end()
  expect(await done[0]).toBe('first')
  await soon()
  expect(log.slice(2)).toEqual(['first ends', 'second begins'])
  expect(chats.waiting(1)).toBe(1)
  let idle = false
  const waiting = chats.idle().then(() => (idle = true))
  second.end()
  await done[1]
  await soon()
  expect(idle).toBe(false)
  other.end()
  await waiting
  expect([chats.waiting(1), chats.waiting(2)]).toEqual([0, 0])
})

it('goes on after a task that failed, and tells its own caller', async () => {
  const chats = createPerChat()
  const failed = chats.add(1, () => Promise.reject(new Error('no')))
  const after = chats.add(1, async () => 'yes')
  await expect(failed).rejects.toThrow('no')
  expect(await after).toBe('yes')
  await chats.idle()
})

it('knows an update’s chat', () => {
  const chat = { id: 7, type: 'private', first_name: '' }
  expect(chatOf({ update_id: 1, message: { chat } } as never)).toBe(7)
  expect(chatOf({ update_id: 1, edited_message: { chat } } as never)).toBe(7)
  expect(chatOf({ update_id: 1, my_chat_member: { chat } } as never)).toBe(7)
  expect(chatOf({ update_id: 1 })).toBe(0)
  expect(chatOf({ update_id: 1, message: { chat: { id: 'x' } } } as never)).toBe(0)
})
