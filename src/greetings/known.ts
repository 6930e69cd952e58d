/**
 * Which names of the database may be shown to anybody: those of the operator's lists, and those that enough people
 * confirmed. What a single person typed is nobody else's business.
 */
import type { Times } from '../config.ts'
import type { Db } from '../db/database.ts'
import { markNameListed } from './assets.ts'

/** So many people have to say that a word is a name. */
const votesNeeded = 3
/** A vote that found no others goes. */
const voteDays = 90
/** So many a process takes at a time. */
const mostListed = 200_000
const page = 5_000

/** A person confirmed with a tap that this is a name. A name of one word that three people confirmed is known from now on. */
export async function voteForName(db: Db, userId: bigint, key: string): Promise<void> {
  if (key.includes(' ')) return
  const [{ votes } = { votes: 0 }] = await db.$queryRaw<{ votes: number }[]>`
    WITH mine AS (
      INSERT INTO "NameVote" (name, "userId") VALUES (${key}, ${userId}) ON CONFLICT DO NOTHING RETURNING 1
    )
    SELECT ((SELECT count(*) FROM "NameVote" WHERE name = ${key}) + (SELECT count(*) FROM mine))::int AS votes`
  if (votes < votesNeeded) return
  await markNameListed(db, key)
  await db.$executeRaw`DELETE FROM "NameVote" WHERE name = ${key}`
}

/** Votes that found no others in so long go. */
export async function forgetVotes(db: Pick<Db, '$executeRaw'>): Promise<void> {
  await db.$executeRaw`DELETE FROM "NameVote" WHERE "createdAt" < now() - ${voteDays}::int * interval '1 day'`
}

/**
 * Tells names that may be shown to anybody: those there are, before this resolves, and then whatever is added. A name may be
 * told more than once.
 */
export async function watchListedNames(
  db: Db,
  { reconcileMs }: Pick<Times, 'reconcileMs'>,
  tell: (displays: readonly string[]) => void,
): Promise<{ close(): Promise<void> }> {
  let since = new Date(0)
  let underWay: Promise<void> | undefined
  const look = () =>
    (underWay ??= tellListed(db, since, tell)
      .then((until) => void (since = until))
      // A database that is away is asked again.
      .catch(() => undefined)
      .finally(() => (underWay = undefined)))
  await look()
  const timer = setInterval(() => void look(), reconcileMs).unref()
  return {
    async close() {
      clearInterval(timer)
      await underWay
    },
  }
}

/** Tells names that were listed after `since`, a page at a time. Returns from when on to look the next time. */
async function tellListed(db: Db, since: Date, tell: (displays: readonly string[]) => void): Promise<Date> {
  // What was begun before this look, and is committed after it, has an earlier time: a minute is looked at twice.
  const [clock] = await db.$queryRaw<{ until: Date }[]>`SELECT now() - interval '1 minute' AS until`
  let last = { listedAt: since, id: '' }
  for (let left = mostListed; left > 0;) {
    const rows = await db.$queryRaw<{ id: string; display: string; listedAt: Date }[]>`
      SELECT id, display, "listedAt" FROM "VideoAsset" WHERE ("listedAt", id) > (${last.listedAt}, ${last.id})
      ORDER BY "listedAt", id LIMIT ${page}`
    if (rows.length > 0) tell(rows.map(({ display }) => display))
    left -= rows.length
    last = rows.at(-1) ?? last
    if (rows.length < page) break
  }
  return clock?.until ?? since
}
