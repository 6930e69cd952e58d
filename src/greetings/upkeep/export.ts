/**
 * The cache as JSON lines: one video a line, of all that can be sent. For backups, for moving to another
 * database, and for a new version of PostgreSQL. Read and written a page at a time, however large it is.
 */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Db, Tx } from '../../db/database.ts'
import { addImported, replaceByImported } from '../assets.ts'

const text = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .regex(/^\P{Cc}*$/u, 'holds control characters')
    .refine((each) => !/\p{Cs}/u.test(each), 'holds a broken character')
const whole = z.number().int('is no whole number').refine(Number.isSafeInteger, 'is no whole number')
/** Telegram counts the posts of a chat with 32 bits, and the column has no more. */
const messageId = whole.min(1, 'is below 1').max(2 ** 31 - 1, 'is above 2147483647')
/** What JavaScript, PostgreSQL and a calendar all take: of year 0 PostgreSQL knows nothing. */
const moment = z.iso.datetime().refine((text) => {
  const year = new Date(text).getUTCFullYear()
  return year >= 2000 && year < 2200
}, 'is not of the years 2000 to 2199')

/** A line. What it does not know of is left alone, so that files of later versions can be read. */
const cachedVideo = z.object({
  template: z
    .string()
    .max(100)
    .regex(/^[a-z0-9][a-z0-9-]*$/, 'is no template id'),
  /** the key form */
  name: text(200).refine(
    (name) => name === name.normalize('NFC').toLowerCase().trim(),
    'is not in its key form: lower case, without spaces around',
  ),
  display: text(200),
  say: text(1_000).nullable().default(null),
  revision: text(200).nullable().default(null),
  templateRevision: text(200).nullable().default(null),
  botId: whole.min(1, 'is below 1'),
  fileId: text(1_000),
  fileUniqueId: text(1_000).nullable().default(null),
  storageChatId: whole.nullable().default(null),
  storageMessageId: messageId.nullable().default(null),
  /** when it was made; of two videos of one name the younger one counts */
  availableAt: moment.nullable().default(null),
})

/** One video of the cache. */
export type CachedVideo = z.infer<typeof cachedVideo>

/** A file that is no export, or was damaged. Nothing of it was taken over. */
export class CacheFileFault extends Error {
  override name = 'CacheFileFault'
  readonly exitCode = 2
}

/** The end of an export: by it a file is known to be complete. */
const end = z.strictObject({ videos: whole.min(0) })

/** The last line of an export of so many videos. */
export const lastLine = (videos: number) => JSON.stringify({ videos } satisfies z.infer<typeof end>)

/** Reads one line: a video, or the number of videos before it. @throws CacheFileFault with the line's number */
export function parseLine(line: string, number: number): CachedVideo | number {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    throw new CacheFileFault(
      `Line ${number} is not JSON. Nothing was imported. Is the file complete, and one ` +
        'that `greetings export` wrote?',
    )
  }
  const last = end.safeParse(value)
  if (last.success) return last.data.videos
  const parsed = cachedVideo.safeParse(value)
  if (parsed.success) return parsed.data
  // The field and the fault, never the value.
  const [fault] = parsed.error.issues
  const field = fault === undefined || fault.path.length === 0 ? 'it' : `“${fault.path.join('.')}”`
  throw new CacheFileFault(
    `Line ${number} cannot be used: ${field} ` +
      `${fault?.message.replace(/^Invalid input: /, 'is wrong: ') ?? 'is wrong'}. Nothing was imported. ` +
      'Correct the line, or export again.',
  )
}

const pageSize = 2_000

/** All videos that can be sent, by template and name. */
export async function* cachedVideos(db: Db): AsyncGenerator<CachedVideo[]> {
  for (let [template, name] = ['', '']; ;) {
    const rows = await db.$queryRaw<
      (Omit<CachedVideo, 'botId' | 'storageChatId' | 'availableAt'> & {
        botId: bigint
        storageChatId: bigint | null
        availableAt: Date
      })[]
    >`
      SELECT template, name, display, say, revision, "templateRevision", "telegramBotId" AS "botId",
        "telegramFileId" AS "fileId", "telegramFileUniqueId" AS "fileUniqueId",
        "storageChatId", "storageMessageId", coalesce("availableAt", "createdAt") AS "availableAt"
      FROM "VideoAsset" WHERE (template, name) > (${template}, ${name}) AND "telegramFileId" IS NOT NULL
        AND "telegramBotId" IS NOT NULL
      ORDER BY template, name LIMIT ${pageSize}`
    const last = rows.at(-1)
    if (last === undefined) return
    yield rows.map((row) => ({
      ...row,
      botId: Number(row.botId),
      storageChatId: row.storageChatId === null ? null : Number(row.storageChatId),
      availableAt: row.availableAt.toISOString(),
    }))
    if (rows.length < pageSize) return
    ;({ template, name } = last)
  }
}

