/** What several of the admins' messages say alike. */
import { text, type Language } from '../texts.ts'

/** So many reasons are told, the most frequent ones. */
const reasonsTold = 6

/** Why rows or texts were not taken, the most frequent reasons first. */
export function reasonLines(language: Language, reasons: readonly { reason: string; count: number }[]): string[] {
  return reasons.slice(0, reasonsTold).map((each) => text(language, 'stats-refused-reason', { ...each }))
}

/** For `$hours` and `$minutes`: a minute at least. */
export function clock(seconds: number): { hours: number; minutes: number } {
  const minutes = Math.max(1, Math.ceil(seconds / 60))
  return { hours: Math.floor(minutes / 60), minutes: minutes % 60 }
}
