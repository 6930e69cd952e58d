/** `status` with a list, under watch and as a monitor's check. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { reconcile } from '../../src/greetings/reconcile.ts'
import { request } from '../../src/greetings/request.ts'
import { countRepeatedUpload } from '../../src/telegram/storage.ts'
import { ask, openTown, person, type Town } from '../town.ts'
import { jsonOf, runProgram, startProgram } from './program.ts'

vi.setConfig({ testTimeout: 300_000 })

let town: Town
beforeAll(async () => {
  town = await openTown({ home: true })
  await town.db.installation.update({ where: { id: 1 }, data: { botId: town.botId } })
}, 120_000)
afterAll(() => town.close())
beforeEach(async () => {
  await town.db.$executeRaw`TRUNCATE "VideoAsset", "UserRequest", "WorkerProcess", "Outage"`
})

const greetings = (args: string[], options: { env?: Record<string, string>; input?: string } = {}) => runProgram(args, { env: town.env, ...options })
const available = (name: string, botId = town.botId) => town.db.videoAsset.create({ data: { ...assetOf(name), status: 'AVAILABLE', telegramFileId: `file ${name}`, telegramBotId: botId, templateRevision: 'today' } })
const failed = (name: string) => town.db.videoAsset.create({ data: { ...assetOf(name), status: 'FAILED', errorClass: 'voice' } })
const assetOf = (name: string) => ({ template: 'tiny', name: ask(name).key, display: ask(name).display })
const aWorker = () => town.db.workerProcess.create({ data: { id: 'w', host: 'here', pid: 1, concurrency: 1, seenAt: new Date(Date.now() + 3_600_000) } })

it('the reconciler folds the counts that status reads', async () => {
  for (const name of ['Маша', 'Петя', 'Оля']) await available(name)
  expect(await town.db.assetCount.count()).toBe(3)
  await reconcile({ db: town.db, queue: town.queue, botId: town.botId, times: town.times })
  expect(await town.db.assetCount.findMany()).toMatchObject([{ status: 'AVAILABLE', count: 3 }])
  expect(jsonOf(await greetings(['status', '--json'])).assets).toMatchObject({ available: 3 })
})

it('counts the uploads that were made again because their answer was lost', async () => {
  expect(jsonOf(await greetings(['status', '--json'])).repeatedUploads).toBe(0)
  expect((await greetings(['status'])).stdout).not.toContain('uploads')
  await countRepeatedUpload(town.db)
  await countRepeatedUpload(town.db)
  expect(jsonOf(await greetings(['status', '--json'])).repeatedUploads).toBe(2)
  expect((await greetings(['status'])).stdout).toContain('uploads    2 made again')
})

describe('--csv', () => {
  it('tells how much of a list is available, plainly and by its counts', async () => {
    await available('Маша')
    await available('Петя')
    await available('Оля', 999n) // another bot's
    await failed('Ира')
    const end = await greetings(['status', '--json', '--csv', '-'], { input: 'name,count\nМАША,600\nПетя,300\nОля,50\nИра,40\nВася,10\nмаша,0\n' })
    expect([end.code, end.stderr]).toEqual([0, ''])
    expect(jsonOf(end)).toMatchObject({ assets: { available: 3, failed: 1 }, coverage: { names: 5, available: 2, share: 0.4, weightedShare: 0.9 } })
    const text = await greetings(['status', '--csv', '-'], { input: 'Маша\nПетя\n' })
    expect(text.stdout).toContain('list       2 of 2 names available (100.0 %)\n')
    expect(end.stdout).not.toMatch(/маша/i)
  })

  it('without counts there is no weighted share; a list that is missing: 2', async () => {
    const end = await greetings(['status', '--json', '--csv', '-'], { input: 'Маша\n' })
    expect(jsonOf(end).coverage).toEqual({ names: 1, available: 0, share: 0, weightedShare: null })
    expect(await greetings(['status', '--csv', 'nowhere.csv'])).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('nowhere.csv') as string })
  })
})

describe('--watch', () => {
  it('--json writes one object a line until it is interrupted: 0', async () => {
    const watching = startProgram(['status', '--watch', '--json'], { env: { ...town.env, TIME_DIVISOR: '20' } })
    await watching.waitForText(/(\}\n.*\}\n)/)
    await available('Маша')
    await watching.waitForText(/("available":1)/)
    watching.signal('SIGINT')
    const end = await watching.ended
    expect([end.code, end.stderr]).toEqual([0, ''])
    const reports = end.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as { assets: { available: number } })
    expect(reports.length).toBeGreaterThan(2)
    expect([reports.at(0)?.assets.available, reports.at(-1)?.assets.available]).toEqual([0, 1])
  })

  it('is not a check: 2', async () => {
    expect(await greetings(['status', '--watch', '--check'])).toMatchObject({ code: 2, stdout: '' })
  })
})

describe('--check', () => {
  it('says OK, or WARNING with a line for each finding: 1', async () => {
    await aWorker()
    await available('Маша')
    expect(await greetings(['status', '--check'])).toEqual({ code: 0, stdout: 'OK: 1 videos available, 0 pending, 0 failed\n', stderr: '' })

    await town.db.workerProcess.deleteMany()
    for (const name of ['Ира', 'Аня', 'Вера', 'Зоя', 'Лиза', 'Нина']) await failed(name)
    await town.db.outage.create({ data: { step: 'voice', reason: 'The voice is silent.', until: new Date() } })
    await request(town.door, [ask('Петя')], person(5))
    await town.db.userRequest.updateMany({ data: { createdAt: new Date(Date.now() - 720_000) } })
    const end = await greetings(['status', '--check'])
    expect([end.code, end.stderr]).toEqual([1, ''])
    expect(end.stdout.split('\n')).toEqual([
      'WARNING: voice is out of order: The voice is silent.; a person has been waiting for 12 min (at most 10 min); 6 videos failed (at most 5); no worker is alive (at least 1)',
      'voice is out of order: The voice is silent.',
      'a person has been waiting for 12 min (at most 10 min)',
      '6 videos failed (at most 5)',
      'no worker is alive (at least 1)',
      '',
    ])
  })

  it('with limits it looks at those alone', async () => {
    await failed('Ира')
    await request(town.door, [ask('Петя')])
    expect((await greetings(['status', '--check', '--max-failed', '1', '--max-pending', '1', '--min-hit-rate', '0.9', '--min-workers', '0', '--max-oldest', '1h'])).code).toBe(0)
    const end = await greetings(['status', '--check', '--json', '--max-failed', '0', '--max-pending', '0'])
    expect(end.code).toBe(1)
    expect(jsonOf(end)).toMatchObject({ healthy: false, findings: ['1 video failed (at most 0)', '1 video waits to be made (at most 0)'], assets: { failed: 1 } })
    await town.db.userRequest.deleteMany()
    await request(town.door, [ask('Вера')], person(6))
    const rate = await greetings(['status', '--check', '--min-hit-rate', '0.9'])
    expect([rate.code, rate.stdout]).toEqual([1, 'WARNING: the hit rate of the last 24 hours is 0 (at least 0.9)\nthe hit rate of the last 24 hours is 0 (at least 0.9)\n'])
  })

  it('a database that is away: 3, and a first line for the monitor', async () => {
    const end = await greetings(['status', '--check'], { env: { ...town.env, DATABASE_URL: 'postgresql://operator:hunter2@127.0.0.1:9/x' } })
    expect(end).toMatchObject({ code: 3, stderr: '' })
    expect(end.stdout).toMatch(/^UNKNOWN: The database 127\.0\.0\.1:9\/x cannot be reached.*\n$/)
    expect(end.stdout).not.toContain('hunter2')
  })

  it.each([[['--max-failed', '5']], [['--check', '--min-hit-rate', '2']], [['--check', '--max-failed', '-1']]])('%j: 2', async (args) => {
    expect(await greetings(['status', ...args])).toMatchObject({ code: 2, stdout: '' })
  })
})