/** What became of the lines; the sum of `added` to `repeated` is `lines`. */
export interface Imported {
  lines: number
  /** names that were not there, or had no video */
  added: number
  /** an older video, or another bot's, gave way */
  replaced: number
  /** were there already */
  unchanged: number
  /** the database has a younger video, or is about to make one of its own bot */
  kept: number
  /** names that a later line has again */
  repeated: number
  /** of the lines, those of another bot than the database's: it cannot send them */
  otherBot: number
}

const columns =
  'template, name, display, say, revision, "templateRevision", "botId", "fileId", "fileUniqueId", ' +
  '"storageChatId", "storageMessageId", "availableAt"'

/**
 * Takes over videos, all or none. Of a name that stands several times the last line counts. A younger video of
 * the database stays unless `overwrite`; so does any of the database's own bot against another bot's. Work under
 * way gives way to a video of the own bot. `botId` is the database's bot;
 * null: none is known, so no video is another's.
 */
export async function importVideos(
  db: Db,
  batches: AsyncIterable<CachedVideo[]>,
  { overwrite, botId, onProgress }: { overwrite: boolean; botId: bigint | null; onProgress: (lines: number) => void },
): Promise<Imported> {
  const run = randomUUID()
  try {
    let lines = 0
    for await (const batch of batches) {
      await stage(db, run, batch)
      onProgress((lines += batch.length))
    }
    return await db.$transaction(
      async (tx) => {
        await tx.$executeRaw`
          CREATE TEMPORARY TABLE imported (line bigint, template text, name text, display text, say text, revision text,
            "templateRevision" text, "botId" bigint, "fileId" text, "fileUniqueId" text,
            "storageChatId" bigint, "storageMessageId" int, "availableAt" timestamptz(3)) ON COMMIT DROP`
        await tx.$executeRawUnsafe(
          `INSERT INTO imported (line, ${columns}) SELECT line, ${columns} FROM "ImportedVideo" WHERE run = $1`,
          run,
        )
        const [others] = await tx.$queryRaw<
          { count: bigint }[]
        >`SELECT count(*) AS count FROM imported WHERE "botId" <> ${botId}::bigint`
        const distinct =
          lines -
          (await tx.$executeRaw`DELETE FROM imported AS one USING imported AS other WHERE one.template = other.template
            AND one.name = other.name AND one.line < other.line`)
        return {
          lines,
          ...(await merge(tx, overwrite, botId, distinct)),
          repeated: lines - distinct,
          otherBot: Number(others?.count ?? 0),
        }
      },
      { timeout: 3_600_000, maxWait: 15_000 },
    )
  } finally {
    await forgetImported(db, run).catch(() => undefined)
  }
}

/** Removes the lines of an import, and those of imports that were killed a day ago. */
export async function forgetImported(db: Db, run = ''): Promise<void> {
  await db.$executeRaw`DELETE FROM "ImportedVideo" WHERE run = ${run} OR "createdAt" < now() - interval '1 day'`
}

async function stage(db: Db, run: string, batch: readonly CachedVideo[]): Promise<void> {
  const column = <K extends keyof CachedVideo>(key: K) => batch.map((video) => video[key])
  await db.$executeRawUnsafe(
    `INSERT INTO "ImportedVideo" (run, ${columns}) SELECT $13, *
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[],
      $9::text[], $10::bigint[], $11::int[], $12::timestamptz[])`,
    column('template'),
    column('name'),
    column('display'),
    column('say'),
    column('revision'),
    column('templateRevision'),
    column('botId').map(BigInt),
    column('fileId'),
    column('fileUniqueId'),
    column('storageChatId').map((id) => (id === null ? null : BigInt(id))),
    column('storageMessageId'),
    column('availableAt'),
    run,
  )
}

async function merge(
  tx: Tx,
  overwrite: boolean,
  botId: bigint | null,
  distinct: number,
): Promise<Pick<Imported, 'added' | 'replaced' | 'unchanged' | 'kept'>> {
  await tx.$executeRaw`CREATE UNIQUE INDEX ON imported (template, name)`
  await tx.$executeRaw`ANALYZE imported`
  const [same] = await tx.$queryRaw<{ count: bigint }[]>`
    SELECT count(*) AS count FROM "VideoAsset" AS asset JOIN imported USING (template, name)
      WHERE "telegramFileId" = "fileId" AND "telegramBotId" = "botId"`
  const created = await addImported(tx)
  const updated = await replaceByImported(tx, { overwrite, botId })
  const replaced = updated.filter(({ hadVideo }) => hadVideo).length
  const added = created + updated.length - replaced
  const unchanged = Number(same?.count ?? 0)
  return { added, replaced, unchanged, kept: distinct - added - replaced - unchanged }
}
