/** Queries that wait for an answer get an id, and the newest are kept. */
import { randomBytes } from 'node:crypto'

/** As Telegram makes them. */
export function newQueryId(): string {
  return String(randomBytes(8).readBigUInt64BE() >> 1n)
}

/** Keeps a query, and of all of them the newest. */
export function remember<T>(map: Map<string, T>, id: string, value: T): void {
  map.set(id, value)
  for (const oldest of map.keys()) {
    if (map.size <= 10_000) break
    map.delete(oldest)
  }
}
