/**
 * The buttons under the bot's messages, and what a tap on one says. The data of a button, 64 bytes at most, names a row, a
 * language or a word of ours, never what a person wrote.
 */
import { InlineKeyboard } from 'grammy'
import type { Question } from '../greetings/questions.ts'
import { readVideoTap, type VideoTap } from '../telegram/video-buttons.ts'
import { languages, nameOfLanguage, text, type Language } from '../texts.ts'

const longestData = 64

/** Which names a question's answer stands for: one of them, each of them, all in one video, or none. */
export type Choice = number | 'each' | 'together' | 'other'

/** What a tap says. */
export type Tap =
  | { what: 'question'; id: string; choice: Choice }
  | { what: 'language'; language: Language }
  | { what: 'forget'; really: boolean }
  | { what: 'warm'; id: string; really: boolean }
  | VideoTap
  /** of a report: the vowel that is to be stressed, counted from 0; null: it is something else */
  | { what: 'stress'; reportId: string; stress: number | null }
  | { what: 'sample'; name: string }
  | { what: 'exact_spelling'; requestId: string }

/**
 * A question about one name: “yes” and the names that were perhaps meant. `typed`: the place of the name as it was typed,
 * where it is none that is known.
 */
export function nameButtons(language: Language, { id, names }: Question, typed: number | undefined): InlineKeyboard {
  const keyboard = new InlineKeyboard()
  names.forEach((name, index) => {
    const label =
      index === typed ? text(language, 'button-yes-name', { name }) : text(language, 'button-name', { name })
    keyboard.text(label, data('q', id, index)).row()
  })
  return keyboard.text(text(language, 'button-other-name'), data('q', id, 'other'))
}

/** A question about several names: each of them, all in one video where they are displayed so, or one. */
export function severalButtons(language: Language, { id, names }: Question, together?: string): InlineKeyboard {
  const keyboard = new InlineKeyboard()
  keyboard.text(text(language, 'button-each', { count: names.length }), data('q', id, 'each'))
  if (together !== undefined)
    keyboard.row().text(text(language, 'button-together', { names: together }), data('q', id, 'together'))
  names.forEach((name, index) => {
    if (index % 2 === 0) keyboard.row()
    keyboard.text(text(language, 'button-name', { name }), data('q', id, index))
  })
  return keyboard
}

/** Names to try, which everybody may know: the only ones that stand in a button. */
export function sampleButtons(names: readonly string[]): InlineKeyboard {
  const short = names.filter((name) => Buffer.byteLength(data('n', name)) <= longestData)
  return InlineKeyboard.from([short.map((name) => InlineKeyboard.text(name, data('n', name)))])
}

/** The languages there are. */
export function languageButtons(): InlineKeyboard {
  return InlineKeyboard.from(
    languages().map((language) => [InlineKeyboard.text(nameOfLanguage(language), data('l', language))]),
  )
}

/** Whether a person is really to be forgotten. */
export function forgetButtons(language: Language): InlineKeyboard {
  return new InlineKeyboard()
    .text(text(language, 'button-forget-yes'), data('f', 'yes'))
    .row()
    .text(text(language, 'button-forget-no'), data('f', 'no'))
}

/** Whether the names of a list are to be made. */
export function warmButtons(language: Language, id: string, count: number): InlineKeyboard {
  return new InlineKeyboard()
    .text(text(language, 'button-warm-yes', { count }), data('w', id, 'yes'))
    .text(text(language, 'button-warm-no'), data('w', id, 'no'))
}

/** How a name is to be spoken that sounds wrong: with one of its vowels stressed, or otherwise. */
export function stressButtons(language: Language, reportId: string, choices: readonly string[]): InlineKeyboard {
  const keyboard = new InlineKeyboard()
  choices.forEach((spelling, index) => {
    keyboard.text(spelling, data('r', reportId, index))
    if (index % 2 === 1) keyboard.row()
  })
  return keyboard.row().text(text(language, 'button-not-stress'), data('r', reportId, 'no'))
}

/** What a tap says; undefined: the data is none of ours. */
export function readTap(raw: string): Tap | undefined {
  const ofVideo = readVideoTap(raw)
  if (ofVideo !== undefined) return ofVideo
  const [kind, first = '', choice, ...rest] = raw.split(':')
  if (rest.length > 0) return undefined
  if (kind === 'q' && /^[\w-]{8,32}$/.test(first)) {
    if (choice === 'each' || choice === 'together' || choice === 'other') return { what: 'question', id: first, choice }
    if (choice !== undefined && /^\d$/.test(choice)) return { what: 'question', id: first, choice: Number(choice) }
  }
  if (kind === 'w' && /^[\w-]{8,32}$/.test(first) && (choice === 'yes' || choice === 'no'))
    return { what: 'warm', id: first, really: choice === 'yes' }
  if (kind === 'r' && /^[\w-]{8,32}$/.test(first) && choice !== undefined && /^(?:\d|no)$/.test(choice))
    return { what: 'stress', reportId: first, stress: choice === 'no' ? null : Number(choice) }
  if (choice !== undefined) return undefined
  if (kind === 'l' && languages().includes(first)) return { what: 'language', language: first }
  if (kind === 'e' && /^[\w-]{1,60}$/.test(first)) return { what: 'exact_spelling', requestId: first }
  if (kind === 'n' && first !== '') return { what: 'sample', name: first }
  if (kind === 'f' && (first === 'yes' || first === 'no')) return { what: 'forget', really: first === 'yes' }
  return undefined
}

const data = (...parts: (string | number)[]) => parts.join(':')
