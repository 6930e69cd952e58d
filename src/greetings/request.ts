/**
 * The one door. Whoever wants a greeting, the bot for a person or `warm` for a list, asks here; it alone
 * decides what is a hit, what joins work under way and what becomes a new job.
 */
import { serializable, type Db, type Tx } from '../db/database.ts'
import type { GreetingsQueue, Job, Lane } from '../queue/index.ts'
import type { Times } from '../config.ts'
import { tell, type Happening } from './events.ts'
import type { Attempt, Gate } from './gate.ts'

/** What the door needs. */
export interface Door {
  db: Db
  queue: GreetingsQueue
  /** the bot that sends: a `file_id` of another is no hit */
  botId: bigint
  times: Times
  /** where many ask at a time: keeps one asset whose row is locked from taking all connections */
  gate?: Gate
  log: { warn(fields: object, message: string): void }
}

/** A name asked for. */
export interface Ask {
  template: string
  key: string
  display: string
  /** how the operator's list wants it spoken */
  say?: string | null
}

/** The person who asks, and the update in which they did. */
export interface Person {
  userId: bigint
  chatId: bigint
  language: string
  updateId: number
  /** without the limits below, for operators */
  unlimited?: boolean
  attempt?: Attempt
}

/** The owner of requests that the door claims for its caller. */
export const doorClaims = 'door'

/**
 * How many assets one person may wait for at a time, and cause to be made in a day; and how many videos that exist may be
 * on their way to one person: Telegram takes about one a second, and what is asked for beyond that must not pile up.
 */
export const personLimits = { waiting: 5, newPerDay: 30, onTheirWay: 20 }

/** The door's answer for one name. */
export type Answer =
  /** a hit; with a person, `requestId` is claimed for the caller, who sends and marks it */
  | { status: 'available'; assetId: string; fileId: string; requestId: string | null }
  /** work is under way; `started`: by this very question; `again`: this person waits for it already */
  | { status: 'waiting'; assetId: string; requestId: string | null; started: boolean; again: boolean }
  /** could not be made, may be asked for again after `retryAt` */
  | { status: 'failed'; assetId: string; retryAt: Date }
  /** this person has reached a limit */
  | { status: 'refused'; reason: 'too_many_waiting' | 'too_many_today' }
  /** the update was answered before */
  | { status: 'repeated'; assetId: string; requestStatus: 'PENDING' | 'COMPLETED' | 'FAILED' }

interface AssetRow {
  id: string
  template: string
  name: string
  status: 'PENDING' | 'GENERATING' | 'AVAILABLE' | 'FAILED'
  generation: number
  fileId: string | null
  botId: bigint | null
  /** how the video was to be spoken */
  say: string | null
  /** content hash of the video there is */
  revision: string | null
  queuedAt: Date | null
  coolsUntil: Date | null
  cooling: boolean
}

const assetColumns = `id, template, name, status::text AS status, generation, "telegramFileId" AS "fileId", "telegramBotId" AS "botId", say, revision,
  "queuedAt", "retryAfter" AS "coolsUntil", coalesce("retryAfter" > now(), false) AS cooling`

/** What a list may ask for beyond what is missing. */
export interface ListOptions {
  /** FAILED assets are tried again */
  retryFailed?: boolean
  /** the revision a video of this name would have if it were made now: one that has another is made anew, and served until the new one is there */
  revisionNow?: (ask: Ask) => Promise<string>
}

/**
 * Asks for names, many or one. Without a person nobody is told: that is warming. With a person, the one
 * name's request is stored before this returns, so whatever happens next they get their answer.
 * Answers come in the order of `asks`, which must be distinct by (template, key).
 */
export async function request(
  door: Door,
  asks: readonly Ask[],
  person?: Person,
  options: ListOptions = {},
): Promise<Answer[]> {
  if (person !== undefined) {
    const [ask] = asks
    if (ask === undefined || asks.length > 1) throw new Error('a person asks for one name at a time')
    const store = () => requestForPerson(door, ask, person)
    const { answer, job } = await (door.gate === undefined
      ? store()
      : door.gate.through(askKey(ask), store, person.attempt))
    if (job !== undefined) await promote(door, job)
    tell({ what: 'asked', outcome: outcomeOf(answer) })
    return [answer]
  }
  return requestForList(door, asks, options)
}

// ---- a list ----------------------------------------------------------------------------------------

