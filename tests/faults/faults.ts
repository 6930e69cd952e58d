/** The faults of the suite. Each begins, fires a number of times that can be read, and ends. */
import { execFileSync, spawnSync } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { FaultAnswer, FaultPlan } from '../../src/sandbox/contract.ts'
import { startProgram } from '../environment/program.ts'
import { revisionOf, type Allowance } from './check.ts'
import { askMeanwhile, type Load, type Random } from './load.ts'
import { keep, type Service, type FaultEnvironment } from './fault-environment.ts'

/** Where one fault plays. */
export interface Scene {
  stage: FaultEnvironment
  load: Load
  random: Random
  allowed: Allowance
  /** no other fault plays */
  isAlone: boolean
}

/** A fault under way. */
export interface Playing {
  /** how many times it has fired so far */
  fired(): Promise<number>
  /** it lasts at least until it has fired so often */
  enough: number
  end(): Promise<void>
}

export interface Fault {
  name: string
  needsRedis?: boolean
  /** only root can play it; it puts another file system and another worker in the place of the stage's, for good */
  needsMount?: boolean
  /** it changes what the others need, so it is not combined with them */
  alone?: boolean
  /** it is played once more where there is no storage channel */
  withoutChannel?: boolean
  begin(scene: Scene): Promise<Playing>
}

const methods = ['getUpdates', 'sendMessage', 'sendVideo', 'sendChatAction', 'deleteMessage']
const startMethods = ['getMe', 'getChat', 'getChatMember', 'deleteWebhook', 'setMyCommands']

/** Plans of the sandbox as a fault. */
async function planned({ stage: { town } }: Scene, plans: FaultPlan[], enough: number): Promise<Playing> {
  const ids: number[] = []
  for (const plan of plans) ids.push((await town.telegram.fault(plan)).id)
  return {
    enough,
    fired: async () =>
      (await town.telegram.faults()).filter(({ id }) => ids.includes(id)).reduce((sum, { hits }) => sum + hits, 0),
    end: async () => {
      for (const id of ids) await town.telegram.release(id)
    },
  }
}

/** Any number below `most`. */
const below = (random: Random, most: number) => Math.floor(random() * most)

/** The same answer to calls here and there. */
const scattered = (name: string, answer: FaultAnswer, { of = methods, times = 6 } = {}): Fault => ({
  name,
  begin: async (scene) => {
    const plans = of.flatMap((method): FaultPlan[] => {
      const skip = below(scene.random, 5)
      if (method === 'getUpdates') return [{ method, answer, times: 2, skip: below(scene.random, 2) }]
      // Of a request that is not read, what it carries is unknown: at first they are uploads, later sends.
      if (method === 'sendVideo' && answer.kind === 'drop-unread')
        return [0, 60, 180].map((later) => ({ method, answer, times, skip: skip + later }))
      if (method !== 'sendVideo') return [{ method, answer, times, skip }]
      return (['multipart', 'file_id'] as const).map((upload) => ({ method, upload, answer, times, skip }))
    })
    return planned(scene, plans, of.length * 2)
  },
})

/** A refusal of some people's chats, for good. */
const refusal = (name: string, make: (scene: Scene, id: number) => Promise<unknown>, code: number): Fault => ({
  name,
  begin: async (scene) => {
    const { stage, load, random, allowed } = scene
    const ids = [...load.wishes.keys()].filter(() => random() < 0.06)
    for (const id of ids) allowed.unreachable.add(id)
    // They ask, and are gone before their video comes: they leave as soon as the bot has heard them.
    let going = true
    const leaving = (async () => {
      const left = new Set(ids)
      while (left.size > 0 && going) {
        const asked = await stage.town.db.userRequest
          .findMany({ where: { userId: { in: [...left].map(BigInt) } }, select: { userId: true } })
          .catch(() => [])
        for (const { userId } of asked) {
          await make(scene, Number(userId))
          left.delete(Number(userId))
        }
        await sleep(10)
      }
    })()
    return {
      enough: 1,
      fired: async () =>
        (await stage.town.telegram.calls({ ok: false })).filter(
          ({ chatId, status }) => status === code && ids.includes(Number(chatId)),
        ).length,
      async end() {
        // Whoever was served before they left has COMPLETED, which is as good.
        going = false
        await leaving
      },
    }
  },
})

