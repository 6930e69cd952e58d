/** A worker's places: so many renders at a time, people first. */
import { lanes, type Lane } from '../index.ts'

/** Places of which a process gives out so many at a time. */
export interface Places {
  /**
   * Waits for a place; the lowest rank goes first, and of equals whoever came
   * first. The result gives the place back, once.
   */
  take(rank: number, signal: AbortSignal): Promise<() => void>
  readonly used: number
}

/**
 * Creates `count` places. Of every `patience` that are given one goes to whoever has waited longest, whatever the rank.
 */
export function createPlaces(count: number, patience = Infinity): Places {
  let waiting: { rank: number; start: () => void }[] = []
  let used = 0
  let given = 0

  function next() {
    const [first, ...others] = waiting
    if (used >= count || first === undefined) return
    const chosen =
      ++given % patience === 0 ? first : others.reduce((best, one) => (one.rank < best.rank ? one : best), first)
    waiting = waiting.filter((one) => one !== chosen)
    used++
    chosen.start()
  }

  return {
    get used() {
      return used
    },
    async take(rank, signal) {
      signal.throwIfAborted()
      await new Promise<void>((resolve, reject) => {
        const place = {
          rank,
          start: () => {
            signal.removeEventListener('abort', leave)
            resolve()
          },
        }
        const leave = () => {
          waiting = waiting.filter((other) => other !== place)
          reject(signal.reason as Error)
        }
        signal.addEventListener('abort', leave, { once: true })
        waiting.push(place)
        next()
      })
      let returned = false
      return () => {
        if (returned) return
        returned = true
        used--
        next()
      }
    },
  }
}

/** What one process does at a time. */
export interface Slots {
  /**
   * Waits for a place; whoever works for a person goes before all others, and of people whoever has fewer names before this
   * one. The result gives the place back, once.
   */
  take(lane: Lane, signal: AbortSignal, behind?: number): Promise<() => void>
  /** renders under way */
  readonly used: number
  /** Does an upload, which is counted and takes no place. */
  upload<T>(work: () => Promise<T>): Promise<T>
  /** uploads under way */
  readonly uploading: number
}

/** Creates `count` render slots. */
export function createSlots(count: number): Slots {
  const places = createPlaces(count)
  let uploading = 0
  return {
    get used() {
      return places.used
    },
    take: (lane, signal, behind = 0) => places.take(lanes.indexOf(lane) * 1_000 + behind, signal),
    get uploading() {
      return uploading
    },
    async upload(work) {
      uploading++
      try {
        return await work()
      } finally {
        uploading--
      }
    },
  }
}