async function requestForList(
  door: Door,
  asks: readonly Ask[],
  { retryFailed = false, revisionNow }: ListOptions,
): Promise<Answer[]> {
  const { db, botId } = door
  const known = byAsk(await findAssets(db, asks))
  const outdated = revisionNow === undefined ? [] : await makeOutdatedAnew(door, asks, known, revisionNow)
  const created = byAsk(
    await createAssets(
      db,
      asks.filter((ask) => !known.has(askKey(ask))),
    ),
  )
  const wanted = [...known.values()].filter(
    (asset) => needsWork(asset, botId) && (asset.status !== 'FAILED' || retryFailed),
  )
  const revived = byAsk(await turnIntoWork(db, wanted))
  // A row that another process created in the meantime is known now.
  const late = asks.filter((ask) => !known.has(askKey(ask)) && !created.has(askKey(ask)))
  if (late.length > 0) for (const [key, asset] of byAsk(await findAssets(db, late))) known.set(key, asset)

  for (const asset of outdated) revived.set(askKey({ template: asset.template, key: asset.name }), asset)
  await enqueue(door, 'warm', [
    ...created.values(),
    ...revived.values(),
    ...[...known.values()].filter(({ status, queuedAt }) => status === 'PENDING' && queuedAt === null),
  ])

  return asks.map((ask): Answer => {
    const key = askKey(ask)
    const begun = created.get(key) ?? revived.get(key)
    if (begun !== undefined)
      return { status: 'waiting', assetId: begun.id, requestId: null, started: true, again: false }
    const asset = known.get(key)
    if (asset === undefined) throw new Error('an asset vanished while it was asked for')
    if (isHit(asset, botId)) return { status: 'available', assetId: asset.id, fileId: asset.fileId, requestId: null }
    if (asset.status === 'FAILED')
      return { status: 'failed', assetId: asset.id, retryAt: asset.coolsUntil ?? new Date() }
    return { status: 'waiting', assetId: asset.id, requestId: null, started: false, again: false }
  })
}

/** What a list's question for one name would meet. `otherBot`: a video that this bot cannot send, so that it is new work. */
export type Foreseen = 'cached' | 'outdated' | 'joined' | 'failedBefore' | 'otherBot' | 'new'

/** What `request` would do with a list, which it does not. `botId` null: no bot is known yet, so whatever can be sent is a hit. */
export async function foresee(
  { db, botId }: { db: Db; botId: bigint | null },
  asks: readonly Ask[],
  { retryFailed = false, revisionNow }: ListOptions,
): Promise<Foreseen[]> {
  const known = byAsk(await findAssets(db, asks))
  const outdated = new Set(
    (revisionNow === undefined ? [] : await findOutdated(botId, asks, known, revisionNow)).map(({ asset }) => asset),
  )
  return asks.map((ask): Foreseen => {
    const asset = known.get(askKey(ask))
    if (asset === undefined) return 'new'
    if (isHit(asset, botId)) return outdated.has(asset) ? 'outdated' : 'cached'
    if (asset.status === 'FAILED') return retryFailed ? 'new' : 'failedBefore'
    return asset.status === 'AVAILABLE' ? 'otherBot' : 'joined'
  })
}

/** Hits whose video would be another one today, each with what it is to be made from. */
async function findOutdated(
  botId: bigint | null,
  asks: readonly Ask[],
  known: ReadonlyMap<string, AssetRow>,
  revisionNow: (ask: Ask) => Promise<string>,
): Promise<{ asset: AssetRow; ask: Ask }[]> {
  const outdated: { asset: AssetRow; ask: Ask }[] = []
  for (const ask of asks) {
    const asset = known.get(askKey(ask))
    if (asset === undefined || !isHit(asset, botId) || asset.status !== 'AVAILABLE') continue
    // A list without the column leaves the spelling that an earlier list gave.
    const wanted = { ...ask, say: ask.say ?? asset.say }
    if ((await revisionNow(wanted)) !== asset.revision) outdated.push({ asset, ask: wanted })
  }
  return outdated
}

/** Outdated hits become work again. They stay hits meanwhile. */
async function makeOutdatedAnew(
  { db, botId }: Door,
  asks: readonly Ask[],
  known: ReadonlyMap<string, AssetRow>,
  revisionNow: (ask: Ask) => Promise<string>,
): Promise<AssetRow[]> {
  const outdated = await findOutdated(botId, asks, known, revisionNow)
  if (outdated.length === 0) return []
  const changed = outdated.filter(({ asset, ask }) => ask.say !== asset.say)
  if (changed.length > 0) {
    await db.$executeRaw`UPDATE "VideoAsset" SET say = wanted.say FROM unnest(${changed.map(({ asset }) => asset.id)}::text[], ${changed.map(({ ask }) => ask.say ?? null)}::text[]) AS wanted(asset, say) WHERE id = wanted.asset`
  }
  return turnIntoWork(
    db,
    outdated.map(({ asset }) => asset),
  )
}

