/**
 * What people read, by language: one file of `src/languages` each, in Fluent (https://projectfluent.org), read when the
 * first text is needed. Never sent under a parse mode: a name is written as it is.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { FluentBundle, FluentResource } from '@fluent/bundle'

/** A language the bot answers in, as its file is called: `ru`, `en`. */
export type Language = string

/** Every text, and what it takes. A test holds the files to it. */
export const textArguments = {
  and: [],
  minutes: ['minutes'],
  'in-hours': ['hours'],

  welcome: [],
  help: [],
  'short-help': [],
  'greet-usage': [],
  'language-question': [],
  'language-chosen': [],
  privacy: ['days'],
  'forget-question': [],
  'button-forget-yes': [],
  'button-forget-no': [],
  'forget-done': [],
  'forget-kept': [],
  'menu-start': [],
  'menu-help': [],
  'menu-greet': [],
  'menu-language': [],
  'menu-privacy': [],
  'menu-forgetme': [],
  'bot-name': [],
  'bot-description': [],
  'bot-short-description': [],

  'talk-greeting': [],
  'talk-thanks': [],
  'talk-praise': [],
  'talk-yes': [],
  'talk-no': [],
  'talk-bye': [],
  'talk-how-long': [],
  'talk-how-much': [],
  'talk-who-are-you': [],
  'talk-wrong-name': [],
  'talk-wrong-stress': [],
  'talk-does-not-come': [],
  'talk-wishes': [],
  'talk-not-understood': [],

  'question-unsure': ['name'],
  'question-which': [],
  'question-several': ['count'],
  'button-yes-name': ['name'],
  'button-name': ['name'],
  'button-other-name': [],
  'button-each': ['count'],
  'button-together': ['names'],
  'button-exact-spelling': ['name'],
  'other-name': [],
  'toast-chosen': ['name'],
  'toast-already': ['name'],
  'toast-old': [],
  'toast-not-yours': [],

  making: ['name'],
  'making-place': ['name', 'place', 'minutes'],
  'making-far': ['name', 'count'],
  'making-longer': ['name'],
  sending: ['name'],
  'still-making': ['name'],
  'on-its-way': ['name'],
  failed: ['name', 'minutes'],
  'limit-waiting': ['count'],
  'limit-today': ['count', 'hours'],
  trouble: [],

  'not-text': [],
  'service-message': [],
  'no-template': [],
  'rejected-empty': [],
  'rejected-too_long_input': [],
  'rejected-not_text': [],
  'rejected-several_names': [],
  'rejected-digits': [],
  'rejected-emoji': [],
  'rejected-characters': [],
  'rejected-misplaced': [],
  'rejected-marks': [],
  'rejected-mixed_scripts': [],
  'rejected-unsupported_script': [],
  'rejected-too_short': [],
  'rejected-too_long': [],
  'rejected-too_many_words': [],
  'rejected-nonsense': [],
  'rejected-offensive': [],
  'rejected-blocked': [],

  caption: ['name'],
  'caption-together': ['names'],
  'button-share': [],
  'button-another': [],
  'button-sounds-wrong': [],
  'sounds-wrong-question': ['name'],
  'button-not-stress': [],
  'sounds-wrong-thanks': [],
  'new-video': ['name'],
  'button-new-video': [],
  'share-text': [],

  'group-welcome': [],
  'group-usage': [],
  'inline-miss': ['name'],
  'inline-start': [],
  'guest-miss': ['name'],
  'guest-usage': ['bot'],

  'menu-stats': [],
  'menu-warm': [],
  'menu-retry': [],
  'menu-preview': [],
  'admin-step': ['step'],
  'admin-reason': ['reason'],
  'admin-time': ['hours', 'minutes'],
  'stats-day': ['requests', 'percent'],
  'stats-waiting': ['count', 'hours', 'minutes'],
  'stats-nobody-waits': [],
  'stats-videos': ['available', 'pending', 'failed'],
  'stats-workers': ['workers'],
  'stats-outage': ['step', 'hours', 'minutes'],
  'stats-refused': ['count'],
  'stats-refused-reason': ['reason', 'count'],
  retried: ['count'],
  'retried-none': ['name'],
  'preview-usage': [],
  'preview-available': ['name', 'template', 'date'],
  'preview-new': ['name', 'template'],
  'preview-under-way': ['name', 'template'],
  'preview-failed': ['name', 'template', 'reason'],
  'preview-say': ['say'],
  'stats-reported': ['names'],
  'warm-usage': ['megabytes', 'count'],
  'warm-too-large': ['megabytes', 'count'],
  'warm-not-fetched': [],
  'warm-unreadable': [],
  'warm-doubtful': ['column'],
  'warm-list': ['count'],
  'warm-new': ['count'],
  'warm-cached': ['count'],
  'warm-queued': ['count'],
  'warm-failed-before': ['count'],
  'warm-repeated': ['count'],
  'warm-refused': ['count'],
  'warm-refused-rows': ['rows'],
  'warm-time': ['hours', 'minutes'],
  'warm-time-unknown': [],
  'warm-nothing': [],
  'button-warm-yes': ['count'],
  'button-warm-no': [],
  'warm-declined': [],
  'warm-progress': ['done', 'count', 'percent'],
  'warm-left': ['hours', 'minutes'],
  'warm-failed': ['count'],
  'warm-failed-name': ['name', 'reason'],
  'warm-done': ['count', 'made', 'cached'],
  'toast-warm-running': [],
  'toast-warm-done': [],
} as const satisfies Record<string, readonly string[]>