const badFileIds = [
  'wrong file identifier/HTTP URL specified',
  'wrong remote file identifier specified: Wrong string length',
  'wrong remote file identifier specified: Wrong padding in the string',
  'invalid remote file identifier',
  "can't use file of type Photo as Video",
  'wrong file_id or the file is temporarily unavailable',
  'invalid file_id',
]

/** Something done again and again at random moments. */
async function again(
  { random }: Scene,
  times: number,
  pauseMs: number,
  act: (n: number) => Promise<void> | void,
): Promise<Playing> {
  let done = 0
  let going = true
  const acting = (async () => {
    while (going && done < times) {
      await sleep(pauseMs * (0.5 + random()))
      if (!going) break
      await act(done)
      done++
    }
  })()
  acting.catch(() => undefined) // told by `end`
  return {
    enough: times,
    fired: async () => done,
    async end() {
      going = false
      await acting
    },
  }
}

/**
 * People who ask meanwhile for a video that is there: this fault is none of their business, so all get it, and nine of
 * ten wait for no more than a second longer than under the same load without any fault.
 */
const longestHitMs = 1_000

async function besides(scene: Scene, playing: Playing): Promise<Playing> {
  const others = askMeanwhile(scene.stage, { atOnce: 1, everyMs: 100 })
  return {
    ...playing,
    async end() {
      await playing.end().finally(async () => {
        const { unserved, slowMs, asked } = await others.stop()
        if (unserved > 0) throw new Error(`${unserved} of ${asked} other people never got a video that was there`)
        const { stage } = scene
        if (stage.usualHitMs === undefined) stage.usualHitMs = slowMs
        else if (slowMs > longestHitMs + stage.usualHitMs)
          throw new Error(
            `another person waited ${slowMs} ms for a video that was there, and ${stage.usualHitMs} ms without the fault`,
          )
      })
    },
  }
}

/**
 * Sends that may be under way when the first of them meets a flood: a batch
 * of each worker, and what the bot has in hand.
 */
const mostInFlight = 80

/** A minute in life. */
const minuteMs = ({ stage }: Scene) => 60 * stage.secondMs

/** How often the services wrote this. */
const written = ({ bot, workers }: FaultEnvironment, text: string, extra: Service[] = []) =>
  [bot, ...workers, ...extra].reduce((sum, service) => sum + service.output().split(text).length - 1, 0)

/** The load and nothing else: what the others are compared with. */
export const noFault: Fault = {
  name: 'none',
  begin: (scene) => besides(scene, { enough: 1, fired: async () => 1, end: () => sleep(2_000) }),
}

/** A file system of its own for the renders, of 64 MB; the stage takes it away at its end. */
function smallDisk(renders: string): void {
  spawnSync('umount', [renders], { stdio: 'ignore' }) // an earlier one
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', renders])
}

