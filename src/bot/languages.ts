/** The languages that people chose, as far as this process has asked the database. */
import type { Db } from '../db/database.ts'
import { chosenLanguage } from '../greetings/people.ts'
import { languages, type Language } from '../texts.ts'
import { within } from './intake.ts'

/** Which language a person chose. */
export interface ChosenLanguages {
  /** Undefined: none, or the database does not say so now. */
  of(userId: number): Promise<Language | undefined>
  /** They chose it just now; undefined: nothing is known of them any more. */
  remember(userId: number, language: Language | undefined): void
}

// Nobody waits for an answer in words because the database is slow.
const patienceMs = 300
const keptMs = 60_000
const most = 10_000

/** Nobody has chosen at first. */
export function chosenLanguages(db: Db): ChosenLanguages {
  const known = new Map<number, { language: Language | undefined; until: number }>()
  const remember = (userId: number, language: Language | undefined) => {
    known.delete(userId)
    known.set(userId, { language, until: Date.now() + keptMs })
    const [oldest] = known.keys()
    if (known.size > most && oldest !== undefined) known.delete(oldest)
  }
  return {
    remember,
    async of(userId) {
      const seen = known.get(userId)
      if (seen !== undefined && seen.until > Date.now()) return seen.language
      const asked = chosenLanguage(db, BigInt(userId)).then(
        (language) => {
          const chosen = language !== null && languages().includes(language) ? language : undefined
          remember(userId, chosen)
          return chosen
        },
        () => undefined,
      )
      return within(patienceMs, asked)
    },
  }
}
