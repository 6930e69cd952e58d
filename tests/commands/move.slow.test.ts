/** `export` and `import`: a move into another database. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { sandboxControl } from '../../src/sandbox/client.ts'
import { openSandbox } from '../../src/sandbox/process/open-sandbox.ts'
import { temporaryDatabase } from '../environment/temporary-database.ts'
import { openTestEnvironment, quietLog, type TestEnvironment } from '../environment/test-environment.ts'
import { jsonOf, runProgram, startProgram } from '../environment/program.ts'

let town: TestEnvironment
let other: Database
beforeAll(async () => {
  town = await openTestEnvironment()
  other = await temporaryDatabase()
}, 120_000)
afterAll(async () => {
  await other.close()
  await town.close()
})

it('a warmed sandbox moves into a new database: hits before, hits after, no upload in between', async () => {
  const { TELEGRAM_BOT_TOKEN: _token, TELEGRAM_API_ROOT: _root, STORAGE_CHAT_IDS: _ids, ...env } = town.env
  const there = { ...env, DATABASE_URL: other.url }
  const sandbox = await openSandbox({ folder: join(town.folder, 'home', 'sandbox'), log: quietLog, timeDivisor: 50 })
  const control = sandboxControl(sandbox.url)
  /** A bot alone renders nothing: what it sends is a hit. */
  const hit = async (from: Record<string, string>, userId: number) => {
    const bot = startProgram(['bot', '--sandbox'], { env: from })
    await bot.waitForText(/(bot is running)/)
    await control.say({ userId, text: 'Маша' })
    await control.waitForMessage(userId, (message) => message.video !== undefined)
    bot.signal('SIGTERM')
    expect((await bot.ended).code).toBe(0)
  }
  try {
    expect(
      jsonOf(await runProgram(['warm', '-', '--sandbox', '--json', '--quiet'], { env, input: 'Маша\nПетя\n' })),
    ).toMatchObject({ enqueued: 2, available: 2 })
    await hit(env, 901)
    const file = join(town.folder, 'sandbox.jsonl')
    expect(jsonOf(await runProgram(['export', '--sandbox', '-o', file, '--json'], { env }))).toMatchObject({
      videos: 2,
    })
    const { uploads } = await control.counts()
    expect(
      jsonOf(
        await runProgram(['warm', '-', '--sandbox', '--dry-run', '--json'], { env: there, input: 'Маша\nПетя\n' }),
      ),
    ).toMatchObject({ cached: 0, misses: 2 })
    expect(jsonOf(await runProgram(['import', file, '--sandbox', '--json'], { env: there }))).toMatchObject({
      lines: 2,
      added: 2,
    })
    await hit(there, 902)
    expect(
      jsonOf(await runProgram(['warm', '-', '--sandbox', '--json', '--quiet'], { env: there, input: 'Маша\nПетя\n' })),
    ).toMatchObject({ cached: 2 })
    expect((await control.counts()).uploads).toBe(uploads)
  } finally {
    await sandbox.close()
  }
})
