/** Keeps the order within a chat, while chats go on at the same time. */
import type { Update } from 'grammy/types'

/** Tasks in order per chat, chats at the same time. */
export interface PerChat {
  add<T>(chatId: number | bigint, task: () => Promise<T>): Promise<T>
  /** Tasks of this chat that have not ended. */
  waiting(chatId: number | bigint): number
  /** Resolves when nothing is under way. */
  idle(): Promise<void>
}

/** No task at first. */
export function createPerChat(): PerChat {
  const lines = new Map<string, { last: Promise<unknown>; length: number }>()
  return {
    add(chatId, task) {
      const key = String(chatId)
      const line = lines.get(key) ?? { last: Promise.resolve(), length: 0 }
      lines.set(key, line)
      const result = line.last.then(task, task)
      line.last = result
      line.length++
      const leave = () => {
        if (--line.length === 0) lines.delete(key)
      }
      result.then(leave, leave)
      return result
    },
    waiting: (chatId) => lines.get(String(chatId))?.length ?? 0,
    async idle() {
      while (lines.size > 0) await Promise.allSettled([...lines.values()].map(({ last }) => last))
    },
  }
}

/** What is known of the update's chat; updates of no chat share one line. */
export function chatOf(update: Update): number {
  const id: unknown =
    update.message?.chat.id ??
    update.edited_message?.chat.id ??
    update.my_chat_member?.chat.id ??
    update.callback_query?.message?.chat.id ??
    update.callback_query?.from.id
  return Number.isSafeInteger(id) ? (id as number) : 0
}
