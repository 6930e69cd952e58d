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
  warm: 'menu-warm',
  retry: 'menu-retry',
  preview: 'menu-preview',
} as const satisfies Record<string, MenuKey>

/** What whoever's Telegram speaks none of our languages sees. */
const elsewhere: Language = 'en'

const menuIn = (language: Language, shown: Record<string, MenuKey> = commands) =>
  Object.entries(shown).map(([command, key]) => ({ command, description: text(language, key) }))

/** How Telegram is asked: once, or until it answers. */
type Asking = <T>(call: () => Promise<T>) => Promise<T>

/**
 * Sets the menus that differ from ours, and the texts about the bot that are empty; an operator's own are left alone. Takes
 * its time where Telegram asks for it: nobody waits for this.
 * @throws TelegramError when the token is refused
 */
export async function introduce(api: Api, times: Times): Promise<void> {
  try {
    await introduceEverywhere(
      api,
      (call) => patiently(times, call),
      (there) => there === '',
    )
  } catch (error) {
    if (isTelegram(error, 'token')) throw error
  }
}

/**
 * Sets menus, name and descriptions in every language, whatever they are. Returns how many were others.
 * @throws TelegramError, also when Telegram asks for a rest: what was set stays set
 */
export async function setProfile(api: Api): Promise<number> {
  return introduceEverywhere(
    api,
    (call) => call(),
    () => true,
  )
}

async function introduceEverywhere(api: Api, ask: Asking, mayReplace: (there: string) => boolean): Promise<number> {
  let changed = await introduceIn(api, ask, mayReplace, elsewhere, {})
  for (const language of languages())
    for (const code of codesOf(language))
      changed += await introduceIn(api, ask, mayReplace, language, { language_code: code as 'ru' })
  return changed
}

/** @param code the Telegram that speaks it; empty: every other */
async function introduceIn(
  api: Api,
  ask: Asking,
  mayReplace: (there: string) => boolean,
  language: Language,
  code: { language_code?: 'ru' },
): Promise<number> {
  let changed = 0
  const menu = menuIn(language)
  if (JSON.stringify(await ask(() => api.getMyCommands(code))) !== JSON.stringify(menu)) {
    await ask(() => api.setMyCommands(menu, code))
    changed++
  }
  const texts: [key: TextKey, there: () => Promise<string>, set: (words: string) => Promise<unknown>][] = [
    ['bot-name', async () => (await api.getMyName(code)).name, (words) => api.setMyName(words, code)],
    [
      'bot-description',
      async () => (await api.getMyDescription(code)).description,
      (words) => api.setMyDescription(words, code),
    ],
    [
      'bot-short-description',
      async () => (await api.getMyShortDescription(code)).short_description,
      (words) => api.setMyShortDescription(words, code),
    ],
  ]
  for (const [key, there, set] of texts) {
    const [before, words] = [await ask(there), text(language, key as 'bot-name')]
    if (before === words || !mayReplace(before)) continue
    await ask(() => set(words))
    changed++
  }
  return changed
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
