/**
 * What more storage channels bring: 200 names are warmed against a Telegram that takes 20 posts a
 * minute in each channel, through 1, 2 and 5 of them. Times run 10 times faster than in life,
 * Telegram's and ours alike; the table is in life's.
 *
 *   npm run bench:channels
 */
import { performance } from 'node:perf_hooks'
import { request } from '../src/greetings/request.ts'
import { startWorker } from '../src/queue/processors/worker.ts'
import { plannedRenderer, workerParts } from '../tests/environment/worker-parts.ts'
import { ask, openTestEnvironment, until } from '../tests/environment/test-environment.ts'

const count = 200
const perMinute = 20
const timeDivisor = 10

const letters = [...'абвгдежзиклмнопрсту']
const asks = letters.flatMap((one) => letters.map((other) => ask(`Им${one}${other}`))).slice(0, count)
let first: number | undefined
console.log('channels   minutes   posts a minute   times faster   least possible, minutes   refused with 429')
for (const channels of [1, 2, 5]) {
  const town = await openTestEnvironment({ channels, timeDivisor, channelRate: perMinute })
  await town.telegram.limit({ channelPerMinute: perMinute, overallPerSecond: 30 })
  const worker = await startWorker(workerParts(town, await plannedRenderer(town)), 2)
  const started = performance.now()
  await request(town.door, asks)
  await until(
    async () => (await town.db.videoAsset.count({ where: { status: 'AVAILABLE' } })) === count,
    'all are in the cache',
    300_000,
  )
  const minutes = ((performance.now() - started) * timeDivisor) / 60_000
  first ??= minutes
  const refused = (await town.telegram.calls({ method: 'sendVideo', ok: false })).filter(
    ({ status }) => status === 429,
  ).length
  const cells = [
    [channels, 8],
    [minutes.toFixed(1), 10],
    [(count / minutes).toFixed(1), 17],
    [(first / minutes).toFixed(2), 15],
    [(count / perMinute / channels).toFixed(1), 26],
    [refused, 19],
  ] as const
  console.log(cells.map(([cell, width]) => String(cell).padStart(width)).join(''))
  await worker.stop(2_000)
  await town.close()
}
