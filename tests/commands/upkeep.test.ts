/** What an operator does to the data: `purge`, `retry`, `names`, `forget`. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { ask, openTown, type Town } from '../town.ts'
import { jsonOf, runProgram } from './program.ts'

vi.setConfig({ testTimeout: 300_000 })

let town: Town
beforeAll(async () => {
  town = await openTown()
  await mkdir(join(town.folder, 'home'))
  await writeFile(join(town.folder, 'home', 'id'), '00000000-0000-4000-8000-000000000000')
  await town.db.installation.update({ where: { id: 1 }, data: { botId: town.botId } })
}, 120_000)
afterAll(() => town.close())
beforeEach(async () => {
  await town.db.$executeRaw`TRUNCATE "VideoAsset", "UserRequest", "RequestCount"`
})

const greetings = (args: string[], options: { env?: Record<string, string>; input?: string } = {}) => runProgram(args, { env: town.env, ...options })
type State = 'PENDING' | 'GENERATING' | 'AVAILABLE' | 'FAILED'
const asset = (name: string, status: State, more: object = {}) =>
  town.db.videoAsset.create({ data: { template: 'tiny', name: ask(name).key, display: ask(name).display, status, ...(status === 'AVAILABLE' ? { telegramFileId: `file of ${name}`, telegramBotId: town.botId } : {}), ...more } })

let updates = 1
/** Requests of as many people; made and finished so many days ago. */
async function requests(assetId: string, status: 'PENDING' | 'COMPLETED' | 'FAILED', { days = 0, people = 1, hit = false } = {}) {
  const at = new Date(Date.now() - days * 86_400_000)
  await town.db.user.createMany({ data: Array.from({ length: people }, (_, n) => ({ id: BigInt(n + 1) })), skipDuplicates: true })
  await town.db.userRequest.createMany({ data: Array.from({ length: people }, (_, n) => ({ assetId, userId: BigInt(n + 1), chatId: BigInt(n + 1), language: 'ru', botId: town.botId, updateId: updates++, status, hit, createdAt: at, finishedAt: status === 'PENDING' ? null : at })) })
}

describe('purge', () => {
  it('removes old finished requests, in batches, and the statistics stay', async () => {
    const { id } = await asset('Маша', 'AVAILABLE')
    await requests(id, 'COMPLETED', { days: 100, people: 5_200, hit: true })
    await requests(id, 'FAILED', { days: 100 })
    await requests(id, 'COMPLETED', { days: 80, people: 3 })
    await requests(id, 'COMPLETED', { people: 2 })
    await requests((await asset('Петя', 'PENDING')).id, 'PENDING', { days: 100 })
    const before = jsonOf(await greetings(['status', '--json']))
    expect(before.requests).toEqual({ pending: 1, completed: 5_205, failed: 1 })

    expect(await greetings(['purge', '--dry-run', '--json'])).toEqual({ code: 0, stdout: '{"requests":5201,"dryRun":true}\n', stderr: '' })
    expect(await town.db.userRequest.count()).toBe(5_207)
    expect(await greetings(['purge'])).toEqual({ code: 0, stdout: '5201 finished requests removed. The statistics stay.\n', stderr: '' })
    expect(await town.db.userRequest.groupBy({ by: ['status'], _count: true, orderBy: { status: 'asc' } })).toEqual([{ status: 'PENDING', _count: 1 }, { status: 'COMPLETED', _count: 5 }])
    const after = jsonOf(await greetings(['status', '--json']))
    expect([after.requests, after.last24h]).toEqual([before.requests, before.last24h])

    expect((await greetings(['purge', '--older-than', '30d', '--json'])).stdout).toBe('{"requests":3,"dryRun":false}\n')
    expect((await greetings(['purge', '--older-than', '30d', '--json'])).stdout).toBe('{"requests":0,"dryRun":false}\n')
  })

  it('leaves the last two days alone: 2', async () => {
    expect(await greetings(['purge', '--older-than', '1h'])).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('2d') as string })
  })
})
