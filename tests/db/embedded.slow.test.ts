import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { isDatabaseDown, openDatabase } from '../../src/db/database.ts'
import { serverFolders } from '../../src/db/embedded/place.ts'
import { serverUrl } from '../../src/db/embedded/state.ts'
import { startServer, stopServer } from '../../src/db/embedded/by-hand.ts'
import { builtScript } from '../../src/installation.ts'
import { guardiansOf } from '../environment/guardians.ts'
import { until } from '../environment/test-environment.ts'
import { temporaryHome } from '../environment/temporary-database.ts'

let home: Awaited<ReturnType<typeof temporaryHome>>
beforeEach(async () => {
  home = await temporaryHome()
})
afterEach(() => home.remove())

interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  stderr: string
}

/** Runs a script to its end, or kills it after `killAfterMs` in whatever it is doing. */
async function command(script: string, killAfterMs?: number): Promise<Ended> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  clearTimeout(timer)
  return { code, signal, stderr }
}

/** Opens the database, writes a row, stays for a while, closes. */
const opens = (id: number, stayMs: number) => `
  const { openDatabase } = await import(${JSON.stringify(builtScript('db/database'))})
  const { db, close } = await openDatabase({ home: ${JSON.stringify(home.folder)}, databaseUrl: undefined, sandbox: false, role: 'short' })
  await db.user.create({ data: { id: ${id}n } })
  await new Promise((resolve) => setTimeout(resolve, ${stayMs}))
  await close()`

/** The same without Prisma, so that starting and stopping is nearly all it does. */
const joins = (stayMs: number, then = '') => `
  const { joinServer } = await import(${JSON.stringify(builtScript('db/embedded/index'))})
  const server = await joinServer(${JSON.stringify(home.folder)}, 'quick')
  ${then}
  await new Promise((resolve) => setTimeout(resolve, ${stayMs}))
  await server.close()`

const fine: Ended = { code: 0, signal: null, stderr: '' }
const running = async () => (await serverUrl(home.folder, 'greetings')) !== undefined

it('20 short commands come and go at random for 30 s, two are killed: none fails, no server is left behind', async () => {
  // In two halves with nobody in between, so that the server has to start again however slow the machine is.
  const ended: Ended[] = []
  for (const half of [0, 10]) {
    const commands = Array.from({ length: 10 }, async (_, i) => {
      const id = half + i
      const killed = id === 3 || id === 8
      await sleep(Math.random() * 15_000)
      return command(opens(id, Math.random() * 800), killed ? Math.random() * 1_500 : undefined)
    })
    ended.push(...(await Promise.all(commands)))
  }
  const survivors = ended.filter((_, id) => id !== 3 && id !== 8)
  expect(survivors).toEqual(survivors.map(() => fine))
  expect(await running()).toBe(false)

  const reader = await openDatabase({ home: home.folder, databaseUrl: undefined, sandbox: false, role: 'test' })
  const ids = (await reader.db.user.findMany()).map(({ id }) => Number(id))
  await reader.close()
  expect(ids).toEqual(
    expect.arrayContaining(Array.from({ length: 20 }, (_, id) => id).filter((id) => id !== 3 && id !== 8)),
  )
})

it('commands that do nothing but join and leave meet in every order', async () => {
  const slot = async () => {
    const ended: Ended[] = []
    for (let i = 0; i < 15; i++) ended.push(await command(joins(Math.random() * 60)))
    return ended
  }
  const ended = (await Promise.all(Array.from({ length: 4 }, slot))).flat()
  expect(ended).toEqual(ended.map(() => fine))
  expect(await running()).toBe(false)
})

it('a first command that is killed at any moment never prevents the next', async () => {
  for (let killAfterMs = 100; killAfterMs <= 2_500; killAfterMs += 300) {
    await command(opens(1, 5_000), killAfterMs)
    expect(await command(opens(2, 0)), `after a kill at ${killAfterMs} ms`).toEqual(fine)
    expect(await running(), `after a kill at ${killAfterMs} ms`).toBe(false)
    await home.remove()
    home = await temporaryHome()
  }
})

