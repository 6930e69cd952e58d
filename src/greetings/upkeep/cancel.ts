/** Takes back work that was only warmed: nobody waits for it and no worker has begun it. */
import type { Db } from '../../db/database.ts'
import type { GreetingsQueue } from '../../queue/index.ts'
import { cancelUnwanted } from '../assets.ts'

/**
 * Takes back what is PENDING and nobody waits for: among these keys, or all. An asset that has an old video
 * keeps serving it; one that never had a video is removed. Returns how many were taken back.
 */
export async function takeBack(
  { db, queue }: { db: Db; queue: GreetingsQueue },
  keys?: readonly string[],
): Promise<number> {
  let total = 0
  for (;;) {
    const taken = await cancelUnwanted(db, keys)
    await queue.remove('warm', taken)
    total += taken.length
    if (taken.length === 0) return total
  }
}
