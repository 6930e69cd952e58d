/**
 * The line of those who wait for a video, and the notes in their chats: where each stands, and which note somebody looks
 * at now. One statement for all of them, however many wait: the line is followed as far as its first requests.
 */
import { sql, type Db } from '../db/database.ts'

/** How far the line is followed: so many requests. */
const lineLength = 2_000

/** Where a person's video is. */
export interface Standing {
  requestId: string
  chatId: bigint
  language: string
  display: string
  /** `waiting` in line, `begun`, `rendered` and waiting for its upload or at it, `sent` to the person just now */
  phase: 'waiting' | 'begun' | 'rendered' | 'sent'
  /** for how long it has been rendered, seconds */
  renderedSeconds: number | null
  /** of those that nobody has begun, from 1; null: further back than the line is followed, or not in it */
  place: number | null
  /** videos that are to be made up to this one, itself included; null as `place` */
  toMake: number | null
  /** videos of the line, and of each template those that are to be made; videos that are made and wait for their upload */
  lineSize: number
  mix: Record<string, number>
  made: number
  /** videos under way that nobody waits for */
  others: number
}

/** A note in a chat, and where its video is. */
export interface DueNote extends Standing {
  noteMessageId: number
  says: string
  /** it takes longer than was told */
  overdue: boolean
}

/**
 * `line`: what is before whom. Videos that are made come first, then those that are being made, then the others as the
 * queue takes them. `standing`: of each request in `wanted` that still waits.
 */
const standing = sql`
  first AS MATERIALIZED (
    SELECT "assetId", behind, "createdAt" FROM "UserRequest"
    WHERE status = 'PENDING' AND NOT hit AND EXISTS (SELECT 1 FROM wanted)
    ORDER BY behind, "createdAt" LIMIT ${lineLength}
  ), open AS (
    SELECT asset.id, template, asset.status = 'GENERATING' AS begun,
      asset.status = 'GENERATING' AND "renderedAt" IS NOT NULL AS rendered, min(behind) AS behind,
      min(first."createdAt") AS since
    FROM first JOIN "VideoAsset" AS asset ON asset.id = "assetId" AND asset.status IN ('PENDING', 'GENERATING')
    GROUP BY asset.id
  ), line AS (
    SELECT id, count(*) FILTER (WHERE NOT begun) OVER before AS place,
      count(*) FILTER (WHERE NOT rendered) OVER before AS "toMake"
    FROM open WINDOW before AS (ORDER BY rendered DESC, begun DESC, behind, since, id ROWS UNBOUNDED PRECEDING)
  ), whole AS (
    SELECT count(*)::int AS "lineSize", count(*) FILTER (WHERE rendered)::int AS made,
      (SELECT coalesce(jsonb_object_agg(template, each), '{}') FROM (SELECT template, count(*) AS each FROM open
        WHERE NOT rendered GROUP BY 1) AS of_templates) AS mix,
      (SELECT count(*) FROM "VideoAsset" WHERE status = 'GENERATING' AND "renderedAt" IS NULL)::int
        - (count(*) FILTER (WHERE begun AND NOT rendered))::int AS others
    FROM open
  ), standing AS (
    SELECT request.id AS "requestId", "chatId", language, "noteMessageId", display,
      CASE WHEN asset.status = 'PENDING' THEN 'waiting' WHEN asset.status <> 'GENERATING' THEN 'sent'
        WHEN "renderedAt" IS NULL THEN 'begun' ELSE 'rendered' END AS phase,
      extract(epoch FROM now() - "renderedAt")::float8 AS "renderedSeconds", line.place::int AS place,
      line."toMake"::int AS "toMake", whole.*
    FROM wanted JOIN "UserRequest" AS request ON request.id = wanted.id AND request.status = 'PENDING'
      JOIN "VideoAsset" AS asset ON asset.id = "assetId" LEFT JOIN line ON line.id = asset.id, whole
  )`

/** Where these people stand, by request; whoever is answered already is left out. */
export async function standingOf(db: Db, requestIds: readonly string[]): Promise<Map<string, Standing>> {
  const rows = await db.$queryRaw<Standing[]>`
    WITH wanted AS MATERIALIZED (SELECT unnest(${requestIds as string[]}::text[]) AS id), ${standing}
    SELECT * FROM standing`
  return new Map(rows.map((row) => [row.requestId, row]))
}

/**
 * Takes the next `most` notes that are due: no other bot looks at them until they are due again, soon for who is served
 * soon. Those of requests that are answered go.
 */
export async function takeDueNotes(db: Db, secondMs: number, most: number): Promise<DueNote[]> {
  return db.$queryRaw<DueNote[]>`
    WITH wanted AS MATERIALIZED (
      SELECT "requestId" AS id FROM "WaitingNote" WHERE "dueAt" <= now() ORDER BY "dueAt" LIMIT ${most}
      FOR UPDATE SKIP LOCKED
    ), ${standing}, gone AS (
      DELETE FROM "WaitingNote" WHERE "requestId" IN (SELECT id FROM wanted EXCEPT SELECT "requestId" FROM standing)
    ), taken AS (
      UPDATE "WaitingNote" AS note SET "dueAt" = now() + ${secondMs}::float8 * interval '1 millisecond' * CASE
        WHEN phase <> 'waiting' OR place <= ${nearPlace} THEN ${nearSeconds}
        ELSE least(600, greatest(8, coalesce(place, 600) * 1.5)) END
      FROM standing WHERE note."requestId" = standing."requestId"
      RETURNING note."requestId", says, "promisedAt" < now() AS overdue
    )
    SELECT standing.*, says, overdue FROM standing JOIN taken USING ("requestId") WHERE "noteMessageId" IS NOT NULL`
}

/** Who stands so near is looked at this often: Telegram shows a chat action for five seconds. */
export const nearPlace = 4
export const nearSeconds = 4

/** Remembers what the notes say now. */
export async function notesSay(db: Db, notes: readonly { requestId: string; says: string }[]): Promise<void> {
  if (notes.length === 0) return
  await db.$executeRaw`
    UPDATE "WaitingNote" AS note SET says = new.says
    FROM unnest(${notes.map(({ requestId }) => requestId)}::text[], ${notes.map(({ says }) => says)}::text[])
      AS new("requestId", says) WHERE note."requestId" = new."requestId"`
}
