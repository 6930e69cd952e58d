/**
 * The one door. Whoever wants a greeting, the bot for a person or `warm` for a list, asks here; it alone
 * decides what is a hit, what joins work under way and what becomes a new job.
 */
import type { Db, Tx } from '../db/database.ts'
import type { GreetingsQueue, Job } from '../queue/index.ts'
import type { Times } from '../config.ts'
import { askKey, type Ask } from './ask.ts'
import {
  byAsk,
  classify,
  createAssets,
  findAssets,
  isHit,
  lockAsset,
  needsWork,
  setSpelling,
  turnIntoWork,
  type AssetRow,
} from './assets.ts'
import { enqueue, enqueueFor } from './enqueue.ts'
import { emit, type DomainEvent } from '../events.ts'
import type { Gate } from './gate.ts'
import { storeHit, storeRequest, type ClaimedRequest, type Person } from './requests.ts'

/** What the door needs. */
export interface RequestDeps {
  db: Db
  queue: GreetingsQueue
  /** the bot that sends: a `file_id` of another is no hit */
  botId: bigint
  times: Times
  /** where many ask at a time: keeps one asset whose row is locked from taking all connections */
  gate?: Gate
  log: { warn(fields: object, message: string): void }
}

/**
 * How many assets one person may wait for at a time, and cause to be made in a day; and how many videos that exist may be
 * on their way to one person: Telegram takes about one a second, and what is asked for beyond that must not pile up.
 */
export const personLimits = { waiting: 5, newPerDay: 30, onTheirWay: 20 }

/** The door's answer for one name. */
export type Answer =
  /** a hit; with a person, their request is claimed for the caller, who sends and marks it */
  | { status: 'available'; assetId: string; fileId: string; claimed: ClaimedRequest | null }
  /** work is under way; `started`: by this very question; `again`: this person waits for it already */
  | { status: 'waiting'; assetId: string; requestId: string | null; started: boolean; again: boolean }
  /** could not be made, may be asked for again after `retryAt` */
  | { status: 'failed'; assetId: string; retryAt: Date }
  /** this person has reached a limit */
  | { status: 'refused'; reason: 'too_many_waiting' | 'too_many_today' }
  /** the update was answered before */
  | { status: 'repeated'; assetId: string; requestStatus: 'PENDING' | 'COMPLETED' | 'FAILED' }

/** What a list may ask for beyond what is missing. */
export interface ListOptions {
  /** FAILED assets are tried again */
  retryFailed?: boolean
  /** the revision a video of this name would have if it were made now: one that has another is re-rendered, and served until the new one is there */
  revisionNow?: (ask: Ask) => Promise<string>
}

/**
 * Asks for names, many or one. Without a person nobody is told: that is warming. With a person, the one
 * name's request is stored before this returns, so whatever happens next they get their answer.
 * Answers come in the order of `asks`, which must be distinct by (template, key).
 */
export async function request(
  deps: RequestDeps,
  asks: readonly Ask[],
  person?: Person,
  options: ListOptions = {},
): Promise<Answer[]> {
  if (person !== undefined) {
    const [ask] = asks
    if (ask === undefined || asks.length > 1) throw new Error('a person asks for one name at a time')
    const store = () => requestForPerson(deps, ask, person)
    const { answer, job } = await (deps.gate === undefined
      ? store()
      : deps.gate.through(askKey(ask), store, person.attempt))
    if (job !== undefined) await promote(deps, job)
    emit({ what: 'asked', outcome: outcomeOf(answer) })
    return [answer]
  }
  return requestForList(deps, asks, options)
}

// ---- a list ----------------------------------------------------------------------------------------