/** The answer in one word, for counting. */
function outcomeOf(answer: Answer): Exclude<Extract<Happening, { what: 'asked' }>['outcome'], 'no_name'> {
  switch (answer.status) {
    case 'available':
      return 'hit'
    case 'waiting':
      return answer.again ? 'again' : answer.started ? 'started' : 'joined'
    case 'refused':
      return answer.reason
    default:
      return answer.status
  }
}

// ---- a person --------------------------------------------------------------------------------------

/** What the database knows of a question once it is stored, and the job that is to be added. */
interface Stored {
  answer: Answer
  job?: Job
}

async function requestForPerson(door: Door, ask: Ask, person: Person): Promise<Stored> {
  const { db, times } = door
  const hit = await requestHit(door, ask, person)
  if (hit !== undefined) return { answer: hit }
  if ((await findAssets(db, [ask])).length === 0) {
    const refusal = await refusalFor(db, person)
    if (refusal !== undefined) return { answer: refusal }
    await createAssets(db, [ask], times.lockMs)
  }
  const outcome = await subscribe(door, ask, person)
  // Taken back by an operator in this very moment: ask again from the start.
  return outcome === 'gone' ? requestForPerson(door, ask, person) : outcome
}

/** Adds the job of a question that is stored. A queue that does not answer holds up nobody: the reconciler adds what is missing. */
async function promote({ db, queue, times, log }: Door, job: Job): Promise<void> {
  const promoted = queue
    .promote(job)
    .then(() => markQueued(db, [job.assetId], times.lockMs))
    .catch((error: unknown) =>
      log.warn(
        { assetId: job.assetId, code: (error as { code?: string }).code },
        'could not add a job now, the reconciler will',
      ),
    )
  let timer: NodeJS.Timeout | undefined
  await Promise.race([promoted, new Promise((resolve) => (timer = setTimeout(resolve, times.lockMs)))])
  clearTimeout(timer)
}

/**
 * The whole road of a hit: one statement that finds the video, stores the request and claims it. It locks the person's
 * row and the video's, so that no purge and no forgetting takes them away in between. `patience` comes before any lock, as
 * the rows that are locked are joined with it.
 */
async function requestHit({ db, botId, times }: Door, ask: Ask, person: Person): Promise<Answer | undefined> {
  const most = person.unlimited === true ? 1e9 : personLimits.onTheirWay
  const [row] = await db.$queryRaw<{ assetId: string; fileId: string; requestId: string | null; isFull: boolean }[]>`
    WITH patience AS (SELECT set_config('lock_timeout', ${String(times.lockMs)}, true)), asset AS (
      SELECT id, "telegramFileId" FROM patience, "VideoAsset"
      WHERE template = ${ask.template} AND name = ${ask.key} AND "telegramBotId" = ${botId} AND "telegramFileId" IS NOT NULL FOR KEY SHARE OF "VideoAsset"
    ), person AS (
      INSERT INTO "User" (id, language) SELECT ${person.userId}, ${person.language} FROM asset
      ON CONFLICT (id) DO UPDATE SET language = EXCLUDED.language WHERE "User".language IS DISTINCT FROM EXCLUDED.language
    ), way AS (
      SELECT count(*) >= ${most} AS "isFull" FROM "UserRequest" WHERE "userId" = ${person.userId} AND status = 'PENDING' AND hit
    ), request AS (
      INSERT INTO "UserRequest" ("userId", "assetId", "chatId", language, "botId", "updateId", hit, "claimOwner", "claimUntil")
      SELECT ${person.userId}, id, ${person.chatId}, ${person.language}, ${botId}, ${person.updateId}, true, ${doorClaims}, now() + ${times.claimMs}::float8 * interval '1 millisecond'
      FROM asset, way WHERE NOT "isFull" ON CONFLICT DO NOTHING RETURNING id
    )
    SELECT asset.id AS "assetId", "telegramFileId" AS "fileId", (SELECT id FROM request) AS "requestId", "isFull" FROM asset, way`
  if (row === undefined) return undefined
  if (row.requestId !== null)
    return { status: 'available', assetId: row.assetId, fileId: row.fileId, requestId: row.requestId }
  const before = await repeated(db, botId, person)
  if (before !== undefined) return before
  if (row.isFull) return { status: 'refused', reason: 'too_many_waiting' }
  return { status: 'waiting', assetId: row.assetId, requestId: null, started: false, again: true }
}

