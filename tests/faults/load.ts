/** People who ask, and names that are warmed at the same time. */
import type { Ask } from '../../src/greetings/ask.ts'
import { request } from '../../src/greetings/request.ts'
import { isDatabaseTrouble } from '../../src/db/database.ts'
import { ask } from '../environment/test-environment.ts'
import { knownName, type FaultEnvironment } from './fault-environment.ts'

/** Numbers that only look random: the same seed gives the same ones. */
export type Random = () => number

/** mulberry32 */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** One load: who asks for what. */
export interface Load {
  /** by person */
  wishes: Map<number, Ask>
  /** all names, those that are only warmed included */
  names: Ask[]
}

const people = 300
const askedNames = 60
const warmNames = 10
const syllables = ['ба', 'ве', 'го', 'да', 'ли', 'за', 'ки', 'ла', 'ми', 'на', 'ро', 'са', 'ти', 'ру', 'фа', 'ма']

/** People and names that no other load has; `warmed`: some names nobody asks for, which need a storage channel. */
export function planLoad(number: number, { warmed = true } = {}): Load {
  const names: Ask[] = []
  for (let at = number * 200; names.length < askedNames + (warmed ? warmNames : 0); at++) {
    const digits = [at % 16, Math.floor(at / 16) % 16, Math.floor(at / 256) % 16, Math.floor(at / 4_096) % 16]
    const text = digits.map((digit) => syllables[digit]).join('')
    try {
      names.push(ask(`${text.charAt(0).toUpperCase()}${text.slice(1)}`))
    } catch {
      // by chance a word that is not taken as a name
    }
  }
  const wishes = new Map<number, Ask>()
  for (let n = 0; n < people; n++) wishes.set(1_000_000 + number * 1_000 + n, names[n % askedNames] as Ask)
  return { wishes, names }
}

/** Half of the people at once, the rest in five groups over `longestMs`; the warm names through the door. */
export async function bringIn(
  { town, alone }: FaultEnvironment,
  { wishes, names }: Load,
  longestMs: number,
): Promise<void> {
  const all = [...wishes].map(([userId, { display }]) => ({ userId, text: `/greet ${display}`, languageCode: 'ru' }))
  const warming = warm()
  await say(people / 2)
  while (all.length > 0) {
    await new Promise((resolve) => setTimeout(resolve, longestMs / 5))
    await say(people / 10)
  }
  await warming

  // While Telegram itself is away nobody can write; they do when it is back.
  async function say(many: number) {
    const some = all.splice(0, many)
    await alone(() => town.telegram.sayAll(some))
  }

  // The list of an operator, who runs it again when the database or the queue was away.
  async function warm() {
    const deadline = Date.now() + 60_000
    for (;;) {
      try {
        await request(town.door, names.slice(askedNames))
        return
      } catch (error) {
        if (Date.now() > deadline) throw error
        if (
          !isDatabaseTrouble(error) &&
          !/Connection is closed|writeable|gave no answer|ECONN|max retries/i.test(String(error))
        )
          throw error
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }
  }
}

/** People beside the load who ask for a video that is there. */
export interface Bystanders {
  asked: number
  /** people who never got it */
  unserved: number
  /**
   * from asking to the call that sent it, of all but the slowest tenth: one that meets a busy processor tells nothing
   */
  slowMs: number
}

let bystanders = 9_000_000

/** Until it is stopped, `atOnce` new people ask for the known name every `everyMs`; then it waits for the answers. */
export function askMeanwhile(
  { town }: FaultEnvironment,
  { atOnce, everyMs }: { atOnce: number; everyMs: number },
): { stop(): Promise<Bystanders> } {
  const asked = new Map<number, number>()
  let going = true
  const asking = (async () => {
    while (going) {
      const some = Array.from({ length: atOnce }, () => ({ userId: bystanders++, text: knownName, languageCode: 'ru' }))
      const at = Date.now()
      await town.telegram.sayAll(some)
      for (const { userId } of some) asked.set(userId, at)
      await new Promise((resolve) => setTimeout(resolve, everyMs))
    }
  })()
  return {
    async stop() {
      going = false
      await asking
      const deadline = Date.now() + 30_000
      for (;;) {
        const sent = new Map(
          (await town.telegram.calls({ method: 'sendVideo', ok: true })).map(({ chatId, at }) => [chatId, at]),
        )
        const waits = [...asked].map(([id, at]) => (sent.get(id) ?? Infinity) - at)
        const unserved = waits.filter((ms) => ms === Infinity).length
        if (unserved === 0 || Date.now() > deadline)
          return {
            asked: asked.size,
            unserved,
            slowMs: waits.sort((a, b) => a - b)[Math.floor(waits.length * 0.9)] ?? 0,
          }
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
  }
}
