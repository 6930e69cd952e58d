/** What every command with `--json` prints, field by field: scripts depend on it. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { request } from '../../src/greetings/request.ts'
import { ask, openTestEnvironment, person, type TestEnvironment } from '../environment/test-environment.ts'
import { runProgram, startProgram, type End } from '../environment/program.ts'

vi.setConfig({ testTimeout: 300_000 })

let town: TestEnvironment
beforeAll(async () => {
  town = await openTestEnvironment({ home: true })
}, 120_000)
afterAll(() => town.close())
beforeEach(async () => {
  await town.db
    .$executeRaw`TRUNCATE "VideoAsset", "UserRequest", "SoundReport", "RequestCount", "WorkerProcess", "BotProcess", "Outage"`
  await town.db.installation.update({ where: { id: 1 }, data: { botId: town.botId } })
})

// ---- the shapes ------------------------------------------------------------------------------------

const count = z.int().nonnegative()
const seconds = z.number().nonnegative()
const share = z.number().min(0).max(1)
const instant = z.iso.datetime()
const hash = z.string().min(8)

const unreadable = z.strictObject({ rows: count, firstLine: count.nullable() })
const warmed = {
  rows: count,
  blank: count,
  rejected: count,
  duplicates: count,
  names: count,
  cached: count,
  joined: count,
  enqueued: count,
  failedBefore: count,
  available: count,
  failed: count,
  pending: count,
  rejectedBy: z.record(z.string().regex(/^[a-z_]+$/), count),
  rejects: z
    .array(z.strictObject({ line: count, code: z.string().regex(/^[a-z_]+$/), reason: z.string().min(10) }))
    .max(100),
  lists: z.array(
    z.strictObject({
      file: z.string(),
      column: count.min(1),
      header: z.string().nullable(),
      headerLine: count.nullable(),
      names: z.array(z.string()).max(5),
    }),
  ),
  unreadable: z.strictObject({ count: unreadable, say: unreadable }),
  made: count,
  perMinute: z.number().positive().nullable(),
  bytes: count.nullable(),
  failedNames: z.array(z.strictObject({ name: z.string(), template: z.string(), reason: z.string() })).max(10),
  seconds,
}
type Warmed = z.infer<z.ZodObject<typeof warmed>>
const addsUp = (sums: Warmed) =>
  sums.names === sums.cached + sums.joined + sums.enqueued + sums.failedBefore &&
  sums.names === sums.available + sums.failed + sums.pending

const warm = z.strictObject(warmed).refine(addsUp, 'the sums are not `names`')
const warmPlan = z
  .strictObject({
    ...warmed,
    dryRun: z.literal(true),
    misses: count,
    outdated: count,
    otherBot: count,
    ahead: count,
    recordings: count,
    curve: z.array(z.strictObject({ share, names: count })).nullable(),
    renderSeconds: seconds.nullable(),
    prepareSeconds: seconds.nullable(),
    uploadSeconds: seconds,
    estimatedSeconds: seconds.nullable(),
    diskBytes: count,
    diskFreeBytes: count.nullable(),
  })
  .refine(addsUp, 'the sums are not `names`')

const place = {
  home: z.string(),
  world: z.enum(['live', 'sandbox']),
  bot: z.strictObject({ id: count, username: z.string().nullable() }).nullable(),
}
const videos = { pending: count, generating: count, available: count, otherBot: count, failed: count, stale: count }
const report = {
  ...place,
  assets: z.strictObject(videos),
  templates: z.array(z.strictObject({ template: z.string(), ...videos })),
  requests: z.strictObject({ pending: count, completed: count, failed: count }),
  last24h: z.strictObject({
    requests: count,
    hits: count,
    hitRate: share.nullable(),
    waitSeconds: z.strictObject({ p50: seconds.nullable(), p95: seconds.nullable() }),
  }),
  queue: z
    .strictObject({
      waiting: count,
      active: count,
      delayed: count,
      failed: count,
      oldestWaitingSeconds: seconds.nullable(),
    })
    .nullable(),
  unreachable: z.array(z.string()),
  workers: z.array(
    z.strictObject({
      host: z.string(),
      pid: count,
      concurrency: count,
      rendering: count,
      uploading: count,
      startedAt: instant,
      seenSeconds: seconds,
    }),
  ),
  bots: z.array(
    z.strictObject({
      host: z.string(),
      pid: count,
      mode: z.enum(['polling', 'webhook']),
      startedAt: instant,
      seenSeconds: seconds,
    }),
  ),
  failures: z.array(z.strictObject({ reason: z.string().min(1), count })),
  repeatedUploads: count,
  understood: z.array(
    z.strictObject({
      outcome: z.enum(['name', 'unsure', 'several', 'talk', 'refused', 'confirmed']),
      reason: z.string().min(1).nullable(),
      count,
    }),
  ),
  reported: z
    .array(
      z.strictObject({
        name: z.string(),
        template: z.string(),
        say: z.string().nullable(),
        count,
        wanted: z.array(z.strictObject({ spelling: z.string(), count })),
      }),
    )
    .max(10),
  outages: z.array(
    z.strictObject({ step: z.string().min(1), reason: z.string().min(1), since: instant, until: instant }),
  ),
}
const status = z.strictObject(report)
const named = z.strictObject({
  ...place,
  key: z.string(),
  videos: z.array(
    z.strictObject({
      template: z.string(),
      display: z.string(),
      say: z.string().nullable(),
      state: z.enum(['waiting', 'postponed', 'being made', 'available', 'failed']),
      status: z.enum(['PENDING', 'GENERATING', 'AVAILABLE', 'FAILED']),
      generation: count,
      served: z.boolean(),
      otherBot: z.boolean(),
      stale: z.boolean(),
      revision: hash.nullable(),
      templateRevision: hash.nullable(),
      bytes: count.nullable(),
      storage: z
        .strictObject({ botId: count.nullable(), chatId: z.int().nullable(), messageId: count.nullable() })
        .nullable(),
      file: z.string().nullable(),
      heldBy: z.string().nullable(),
      heldSeconds: count.nullable(),
      attempts: count,
      lastError: z.strictObject({ class: z.string(), text: z.string() }).nullable(),
      retryAfter: instant.nullable(),
      waiting: count,
      waitingSeconds: count.nullable(),
      asked: count,
      askedAt: instant.nullable(),
      createdAt: instant,
      queuedAt: instant.nullable(),
      availableAt: instant.nullable(),
      verifiedAt: instant.nullable(),
      updatedAt: instant,
    }),
  ),
})
const inState = { name: z.string(), say: z.string().nullable(), template: z.string() }
const coverage = z.strictObject({
  names: count,
  available: count,
  otherBot: count,
  share: share.nullable(),
  weightedShare: share.nullable(),
})
const checked = { healthy: z.boolean(), findings: z.array(z.string()) }

const doctor = z.strictObject({
  healthy: z.boolean(),
  checks: z
    .array(
      z.strictObject({ name: z.string(), state: z.enum(['pass', 'warning', 'failure']), message: z.string().min(1) }),
    )
    .min(8),
})
const render = z.strictObject({
  output: z.string(),
  template: z.string(),
  display: z.string(),
  width: count,
  height: count,
  durationSeconds: seconds,
  bytes: count,
  revision: hash,
  seconds,
})
const templateList = z.strictObject({
  templates: z
    .array(
      z.strictObject({
        id: z.string(),
        enabled: z.boolean(),
        usable: z.boolean(),
        title: z.string(),
        seconds: seconds.nullable(),
        size: z
          .string()
          .regex(/^\d+×\d+$/)
          .nullable(),
        scripts: z.array(z.string()),
        windows: count,
      }),
    )
    .min(1),
})
const templateCheck = z.strictObject({
  healthy: z.boolean(),
  templates: z
    .array(
      z.strictObject({
        id: z.string(),
        faults: z.array(z.string()),
        recordings: count,
        recordingFaults: z.array(z.string()),
      }),
    )
    .min(1),
})
const templateBuild = z.strictObject({
  templates: z.array(z.strictObject({ id: z.string(), bytes: count, seconds })).min(1),
})
const verified = z
  .strictObject({ checked: count, alive: count, dead: count, unknown: count, repaired: count, requeued: count })
  .refine(
    (of) => of.checked === of.alive + of.dead + of.unknown + of.repaired + of.requeued,
    'the sum is not `checked`',
  )
const forgotten = z.strictObject({
  videos: count,
  requests: count,
  waiting: count,
  told: count,
  held: count,
  files: count,
  posts: z.array(z.strictObject({ chatId: z.string().regex(/^-?\d+$/), messageId: count, deleted: z.boolean() })),
})
const purged = z.strictObject({ requests: count, people: count, dryRun: z.boolean() })
const exported = z.strictObject({ output: z.string(), videos: count })
const imported = z
  .strictObject({
    lines: count,
    added: count,
    replaced: count,
    unchanged: count,
    kept: count,
    repeated: count,
    otherBot: count,
  })
  .refine((of) => of.lines === of.added + of.replaced + of.unchanged + of.kept + of.repeated, 'the sum is not `lines`')
const video = z.strictObject({
  template: z.string(),
  name: z.string(),
  display: z.string(),
  say: z.string().nullable(),
  revision: hash.nullable(),
  templateRevision: hash.nullable(),
  botId: z.int(),
  fileId: z.string(),
  fileUniqueId: z.string().nullable(),
  storageChatId: z.int().nullable(),
  storageMessageId: z.int().nullable(),
  availableAt: instant.nullable(),
})

// ---- the commands ----------------------------------------------------------------------------------

/** A way to run a command: what was there before, what it is given, how it ends. */
interface Case {
  args: string[]
  schema: z.ZodType
  code?: number
  input?: string
  prepare?: () => Promise<unknown>
  env?: () => Record<string, string>
}

