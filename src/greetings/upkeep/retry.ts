/** Makes work again of what was given up. */
import { reviveFailed } from '../assets.ts'
import { enqueue, type Queueing } from '../enqueue.ts'

const batch = 1_000

/** Queues FAILED assets again, those of these keys or all; the cool-down counts no more. Returns how many. */
export async function retryFailed({ db, queue }: Queueing, keys?: readonly string[]): Promise<number> {
  let total = 0
  for (;;) {
    const jobs = await reviveFailed(db, keys, batch)
    await enqueue({ db, queue }, 'warm', jobs)
    total += jobs.length
    if (jobs.length < batch) return total
  }
}
