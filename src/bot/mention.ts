/** How the bot is addressed where others talk, too. */
import type { Message, MessageEntity } from 'grammy/types'

/** What is said to the bot in a message that mentions it, without the mention; undefined: it is not mentioned. */
export function saidTo(username: string, { text, entities }: Pick<Message, 'text' | 'entities'>): string | undefined {
  const mentions = (entities ?? []).filter((entity) => isMention(entity, text ?? '', username))
  if (text === undefined || mentions.length === 0) return undefined
  // From the end on, so that the places of the others stay right.
  return mentions
    .reverse()
    .reduce((rest, { offset, length }) => `${rest.slice(0, offset)} ${rest.slice(offset + length)}`, text)
    .trim()
    .replace(/^[,:—-]\s*/u, '')
}

const isMention = ({ type, offset, length }: MessageEntity, text: string, username: string) =>
  type === 'mention' && text.slice(offset, offset + length).toLowerCase() === `@${username.toLowerCase()}`