async function requestForList(
  deps: RequestDeps,
  asks: readonly Ask[],
  { retryFailed = false, revisionNow }: ListOptions,
): Promise<Answer[]> {
  const { db, botId } = deps
  const known = byAsk(await findAssets(db, asks))
  const outdated = revisionNow === undefined ? [] : await requeueOutdated(deps, asks, known, revisionNow)
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
  const unqueued = [...known.values()].filter(({ status, queuedAt }) => status === 'PENDING' && queuedAt === null)
  await enqueue(
    deps,
    'warm',
    [...created.values(), ...revived.values(), ...unqueued].map(({ id, generation }) => ({ assetId: id, generation })),
  )

  return asks.map((ask): Answer => {
    const key = askKey(ask)
    const begun = created.get(key) ?? revived.get(key)
    if (begun !== undefined)
      return { status: 'waiting', assetId: begun.id, requestId: null, started: true, again: false }
    const asset = known.get(key)
    if (asset === undefined) throw new Error('an asset vanished while it was asked for')
    if (isHit(asset, botId)) return { status: 'available', assetId: asset.id, fileId: asset.fileId, claimed: null }
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
    switch (classify(asset, botId)) {
      case 'hit':
        return outdated.has(asset) ? 'outdated' : 'cached'
      case 'failed':
        return retryFailed ? 'new' : 'failedBefore'
      case 'otherBot':
        return 'otherBot'
      case 'underWay':
        return 'joined'
    }
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
async function requeueOutdated(
  { db, botId }: RequestDeps,
  asks: readonly Ask[],
  known: ReadonlyMap<string, AssetRow>,
  revisionNow: (ask: Ask) => Promise<string>,
): Promise<AssetRow[]> {
  const outdated = await findOutdated(botId, asks, known, revisionNow)
  if (outdated.length === 0) return []
  const changed = outdated.filter(({ asset, ask }) => ask.say !== asset.say)
  if (changed.length > 0) {
    await setSpelling(
      db,
      changed.map(({ asset, ask }) => ({ assetId: asset.id, say: ask.say ?? null })),
    )
  }
  return turnIntoWork(
    db,
    outdated.map(({ asset }) => asset),
  )
}

/** The answer in one word, for counting. */
function outcomeOf(answer: Answer): Exclude<Extract<DomainEvent, { what: 'asked' }>['outcome'], 'no_name'> {
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

async function requestForPerson(deps: RequestDeps, ask: Ask, person: Person): Promise<Stored> {
  const { db, times } = deps
  const hit = await requestHit(deps, ask, person)
  if (hit !== undefined) return { answer: hit }
  if ((await findAssets(db, [ask])).length === 0) {
    const refusal = await refusalFor(db, person)
    if (refusal !== undefined) return { answer: refusal }
    await createAssets(db, [ask], times.lockMs)
  }
  const outcome = await subscribe(deps, ask, person)
  // Taken back by an operator in this very moment: ask again from the start.
  return outcome === 'gone' ? requestForPerson(deps, ask, person) : outcome
}

/** Adds the job of a question that is stored. A queue that does not answer holds up nobody: the reconciler adds what is missing. */
async function promote({ db, queue, times, log }: RequestDeps, job: Job): Promise<void> {
  const promoted = enqueueFor({ db, queue }, job, { lockMs: times.lockMs }).catch((error: unknown) =>
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
async function requestHit({ db, botId, times }: RequestDeps, ask: Ask, person: Person): Promise<Answer | undefined> {
  const most = person.unlimited === true ? 1e9 : personLimits.onTheirWay
  const row = await storeHit(db, ask, person, { botId, times, most })
  if (row === undefined) return undefined
  const { assetId, fileId, claimed } = row
  if (claimed !== null) return { status: 'available', assetId, fileId, claimed }
  const before = await repeated(db, botId, person)
  if (before !== undefined) return before
  if (row.isFull) return { status: 'refused', reason: 'too_many_waiting' }
  return { status: 'waiting', assetId, requestId: null, started: false, again: true }
}

/**
 * Stores a person's request under a lock of the asset row. The worker commits the asset's last state and
 * only then reads who waits, so the request is either on its list or has seen that state here.
 */
async function subscribe(deps: RequestDeps, ask: Ask, person: Person): Promise<Stored | 'gone'> {
  const { db, botId, times } = deps
  // Most people share the lock. Whoever finds an asset that must become work again takes it alone.
  for (let exclusive = false; ; exclusive = true) {
    const outcome = await db.$transaction(
      async (tx): Promise<Stored | 'again exclusively' | 'gone'> => {
        // The row is locked even where nothing of it changes: one person's requests are counted one after the other.
        await tx.$executeRaw`
          WITH patience AS (SELECT set_config('lock_timeout', ${String(times.lockMs)}, true))
          INSERT INTO "User" (id, language) SELECT ${person.userId}, ${person.language} FROM patience
          ON CONFLICT (id) DO UPDATE SET language = EXCLUDED.language WHERE "User".language IS DISTINCT
            FROM EXCLUDED.language`
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
        const stored = await storeRequest(tx, asset.id, person, { botId, claimMs: hit ? times.claimMs : undefined })
        const again = stored === null
        const job = asset.status === 'PENDING' ? { assetId: asset.id, generation: asset.generation } : undefined
        if (isHit(asset, botId) && stored !== null) {
          const { claimed } = stored
          return { answer: { status: 'available', assetId: asset.id, fileId: asset.fileId, claimed } }
        }
        const requestId = stored?.id ?? null
        return { answer: { status: 'waiting', assetId: asset.id, requestId, started, again }, job }
      },
      { timeout: 5_000, maxWait: 15_000 },
    )
    if (outcome !== 'again exclusively') return outcome
  }
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
