/** How the bot presents itself: its menu of commands, and its description where the operator has written none. */
import type { Times } from '../config.ts'
import { isTelegram, patiently, type Api } from '../telegram/api.ts'
import { codesOf, languages, text, type Language, type TextKey } from '../texts.ts'

type MenuKey = Extract<TextKey, `menu-${string}`>

const commands = {
  start: 'menu-start',
  greet: 'menu-greet',
  help: 'menu-help',
  language: 'menu-language',
  privacy: 'menu-privacy',
  forgetme: 'menu-forgetme',
} as const satisfies Record<string, MenuKey>

/** What admins see besides, in their own chat. */
const adminCommands = {
  stats: 'menu-stats',
  retry: 'menu-retry',
  preview: 'menu-preview',
} as const satisfies Record<string, MenuKey>

/** What whoever's Telegram speaks none of our languages sees. */
const elsewhere: Language = 'en'

const menuIn = (language: Language, shown: Record<string, MenuKey> = commands) =>
  Object.entries(shown).map(([command, key]) => ({ command, description: text(language, key) }))

/**
 * Sets the menus that differ from ours, and the texts about the bot that are empty; an operator's own are left alone. Takes
 * its time where Telegram asks for it: nobody waits for this.
 * @throws TelegramError when the token is refused
 */
export async function introduce(api: Api, times: Times): Promise<void> {
  try {
    await introduceIn(api, times, elsewhere, {})
    for (const language of languages())
      for (const code of codesOf(language)) await introduceIn(api, times, language, { language_code: code as 'ru' })
  } catch (error) {
    if (isTelegram(error, 'token')) throw error
  }
}

/** @param code the Telegram that speaks it; empty: every other */
async function introduceIn(api: Api, times: Times, language: Language, code: { language_code?: 'ru' }): Promise<void> {
  const menu = menuIn(language)
  const there = await patiently(times, () => api.getMyCommands(code))
  if (JSON.stringify(there) !== JSON.stringify(menu)) await patiently(times, () => api.setMyCommands(menu, code))
  const { description } = await patiently(times, () => api.getMyDescription(code))
  if (description === '') await patiently(times, () => api.setMyDescription(text(language, 'bot-description'), code))
  const short = await patiently(times, () => api.getMyShortDescription(code))
  if (short.short_description === '')
    await patiently(times, () => api.setMyShortDescription(text(language, 'bot-short-description'), code))
}

/** The menu of one person, in the language they chose; undefined: as for everybody. */
export async function setPersonalMenu(api: Api, chatId: number, language: Language | undefined): Promise<void> {
  const scope = { type: 'chat' as const, chat_id: chatId }
  if (language === undefined) await api.deleteMyCommands({ scope })
  else await api.setMyCommands(menuIn(language), { scope })
}

/** The menu of an admin, if it differs. Nobody has one who never wrote to the bot, or blocked it. */
export async function setAdminMenu(api: Api, times: Times, chatId: number, language: Language): Promise<void> {
  const scope = { type: 'chat' as const, chat_id: chatId }
  const menu = menuIn(language, { ...commands, ...adminCommands })
  try {
    const there = await patiently(times, () => api.getMyCommands({ scope }))
    if (JSON.stringify(there) !== JSON.stringify(menu)) await patiently(times, () => api.setMyCommands(menu, { scope }))
  } catch (error) {
    if (!isTelegram(error)) throw error
  }
}