/** All faults, in the order of the table. */
export const faults: Fault[] = [
  {
    name: '429 on every method, some seconds',
    withoutChannel: true,
    begin: async (scene) => {
      const { stage, random } = scene
      const flood = (method: string, more: Partial<FaultPlan> = {}): FaultPlan => ({
        method,
        answer: { kind: 'flood', retryAfter: 1 + below(random, 8) },
        times: 3,
        skip: below(random, 6),
        ...more,
      })
      const plans = [
        ...methods.filter((method) => method !== 'sendVideo').map((method) => flood(method)),
        flood('sendVideo', { upload: 'multipart' }),
        flood('sendVideo', { upload: 'file_id' }),
        ...startMethods.map((method) => flood(method, { skip: 0, times: 1 })),
        {
          method: 'sendVideo',
          upload: 'file_id',
          skip: 40,
          times: 4,
          answer: { kind: 'refuse', code: 400, description: `Bad Request: ${String(badFileIds[0])}` },
        } as const,
        flood('forwardMessage', { skip: 0 }),
      ]
      const playing = await planned(scene, plans, 15)
      // Starting is made of calls, too.
      stage.bot.restart()
      stage.workers[0]?.restart()
      return playing
    },
  },
  {
    name: '429 of minutes',
    begin: async (scene) => {
      const { stage, random, isAlone } = scene
      const long = (more: Partial<FaultPlan>): FaultPlan => ({
        method: 'sendVideo',
        answer: { kind: 'flood', retryAfter: 90 + below(random, 60) },
        ...more,
      })
      const playing = await planned(
        scene,
        [
          long({ upload: 'file_id', skip: 5 }),
          ...stage.town.storage.chatIds.map((chatId) => long({ upload: 'multipart', chatId })),
        ],
        4,
      )
      const before = written(stage, 'a step is out of order')
      return {
        ...playing,
        async end() {
          if (isAlone && written(stage, 'a step is out of order') === before)
            throw new Error('a flood of minutes on every channel was not reported')
          await playing.end()
        },
      }
    },
  },
  {
    name: '20 posts a minute in each channel, some of them by others',
    begin: async ({ stage, random }) => {
      const { town, secondMs } = stage
      await town.telegram.limit({ channelPerMinute: 20, overallPerSecond: 30 })
      let going = true
      const others = (async () => {
        while (going) {
          for (const chatId of town.storage.chatIds)
            if (random() < 0.9) await town.api.sendMessage(chatId, 'from elsewhere').catch(() => undefined)
          await sleep(2 * secondMs)
        }
      })()
      return {
        enough: 3,
        fired: async () =>
          (await town.telegram.calls({ method: 'sendVideo', upload: 'multipart', ok: false })).filter(
            ({ status }) => status === 429,
          ).length,
        async end() {
          going = false
          await others
          await town.telegram.limit({})
        },
      }
    },
  },
  { ...scattered('500', { kind: 'refuse', code: 500, description: 'Internal Server Error' }), withoutChannel: true },
  scattered('502 with a page of HTML', { kind: 'html', code: 502 }),
  scattered('504 with a page of HTML', { kind: 'html', code: 504 }),
  {
    name: 'connection refused',
    alone: true,
    begin: async (scene) => {
      scene.allowed.mayDouble = true // a call in hand is cut off, too
      const { stage } = scene
      const before = written(stage, 'ECONNREFUSED')
      const playing = await again(scene, 3, 500, () =>
        stage.alone(async () => {
          await stage.town.server.goAway()
          await sleep(400)
          await stage.town.server.comeBack()
        }),
      )
      // Who meets it tells it once, and not again until it is over.
      return {
        ...playing,
        enough: 1,
        fired: async () => Math.min(await playing.fired(), written(stage, 'ECONNREFUSED') - before),
      }
    },
  },
  scattered('reset before the request was read', { kind: 'drop-unread' }, { times: 8 }),
  scattered('reset before the request was taken', { kind: 'drop-before' }),
  scattered('reset after it was accepted', { kind: 'drop-after' }),
  scattered('an answer that never comes', { kind: 'silence' }, { times: 3 }),
  scattered(
    'an answer that never comes, though it was accepted',
    { kind: 'silence-after' },
    { times: 3, of: ['sendMessage', 'sendVideo', 'deleteMessage'] },
  ),
  {
    name: '400 wrong file identifier, in every wording',
    begin: (scene) =>
      planned(
        scene,
        badFileIds.map((words, n) => ({
          method: 'sendVideo',
          upload: 'file_id',
          skip: 4 * n,
          times: 2,
          answer: { kind: 'refuse', code: 400, description: `Bad Request: ${words}` },
        })),
        2 * badFileIds.length,
      ),
  },
  {
    name: 'every file_id forgotten',
    begin: async (scene) => {
      const { town } = scene.stage
      const seen = async () =>
        (await town.telegram.calls({ method: 'sendVideo', upload: 'file_id', ok: false })).filter(
          ({ status }) => status === 400,
        ).length
      const before = await seen()
      const playing = await again(scene, 3, 500, () => town.telegram.forgetFileIds())
      return { ...playing, enough: 1, fired: async () => ((await playing.fired()) === 3 ? (await seen()) - before : 0) }
    },
  },
  {
    ...refusal('403 blocked by the person', ({ stage }, id) => stage.town.telegram.block(id), 403),
    withoutChannel: true,
  },
  refusal('403 the person is deactivated', ({ stage }, id) => stage.town.telegram.deleteUser(id), 403),
  refusal(
    '400 chat not found',
    ({ stage }, id) =>
      stage.town.telegram.fault({
        chatId: id,
        times: 0,
        answer: { kind: 'refuse', code: 400, description: 'Bad Request: chat not found' },
      }),
    400,
  ),
  {
    name: '403 kicked from a storage channel',
    begin: async ({ stage: { town } }) => {
      const chatId = Number(town.storage.chatIds[0])
      await town.telegram.setMember({ chatId, status: 'kicked' })
      return {
        enough: 1,
        fired: async () =>
          (await town.telegram.calls({ method: 'sendVideo', chatId, ok: false })).filter(({ status }) => status === 403)
            .length,
        end: () => town.telegram.setMember({ chatId, status: 'administrator', can_post_messages: true }),
      }
    },
  },
  {
    name: '400 need administrator rights, in all storage channels',
    begin: async ({ stage, stage: { town } }) => {
      for (const chatId of town.storage.chatIds)
        await town.telegram.setMember({ chatId: Number(chatId), status: 'administrator', can_post_messages: false })
      // One upload after the other has to find out that no channel takes it.
      const before = written(stage, '"step":"storage"')
      return {
        enough: 3,
        fired: async () => written(stage, '"step":"storage"') - before,
        async end() {
          for (const chatId of town.storage.chatIds)
            await town.telegram.setMember({ chatId: Number(chatId), status: 'administrator', can_post_messages: true })
        },
      }
    },
  },
  {
    name: '400 migrated to a supergroup',
    begin: async (scene) => {
      const {
        stage: { town },
        load,
        random,
        allowed,
      } = scene
      const ids = [...load.wishes.keys()].filter(() => random() < 0.05)
      await town.telegram.sayAll(ids.map((id) => ({ userId: id + 500, text: '/start' })))
      for (const id of ids) allowed.moved.set(id, id + 500)
      return planned(
        scene,
        ids.map((chatId) => ({
          method: ['sendVideo', 'sendMessage'],
          chatId,
          times: 0,
          answer: {
            kind: 'refuse',
            code: 400,
            description: 'Bad Request: group chat was upgraded to a supergroup chat',
            parameters: { migrate_to_chat_id: chatId + 500 },
          },
        })),
        ids.length,
      )
    },
  },
  {
    name: '401 the token is revoked',
    alone: true,
    begin: async ({ stage: { town, bot, workers }, random }) => {
      const services = [bot, ...workers]
      const before = services.map(({ ends }) => ends.length)
      await sleep(300 + 400 * random())
      await town.telegram.revokeToken(town.token)
      const ended = () =>
        services.filter(
          ({ ends, output }, n) =>
            ends.length > (before[n] ?? 0) && ends.at(-1) === 2 && output().includes('@BotFather'),
        ).length
      return {
        enough: services.length,
        fired: async () => ended(),
        async end() {
          if (ended() < services.length)
            throw new Error(
              `after a revoked token these go on: ${services
                .filter(({ ends }, n) => ends.length === before[n])
                .map(({ name }) => name)
                .join(', ')}`,
            )
          await town.telegram.registerBot({ token: town.token, username: 'greetings_test_bot' })
          await Promise.all(services.map((service) => service.revive()))
        },
      }
    },
  },
  {
    name: '409 a second poller',
    begin: async ({ stage: { town } }) => {
      let going = true
      const rival = (async () => {
        while (going)
          await fetch(`${town.server.url}/bot${town.token}/getUpdates?timeout=1`)
            .then((answer) => answer.text())
            .catch(() => sleep(100))
      })()
      return {
        enough: 3,
        fired: async () =>
          (await town.telegram.calls({ method: 'getUpdates', ok: false })).filter(({ status }) => status === 409)
            .length,
        async end() {
          going = false
          await rival
        },
      }
    },
  },
  {
    name: '413 too large',
    alone: true,
    begin: async ({ stage, load, allowed }) => {
      const huge = load.names[7]?.key ?? ''
      allowed.impossible.add(huge)
      await writeFile(join(stage.renders, `huge-${revisionOf(huge)}`), '')
      return {
        enough: 3,
        fired: async () =>
          (await stage.town.telegram.calls({})).filter(({ status }) => status === 413).length + written(stage, '413 '),
        end: async () => undefined,
      }
    },
  },
  {
    name: 'disk full',
    needsMount: true,
    alone: true,
    begin: async ({ stage, allowed }) => {
      allowed.rendersUnseen = true
      // The real renderer on a file system of its own, which is as good as full.
      const { town, renders, workers } = stage
      await Promise.all(workers.map((worker) => worker.stop()))
      smallDisk(renders)
      const filler = join(renders, 'filler')
      await writeFile(filler, Buffer.alloc(64 * 1024 * 1024 - 90_000))
      // Without a reserve, so that it meets the end of the disk itself.
      const real = keep('worker', () =>
        startProgram(['worker'], {
          env: { ...town.env, RENDER_CONCURRENCY: '2', KEEP_FREE_GB: '0' },
          cwd: town.folder,
          longestMs: 2_147_000_000,
        }),
      )
      stage.workers.push(real)
      await real.ready()
      return {
        enough: 3,
        fired: async () => written(stage, '"step":"disk"'),
        end: () => rm(filler),
      }
    },
  },
  {
    name: 'a host whose disk is small',
    needsMount: true,
    alone: true,
    begin: async (scene) => {
      const {
        stage,
        stage: { renders, workers },
      } = scene
      // Another program leaves less than has to stay free.
      await Promise.all(workers.map((worker) => worker.stop()))
      smallDisk(renders)
      const filler = join(renders, 'filler')
      await writeFile(filler, Buffer.alloc(40 * 1024 * 1024))
      const onSmallDisk = keep('worker on a small disk', () => stage.startWorker({ KEEP_FREE_GB: '0.03' }))
      stage.workers.push(onSmallDisk)
      await onSmallDisk.ready()
      return besides(scene, {
        enough: 3,
        fired: async () => written(stage, '"step":"disk"'),
        end: () => rm(filler),
      })
    },
  },
  {
    name: 'a worker is killed',
    withoutChannel: true,
    begin: (scene) => {
      scene.allowed.mayDouble = true
      return again(scene, 5, 500, () => scene.stage.workers[below(scene.random, 2)]?.kill())
    },
  },
  {
    name: 'the bot is killed',
    begin: (scene) => {
      scene.allowed.mayDouble = true
      return again(scene, 3, 900, () => scene.stage.bot.kill())
    },
  },
  {
    name: 'PostgreSQL is restarted',
    begin: (scene) => {
      scene.allowed.mayDouble = true
      return again(scene, 2, 1_000, () => scene.stage.restartDatabase('SIGINT'))
    },
  },
  {
    name: 'PostgreSQL crashes',
    begin: (scene) => {
      scene.allowed.mayDouble = true
      return again(scene, 2, 1_200, () => scene.stage.restartDatabase('SIGKILL'))
    },
  },
  {
    name: 'a worker is frozen for a minute',
    withoutChannel: true,
    begin: async (scene) => {
      scene.allowed.mayDouble = true // its claims and its lease run out while it may have sent already
      return besides(
        scene,
        await again(scene, 2, 500, () => scene.stage.workers[below(scene.random, 2)]?.freeze(minuteMs(scene))),
      )
    },
  },
  {
    name: 'the bot is frozen for a minute',
    begin: async (scene) => {
      scene.allowed.mayDouble = true
      return again(scene, 2, 500, () => scene.stage.bot.freeze(minuteMs(scene)))
    },
  },
  {
    name: 'a row stays locked',
    begin: async (scene) => {
      const {
        stage: { town },
        load,
      } = scene
      const key = load.names[0]?.key
      const client = new pg.Client(town.database.url)
      client.on('error', () => undefined)
      await client.connect()
      let locked = 0
      let going = true
      const holding = (async () => {
        while (locked === 0 && going) {
          await client.query('BEGIN')
          const { rowCount } = await client.query('SELECT 1 FROM "VideoAsset" WHERE name = $1 FOR UPDATE', [key])
          if ((locked = rowCount ?? 0) === 0) await client.query('ROLLBACK').then(() => sleep(5))
        }
        await sleep(5_000)
      })()
      return besides(scene, {
        enough: 1,
        fired: async () => locked,
        async end() {
          await holding
          going = false
          await client.query('ROLLBACK')
          await client.end()
        },
      })
    },
  },
  {
    name: 'claims that meet an error of the database',
    begin: async (scene) => {
      const { db } = scene.stage.town
      // Every third claim, also of those made again. What a sequence has counted stays counted.
      await db.$executeRawUnsafe(`CREATE SEQUENCE claims`)
      await db.$executeRawUnsafe(`CREATE FUNCTION lose_claim() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('claims') % 3 = 0 THEN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END IF; RETURN NEW; END $$`)
      await db.$executeRawUnsafe(`CREATE TRIGGER lose_claim BEFORE UPDATE ON "VideoAsset" FOR EACH ROW
        WHEN (NEW.status = 'GENERATING' AND OLD.status <> 'GENERATING') EXECUTE FUNCTION lose_claim()`)
      return besides(scene, {
        enough: 10,
        fired: async () => {
          const [row] = await db.$queryRaw<{ lost: bigint }[]>`SELECT last_value / 3 AS lost FROM claims`
          return Number(row?.lost ?? 0)
        },
        async end() {
          await db.$executeRawUnsafe(`DROP TRIGGER lose_claim ON "VideoAsset"`)
          await db.$executeRawUnsafe(`DROP FUNCTION lose_claim`)
          await db.$executeRawUnsafe(`DROP SEQUENCE claims`)
        },
      })
    },
  },
  {
    name: '429 of the whole bot, met by direct answers',
    alone: true,
    begin: async (scene) => {
      const { town } = scene.stage
      // Far more people than answers can be on their way at one time: whoever asks after the first refusal is spared.
      const others = askMeanwhile(scene.stage, { atOnce: 20, everyMs: 100 })
      const early = async () => (await town.telegram.calls({ method: 'sendVideo' })).filter((call) => call.early).length
      const playing = await planned(
        scene,
        [{ method: 'sendVideo', answer: { kind: 'flood', retryAfter: 50 }, skip: 20 }],
        1,
      )
      return {
        ...playing,
        async end() {
          await sleep(50 * scene.stage.secondMs)
          const { asked, unserved } = await others.stop()
          await playing.end()
          if (unserved > 0) throw new Error(`${unserved} of ${asked} people never got a video that was there`)
          const met = await early()
          if (met > mostInFlight) throw new Error(`${met} calls ran into a flood that was known`)
        },
      }
    },
  },
  {
    name: 'Redis hangs',
    needsRedis: true,
    begin: async (scene) => besides(scene, await again(scene, 2, 500, () => scene.stage.town.redis?.hang(4_000))),
  },
  {
    name: 'Redis is restarted',
    needsRedis: true,
    begin: (scene) => again(scene, 3, 600, () => scene.stage.town.redis?.restart(() => sleep(300))),
  },
  {
    name: 'Redis is emptied',
    needsRedis: true,
    begin: (scene) => again(scene, 3, 500, () => scene.stage.town.redis?.empty()),
  },
]
