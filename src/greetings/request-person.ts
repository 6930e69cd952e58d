/** The door for a person: their requests are stored, within what one person may ask for. */
import type { Db, Tx } from '../db/database.ts'
import type { Job, Lane } from '../queue/index.ts'
import { personLimits, type Answer, type Refusal, type RequestDeps } from './answer.ts'
import { askKey, type Ask } from './ask.ts'
import { createAssets, findAssets, isHit, lockAsset, needsWork, turnIntoWork, type AssetRow } from './assets.ts'
import { hasFirstAsker, loadOf, noteLimitTold, storeHit, storePerson, storeRequest, type Person } from './requests.ts'

/** A job that is to be added, and where. */
export type WantedJob = Job & { lane: Exclude<Lane, 'warm'> }

/** What the database knows of a question once it is stored, and the job that is to be added. */
export interface Stored {
  answer: Answer
  job?: WantedJob
}

/** Stores what a person asks for: all of it or nothing. */
export async function requestForPerson(deps: RequestDeps, asks: readonly Ask[], person: Person): Promise<Stored[]> {
  const [ask] = asks
  if (ask === undefined) return []
  const hit = asks.length === 1 ? await requestHit(deps, ask, person) : undefined
  if (hit !== undefined) return [{ answer: hit }]
  for (let exclusive = false; ;) {
    try {
      return await subscribe(deps, asks, person, { refused: await createMissing(deps, asks, person), exclusive })
    } catch (error) {
      if (!(error instanceof AgainExclusively) && !(error instanceof Gone)) throw error
      exclusive ||= error instanceof AgainExclusively
    }
  }
}

/** Most people share the lock of an asset's row. Whoever finds one that must become work again takes it alone. */
class AgainExclusively extends Error {}

/** The asset was taken back by an operator in this very moment: everything begins anew. */
class Gone extends Error {}

/**
 * The whole road of a hit: one statement that finds the video, stores the request and claims it. It locks the person's
 * row and the video's, so that no purge and no forgetting takes them away in between. `patience` comes before any lock,
 * as the rows that are locked are joined with it.
 */
async function requestHit({ db, botId, times }: RequestDeps, ask: Ask, person: Person): Promise<Answer | undefined> {
  const most = person.unlimited === true ? 1e9 : personLimits.onTheirWay
  const row = await storeHit(db, ask, person, { botId, times, most })
  if (row === undefined) return undefined
  const { assetId, fileId, claimed } = row
  if (claimed !== null) return { status: 'available', assetId, fileId, claimed }
  const [before] = (await repeated(db, botId, [ask], person)) ?? []
  if (before !== undefined) return before
  if (row.isFull) return refusal(db, person, 'too_many_waiting', personLimits.onTheirWay, null)
  return { status: 'on_its_way', assetId }
}

/** Makes rows for names that have none, as far as the person may ask for more. Returns the asks that are refused. */
async function createMissing(
  { db, times }: RequestDeps,
  asks: readonly Ask[],
  person: Person,
): Promise<Map<string, Refusal>> {
  const refused = new Map<string, Refusal>()
  const known = new Set((await findAssets(db, asks)).map(({ template, name }) => askKey({ template, key: name })))
  const missing = asks.filter((ask) => !known.has(askKey(ask)))
  if (missing.length === 0) return refused
  const room = await roomFor(db, person)
  await createAssets(db, missing.slice(0, room.count), { lockMs: times.lockMs })
  for (const ask of missing.slice(room.count)) refused.set(askKey(ask), await room.refuse())
  return refused
}

/**
 * Stores a person's requests under locks of the asset rows. The worker commits the asset's last state and only then
 * reads who waits, so a request is either on its list or has seen that state here.
 */
async function subscribe(
  deps: RequestDeps,
  asks: readonly Ask[],
  person: Person,
  { refused, exclusive }: { refused: ReadonlyMap<string, Refusal>; exclusive: boolean },
): Promise<Stored[]> {
  // In one order, so that two who ask for the same names never wait for each other.
  const inOrder = [...asks].sort((one, other) => (askKey(one) < askKey(other) ? -1 : 1))
  return deps.db.$transaction(
    async (tx) => {
      // The row is locked even where nothing of it changes: one person's requests are counted one after the other.
      await storePerson(tx, person, deps.times)
      const before = await repeated(tx, deps.botId, asks, person)
      if (before !== undefined) return before.map((answer) => ({ answer }))
      const stored = new Map<Ask, Stored>()
      for (const ask of inOrder) {
        const refusal = refused.get(askKey(ask))
        stored.set(ask, refusal ? { answer: refusal } : await subscribeTo(tx, deps, ask, person, exclusive))
      }
      return asks.flatMap((ask) => stored.get(ask) ?? [])
    },
    { timeout: 5_000, maxWait: 15_000 },
  )
}