it('a command that is killed while it stops the server never prevents the next', async () => {
  await command(opens(0, 0))
  for (let killAfterMs = 300; killAfterMs <= 900; killAfterMs += 60) {
    await command(joins(0), killAfterMs)
    expect(await command(joins(0)), `after a kill at ${killAfterMs} ms`).toEqual(fine)
    expect(await running(), `after a kill at ${killAfterMs} ms`).toBe(false)
  }
})

it('a server that is killed is started again by its members, whose pools find it again', async () => {
  const [one, two] = await Promise.all(
    [1, 2].map(() => openDatabase({ home: home.folder, databaseUrl: undefined, sandbox: false, role: 'test' })),
  )
  const [place = ''] = await serverFolders(home.folder)
  const pid = async () => Number((await readFile(join(place, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0])
  const killed = await pid()
  await one?.db.user.create({ data: { id: 1n } })
  process.kill(killed, 'SIGKILL')
  const noOutages: unknown[] = []
  const count = (each: typeof one) =>
    each?.db.user.count().catch((error: unknown) => void (isDatabaseDown(error) || noOutages.push(error)))
  for (const each of [one, two]) await expect.poll(() => count(each), { timeout: 30_000, interval: 50 }).toBe(1)
  expect(noOutages).toEqual([])
  expect(await pid()).not.toBe(killed)
  await one?.close()
  await two?.close()
  expect(await running()).toBe(false)
})

/** A command that joins, says so and stays. */
async function joined(): Promise<{ kill(): Promise<void> }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', joins(600_000, "console.log('joined')")], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return {
    kill: async () => {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

/** The guardian's connection, while the server runs. */
async function guardian(): Promise<{ lookedAt: number } | undefined> {
  const url = await serverUrl(home.folder, 'postgres')
  if (url === undefined) return undefined
  const client = new pg.Client(url)
  await client.connect()
  const { rows } = await client
    .query<{ at: Date }>("SELECT query_start AS at FROM pg_stat_activity WHERE application_name = 'greetings guardian'")
    .finally(() => client.end())
  expect(rows.length).toBeLessThanOrEqual(1)
  return rows[0] === undefined ? undefined : { lookedAt: rows[0].at.getTime() }
}

it('a server whose last member was killed ends by itself within a minute, also when its guardian was killed before', async () => {
  const member = await joined()
  await until(guardian, 'the guardian')
  for (const pid of await guardiansOf(home.folder)) process.kill(pid, 'SIGKILL')
  await until(async () => (await guardiansOf(home.folder)).length === 0, 'the end of the guardian')
  // A member that stays looks after it.
  await until(guardian, 'the next guardian', 60_000)
  const killedAt = Date.now()
  await member.kill()
  expect(await running()).toBe(true)
  await until(async () => !(await running()), 'the end of the server', 60_000)
  expect(Date.now() - killedAt).toBeLessThan(60_000)
  await until(async () => (await guardiansOf(home.folder)).length === 0, 'the end of the guardian')
  expect(await command(opens(1, 0))).toEqual(fine)
})

it('the guardian stops nothing that db start keeps up, and knows nothing of the environment', async () => {
  const command = await joined()
  await startServer(home.folder)
  const { lookedAt } = await until(guardian, 'the guardian')
  for (const pid of await guardiansOf(home.folder))
    expect(await readFile(`/proc/${pid}/environ`, 'utf8')).toBe('LC_ALL=C\0PATH=/usr/bin:/bin\0')
  await command.kill()
  let looks = 0
  let last = lookedAt
  await until(
    async () => {
      const seen = await guardian()
      if (seen !== undefined && seen.lookedAt !== last) [last, looks] = [seen.lookedAt, looks + 1]
      return looks >= 2
    },
    'two looks of the guardian',
    60_000,
  )
  expect(await running()).toBe(true)
  expect(await stopServer(home.folder)).toEqual({ outcome: 'stopped' })
  await until(async () => (await guardiansOf(home.folder)).length === 0, 'the end of the guardian')
})
