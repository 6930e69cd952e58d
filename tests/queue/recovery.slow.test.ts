import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { request } from '../../src/greetings/request.ts'
import { queueModes } from '../environment/redis.ts'
import { ask, openTestEnvironment, person, until, type TestEnvironment } from '../environment/test-environment.ts'
import { createServices, videosOf, type Running } from './processes.ts'

// Work resumes within 45 s of a crash in life; times are ten times shorter here. To that comes what a fresh worker
// needs to start and to make a video, with a margin: measured, as machines differ.
const timeDivisor = 10
const resumeMs = 45_000 / timeDivisor

const count = async (folder: string) => (await readdir(folder)).filter((file) => file.endsWith('.mp4')).length

describe.each(queueModes)('a worker is killed, queue on %s', (queueMode) => {
  let town: TestEnvironment
  let renders: string
  let soonMs = 120_000
  const services = createServices(() => town)

  beforeAll(async () => {
    town = await openTestEnvironment({ queueMode })
    renders = join(String(town.env.GREETINGS_HOME), 'renders')
    const startedAt = Date.now()
    const assetId = await asks('Яна', [1])
    await (await worker()).wrote('"step":"upload"')
    await until(
      async () => (await town.db.videoAsset.findUniqueOrThrow({ where: { id: assetId } })).status === 'AVAILABLE',
      'the first video',
      soonMs,
    )
    soonMs = resumeMs + 5_000 + 3 * (Date.now() - startedAt)
    await services.endAll()
  }, 180_000)
  afterEach(() => services.endAll())
  afterAll(() => town.close())

  const worker = (): Promise<Running> =>
    services.start('worker', { RENDER_CONCURRENCY: '1', LOG_LEVEL: 'debug', TIME_DIVISOR: String(timeDivisor) })

  async function asks(name: string, people: number[]): Promise<string> {
    await town.telegram.sayAll(people.map((userId) => ({ userId, text: '/start' })))
    let assetId = ''
    for (const id of people) {
      const [answer] = await request(town.door, [ask(name)], person(id))
      if (answer?.status !== 'waiting') throw new Error(`asked, but ${String(answer?.status)}`)
      assetId = answer.assetId
    }
    return assetId
  }

  /** Starts another worker and sees everything through to the end. */
  async function recovers(assetId: string, people: number[]) {
    const killedAt = Date.now()
    await worker()
    const asset = await until(
      async () => {
        const found = await town.db.videoAsset.findUniqueOrThrow({
          where: { id: assetId },
          include: { userRequests: true },
        })
        return found.status === 'AVAILABLE' && found.userRequests.every(({ status }) => status === 'COMPLETED') && found
      },
      'the recovery',
      soonMs,
    )
    expect(Date.now() - killedAt).toBeLessThan(soonMs)
    for (const id of people) expect(await videosOf(town, id)).toBe(1)
    expect(asset.attempts).toBe(0)
    expect(await town.db.videoAsset.count({ where: { name: asset.name } })).toBe(1)
    expect(asset.userRequests.length).toBe(people.length)
  }

  const steps = [
    { step: 'in speech', name: 'Аглая', log: undefined, id: 11 },
    { step: 'in the render', name: 'Богдан', log: '"step":"speech"', id: 12 },
  ]
  it.each(steps)('property 5: $step; another worker makes the video', async ({ name, log, id }) => {
    const before = (await town.telegram.counts()).uploads
    const first = await worker()
    const assetId = await asks(name, [id])
    if (log !== undefined) await first.wrote(log)
    else
      await until(
        async () => (await town.db.videoAsset.findUniqueOrThrow({ where: { id: assetId } })).status === 'GENERATING',
        'the claim',
      )
    await first.kill()
    expect((await town.telegram.counts()).uploads).toBe(before)
    await recovers(assetId, [id])
    expect((await town.telegram.counts()).uploads - before).toBe(1)
  })

  it('property 3: before the upload was taken; the kept file is uploaded, nothing is rendered again', async () => {
    const { uploads } = await town.telegram.counts()
    const hold = await town.telegram.fault({ method: 'sendVideo', upload: 'multipart', answer: { kind: 'hold' } })
    const first = await worker()
    const assetId = await asks('Варвара', [21, 22])
    await town.telegram.waitForHeld(hold.id)
    const made = await count(renders)
    await first.kill()
    await town.telegram.release()
    await recovers(assetId, [21, 22])
    expect((await town.telegram.counts()).uploads - uploads).toBe(1)
    expect(await count(renders)).toBe(made)
    expect(services.last()?.output()).toContain('video from the render cache')
  })

  it('property 3: after Telegram took the upload and before its answer; one upload more, no render', async () => {
    const { uploads } = await town.telegram.counts()
    const hold = await town.telegram.fault({ method: 'sendVideo', upload: 'multipart', answer: { kind: 'hold-after' } })
    const first = await worker()
    const assetId = await asks('Глеб', [31, 32])
    await town.telegram.waitForHeld(hold.id)
    await first.kill()
    await town.telegram.release()
    await recovers(assetId, [31, 32])
    expect((await town.telegram.counts()).uploads - uploads).toBe(2)
    expect(services.last()?.output()).toContain('video from the render cache')
  })

  it('property 7: during the delivery; the rest is served, nobody twice', async () => {
    const people = Array.from({ length: 30 }, (_, n) => 100 + n)
    const { uploads } = await town.telegram.counts()
    const hold = await town.telegram.fault({
      method: 'sendVideo',
      upload: 'file_id',
      skip: 7,
      answer: { kind: 'hold' },
    })
    const first = await worker()
    const assetId = await asks('Дарина', people)
    await town.telegram.waitForHeld(hold.id, 10)
    // Those that were let through are recorded; what was not taken may be sent by another.
    await until(
      async () => (await town.db.userRequest.count({ where: { assetId, status: 'COMPLETED' } })) === 7,
      'seven deliveries',
    )
    await first.kill()
    await town.telegram.release()
    await recovers(assetId, people)
    expect((await town.telegram.counts()).uploads - uploads).toBe(1)
  })
})