async function subscribeTo(
  tx: Tx,
  { botId, times }: RequestDeps,
  ask: Ask,
  person: Person,
  exclusive: boolean,
): Promise<Stored> {
  let asset = await lockAsset(tx, ask, exclusive)
  if (asset === undefined) throw new Gone()
  if (asset.status === 'FAILED' && asset.cooling && !isHit(asset, botId))
    return { answer: { status: 'failed', assetId: asset.id, retryAt: asset.coolsUntil ?? new Date() } }
  const load = isHit(asset, botId) ? undefined : await loadOf(tx, person, asset.id)
  if (load !== undefined && !load.waitsForIt) {
    const room = roomOf(tx, person, load)
    if (room.count < 1) return { answer: await room.refuse() }
  }
  let started = asset.status === 'PENDING' && asset.queuedAt === null
  if (needsWork(asset, botId)) {
    if (!exclusive) throw new AgainExclusively()
    const [work] = await turnIntoWork(tx, [asset])
    if (work !== undefined) {
      asset = { ...asset, status: 'PENDING', generation: work.generation }
      started = true
    }
  }
  return store(tx, { botId, times }, asset, person, {
    started,
    deferred: load !== undefined && person.unlimited !== true && load.waiting >= personLimits.atOnce,
  })
}

async function store(
  tx: Tx,
  { botId, times }: Pick<RequestDeps, 'botId' | 'times'>,
  asset: AssetRow,
  person: Person,
  { started, deferred }: { started: boolean; deferred: boolean },
): Promise<Stored> {
  const assetId = asset.id
  const hit = isHit(asset, botId)
  const stored = await storeRequest(tx, assetId, person, {
    botId,
    claimMs: hit ? times.claimMs : undefined,
    deferred,
  })
  if (isHit(asset, botId)) {
    const { fileId } = asset
    const claimed = stored?.claimed ?? null
    return {
      answer: claimed === null ? { status: 'on_its_way', assetId } : { status: 'available', assetId, fileId, claimed },
    }
  }
  const answer = { status: 'waiting' as const, assetId, requestId: stored?.id ?? null, started, again: stored === null }
  if (asset.status !== 'PENDING' || (deferred && (await hasFirstAsker(tx, assetId)))) return { answer }
  return { answer, job: { assetId, generation: asset.generation, lane: deferred ? 'deferred' : 'people' } }
}

/**
 * What this update made before, when Telegram delivers it again: that and nothing else, whatever it would
 * ask for today. Undefined: it made nothing. After a week without updates Telegram begins with another
 * number, which somebody else's update may have had.
 */
async function repeated(
  db: Db | Tx,
  botId: bigint,
  asks: readonly Ask[],
  { updateId, userId }: Person,
): Promise<Answer[] | undefined> {
  const before = await db.userRequest.findMany({
    where: { botId, updateId, userId },
    select: { assetId: true, status: true, asset: { select: { template: true, name: true } } },
  })
  const [first] = before
  if (first === undefined) return undefined
  return asks.map((ask) => {
    const same = before.find(({ asset }) => asset.template === ask.template && asset.name === ask.key)
    const { assetId, status } = same ?? first
    return { status: 'repeated', assetId, requestStatus: status }
  })
}

// ---- limits ----------------------------------------------------------------------------------------

/** How many new names a person may still ask for, and what they hear beyond that. */
interface Room {
  count: number
  refuse(): Promise<Refusal>
}

async function roomFor(db: Db | Tx, person: Person): Promise<Room> {
  return roomOf(db, person, await loadOf(db, person))
}

function roomOf(
  db: Db | Tx,
  person: Person,
  { waiting, today, oldestOfToday }: Awaited<ReturnType<typeof loadOf>>,
): Room {
  if (person.unlimited === true)
    return { count: Infinity, refuse: () => Promise.reject(new Error('there is no limit')) }
  const places = personLimits.waiting - waiting
  const fresh = personLimits.newPerDay - today
  const dayLater = oldestOfToday === null ? null : new Date(oldestOfToday.getTime() + dayMs)
  return {
    count: Math.max(0, Math.min(places, fresh)),
    refuse: () =>
      places <= fresh
        ? refusal(db, person, 'too_many_waiting', personLimits.waiting, null)
        : refusal(db, person, 'too_many_today', personLimits.newPerDay, dayLater),
  }
}

const dayMs = 86_400_000
/** A limit that ends by itself is told once; one that ends when a video is there, as often as that. */
const quietMs = 3_600_000

/** Whoever goes on asking is told of a limit once, until it ends. */
async function refusal(
  db: Db | Tx,
  { userId }: Person,
  reason: Refusal['reason'],
  most: number,
  retryAt: Date | null,
): Promise<Refusal> {
  const told = !(await noteLimitTold(db, userId, retryAt ?? new Date(Date.now() + quietMs)))
  return { status: 'refused', reason, most, retryAt, told }
}