/** The name of a text. */
export type TextKey = keyof typeof textArguments

/** What a text takes: nothing, or a value for each of its arguments. */
export type ArgumentsOf<Key extends TextKey> = [(typeof textArguments)[Key][number]] extends [never]
  ? []
  : [args: Record<(typeof textArguments)[Key][number], string | number>]

/** Whoever's Telegram tells no language gets the first, whoever's tells one that no file serves the second. */
const unknown: Language = 'ru'
const anyOther: Language = 'en'
const lastResort = 'Something isn’t working on my side just now. Please try again in a few minutes.'

const folder = new URL('./languages/', import.meta.url)
let loaded: Map<Language, FluentBundle> | undefined

function bundles(): ReadonlyMap<Language, FluentBundle> {
  loaded ??= new Map(
    readdirSync(folder)
      .filter((file) => file.endsWith('.ftl'))
      .sort()
      .map((file) => {
        const language = file.slice(0, -'.ftl'.length)
        // Isolating marks around a name would be copied with it, and no name may hold them.
        const bundle = new FluentBundle(language, { useIsolating: false })
        bundle.addResource(new FluentResource(readFileSync(new URL(file, folder), 'utf8')))
        return [language, bundle]
      }),
  )
  return loaded
}

/** All languages there are, in the order of the alphabet. */
export function languages(): readonly Language[] {
  return [...bundles().keys()]
}

/** How a language calls itself: “Русский”. */
export function nameOfLanguage(language: Language): string {
  return format(language, 'language') ?? language
}

/** The language for a person whose Telegram speaks another: its own, or the one whose file names it, as `ru` does Kazakh. */
export function languageOf(telegramCode: string | undefined): Language {
  if (telegramCode === undefined) return unknown
  const code = telegramCode.slice(0, 2).toLowerCase()
  if (bundles().has(code)) return code
  return languages().find((language) => codesOf(language).includes(code)) ?? anyOther
}

/** The languages of Telegram clients that a language serves, itself first: two letters each, as `language_code` takes them. */
export function codesOf(language: Language): readonly string[] {
  return [language, ...(attribute(language, 'codes')?.split(' ') ?? [])]
}

/** The language in whose letters most of a text is written. Undefined: in no such letters, or in as many of another script. */
export function languageOfScript(text: string): Language | undefined {
  const letters = text.match(/\p{L}/gu)?.length ?? 0
  return languages().find((language) => {
    const script = attribute(language, 'script')
    return script !== undefined && 2 * (text.match(lettersOf(script))?.length ?? 0) > letters
  })
}

/**
 * A text for a person. Where it cannot be made in their language they get the English one, and where that cannot be made
 * either a plain sentence that asks to try again; never a `{$name}`.
 */
export function text<Key extends TextKey>(language: Language, key: Key, ...[args]: ArgumentsOf<Key>): string {
  return format(language, key, args) ?? format(anyOther, key, args) ?? format(language, 'trouble') ?? lastResort
}

/** For `$minutes`: at least one, and 60 for whatever is longer. */
export function wholeMinutes(milliseconds: number): number {
  return Math.min(Math.max(Math.ceil(milliseconds / 60_000), 1), 60)
}

/** For `$hours`: at least one. */
export function wholeHours(milliseconds: number): number {
  return Math.max(Math.ceil(milliseconds / 3_600_000), 1)
}

function format(language: Language, key: string, args?: Record<string, string | number>): string | undefined {
  const bundle = bundles().get(language)
  const pattern = bundle?.getMessage(key)?.value
  if (bundle === undefined || pattern == null) return undefined
  const errors: Error[] = []
  const made = bundle.formatPattern(pattern, args, errors)
  return errors.length === 0 ? made : undefined
}

function attribute(language: Language, name: string): string | undefined {
  const bundle = bundles().get(language)
  const pattern = bundle?.getMessage('language')?.attributes[name]
  return bundle === undefined || pattern === undefined ? undefined : bundle.formatPattern(pattern)
}

function lettersOf(script: string): RegExp {
  return new RegExp(`(?=\\p{L})\\p{Script=${script}}`, 'gu')
}