const mixed = 'name,count\nМаша,9\n маша,1\n\nПетя1,3\nAnna,2\n'
const asset = (name: string, more: object) =>
  town.db.videoAsset.create({ data: { template: 'tiny', name: ask(name).key, display: ask(name).display, ...more } })
const cached = (name: string) =>
  asset(name, {
    status: 'AVAILABLE',
    telegramFileId: `file of ${name}`,
    telegramFileUniqueId: 'u',
    telegramBotId: town.botId,
    storageChatId: BigInt(town.channelId),
    storageMessageId: 7,
    revision: 'a'.repeat(16),
    templateRevision: 'b'.repeat(16),
    availableAt: new Date(),
  })
const failed = (name: string) =>
  asset(name, { status: 'FAILED', attempts: 3, errorClass: 'voice', errorText: 'The voice is silent.' })
const tired = () =>
  town.db.outage.create({
    data: { step: 'voice', reason: 'The voice is silent.', until: new Date(Date.now() + 60_000) },
  })
const aWorker = () =>
  town.db.workerProcess.create({
    data: { id: 'w', host: 'here', pid: 1, concurrency: 2, seenAt: new Date(Date.now() + 3_600_000) },
  })
const aBot = () =>
  town.db.botProcess.create({
    data: { id: 'b', host: 'here', pid: 1, mode: 'polling', seenAt: new Date(Date.now() + 3_600_000) },
  })
