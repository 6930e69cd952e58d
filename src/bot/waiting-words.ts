/** What the note says to somebody who waits, in numbers that change seldom. */
import type { DueNote, Standing } from '../greetings/waiting-notes.ts'
import { text, type Language } from '../texts.ts'

/** What a note says. */
export interface Saying {
  /** the same for all that need not be told anew */
  says: string
  words: string
}

/** A made video that is sent within so many seconds needs no words of its own. */
const quickSeconds = 3
/** Up to so many seconds are “about a minute”. */
const soonSeconds = 75
/** A line that is followed to its end, and is shorter, is none to speak of. */
const longLine = 100

/** At first. `seconds`: how long it takes, in Telegram's; null: nobody knows. */
export function firstWords(standing: Standing, seconds: number | null, language: Language): Saying {
  const { place, display: name, lineSize, phase } = standing
  if (phase === 'waiting' && place === null && lineSize >= longLine)
    return { says: `far ${lineSize}`, words: text(language, 'making-far', { name, count: lineSize }) }
  if (place === null || phase !== 'waiting' || seconds === null || seconds <= soonSeconds)
    return { says: 'making', words: text(language, 'making', { name }) }
  const minutes = minutesOf(seconds)
  return {
    says: `place ${roundPlace(place)} ${minutes}`,
    words: text(language, 'making-place', { name, place, minutes }),
  }
}

/** Later on; undefined: what it says holds. */
export function nextWords(note: DueNote, seconds: number | null, language: Language): Saying | undefined {
  const { phase, renderedSeconds, overdue, says, display: name } = note
  if (phase === 'sent') return undefined
  if (phase === 'rendered')
    return says !== 'sending' && (renderedSeconds ?? 0) > quickSeconds
      ? { says: 'sending', words: text(language, 'sending', { name }) }
      : undefined
  if (overdue || says === 'longer')
    return says === 'longer' ? undefined : { says: 'longer', words: text(language, 'making-longer', { name }) }
  const next = firstWords(note, seconds, language)
  // Whoever was told that it is their turn is not sent back into the line.
  return next.says === says || says === 'making' ? undefined : next
}

/** For how long a promise holds, in Telegram's seconds. */
export function promiseOf(seconds: number | null): number {
  const told = Math.max(60, seconds ?? 0)
  return told + Math.max(30, told / 4)
}

/** One that people would say; 60 stands for an hour or more. */
function minutesOf(seconds: number): number {
  const minutes = Math.max(1, Math.ceil(seconds / 60 - 0.25))
  const step = minutes <= 10 ? 1 : minutes <= 30 ? 5 : 10
  return Math.min(60, Math.ceil(minutes / step) * step)
}

function roundPlace(place: number): number {
  const step = place <= 10 ? 1 : place <= 50 ? 5 : place <= 200 ? 10 : 50
  return Math.ceil(place / step) * step
}