/**
 * Stores a person's request under a lock of the asset row. The worker commits the asset's last state and
 * only then reads who waits, so the request is either on its list or has seen that state here.
 */
async function subscribe(door: Door, ask: Ask, person: Person): Promise<Stored | 'gone'> {
  const { db, botId, times } = door
  // Most people share the lock. Whoever finds an asset that must become work again takes it alone.
  for (let exclusive = false; ; exclusive = true) {
    const outcome = await db.$transaction(
      async (tx): Promise<Stored | 'again exclusively' | 'gone'> => {
        // The row is locked even where nothing of it changes: one person's requests are counted one after the other.
        await tx.$executeRaw`
          WITH patience AS (SELECT set_config('lock_timeout', ${String(times.lockMs)}, true))
          INSERT INTO "User" (id, language) SELECT ${person.userId}, ${person.language} FROM patience
          ON CONFLICT (id) DO UPDATE SET language = EXCLUDED.language WHERE "User".language IS DISTINCT FROM EXCLUDED.language`
        const seen = await repeated(tx, botId, person)
        if (seen !== undefined) return { answer: seen }

        let asset = await lockAsset(tx, ask, exclusive)
        if (asset === undefined) return 'gone'
        if (asset.status === 'FAILED' && asset.cooling && !isHit(asset, botId))
          return { answer: { status: 'failed', assetId: asset.id, retryAt: asset.coolsUntil ?? new Date() } }
        if (!isHit(asset, botId)) {
          const refusal = await refusalFor(tx, person, asset.id)
          if (refusal !== undefined) return { answer: refusal }
        }
        let started = asset.status === 'PENDING' && asset.queuedAt === null
        if (needsWork(asset, botId)) {
          if (!exclusive) return 'again exclusively'
          const [work] = await turnIntoWork(tx, [asset])
          if (work !== undefined) {
            asset = { ...asset, status: 'PENDING', generation: work.generation }
            started = true
          }
        }

        const hit = isHit(asset, botId)
        const [stored] = await tx.$queryRaw<{ id: string }[]>`
          INSERT INTO "UserRequest" ("userId", "assetId", "chatId", language, "botId", "updateId", hit, "claimOwner", "claimUntil")
          VALUES (${person.userId}, ${asset.id}, ${person.chatId}, ${person.language}, ${botId}, ${person.updateId}, false,
            ${hit ? doorClaims : null}, CASE WHEN ${hit} THEN now() + ${times.claimMs}::float8 * interval '1 millisecond' END)
          ON CONFLICT DO NOTHING RETURNING id`
        const requestId = stored?.id ?? null
        const again = stored === undefined
        const job = asset.status === 'PENDING' ? { assetId: asset.id, generation: asset.generation } : undefined
        if (isHit(asset, botId) && !again)
          return { answer: { status: 'available', assetId: asset.id, fileId: asset.fileId, requestId } }
        return { answer: { status: 'waiting', assetId: asset.id, requestId, started, again }, job }
      },
      { timeout: 5_000, maxWait: 15_000 },
    )
    if (outcome !== 'again exclusively') return outcome
  }
}

async function lockAsset(tx: Tx, ask: Ask, exclusive: boolean): Promise<AssetRow | undefined> {
  const sql = `SELECT ${assetColumns} FROM "VideoAsset" WHERE template = $1 AND name = $2 ${exclusive ? 'FOR UPDATE' : 'FOR SHARE'}`
  const [row] = await tx.$queryRawUnsafe<AssetRow[]>(sql, ask.template, ask.key)
  return row
}

/**
 * The request this update made before, when Telegram delivers it again. After a week without updates Telegram begins with
 * another number, which somebody else's update may have had.
 */
async function repeated(db: Db | Tx, botId: bigint, { updateId, userId }: Person): Promise<Answer | undefined> {
  const before = await db.userRequest.findUnique({
    where: { botId_updateId_userId: { botId, updateId, userId } },
    select: { assetId: true, status: true },
  })
  return before === null ? undefined : { status: 'repeated', assetId: before.assetId, requestStatus: before.status }
}

