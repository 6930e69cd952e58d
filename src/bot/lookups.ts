/**
 * Looks into the database for those who do not wait: whoever types has typed more in a moment. So many at a time, of one
 * person the newest only, and none that is too old.
 */

/** Looks for people who do not wait. */
export interface Lookups {
  /** What `work` finds; undefined: the person asked for something else meanwhile, or it took too long. */
  look<T>(personId: number, work: () => Promise<T>): Promise<T | undefined>
}

/** Nobody asks at first. @param lateMs after which nobody wants to know any more */
export function openLookups({ atOnce, lateMs }: { atOnce: number; lateMs: number }): Lookups {
  /** of each person, the newest look that has not ended */
  const newest = new Map<number, object>()
  /** who waits, in order: told whether it is their turn, or somebody took their place */
  const waiting = new Map<number, (isTurn: boolean) => void>()
  let inHand = 0

  const letIn = () => {
    for (const [personId, begin] of waiting) {
      if (inHand >= atOnce) return
      waiting.delete(personId)
      inHand++
      begin(true)
    }
  }
  return {
    async look(personId, work) {
      const me = {}
      const deadline = Date.now() + lateMs
      const isWanted = () => newest.get(personId) === me && Date.now() <= deadline
      newest.set(personId, me)
      waiting.get(personId)?.(false)
      const isTurn = await new Promise<boolean>((resolve) => {
        waiting.set(personId, resolve)
        letIn()
      })
      if (!isTurn) return undefined
      try {
        const found = isWanted() ? await work() : undefined
        return isWanted() ? found : undefined
      } finally {
        inHand--
        if (newest.get(personId) === me) newest.delete(personId)
        letIn()
      }
    },
  }
}
