/** The door for a person: their requests are stored, within what one person may ask for. */
import type { Db, Tx } from '../db/database.ts'
import { isSet } from '../names/set.ts'
import type { Job } from '../queue/index.ts'
import { personLimits, type Answer, type Refusal, type RequestDeps } from './answer.ts'
import { inOrder, type Ask } from './ask.ts'
import { createAssets, isHit, lockAsset, needsWork, turnIntoWork, type AssetRow } from './assets.ts'
import {
  leastBehind,
  loadOf,
  noteLimitTold,
  storeHit,
  storePerson,
  storeRequest,
  type Person,
  type PersonLoad,
} from './requests.ts'
import { asSpoken } from './spoken.ts'

/** What the database knows of a question once it is stored, and the job that is to be added. */
export interface Stored {
  answer: Answer
  job?: Job
}

/** Stores what a person asks for: all of it or nothing. */
export async function requestForPerson(deps: RequestDeps, asks: readonly Ask[], person: Person): Promise<Stored[]> {
  const [ask] = asks
  if (ask === undefined) return []
  const hit = asks.length === 1 ? await requestHit(deps, ask, person) : undefined
  if (hit !== undefined) return [{ answer: hit }]
  try {
    return await subscribe(deps, asks, person, { exclusive: false })
  } catch (error) {
    if (!(error instanceof NeedsExclusive)) throw error
    return subscribe(deps, asks, person, { exclusive: true })
  }
}

/** Most people share the lock of an asset's row. Whoever finds one that must become work again takes it alone. */
class NeedsExclusive extends Error {}

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
  const [before] = (await repeated(db, botId, [ask], person)) ?? []
  if (before !== undefined) return before
  return row.isFull ? tooManyOnTheirWay(db, person) : { status: 'on_its_way', assetId }
}

/**
 * Stores a person's requests under locks of the asset rows. The worker commits the asset's last state and only then reads
 * who waits, so a request is either on its list or has seen that state here.
 */
async function subscribe(
  deps: RequestDeps,
  asks: readonly Ask[],
  person: Person,
  { exclusive }: { exclusive: boolean },
): Promise<Stored[]> {
  return deps.db.$transaction(
    async (tx) => {
      // The row is locked even where nothing of it changes: one person's requests are counted one after the other.
      await storePerson(tx, person, deps.times)
      const before = await repeated(tx, deps.botId, asks, person)
      if (before !== undefined) return before.map((answer) => ({ answer }))
      const stored = new Map<Ask, Stored>()
      // In one order, so that two who ask for the same names never wait for each other.
      for (const ask of inOrder(asks)) stored.set(ask, await subscribeTo(tx, deps, ask, person, exclusive))
      return asks.flatMap((ask) => stored.get(ask) ?? [])
    },
    { timeout: 5_000, maxWait: 15_000 },
  )
}

async function subscribeTo(tx: Tx, deps: RequestDeps, ask: Ask, person: Person, exclusive: boolean): Promise<Stored> {
  const { botId } = deps
  let asset = await lockAsset(tx, ask, exclusive)
  const hit = asset !== undefined && isHit(asset, botId)
  if (asset?.status === 'FAILED' && asset.cooling && !hit)
    return { answer: { status: 'failed', assetId: asset.id, retryAt: asset.coolsUntil ?? new Date() } }
  const load = await loadOf(tx, person, asset?.id)
  const weight = weightOf(ask)
  const refusal = load.waitsForIt ? undefined : await refusalFor(tx, person, load, { hit, weight })
  if (refusal !== undefined) return { answer: refusal }
  asset ??= (await createAssets(tx, await asSpoken(tx, [ask])))[0]
  // Somebody else has created it since it was looked for.
  if (asset === undefined) return subscribeTo(tx, deps, ask, person, exclusive)
  let started = asset.status === 'PENDING' && asset.queuedAt === null
  if (needsWork(asset, botId)) {
    if (!exclusive) throw new NeedsExclusive()
    const [work] = await turnIntoWork(tx, [asset])
    if (work !== undefined) {
      asset = { ...asset, status: 'PENDING', generation: work.generation }
      started = true
    }
  }
  // A set goes behind everybody's single names, and an operator's goes first.
  const behind = hit || person.unlimited === true ? 0 : load.waiting + (weight > 1 ? personLimits.atOnce : 0)
  return store(tx, deps, asset, person, { started, behind, weight, wroteE: ask.wroteE === true })
}

async function store(
  tx: Tx,
  { botId, times }: RequestDeps,
  asset: AssetRow,
  person: Person,
  { started, behind, weight, wroteE }: { started: boolean; behind: number; weight: number; wroteE: boolean },
): Promise<Stored> {
  const assetId = asset.id
  if (isHit(asset, botId)) {
    const stored = await storeRequest(tx, assetId, person, { botId, claimMs: times.claimMs, wroteE })
    if (stored?.claimed == null) return { answer: { status: 'on_its_way', assetId } }
    return { answer: { status: 'available', assetId, fileId: asset.fileId, claimed: stored.claimed } }
  }
  const others = await leastBehind(tx, assetId)
  const stored = await storeRequest(tx, assetId, person, { botId, behind, weight, wroteE })
  const answer = { status: 'waiting' as const, assetId, requestId: stored?.id ?? null, started, again: stored === null }
  // Others may have brought the job as far forward already, and a queue that lost it gets it from the reconciler.
  if (asset.status !== 'PENDING' || (behind > 0 && others !== null && others <= behind)) return { answer }
  return { answer, job: { assetId, generation: asset.generation, behind } }
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

const dayMs = 86_400_000
/** How long nobody is told again of a limit that ends when a video is there: of those to be made, and of those being sent. */
const quietMs = { waiting: 3_600_000, onTheirWay: 60_000 }

/** How many names an ask counts as: several in one video take no less work than two. */
const weightOf = ({ key }: Ask) => (isSet(key) ? 2 : 1)

/** What a person hears who may not ask for one more; undefined: they may. `hit`: for a video that is there. */
async function refusalFor(
  tx: Tx,
  person: Person,
  load: PersonLoad,
  { hit, weight }: { hit: boolean; weight: number },
): Promise<Refusal | undefined> {
  if (person.unlimited === true) return undefined
  if (hit) return load.onTheirWay < personLimits.onTheirWay ? undefined : tooManyOnTheirWay(tx, person)
  const { oldestOfToday } = load
  // Of both limits the day's: that one stays when a video is there.
  if (load.today + weight > personLimits.newPerDay && oldestOfToday !== null) {
    const retryAt = new Date(oldestOfToday.getTime() + dayMs)
    const told = !(await noteLimitTold(tx, person.userId, 'limitToldUntil', retryAt))
    return { status: 'refused', reason: 'too_many_today', most: personLimits.newPerDay, retryAt, told }
  }
  if (load.waiting + weight <= personLimits.waiting) return undefined
  const told = !(await noteLimitTold(tx, person.userId, 'limitToldUntil', new Date(Date.now() + quietMs.waiting)))
  return { status: 'refused', reason: 'too_many_waiting', most: personLimits.waiting, retryAt: null, told }
}

async function tooManyOnTheirWay(db: Db | Tx, { userId }: Person): Promise<Refusal> {
  const told = !(await noteLimitTold(db, userId, 'wayToldUntil', new Date(Date.now() + quietMs.onTheirWay)))
  return { status: 'refused', reason: 'too_many_waiting', most: personLimits.onTheirWay, retryAt: null, told }
}
