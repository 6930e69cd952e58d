/** What earlier videos of a name leave behind is known until it is gone. */
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Database } from '../../src/db/database.ts'
import { claim, markAvailable, uploadedRevisions } from '../../src/greetings/assets.ts'
import {
  forgetFiles,
  forgottenFiles,
  formerPosts,
  formerRevisions,
  postsAreGone,
  purgeForgottenFiles,
  rememberPost,
} from '../../src/greetings/former.ts'
import { removeCached } from '../../src/video/render-cache.ts'
import { temporaryDatabase } from '../environment/temporary-database.ts'

let database: Database
beforeAll(async () => {
  database = await temporaryDatabase()
}, 120_000)
afterAll(() => database.close())
beforeEach(
  () => database.db.$executeRaw`TRUNCATE "VideoAsset", "UserRequest", "SoundReport", "FormerPost", "FormerFile"`,
)

const channel = -1_001n
const post = (messageId: number | null) => ({
  fileId: `f${messageId}`,
  fileUniqueId: 'u',
  chatId: messageId === null ? null : channel,
  messageId,
})

/** A worker makes the name's video (again). */
async function made(
  name: string,
  revision: string,
  messageId: number | null,
  { owner = 'w', lost = false } = {},
): Promise<boolean> {
  const { db } = database
  const { id, generation } = await db.videoAsset.upsert({
    where: { template_name: { template: 't', name } },
    create: { template: 't', name, display: name },
    update: { status: 'PENDING', generation: { increment: 1 } },
  })
  const asset = await claim(db, { assetId: id, generation }, owner, 60_000)
  if (asset === undefined) throw new Error('not claimed')
  if (lost) await db.videoAsset.update({ where: { id }, data: { leaseOwner: 'other' } })
  const recorded = await markAvailable(db, asset, owner, 7n, { revision, templateRevision: 't' }, post(messageId))
  if (lost) await db.videoAsset.update({ where: { id }, data: { leaseOwner: null, leaseUntil: null } })
  return recorded
}
const left = async (name: string) => [
  (await formerPosts(database.db, [name])).map(({ messageId }) => messageId),
  (await formerRevisions(database.db, [name])).sort(),
]

it('a video that takes the place of another leaves its post and its file on record, and so does one that is removed', async () => {
  await made('a', 'r1', 1)
  expect(await left('a')).toEqual([[], []])
  await made('a', 'r2', 2)
  await made('b', 'r9', 9)
  expect(await left('a')).toEqual([[1], ['r1']])
  // Uploaded again, the same file.
  await made('a', 'r2', 3)
  expect(await left('a')).toEqual([[1, 2], ['r1']])
  await database.db.videoAsset.deleteMany({ where: { name: 'a' } })
  expect(await left('a')).toEqual([
    [1, 2, 3],
    ['r1', 'r2'],
  ])
  expect(await left('b')).toEqual([[], []])
  await postsAreGone(database.db, [
    { chatId: channel, messageId: 2 },
    { chatId: -5n, messageId: 1 },
  ])
  expect(await left('a')).toEqual([
    [1, 3],
    ['r1', 'r2'],
  ])
})

it('what is in use again is not left behind', async () => {
  await made('a', 'r1', 1)
  await made('a', 'r2', 2)
  await made('a', 'r1', 1)
  expect(await left('a')).toEqual([[2], ['r2']])
})

it('a worker that lost the asset changes nothing, and its post is known once it says so', async () => {
  await made('a', 'r1', 1)
  expect(await made('a', 'r2', 2, { lost: true })).toBe(false)
  expect(await left('a')).toEqual([[], []])
  await rememberPost(database.db, 'a', post(2))
  await rememberPost(database.db, 'a', post(2))
  await rememberPost(database.db, 'a', post(null))
  expect(await left('a')).toEqual([[2], []])
})

it('a video that went straight to a person leaves a file and no post', async () => {
  await made('a', 'r1', null)
  await made('a', 'r2', null)
  expect(await left('a')).toEqual([[], ['r1']])
})

it('former files count as uploaded; forgotten ones are for every host to remove, without a name, until they are purged', async () => {
  const { db } = database
  await made('a', 'r1', 1)
  await made('a', 'r2', 2)
  expect(await uploadedRevisions(db, ['r1', 'r2', 'r3'])).toEqual(new Set(['r1', 'r2']))
  expect(await forgottenFiles(db)).toEqual([])
  await forgetFiles(db, ['a'])
  expect(await formerRevisions(db, ['a'])).toEqual([])
  const [forgotten] = await forgottenFiles(db)
  expect(forgotten?.revision).toBe('r1')

  const folder = await mkdtemp(join(tmpdir(), 'greetings-former-'))
  try {
    for (const file of ['r1.mp4', 'r1.jpg', 'r2.mp4']) await writeFile(join(folder, file), 'x')
    const before = forgotten?.before ?? new Date(0)
    // Made anew after the name was forgotten: somebody asked for it again.
    await utimes(join(folder, 'r1.mp4'), new Date(), new Date(before.getTime() + 1_000))
    expect(await removeCached(folder, 'r1', before)).toBe(false)
    await utimes(join(folder, 'r1.mp4'), new Date(), new Date(before.getTime() - 1_000))
    expect(await removeCached(folder, 'r1', before)).toBe(true)
    expect(await readdir(folder)).toEqual(['r2.mp4'])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }

  await purgeForgottenFiles(db, 60_000)
  expect(await forgottenFiles(db)).toHaveLength(1)
  await purgeForgottenFiles(db, -60_000)
  expect(await forgottenFiles(db)).toEqual([])
  await made('a', 'r3', 3)
  await purgeForgottenFiles(db, -60_000)
  expect(await formerRevisions(db, ['a'])).toEqual(['r2'])
})
