/** `warm` in a test environment: what it prints, what it leaves in the database, how it ends. */
import { cp, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { openTestEnvironment, until, type TestEnvironment } from '../environment/test-environment.ts'
import { wav } from '../audio/wav.ts'
import { jsonOf, runProgram, startProgram, type RunOptions } from '../environment/program.ts'

// A command needs a second or two; a busy machine, many.
vi.setConfig({ testTimeout: 300_000 })

let town: TestEnvironment
beforeAll(async () => {
  town = await openTestEnvironment()
}, 120_000)
afterAll(() => town.close())
beforeEach(async () => {
  await town.db.userRequest.deleteMany()
  await town.queue.remove(
    'warm',
    (await town.db.videoAsset.findMany()).map(({ id: assetId, generation }) => ({ assetId, generation })),
  )
  await town.db.videoAsset.deleteMany()
  await town.telegram.clearCalls()
})
afterEach(() => town.telegram.release())

const warm = (args: string[], options: Partial<RunOptions> = {}) =>
  runProgram(['warm', ...args], { env: town.env, ...options })

async function list(name: string, text: string): Promise<string> {
  const path = join(town.folder, name)
  await writeFile(path, text)
  return path
}

/** The object of the contract, with what is not told here being nothing. */
const summary = (parts: object) => ({
  rows: 0,
  blank: 0,
  rejected: 0,
  duplicates: 0,
  names: 0,
  cached: 0,
  joined: 0,
  enqueued: 0,
  failedBefore: 0,
  available: 0,
  failed: 0,
  pending: 0,
  rejectedBy: {},
  rejects: [],
  lists: expect.any(Array) as unknown[],
  unreadable: { count: { rows: 0, firstLine: null }, say: { rows: 0, firstLine: null } },
  made: 0,
  perMinute: null,
  bytes: null,
  failedNames: [],
  seconds: expect.any(Number) as number,
  ...parts,
})
const made = (count: number) => ({
  made: count,
  perMinute: expect.any(Number) as number,
  bytes: expect.any(Number) as number,
})
const renders = () => join(town.folder, 'home', 'renders')
const names = async () =>
  (await town.db.videoAsset.findMany({ orderBy: { createdAt: 'asc' } })).map(({ name, status }) => `${name} ${status}`)

describe('warm', () => {
  it('makes what is missing, says so in one object, and finds everything cached the second time', async () => {
    const file = await list('names.csv', 'name\nМаша\n маша \n\nПетя1\nAnna\n')
    const read = {
      rows: 5,
      blank: 1,
      rejected: 1,
      duplicates: 1,
      names: 2,
      available: 2,
      rejectedBy: { digits: 1 },
      rejects: [{ line: 5, code: 'digits', reason: expect.stringContaining('digits') as string }],
    }
    const first = await warm([file, '--json'])
    expect(first.code, first.stderr).toBe(0)
    const files = await Promise.all(
      (await readdir(renders())).filter((each) => each.endsWith('.mp4')).map((each) => stat(join(renders(), each))),
    )
    expect(jsonOf(first)).toEqual(
      summary({ ...read, enqueued: 2, ...made(2), bytes: files.reduce((sum, { size }) => sum + size, 0) }),
    )
    expect((await town.telegram.counts()).uploads).toBe(2)

    const second = await warm([file, '--json'])
    expect([second.code, second.stderr]).toEqual([0, ''])
    expect(jsonOf(second)).toEqual(summary({ ...read, cached: 2 }))
    expect((await town.telegram.counts()).uploads).toBe(2)

    const third = await warm([file, '--quiet'])
    expect([third.code, third.stderr]).toEqual([0, ''])
    expect(third.stdout).toMatch(/5 rows: 2 names, 1 repeated, 1 blank, 1 rejected/)
    expect(third.stdout).toMatch(/all 2 were in the cache/)
  })

  it('ends by naming ten of those that failed, and how fast the others were made', async () => {
    const known = Array.from('абвгдежзиклм', (letter) => `имя${letter}`)
    await town.db.videoAsset.createMany({
      data: known.map((name) => ({
        template: 'tiny',
        name,
        display: name,
        status: 'FAILED' as const,
        errorClass: 'gate',
      })),
    })
    const end = await warm(['-'], { input: ['Маша', 'Петя', ...known].join('\n') })
    expect([end.code, end.stdout]).toEqual([
      1,
      expect.stringMatching(
        /^made {11}2 names, [\d.]+ a minute, 1 MB\nfailed {9}имя.: gate\n( {15}имя.: gate\n){9} {15}… 2 more: greetings names --failed\n/m,
      ),
    ])
  })

  it('--refresh makes anew what a recording or another spelling changes, and only that; the plan tells how many have a recording', async () => {
    const file = await list('actor.csv', 'Маша\nПетя\nОля\n')
    expect((await warm([file, '--quiet'])).code).toBe(0)
    const before = await town.db.videoAsset.findMany({ orderBy: { name: 'asc' } })
    expect(jsonOf(await warm([file, '--refresh', '--json']))).toEqual(
      summary({ rows: 3, names: 3, cached: 3, available: 3 }),
    )

    const recordings = join(town.folder, 'home', 'recordings', 'tiny')
    await mkdir(recordings, { recursive: true })
    const tone = Array.from({ length: 16_000 }, (_, at) => Math.sin(at / 8) * 0.5)
    await writeFile(join(recordings, 'МАША.wav'), wav(tone, { code: 1, bits: 16, channels: 1, rate: 16_000 }))
    const said = await list('said.csv', 'name,say\nМаша,\nПетя,Пе-етя\nОля,\n')
    expect(jsonOf(await warm([said, '--dry-run', '--json']))).toMatchObject({ recordings: 1, cached: 3, misses: 0 })
    // The plan compares as the run does: recording, spelling and voice.
    const plan = async (path: string, env = town.env) =>
      jsonOf(await warm([path, '--refresh', '--dry-run', '--json'], { env }))
    expect(await plan(file)).toMatchObject({ cached: 2, outdated: 1, misses: 1, enqueued: 1 })
    expect(await plan(said)).toMatchObject({ cached: 1, outdated: 2, misses: 2, enqueued: 2 })
    expect(await plan(said, { ...town.env, TTS_VOICE: 'en' })).toMatchObject({ cached: 0, outdated: 3, misses: 3 })
    expect((await warm([said, '--refresh', '--dry-run'])).stdout).toContain(
      'would make     2 of 3, of which 2 have a video that would be another one today\n',
    )
    const refreshed = await warm([said, '--refresh', '--json'])
    expect(refreshed.code, refreshed.stderr).toBe(0)
    expect(jsonOf(refreshed)).toEqual(summary({ rows: 3, names: 3, cached: 1, enqueued: 2, available: 3, ...made(2) }))
    const after = await town.db.videoAsset.findMany({ orderBy: { name: 'asc' } })
    expect(
      after.map(({ name, revision, telegramFileId }, at) => [
        name,
        revision !== before[at]?.revision,
        telegramFileId !== before[at]?.telegramFileId,
      ]),
    ).toEqual([
      ['маша', true, true],
      ['оля', false, false],
      ['петя', true, true],
    ])
    expect(after.map(({ say }) => say)).toEqual([null, null, 'Пе-етя'])
    expect((await town.telegram.counts()).uploads).toBe(5)
    // A list without the column leaves the spelling as it is.
    expect(await plan(file)).toMatchObject({ cached: 3, outdated: 0 })
    expect(jsonOf(await warm([file, '--refresh', '--json']))).toMatchObject({ cached: 3, enqueued: 0 })
  })

  it('--coverage takes the fewest names that make up a share of the children; the plan shows the curve and the reasons of rejects', async () => {
    const file = await list('counts.csv', 'name,count\nМаша,50\nПетя,30\nОля,15\nИра,4\nВера1,9\nЯна,1\n')
    const plan = await warm([file, '--coverage', '95%', '--dry-run', '--json'])
    expect(plan.code, plan.stderr).toBe(0)
    expect(jsonOf(plan)).toMatchObject({
      names: 3,
      misses: 3,
      rejectedBy: { digits: 1 },
      curve: [
        { share: 0.5, names: 1 },
        { share: 0.8, names: 2 },
        { share: 0.9, names: 3 },
        { share: 0.95, names: 3 },
        { share: 0.99, names: 4 },
      ],
    })
    const text = await warm([file, '--coverage', '0.8', '--dry-run'])
    expect(text.stdout).toMatch(/50 % with 1 name, 80 % with 2 names/)
    expect(text.stdout).toMatch(/these 2 names are those of 80.0 %/)
    for (const wrong of ['0', '1.5', 'much'])
      expect(await warm([file, '--coverage', wrong, '--dry-run'])).toMatchObject({ code: 2, stdout: '' })
    const bare = await warm(['-', '--coverage', '0.9', '--dry-run'], { input: 'Маша\n' })
    expect([bare.code, bare.stderr]).toEqual([2, expect.stringContaining('add a column “count”') as string])
  })

  it('reads stdin and several files; --no-wait queues, what is queued is joined, --limit takes the first', async () => {
    const one = await list('one.csv', 'Маша\nПетя\nОля\n')
    const queued = await warm([one, '--limit', '2', '--no-wait', '--json'])
    expect(queued.code, queued.stderr).toBe(0)
    expect(jsonOf(queued)).toEqual(summary({ rows: 3, names: 2, enqueued: 2, pending: 2 }))
    expect(await names()).toEqual(['маша PENDING', 'петя PENDING'])
    expect(await town.queue.counts()).toMatchObject({ waiting: 2 })
    const both = await list('both.csv', 'Петя и Маша\n')
    const set = await warm([both, '--dry-run', '--together', '--json'])
    expect(jsonOf(set)).toMatchObject({ names: 1, rejected: 0, enqueued: 1 })

    const joined = await warm([one, '-', '--no-wait', '--json'], { input: 'name;count\nИра;5\nпетя;2\n' })
    expect(joined.code, joined.stderr).toBe(0)
    expect(jsonOf(joined)).toEqual(summary({ rows: 5, duplicates: 1, names: 4, joined: 2, enqueued: 2, pending: 4 }))
    expect((await town.telegram.counts()).uploads).toBe(0)
  })

  it('says that no worker is alive, and ends with 1 when the time is up, the rest queued', async () => {
    const end = await warm(['-', '--no-work', '--timeout', '400ms', '--json'], { input: 'Маша\n' })
    expect(end.code).toBe(1)
    expect(jsonOf(end)).toEqual(summary({ rows: 1, names: 1, enqueued: 1, pending: 1 }))
    expect(end.stderr).toContain('No worker is alive')
    expect(end.stderr).toContain('greetings worker')
    expect(await names()).toEqual(['маша PENDING'])
  })

  it('ends when what it waits for is taken back: its names count as failed', async () => {
    const warming = startProgram(['warm', '-', '--no-work', '--json'], { env: town.env, input: 'Маша\nПетя\n' })
    await warming.waitForText(/(No worker is alive)/)
    const cancelled = await runProgram(['cancel', '--all', '--json'], { env: town.env })
    expect(cancelled.stdout).toBe('{"cancelled":2}\n')
    const end = await warming.ended
    expect(end.code).toBe(1)
    expect(jsonOf(end)).toEqual(summary({ rows: 2, names: 2, enqueued: 2, failed: 2 }))
    expect(end.stderr).toContain('removed by `cancel` or `forget`')
  })

  it('goes on when a worker makes what it queued', async () => {
    const worker = startProgram(['worker'], { env: town.env })
    try {
      await worker.waitForText(/worker is running/)
      const end = await warm(['-', '--no-work', '--json'], { input: 'Маша\n' })
      expect(end.code, end.stderr).toBe(0)
      expect(end.stderr).not.toContain('No worker is alive')
      expect(jsonOf(end)).toEqual(summary({ rows: 1, names: 1, enqueued: 1, available: 1, ...made(1) }))
    } finally {
      worker.signal('SIGTERM')
      expect((await worker.ended).code).toBe(0)
    }
  })

  it('--dry-run needs neither Telegram nor a home and changes nothing', async () => {
    const { TELEGRAM_BOT_TOKEN: _token, DATABASE_URL: _url, STORAGE_CHAT_IDS: _ids, ...bare } = town.env
    const env = { ...bare, GREETINGS_HOME: join(town.folder, 'never') }
    const end = await warm(['-', '--dry-run', '--json'], { env, input: 'Маша\nПетя\n\n7\n' })
    expect(end.code, end.stderr).toBe(0)
    expect(jsonOf(end)).toMatchObject({
      rows: 4,
      blank: 1,
      rejected: 1,
      names: 2,
      enqueued: 2,
      pending: 2,
      dryRun: true,
      misses: 2,
    })
    await expect(readFile(join(town.folder, 'never', 'id'))).rejects.toThrow('ENOENT')
    expect(await names()).toEqual([])
  })

  it('--dry-run tells hits from misses with a database of one’s own, before there is a home', async () => {
    const known = { template: 'tiny', display: 'Маша' }
    await town.db.installation.update({ where: { id: 1 }, data: { botId: town.botId } })
    await town.db.videoAsset.create({
      data: { ...known, name: 'маша', status: 'AVAILABLE', telegramFileId: 'x', telegramBotId: town.botId },
    })
    await town.db.videoAsset.create({ data: { ...known, name: 'оля', status: 'FAILED' } })
    const env = { ...town.env, GREETINGS_HOME: join(town.folder, 'never') }
    const end = await warm(['-', '--dry-run', '--json'], { env, input: 'Маша\nПетя\nОля\n' })
    expect(end.code, end.stderr).toBe(0)
    expect(jsonOf(end)).toMatchObject({ names: 3, cached: 1, enqueued: 1, failedBefore: 1, misses: 1 })
    await expect(readFile(join(town.folder, 'never', 'id'))).rejects.toThrow('ENOENT')
  })

  it('--rejects writes the bad rows, safe for a spreadsheet; --strict ends with 1', async () => {
    const report = join(town.folder, 'rejects.csv')
    const end = await warm(['-', '--no-wait', '--strict', '--rejects', report], { input: 'Маша\n=1+2\n' })
    expect(end.code, end.stderr).toBe(1)
    const text = await readFile(report, 'utf8')
    expect(text).toMatch(/^\uFEFFline,reason,text,code\n2,/)
    expect(text).toContain("'=1+2")
    expect(await names()).toEqual(['маша PENDING'])
  })

  it('leaves failed names alone, with 1, until --retry-failed', async () => {
    await town.db.videoAsset.create({
      data: {
        template: 'tiny',
        name: 'маша',
        display: 'Маша',
        status: 'FAILED',
        attempts: 3,
        errorClass: 'voice',
        errorText: 'The voice is silent.',
      },
    })
    const left = await warm(['-', '--no-wait', '--json'], { input: 'Маша\n' })
    expect(left.code, left.stderr).toBe(1)
    expect(jsonOf(left)).toEqual(
      summary({
        rows: 1,
        names: 1,
        failedBefore: 1,
        failed: 1,
        failedNames: [{ name: 'Маша', template: 'tiny', reason: 'voice: The voice is silent.' }],
      }),
    )
    const told = await warm(['-', '--no-wait'], { input: 'Маша\n' })
    expect(told.stdout).toMatch(/^failed {9}Маша: voice: The voice is silent\.\n/m)
    const again = await warm(['-', '--retry-failed', '--template', 'tiny', '--json'], { input: 'Маша\n' })
    expect(again.code, again.stderr).toBe(0)
    expect(jsonOf(again)).toEqual(summary({ rows: 1, names: 1, enqueued: 1, available: 1, ...made(1) }))
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)(
    'ends with its own code after %s, leaves the rest queued, and goes on when run again',
    async (signal, code) => {
      const hold = await town.telegram.fault({ method: 'sendVideo', upload: 'multipart', answer: { kind: 'hold' } })
      const run = startProgram(['warm', '-', '--json'], { env: town.env, input: 'Маша\nПетя\nОля\n' })
      await town.telegram.waitForHeld(hold.id, 1, { timeoutMs: 200_000 })
      run.signal(signal)
      const end = await run.ended
      expect(end.code, end.stderr).toBe(code)
      expect(jsonOf(end)).toMatchObject({ names: 3, enqueued: 3, available: 0, failed: 0, pending: 3 })
      const left = await town.db.videoAsset.findMany()
      expect(left.map(({ status, attempts }) => [status, attempts])).toEqual([
        ['PENDING', 0],
        ['PENDING', 0],
        ['PENDING', 0],
      ])
      await town.telegram.release()
      const again = await warm(['-', '--json'], { input: 'Маша\nПетя\nОля\n' })
      expect(again.code, again.stderr).toBe(0)
      expect(jsonOf(again)).toMatchObject({ names: 3, joined: 3, enqueued: 0, available: 3, pending: 0 })
    },
  )

  it('belongs to one bot: another ends with 2, and goes on with --new-bot', async () => {
    await town.db.installation.update({ where: { id: 1 }, data: { botId: town.botId } })
    const other = await town.telegram.registerBot({ username: 'another_bot' })
    const channel = await town.telegram.createChannel({ title: 'another', admins: [other.id] })
    const env = { ...town.env, TELEGRAM_BOT_TOKEN: other.token, STORAGE_CHAT_IDS: String(channel) }
    const refused = await warm(['-', '--no-wait'], { env, input: 'Маша\n' })
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toContain(`belongs to the bot ${town.botId}`)
    expect(refused.stderr).toContain('--new-bot')
    expect(await names()).toEqual([])
    const handed = await warm(['-', '--no-wait', '--new-bot'], { env, input: 'Маша\n' })
    expect(handed.code, handed.stderr).toBe(0)
    expect((await town.db.installation.findUniqueOrThrow({ where: { id: 1 } })).botId).toBe(BigInt(other.id))
    await town.db.installation.update({ where: { id: 1 }, data: { botId: town.botId } })
  })

  it('--template makes the names of one that is not among TEMPLATES', async () => {
    const folder = join(town.folder, 'templates')
    for (const id of ['tiny', 'other'])
      await cp(join(town.env.TEMPLATES_FOLDER ?? '', 'tiny'), join(folder, id), { recursive: true })
    const manifest = join(folder, 'other', 'template.json')
    await writeFile(
      manifest,
      JSON.stringify({ ...(JSON.parse(await readFile(manifest, 'utf8')) as object), id: 'other' }),
    )
    const end = await warm(['-', '--template', 'other', '--timeout', '60s', '--json'], {
      input: 'Маша\n',
      env: { ...town.env, TEMPLATES_FOLDER: folder },
    })
    expect(end.code, end.stderr).toBe(0)
    expect(await town.db.videoAsset.findFirstOrThrow()).toMatchObject({ template: 'other', status: 'AVAILABLE' })
  })

  it('several runs at once share the work: each name is rendered once and uploaded once, and each run ends when all of its names are there', async () => {
    // Names of no other test here: their files are kept.
    const lists = [
      ['Агния', 'Богдан', 'Варя', 'Глафира', 'Демид', 'Есения'],
      ['Есения', 'Демид', 'Глафира', 'Варя', 'Захар', 'Илона'],
      ['Илона', 'Агния', 'Камилла', 'Есения'],
    ]
    const ends = await Promise.all(
      lists.map((some) => warm(['-', '--json', '--log-level', 'debug'], { input: some.join('\n') })),
    )
    for (const [at, end] of ends.entries()) {
      expect(end.code, end.stderr).toBe(0)
      const all = lists[at]?.length
      const { cached, joined, enqueued, ...rest } = jsonOf(end)
      expect(rest).toMatchObject({ names: all, available: all, failed: 0, pending: 0 })
      expect(Number(cached) + Number(joined) + Number(enqueued)).toBe(all)
    }
    const different = new Set(lists.flat()).size
    expect(ends.reduce((sum, end) => sum + Number(jsonOf(end).enqueued), 0)).toBe(different)
    const steps = ends
      .flatMap(({ stderr }) => stderr.split('\n'))
      .flatMap((line) => / DEBUG: step (\{.*\})$/.exec(line)?.[1] ?? [])
      .map((fields) => JSON.parse(fields) as { assetId: string; step: string })
    const assets = (await town.db.videoAsset.findMany()).map(({ id }) => id).sort()
    expect(assets).toHaveLength(different)
    for (const step of ['video', 'upload'])
      expect(
        steps
          .filter((each) => each.step === step)
          .map(({ assetId }) => assetId)
          .sort(),
        step,
      ).toEqual(assets)
    expect((await town.telegram.counts()).uploads).toBe(different)
  })

  it('is not held up by a worker that was killed', async () => {
    const hold = await town.telegram.fault({ method: 'sendVideo', upload: 'multipart', answer: { kind: 'hold' } })
    const run = startProgram(['warm', '-', '--json'], { env: town.env, input: 'Маша\n' })
    await town.telegram.waitForHeld(hold.id, 1, { timeoutMs: 200_000 })
    run.signal('SIGKILL')
    expect((await run.ended).code).toBeNull()
    await town.telegram.release()
    const again = await warm(['-', '--json'], { input: 'Маша\n' })
    expect(again.code, again.stderr).toBe(0)
    expect(jsonOf(again)).toMatchObject({ names: 1, joined: 1, available: 1 })
    await until(async () => (await town.db.videoAsset.findFirstOrThrow()).status === 'AVAILABLE', 'the video')
  })
})
