/** What a person sees who runs the program on a terminal. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { request } from '../../src/greetings/request.ts'
import { ask, openTestEnvironment, until, type TestEnvironment } from '../environment/test-environment.ts'
import { runProgram } from '../environment/program.ts'
import { noTerminal, screenOf, startOnTerminal } from './terminal.ts'

let town: TestEnvironment
beforeAll(async () => {
  town = await openTestEnvironment()
}, 120_000)
afterAll(() => town.close())
beforeEach(async () => {
  await town.db
    .$executeRaw`TRUNCATE "VideoAsset", "UserRequest", "SoundReport", "WorkerProcess", "BotProcess", "Outage"`
  await town.db.installation.update({ where: { id: 1 }, data: { botId: town.botId } })
})
afterEach(() => town.telegram.release())

const asset = (name: string, more: object) =>
  town.db.videoAsset.create({ data: { template: 'tiny', name: ask(name).key, display: ask(name).display, ...more } })
const cached = (name: string) =>
  asset(name, { status: 'AVAILABLE', telegramFileId: `file of ${name}`, telegramBotId: town.botId })
const failed = (name: string) => asset(name, { status: 'FAILED', attempts: 3, errorClass: 'voice' })

/** The finished files, and when each was made. */
async function renders(): Promise<Map<string, number>> {
  const folder = join(town.folder, 'home', 'renders')
  const files = (await readdir(folder)).filter((file) => file.endsWith('.mp4'))
  return new Map(
    await Promise.all(files.map(async (file) => [file, (await stat(join(folder, file))).mtimeMs] as const)),
  )
}

it('the screen of these tests shows what a screen would show', () => {
  expect(screenOf('one\r\ntwo\r\n␛[2A␛[1Gso␛[0K\r\n␛[31mtwo␛[0m!␛[?25h')).toBe('so\ntwo!')
})

describe.skipIf(noTerminal !== undefined)(
  `warm on a terminal${noTerminal === undefined ? '' : ` (skipped: ${noTerminal})`}`,
  () => {
    it('draws bars with rate and time left; Ctrl-C ends it with 130 and how to go on; the next run makes the rest, and nothing twice', async () => {
      await cached('Маша')
      await failed('Оля')
      const list = join(town.folder, 'list.csv')
      await writeFile(list, ['Маша', 'Оля', 'Петя', 'Ира', 'Вера', 'Зоя'].join('\n'))
      const hold = await town.telegram.fault({
        method: 'sendVideo',
        upload: 'multipart',
        skip: 1,
        answer: { kind: 'hold' },
      })
      const run = startOnTerminal(['warm', list], { env: town.env })
      await town.telegram.waitForHeld(hold.id, 1, { timeoutMs: 200_000 })
      await run.waitForScreen(/cached +█+░+ 1\/6 +from before/)
      await run.waitForScreen(/rendered +█+░* [3-6]\/6/)
      await run.waitForScreen(/uploaded +█+░+ 2\/6 +\d on the way · .*\d a minute, \d.* left/)
      expect(await run.waitForScreen(/failed +█+░+ 1\/6/)).not.toMatch(/"level"|undefined|NaN/)
      run.type('\x03')
      const end = await run.ended
      expect(end.code, end.screen).toBe(130)
      expect(end.screen).toMatch(
        /\nlist +6 rows: 6 names\nbefore +1 cached, 1 failed before; 4 new\nnow +2 in the cache, 1 failed, 3 queued, [\d.]+ s\n/,
      )
      expect(end.screen).toContain('Stopped. The rest stays queued; run the same command again to go on.')
      // The cursor is there again.
      expect(run.written().lastIndexOf('␛[?25h')).toBeGreaterThan(run.written().lastIndexOf('␛[?25l'))
      await town.telegram.release()

      const made = await renders()
      const again = await startOnTerminal(['warm', list, '--retry-failed'], { env: town.env }).ended
      expect(again.code, again.screen).toBe(0)
      expect(again.screen).toMatch(/uploaded +█+ 6\/6/)
      expect(again.screen).toMatch(/now +all 6 are in the cache/)
      const after = await renders()
      expect(after.size).toBe(5)
      for (const [file, madeAt] of made) expect([file, after.get(file)]).toEqual([file, madeAt])
    })
  },
)

describe.skipIf(noTerminal !== undefined)('a terminal that is closed', () => {
  it.each([
    ['warm', ['warm', '-'], 129],
    ['worker', ['worker'], 0],
  ])('ends %s as SIGTERM would, although nothing can be written to it any more', async (name, args, code) => {
    const list = join(town.folder, 'closing.csv')
    const given = name === 'warm' ? 'Жанна' : 'Злата'
    await writeFile(list, given)
    const codeFile = join(town.folder, `code-of-${name}`)
    const hold = await town.telegram.fault({ method: 'sendVideo', upload: 'multipart', answer: { kind: 'hold' } })
    const run = startOnTerminal(
      args.map((arg) => (arg === '-' ? list : arg)),
      { env: town.env, codeFile },
    )
    const [, pending] =
      name === 'worker'
        ? await Promise.all([run.waitForScreen(/worker is running/), request(town.door, [ask(given)], undefined)])
        : []
    expect(pending === undefined || pending[0]?.status === 'waiting').toBe(true)
    await town.telegram.waitForHeld(hold.id, 1, { timeoutMs: 60_000 })
    run.closeWindow()
    expect(
      Number(await until(() => readFile(codeFile, 'utf8').catch(() => undefined), 'the end of the program', 30_000)),
    ).toBe(code)
    const asset = await town.db.videoAsset.findFirstOrThrow({ where: { display: given } })
    expect(asset).toMatchObject({ status: 'PENDING', attempts: 0, leaseOwner: null })
    expect(await town.db.workerProcess.count()).toBe(0)
    await town.telegram.release()
  })
})

describe.skipIf(noTerminal !== undefined)('colours', () => {
  it.each([
    [
      'status',
      /^home {7}\/.* · live · .*\nvideos {5}0 pending · 0 generating · 0 available · 1 failed · 0 stale\nrequests {3}0 pending/,
      /0 available · ␛\[31m1 failed␛\[39m/,
    ],
    ['doctor', /^✓ command .*\n✓ home +\/.*\n✓ disk/, /^␛\[32m✓␛\[39m command/],
  ])('%s has them on a terminal, not with NO_COLOR and not in a pipe', async (command, shown, colours) => {
    await failed('Оля')
    const plain = startOnTerminal([command], { env: { ...town.env, NO_COLOR: '1' } })
    const { code, screen } = await plain.ended
    expect(code, screen).toBe(0)
    expect(screen).toMatch(shown)
    expect(plain.written()).not.toContain('␛')
    const coloured = startOnTerminal([command], { env: town.env })
    await coloured.ended
    expect(coloured.written()).toMatch(colours)
    expect(screenOf(coloured.written())).toMatch(shown)
    expect((await runProgram([command], { env: town.env })).stdout).not.toContain('\x1b')
  })

  it('the log has none with NO_COLOR', async () => {
    for (const [env, has] of [
      [town.env, true],
      [{ ...town.env, NO_COLOR: '1' }, false],
    ] as const) {
      const worker = startOnTerminal(['worker'], { env })
      await worker.waitForScreen(/worker is running/)
      worker.type('\x03')
      expect((await worker.ended).code).toBe(0)
      expect(worker.written().includes('␛[')).toBe(has)
    }
  })
})
