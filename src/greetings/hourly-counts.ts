/**
 * Counts of what happens in this process, by the hour. Counted as it is told, and written down every few seconds: a flood of
 * nonsense costs one row.
 */
import type { Times } from '../config.ts'
import { listen, type DomainEvent } from '../events.ts'

/** So long an hour is kept. */
export const keptHourDays = 30

/**
 * Counts until it is closed; what was counted is written down then at the latest. Never throws.
 * @param kindOf as what an event counts; undefined: it does not
 */
export function countByHour(
  { leaseRenewMs }: Pick<Times, 'leaseRenewMs'>,
  kindOf: (event: DomainEvent) => string | undefined,
  add: (counts: ReadonlyMap<string, number>) => Promise<void>,
): { close(): Promise<void> } {
  let counts = new Map<string, number>()
  const count = (kind: string, times = 1) => void counts.set(kind, (counts.get(kind) ?? 0) + times)
  const ignore = listen((event) => {
    const kind = kindOf(event)
    if (kind !== undefined) count(kind)
  })
  async function write(): Promise<void> {
    if (counts.size === 0) return
    const taken = counts
    counts = new Map()
    try {
      await add(taken)
    } catch {
      // The database is away: they are told with the next.
      for (const [kind, times] of taken) count(kind, times)
    }
  }
  let underWay: Promise<void> | undefined
  const timer = setInterval(() => {
    underWay ??= write().finally(() => (underWay = undefined))
  }, leaseRenewMs)
  return {
    async close() {
      clearInterval(timer)
      ignore()
      await underWay
      await write()
    },
  }
}