const served = async () => {
  const { id } = await cached('Ира')
  await town.db.user.createMany({ data: [{ id: 5n }], skipDuplicates: true })
  for (const days of [0, 100]) {
    const at = new Date(Date.now() - days * 86_400_000)
    await town.db.userRequest.create({
      data: {
        assetId: id,
        userId: 5n,
        chatId: 5n,
        language: 'ru',
        botId: town.botId,
        updateId: 1_000_000 + days,
        status: 'COMPLETED',
        hit: days > 0,
        createdAt: at,
        finishedAt: at,
      },
    })
  }
}
const withoutToken = () => Object.fromEntries(Object.entries(town.env).filter(([key]) => key !== 'TELEGRAM_BOT_TOKEN'))

/** By command, as `--help` names it. */
const commands: Record<string, Case[]> = {
  warm: [
    { args: ['-'], input: mixed, schema: warm },
    { args: ['-', '--strict', '--no-wait'], input: mixed, schema: warm, code: 1 },
    { args: ['-', '--no-wait'], input: 'Оля\nИра\n', prepare: () => failed('Оля'), schema: warm, code: 1 },
    { args: ['-', '--no-work', '--timeout', '100ms'], input: 'Оля\n', schema: warm, code: 1 },
    { args: ['-', '--dry-run'], input: mixed, prepare: () => cached('Маша'), schema: warmPlan },
    { args: ['-', '--dry-run', '--refresh', '--strict'], input: `${mixed}7\n`, schema: warmPlan, code: 1 },
    { args: ['-', '--dry-run'], input: 'Маша\n', schema: warmPlan },
  ],
  status: [
    { args: [], schema: status },
    {
      args: [],
      prepare: async () => [
        await served(),
        await failed('Оля'),
        await tired(),
        await aWorker(),
        await request(town.door, [ask('Петя')], person(9)),
      ],
      schema: status,
    },
    {
      args: ['--csv', '-'],
      input: mixed,
      prepare: () => cached('Маша'),
      schema: z.strictObject({ ...report, coverage }),
    },
    {
      args: ['--check'],
      prepare: async () => [await aWorker(), await aBot()],
      schema: z.strictObject({ ...report, ...checked }),
    },
    {
      args: ['--check', '--csv', '-'],
      input: 'Маша\n',
      prepare: tired,
      schema: z.strictObject({ ...report, ...checked, coverage }),
      code: 1,
    },
    { args: ['Маша'], schema: named },
    { args: ['маша'], prepare: served, schema: named },
    { args: ['Ира'], prepare: served, schema: named },
    { args: ['Петя'], prepare: () => request(town.door, [ask('Петя')], person(9)), schema: named },
    { args: ['Оля'], prepare: () => failed('Оля'), schema: named },
  ],
  names: [
    {
      args: ['--missed'],
      prepare: () => request(town.door, [ask('Петя')], person(9)),
      schema: z.strictObject({
        names: z
          .array(z.strictObject({ name: z.string(), say: z.string().nullable(), count, isReady: z.literal(false) }))
          .length(1),
      }),
    },
    {
      args: ['--failed'],
      prepare: async () => [await failed('Оля'), await failed('Ира')],
      schema: z.strictObject({
        names: z.array(z.strictObject({ ...inState, reason: z.string(), failedAt: instant })).length(2),
      }),
    },
    {
      args: ['--available'],
      prepare: () => cached('Оля'),
      schema: z.strictObject({
        names: z.array(z.strictObject({ ...inState, reason: z.null(), failedAt: z.null() })).length(1),
      }),
    },
    { args: ['--pending'], schema: z.strictObject({ names: z.array(z.never()) }) },
  ],
  doctor: [
    { args: [], schema: doctor },
    { args: [], env: withoutToken, schema: doctor, code: 1 },
  ],
  render: [{ args: ['Маша', '-o', 'masha.mp4', '--force'], schema: render }],
  'template list': [{ args: [], schema: templateList }],
  'template check': [{ args: [], schema: templateCheck }],
  'template build': [{ args: [], schema: templateBuild }],
  retry: [{ args: ['--all'], prepare: () => failed('Оля'), schema: z.strictObject({ retried: z.literal(1) }) }],
  cancel: [
    {
      args: ['--all'],
      prepare: () => request(town.door, [ask('Оля')]),
      schema: z.strictObject({ cancelled: z.literal(1) }),
    },
  ],
  verify: [
    { args: [], schema: verified },
    { args: [], prepare: () => cached('Оля'), schema: verified, code: 1 },
  ],
  forget: [
    { args: ['Ира'], prepare: served, schema: forgotten },
    { args: ['Анна'], schema: forgotten },
  ],
  purge: [
    { args: ['--dry-run'], prepare: served, schema: purged },
    { args: [], prepare: served, schema: purged },
  ],
  export: [{ args: ['-o', 'cache.jsonl', '--force'], prepare: () => cached('Оля'), schema: exported }],
  import: [
    {
      args: ['-'],
      input: '{"template":"tiny","name":"оля","display":"Оля","botId":5,"fileId":"x"}\n{"videos":1}\n',
      schema: imported,
    },
  ],
}

