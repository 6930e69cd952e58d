import { setMaxListeners } from 'node:events'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { request } from '../../src/greetings/request.ts'
import { generateVideo } from '../../src/queue/processors/video-generation.ts'
import type { Renderer } from '../../src/video/renderer.ts'
import { ask, openTestEnvironment, person, until, type TestEnvironment } from '../environment/test-environment.ts'
import { videosOf } from './processes.ts'
import { plannedRenderer, jobDepsOf } from '../environment/worker-parts.ts'

const never = new AbortController().signal
setMaxListeners(0, never)

let town: TestEnvironment
let renderer: Renderer
let making = async (): Promise<void> => undefined
beforeAll(async () => {
  town = await openTestEnvironment()
  renderer = await plannedRenderer(town, () => making())
})
afterAll(() => town.close())
afterEach(async () => {
  making = async () => undefined
  await town.telegram.release()
})

let people = 1_000

/** Somebody asks for the name; their id. */
async function joins(name: string): Promise<number> {
  const id = people++
  await town.telegram.say({ userId: id, text: '/start' })
  const [answer] = await request(town.door, [ask(name)], person(id))
  expect(answer?.status).toBe('waiting')
  return id
}

async function jobOf(name: string) {
  const asset = await town.db.videoAsset.findFirstOrThrow({ where: { name: ask(name).key } })
  return { assetId: asset.id, generation: asset.generation }
}

const works = async (name: string) =>
  generateVideo(jobDepsOf(town, renderer), await jobOf(name), 'people', { closing: never, stop: never })

describe('property 4: nobody waits for ever; no reconciler runs here', () => {
  it('property 4: who joins before the job begins is served once', async () => {
    const waiting = [await joins('Ева'), await joins('Ева')]
    await works('Ева')
    for (const id of waiting) expect(await videosOf(town, id)).toBe(1)
  })

  it('property 4: who joins during the render is served once', async () => {
    const waiting = [await joins('Ева-Мария')]
    making = async () => void waiting.push(await joins('Ева-Мария'))
    await works('Ева-Мария')
    expect(waiting.length).toBe(2)
    for (const id of waiting) expect(await videosOf(town, id)).toBe(1)
  })

  it.each([
    { when: 'while the upload waits', kind: 'hold', name: 'Жанна' },
    { when: 'after Telegram took the upload and before it answered', kind: 'hold-after', name: 'Захар' },
  ] as const)('property 4: who joins $when is served once', async ({ kind, name }) => {
    const waiting = [await joins(name)]
    const hold = await town.telegram.fault({ method: 'sendVideo', upload: 'multipart', answer: { kind } })
    const job = works(name)
    await town.telegram.waitForHeld(hold.id)
    waiting.push(await joins(name))
    await town.telegram.release()
    await job
    for (const id of waiting) expect(await videosOf(town, id)).toBe(1)
  })

  it('property 4: who asks while the others are being served gets a video of their own at once, and no other', async () => {
    const name = 'Илья'
    const first = await joins(name)
    const hold = await town.telegram.fault({ method: 'sendVideo', upload: 'file_id', answer: { kind: 'hold' } })
    const job = works(name)
    await town.telegram.waitForHeld(hold.id)
    const late = person(people++)
    expect(await request(town.door, [ask(name)], late)).toMatchObject([{ status: 'available' }])
    await town.telegram.release()
    await job
    expect(await videosOf(town, first)).toBe(1)
    // The late one's request is claimed by whoever asked: the worker leaves it alone.
    expect(await videosOf(town, Number(late.userId))).toBe(0)
  })

  it('property 4: a door transaction that is open while the worker finishes is served by that very job', async () => {
    const name = 'Клим'
    const first = await joins(name)
    const { assetId } = await jobOf(name)
    const late = person(people++)
    await town.telegram.say({ userId: Number(late.userId), text: '/start' })

    // The same update, stored by nobody in the end: the door waits for that in the middle of its transaction.
    const blocker = new pg.Client(town.database.url)
    await blocker.connect()
    try {
      await town.db.user.create({ data: { id: late.userId, language: 'ru' } })
      await blocker.query('BEGIN')
      await blocker.query(
        'INSERT INTO "UserRequest" ("userId", "assetId", "chatId", language, "botId", "updateId") VALUES ($1, $2, 1, \'ru\', $3, $4)',
        [late.userId, assetId, town.botId, late.updateId],
      )
      let door: Promise<unknown> = Promise.resolve()
      making = async () => {
        door = request(town.door, [ask(name)], late)
        await until(async () => (await waitingFor('INSERT INTO "UserRequest"')) === 1, 'the door waiting')
      }
      let over = false
      const job = works(name).finally(() => (over = true))
      await until(async () => over || (await waitingFor("status = 'AVAILABLE'")) === 1, 'the worker at its last step')
      await blocker.query('ROLLBACK')
      expect(await door).toMatchObject([{ status: 'waiting', again: false }])
      await job
    } finally {
      await blocker.end()
    }
    expect(await videosOf(town, first)).toBe(1)
    expect(await videosOf(town, Number(late.userId))).toBe(1)
  })
})

/** Statements with this text that wait for a lock in the town's database. */
async function waitingFor(text: string): Promise<number> {
  const [row] = await town.db.$queryRaw<{ count: bigint }[]>`
    SELECT count(*) AS count FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event_type = 'Lock' AND position(${text} in query) > 0`
  return Number(row?.count ?? 0)
}