async function refusalFor(db: Db | Tx, person: Person, assetId = ''): Promise<Answer | undefined> {
  if (person.unlimited === true) return undefined
  // Whoever waits for this very asset already is not refused but told so.
  const [count] = await db.$queryRaw<{ waiting: bigint; today: bigint; here: bigint }[]>`
    SELECT count(*) FILTER (WHERE status = 'PENDING') AS waiting,
           count(*) FILTER (WHERE NOT hit AND "createdAt" > now() - interval '1 day') AS today,
           count(*) FILTER (WHERE status = 'PENDING' AND "assetId" = ${assetId}) AS here
    FROM "UserRequest" WHERE "userId" = ${person.userId}`
  if (count === undefined || count.here > 0n) return undefined
  if (count.waiting >= personLimits.waiting) return { status: 'refused', reason: 'too_many_waiting' }
  if (count.today >= personLimits.newPerDay) return { status: 'refused', reason: 'too_many_today' }
  return undefined
}

// ---- assets ----------------------------------------------------------------------------------------

function isHit(asset: AssetRow, botId: bigint | null): asset is AssetRow & { fileId: string } {
  return asset.fileId !== null && (botId === null || asset.botId === botId)
}

/** FAILED, or made for another bot: somebody must turn it into work before a job can run. */
function needsWork(asset: AssetRow, botId: bigint): boolean {
  return !isHit(asset, botId) && (asset.status === 'FAILED' || asset.status === 'AVAILABLE')
}

const askKey = ({ template, key }: { template: string; key: string }) => `${template}\n${key}`
const byAsk = (rows: AssetRow[]) => new Map(rows.map((row) => [askKey({ template: row.template, key: row.name }), row]))

async function findAssets(db: Db | Tx, asks: readonly Ask[]): Promise<AssetRow[]> {
  if (asks.length === 0) return []
  const sql = `SELECT ${assetColumns} FROM "VideoAsset" JOIN unnest($1::text[], $2::text[]) AS ask(t, n) ON template = ask.t AND name = ask.n`
  return db.$queryRawUnsafe<AssetRow[]>(
    sql,
    asks.map(({ template }) => template),
    asks.map(({ key }) => key),
  )
}

/** Creates the assets that do not exist; returns only those this call created. `lockMs`: how long it waits for others that create the same. */
async function createAssets(db: Db, asks: readonly Ask[], lockMs?: number): Promise<AssetRow[]> {
  if (asks.length === 0) return []
  const sql = `WITH patience AS (SELECT set_config('lock_timeout', coalesce($5, current_setting('lock_timeout')), true))
    INSERT INTO "VideoAsset" (template, name, display, say)
    SELECT asks.* FROM patience, unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS asks ON CONFLICT (template, name) DO NOTHING RETURNING ${assetColumns}`
  const columns = [
    asks.map((ask) => ask.template),
    asks.map((ask) => ask.key),
    asks.map((ask) => ask.display),
    asks.map((ask) => ask.say ?? null),
    lockMs?.toString() ?? null,
  ]
  return serializable(db, (tx) => tx.$queryRawUnsafe<AssetRow[]>(sql, ...columns))
}

/** FAILED and AVAILABLE assets become PENDING under a new generation, unless somebody else did it first. */
async function turnIntoWork(db: Db | Tx, assets: readonly AssetRow[]): Promise<AssetRow[]> {
  if (assets.length === 0) return []
  const sql = `UPDATE "VideoAsset" SET status = 'PENDING', generation = "VideoAsset".generation + 1, attempts = 0, "queuedAt" = NULL, "retryAfter" = NULL,
      "leaseOwner" = NULL, "leaseUntil" = NULL, "updatedAt" = now()
    FROM unnest($1::text[], $2::int[]) AS wanted(asset, seen)
    WHERE id = wanted.asset AND "VideoAsset".generation = wanted.seen AND status IN ('FAILED', 'AVAILABLE') RETURNING ${assetColumns}`
  return db.$queryRawUnsafe<AssetRow[]>(
    sql,
    assets.map(({ id }) => id),
    assets.map(({ generation }) => generation),
  )
}

async function enqueue(door: Door, lane: Lane, assets: readonly AssetRow[]): Promise<void> {
  await door.queue.add(
    lane,
    assets.map(({ id, generation }) => ({ assetId: id, generation })),
  )
  await markQueued(
    door.db,
    assets.map(({ id }) => id),
  )
}

/** Remembers that the assets' jobs were handed to the queue. `lockMs`: how long it waits for locked rows. */
export async function markQueued(db: Db | Tx, assetIds: readonly string[], lockMs?: number): Promise<void> {
  if (assetIds.length === 0) return
  await db.$executeRaw`
    WITH patience AS (SELECT set_config('lock_timeout', coalesce(${lockMs?.toString() ?? null}, current_setting('lock_timeout')), true))
    UPDATE "VideoAsset" SET "queuedAt" = now() FROM patience WHERE id = ANY(${assetIds as string[]}) AND status = 'PENDING'`
}