const greetings = (
  args: string[],
  { input, env }: { input?: string; env?: Record<string, string> } = {},
): Promise<End> => runProgram(args, { env: env ?? town.env, cwd: town.folder, input })

/** The commands of the program that have an option, as their help names them. */
async function commandsWith(option: string, path: string[] = []): Promise<string[]> {
  const { stdout } = await greetings([...path, '--help'])
  const [, list = ''] = stdout.split('\nCommands:\n')
  const children = [...list.matchAll(/^ {2}([a-z][a-z-]*)/gm)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'help')
  const deeper = await Promise.all(children.map((name) => commandsWith(option, [...path, name])))
  return [...(new RegExp(`^ +${option}\\b`, 'm').test(stdout) ? [path.join(' ')] : []), ...deeper.flat()]
}

it('every command that has --json is looked at here', async () => {
  expect((await commandsWith('--json')).sort()).toEqual(Object.keys(commands).sort())
})

describe.each(Object.entries(commands))('%s --json', (command, cases) => {
  it.each(cases.map((each) => [each.args.join(' '), each.code ?? 0, each] as const))(
    '%s: %d, one object on one line, all its fields known',
    async (_args, code, { args, schema, input, prepare, env }) => {
      await prepare?.()
      const end = await greetings([...command.split(' '), ...args, '--json'], { input, env: env?.() })
      expect(end.code, end.stdout + end.stderr).toBe(code)
      expect(end.stdout).toMatch(/^\{[^\n]*\}\n$/)
      const parsed = schema.safeParse(JSON.parse(end.stdout))
      expect(parsed.error?.issues ?? [], end.stdout).toEqual([])
    },
  )

  it('wrong usage: 2, and nothing on stdout', async () => {
    expect(await greetings([...command.split(' '), '--json', '--no-such-option'])).toMatchObject({
      code: 2,
      stdout: '',
    })
  })
})

describe('JSON lines', () => {
  it('export: a video a line', async () => {
    for (const name of ['Маша', 'Петя']) await cached(name)
    const end = await greetings(['export'])
    expect(end.code, end.stderr).toBe(0)
    const lines = end.stdout.split('\n')
    expect(lines.pop()).toBe('')
    expect(lines.pop()).toBe('{"videos":2}')
    expect(lines.map((line) => video.safeParse(JSON.parse(line)).error?.issues)).toEqual([undefined, undefined])
  })

  it('status --watch --json: a report a line', async () => {
    const watching = startProgram(['status', '--watch', '--json'], { env: town.env })
    await watching.waitForText(/(\}\n.*\}\n)/)
    watching.signal('SIGINT')
    const { code, stdout } = await watching.ended
    expect(code).toBe(0)
    for (const line of stdout.trimEnd().split('\n'))
      expect(status.safeParse(JSON.parse(line)).error?.issues ?? []).toEqual([])
  })
})
