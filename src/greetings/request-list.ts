/** The door for a list: what is missing is queued, nobody is told. And what it would do, without doing it. */
import { serializable, type Db } from '../db/database.ts'
import { isSet } from '../names/set.ts'
import type { Answer, RequestDeps } from './answer.ts'
import { askKey, type Ask } from './ask.ts'
import {
  byAsk,
  classify,
  createAssets,
  findAssets,
  isHit,
  markListed,
  needsWork,
  setSpelling,
  turnIntoWork,
  type AssetRow,
} from './assets.ts'
import { enqueue } from './enqueue.ts'
import { asSpoken } from './spoken.ts'

/** What a list may ask for beyond what is missing. */
export interface ListOptions {
  /** FAILED assets are tried again */
  retryFailed?: boolean
  /**
   * the revision a video of this name would have if it were made now: one that has another is
   * re-rendered, and served until the new one is there
   */
  revisionNow?: (ask: Ask) => Promise<string>
}

/** Asks for the names of a list. From now on they may be suggested to anybody. */
export async function requestForList(
  deps: RequestDeps,
  asks: readonly Ask[],
  { retryFailed = false, revisionNow }: ListOptions,
): Promise<Answer[]> {
  const { db, botId } = deps
  const known = byAsk(await findAssets(db, asks))
  const outdated = revisionNow === undefined ? [] : await requeueOutdated(deps, asks, known, revisionNow)
  const missing = await asSpoken(
    db,
    asks.filter((ask) => !known.has(askKey(ask))),
  )
  const created = byAsk(await serializable(db, (tx) => createAssets(tx, missing, { listed: true })))
  const wanted = [...known.values()].filter(
    (asset) => needsWork(asset, botId) && (asset.status !== 'FAILED' || retryFailed),
  )
  const revived = byAsk(await turnIntoWork(db, wanted))
  // A row that another process created in the meantime is known now.
  const late = asks.filter((ask) => !known.has(askKey(ask)) && !created.has(askKey(ask)))
  if (late.length > 0) for (const [key, asset] of byAsk(await findAssets(db, late))) known.set(key, asset)
  await markListed(
    db,
    [...known.values()].filter(({ listed, name }) => !listed && !isSet(name)).map(({ id }) => id),
  )

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

/**
 * What a list's question for one name would meet. `otherBot`: a video that
 * this bot cannot send, so that it is new work.
 */
export type Foreseen = 'cached' | 'outdated' | 'joined' | 'failedBefore' | 'otherBot' | 'new'

/**
 * What `request` would do with a list, which it does not. `botId` null: no bot
 * is known yet, so whatever can be sent is a hit.
 */
export async function foresee(
  { db, botId }: { db: Db; botId: bigint | null },
  asks: readonly Ask[],
  { retryFailed = false, revisionNow }: ListOptions,
): Promise<Foreseen[]> {
  const known = byAsk(await findAssets(db, asks))
  const outdated = new Set(
    (revisionNow === undefined ? [] : await findOutdated(db, botId, asks, known, revisionNow)).map(
      ({ asset }) => asset,
    ),
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
  db: Db,
  botId: bigint | null,
  asks: readonly Ask[],
  known: ReadonlyMap<string, AssetRow>,
  revisionNow: (ask: Ask) => Promise<string>,
): Promise<{ asset: AssetRow; ask: Ask }[]> {
  const outdated: { asset: AssetRow; ask: Ask }[] = []
  for (const ask of await asSpoken(db, asks)) {
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
  const outdated = await findOutdated(db, botId, asks, known, revisionNow)
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
