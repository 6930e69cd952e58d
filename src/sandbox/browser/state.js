/** What the page knows and shows. */
import { get } from './api.js'
import { texts } from './texts.js'

/** @import { SampleName, SandboxChat, SandboxMessage, SandboxUser } from '../contract.ts' */

/** @typedef {{ id: number, firstName: string, username: string, samples: SampleName[] }} Bot */
/** @typedef {{ bots: Bot[], users: SandboxUser[], chats: SandboxChat[] }} World */
/**
 * A line of the list: a person who writes to the bot, or a channel.
 * @typedef {{ id: number, title: string, about: string, kind?: 'channel' | 'group' }} Chat
 */

export const state = {
  /** @type {World} */
  world: { bots: [], users: [], chats: [] },
  /** @type {Bot | undefined} */
  bot: undefined,
  /** id of the chat that is open, of a channel when negative */
  current: Number(localStorage.getItem('chat')) || 0,
  /** id of the person who writes there */
  writer: 0,
  /** its messages, by id
   * @type {Map<number, SandboxMessage>} */
  shown: new Map(),
  /** how many messages of the bot were not seen, by chat
   * @type {Map<number, number>} */
  unread: new Map(),
}

/** @returns {Chat[]} */
export function people() {
  return state.world.users
    .filter((user) => !user.deleted)
    .map((user) => {
      const chat = state.world.chats.find((one) => one.id === user.id)
      const about =
        chat === undefined
          ? texts.noChat
          : chat.blocked
            ? texts.blockedBot
            : [user.lastName, user.languageCode].filter(Boolean).join(' · ')
      return { id: user.id, title: user.firstName, about }
    })
    .slice(-200)
}

/** @returns {Chat[]} */
export function channels() {
  return state.world.chats
    .filter((chat) => chat.type === 'channel')
    .map((chat) => ({ id: chat.id, title: chat.title, about: texts.posts + chat.messages, kind: 'channel' }))
}

/** @returns {Chat[]} */
export function groups() {
  return state.world.chats
    .filter((chat) => chat.type === 'group' || chat.type === 'supergroup')
    .map((chat) => ({ id: chat.id, title: chat.title, about: texts.group, kind: 'group' }))
}

/** Whether the open chat is a group. */
export function isGroup() {
  return groups().some((chat) => chat.id === state.current)
}

/** Names that may be tapped, in the language of the person who writes. */
export function samples() {
  const language = /^(ru|uk|be|kk)/.test(currentUser()?.languageCode ?? '') ? 'ru' : 'en'
  return (state.bot?.samples ?? []).filter((sample) => sample.language === language)
}

/** Reads bots, people and chats again. */
export async function readWorld() {
  state.world = /** @type {World} */ (await get('world'))
  state.bot = state.world.bots[0]
  const known = [...people(), ...groups(), ...channels()]
  if (!known.some((chat) => chat.id === state.current)) state.current = known[0]?.id ?? 0
  if (state.current > 0) state.writer = state.current
  if (currentUser() === undefined) state.writer = people()[0]?.id ?? 0
}

/** The person who writes in the open chat. */
export function currentUser() {
  return state.world.users.find((user) => user.id === state.writer)
}

/** Whether that person has blocked the bot. */
export function isBlocked() {
  return state.world.chats.some((chat) => chat.id === state.writer && chat.blocked)
}
