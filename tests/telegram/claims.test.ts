/** Claims on requests, and file ids that Telegram refuses. */
import { setMaxListeners } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ClaimedAsset } from '../../src/greetings/assets.ts'
import { deliver, sendDirectly, uploadToSubscriber } from '../../src/telegram/delivery.ts'
import { repairFileId } from '../../src/telegram/file-ids.ts'
import { waitingFor } from '../../src/greetings/requests.ts'
import { bulkKey, channelKey, chatKey } from '../../src/telegram/flood.ts'
import { uploadToStorage } from '../../src/telegram/storage.ts'
import { makeClip, type Clip } from '../environment/clip.ts'
import { openTestEnvironment, person, type TestEnvironment } from '../environment/test-environment.ts'

const never = new AbortController().signal
setMaxListeners(0, never)

let town: TestEnvironment
let clip: Clip
/** a video that lies in the storage channel */
let post: { fileId: string; chatId: bigint | null; messageId: number | null }
beforeAll(async () => {
  town = await openTestEnvironment()
  clip = await makeClip(town.folder)
  post = await uploadToStorage(town.storage, clip, { signal: never, isWanted: () => true })
})
afterAll(() => town.close())
beforeEach(async () => {
  await town.db.$executeRaw`TRUNCATE "VideoAsset", "UserRequest", "SoundReport", "User", "FloodBucket"`
  await town.telegram.clearCalls()
})
afterEach(() => town.telegram.release())

let people = 3_000
const [past, future] = [() => new Date(Date.now() - 60_000), () => new Date(Date.now() + 60_000)]
type Fields = Partial<Parameters<TestEnvironment['db']['videoAsset']['create']>[0]['data']>
const create = (fields: Fields = {}) =>
  town.db.videoAsset.create({
    data: {
      template: 'tiny',
      name: `name ${people++}`,
      display: 'Маша',
      generation: 5,
      status: 'AVAILABLE',
      telegramFileId: post.fileId,
      telegramFileUniqueId: 'u',
      telegramBotId: town.botId,
      storageChatId: post.chatId,
      storageMessageId: post.messageId,
      ...fields,
    },
  })
const rowOf = (id: string) => town.db.videoAsset.findUniqueOrThrow({ where: { id } })

/** Somebody whose request is in this state. */
async function asked(
  assetId: string,
  fields: {
    status?: 'COMPLETED'
    claimOwner?: string | null
    claimUntil?: Date | null
    createdAt?: Date
    noteMessageId?: number
  } = {},
) {
  const id = people++
  await town.telegram.say({ userId: id, text: '/start' })
  await town.db.user.create({ data: { id } })
  return town.db.userRequest.create({
    data: {
      userId: id,
      assetId,
      chatId: id,
      language: 'ru',
      botId: town.botId,
      updateId: person(id).updateId,
      ...fields,
    },
  })
}
type Asked = Awaited<ReturnType<typeof asked>>
const requestOf = ({ id }: Asked) => town.db.userRequest.findUniqueOrThrow({ where: { id } })
const videosOf = async ({ chatId }: Asked) =>
  (await town.telegram.messages(Number(chatId))).filter(({ video }) => video !== undefined).length
const sends = async () => (await town.telegram.calls({ method: 'sendVideo' })).length
const refuseVideo = (code: number, description: string, one?: Asked) =>
  town.telegram.fault({
    method: 'sendVideo',
    ...(one === undefined ? {} : { chatId: Number(one.chatId) }),
    answer: { kind: 'refuse', code, description },
  })

describe('property 7: a direct answer', () => {
  const direct = (one: Asked, { assetId, claimedAt }: { assetId: string; claimedAt: number }) =>
    sendDirectly(
      town.delivery,
      { id: one.id, chatId: one.chatId, language: 'ru', noteMessageId: null, wroteE: false, claimOwner: 'door' },
      { id: assetId, display: 'Маша', fileId: post.fileId },
      { claimedAt, signal: never },
    )
  const longAgo = () => Date.now() - town.times.claimMs

  it('whose claim ran out, so that somebody else has the request, is not sent', async () => {
    const { id } = await create()
    const taken = await asked(id, { claimOwner: 'a worker', claimUntil: future() })
    await direct(taken, { assetId: id, claimedAt: longAgo() })
    expect(await sends()).toBe(0)
    expect(await requestOf(taken)).toEqual(taken)
  })

  it('whose request was served meanwhile is not sent', async () => {
    const { id } = await create()
    const served = await asked(id, { status: 'COMPLETED', claimOwner: 'door', claimUntil: past() })
    await direct(served, { assetId: id, claimedAt: longAgo() })
    expect(await sends()).toBe(0)
    expect(await requestOf(served)).toEqual(served)
  })

  it('that comes late under a claim of its own renews it, alone, and is sent', async () => {
    const { id } = await create()
    const [late, other] = [
      await asked(id, { claimOwner: 'door', claimUntil: past() }),
      await asked(id, { claimOwner: 'door', claimUntil: past() }),
    ]
    const hold = await town.telegram.fault({ method: 'sendVideo', answer: { kind: 'hold' } })
    const sending = direct(late, { assetId: id, claimedAt: longAgo() })
    await town.telegram.waitForHeld(hold.id)
    expect((await requestOf(late)).claimUntil?.getTime()).toBeGreaterThan(Date.now())
    expect(await requestOf(other)).toEqual(other)
    await town.telegram.release()
    await sending
    expect(await requestOf(late)).toMatchObject({ status: 'COMPLETED', claimOwner: null, claimUntil: null })
    expect([await videosOf(late), await videosOf(other)]).toEqual([1, 0])
  })
})

describe('property 7: a delivery', () => {
  it('takes what waits and whose claim ran out, and nothing that somebody has or that is served', async () => {
    const [asset, another] = [await create(), await create()]
    const [waits, left] = [await asked(asset.id), await asked(asset.id, { claimOwner: 'dead', claimUntil: past() })]
    const others = [
      await asked(asset.id, { claimOwner: 'alive', claimUntil: future() }),
      await asked(asset.id, { status: 'COMPLETED' }),
      await asked(another.id),
    ]
    expect(await deliver(town.delivery, asset.id, never)).toBe(2)
    for (const one of [waits, left])
      expect(await requestOf(one)).toMatchObject({
        status: 'COMPLETED',
        claimOwner: null,
        claimUntil: null,
        errorText: null,
      })
    expect((await requestOf(waits)).finishedAt).not.toBeNull()
    for (const one of others) expect(await requestOf(one)).toEqual(one)
    expect(await sends()).toBe(2)
  })

  it('counts those who could be served now, and of a crowd no more than can be told apart', async () => {
    const { id } = await create()
    await asked(id)
    await asked(id, { claimOwner: 'dead', claimUntil: past() })
    await asked(id, { claimOwner: 'alive', claimUntil: future() })
    await asked(id, { status: 'COMPLETED' })
    expect(await waitingFor(town.db, id)).toBe(2)
    await town.db.$executeRaw`INSERT INTO "User" (id) SELECT 90000 + n FROM generate_series(1, 1200) AS n`
    await town.db.$executeRaw`
      INSERT INTO "UserRequest" ("userId", "assetId", "chatId", language, "botId", "updateId")
      SELECT 90000 + n, ${id}, 90000 + n, 'ru', ${town.botId}, 90000 + n FROM generate_series(1, 1200) AS n`
    expect(await waitingFor(town.db, id)).toBe(1_000)
  })

  it('property 10: of a video of another bot, or of what is not made, serves nobody', async () => {
    for (const asset of [
      await create({ telegramBotId: town.botId + 1n }),
      await create({ telegramFileId: null }),
      await create({ telegramFileId: null, status: 'GENERATING' }),
    ]) {
      const waits = await asked(asset.id)
      expect(await deliver(town.delivery, asset.id, never)).toBe(0)
      expect(await requestOf(waits)).toEqual(waits)
    }
    expect(await deliver(town.delivery, 'no such asset', never)).toBe(0)
  })

  it('takes the note away with the video, and without one removes nothing', async () => {
    const { id } = await create()
    const noted = await asked(id)
    const note = await town.api.sendMessage(String(noted.chatId), 'being made')
    await town.db.userRequest.update({ where: { id: noted.id }, data: { noteMessageId: note.message_id } })
    await asked(id)
    await deliver(town.delivery, id, never)
    expect((await town.telegram.messages(Number(noted.chatId))).map(({ message_id }) => message_id)).not.toContain(
      note.message_id,
    )
    expect((await town.telegram.calls({ method: 'deleteMessage' })).length).toBe(1)
  })

  it('property 8: of whoever may not be written to gives them up, with the reason, and nobody else', async () => {
    const { id } = await create()
    const [gone, other] = [await asked(id), await asked(id)]
    await refuseVideo(403, 'Forbidden: something new', gone)
    await deliver(town.delivery, id, never)
    expect(await requestOf(gone)).toMatchObject({
      status: 'FAILED',
      errorText: 'Forbidden: something new',
      claimOwner: null,
      claimUntil: null,
    })
    expect((await requestOf(gone)).finishedAt).not.toBeNull()
    expect((await requestOf(other)).status).toBe('COMPLETED')
  })

  it('what Telegram refuses for good is told to the person, who is then done with', async () => {
    const { id } = await create()
    const one = await asked(id)
    await refuseVideo(400, 'Bad Request: VOICE_MESSAGES_FORBIDDEN', one)
    await deliver(town.delivery, id, never)
    expect((await requestOf(one)).status).toBe('FAILED')
    expect((await town.telegram.messages(Number(one.chatId))).at(-1)?.text).toContain('не получилось')
  })

  it('a flood gives the request back for as long as it lasts; two of them rest all that is sent in bulk', async () => {
    const { id } = await create()
    const [one, other] = [await asked(id), await asked(id)]
    for (const { chatId } of [one, other])
      await town.telegram.fault({
        method: 'sendVideo',
        chatId: Number(chatId),
        answer: { kind: 'flood', retryAfter: 1_000 },
      })
    await deliver(town.delivery, id, never)
    for (const each of [one, other]) {
      const row = await requestOf(each)
      expect(row).toMatchObject({ status: 'PENDING', claimOwner: null })
      expect(row.claimUntil?.getTime()).toBeGreaterThan(Date.now() + 500 * town.times.telegramSecondMs)
    }
    const resting = await town.db.floodBucket.findMany({ where: { restUntil: { gt: new Date() } } })
    expect(resting.map(({ key }) => key).sort()).toEqual([bulkKey, chatKey(one.chatId), chatKey(other.chatId)].sort())
  })

  it('property 11: a refused token and a server’s fault are outages, and the request is free for the next', async () => {
    const { id } = await create()
    const one = await asked(id)
    await refuseVideo(401, 'Unauthorized', one)
    await expect(deliver(town.delivery, id, never)).rejects.toMatchObject({ name: 'Outage', step: 'token' })
    const refused = await requestOf(one)
    expect(refused).toMatchObject({ status: 'PENDING', claimOwner: null })
    expect(refused.claimUntil?.getTime()).toBeLessThan(Date.now() + 1_000)
    await refuseVideo(500, 'Internal Server Error', one)
    await expect(deliver(town.delivery, id, never)).rejects.toMatchObject({ name: 'Outage', step: 'telegram' })
    expect(await requestOf(one)).toMatchObject({ status: 'PENDING', claimOwner: null })
  })

  it('the news of a failure reaches those who can be reached, and costs no outage where they cannot', async () => {
    const { id } = await create({
      status: 'FAILED',
      telegramFileId: null,
      retryAfter: new Date(Date.now() + 3_600_000),
    })
    const [told, gone, slow] = [await asked(id), await asked(id), await asked(id)]
    await town.telegram.block(Number(gone.chatId))
    await town.telegram.fault({
      method: 'sendMessage',
      chatId: Number(slow.chatId),
      answer: { kind: 'flood', retryAfter: 1_000 },
    })
    await deliver(town.delivery, id, never)
    expect([await requestOf(told), await requestOf(gone), await requestOf(slow)]).toMatchObject([
      { status: 'FAILED', errorText: 'told that the video could not be made' },
      { status: 'FAILED' },
      { status: 'PENDING', claimOwner: null },
    ])
    expect(
      await town.db.floodBucket.count({ where: { key: chatKey(slow.chatId), restUntil: { gt: new Date() } } }),
    ).toBe(1)
    expect((await town.telegram.messages(Number(told.chatId))).at(-1)?.text).toContain('через час')
  })
})

describe('property 10: a file_id that Telegram refuses', () => {
  it('is not replaced by itself: then the video is made again', async () => {
    const asset = await create({ attempts: 2, queuedAt: past(), retryAfter: future() })
    const api = new Proxy(town.api, {
      get: (target, key) =>
        key !== 'forwardMessage'
          ? (Reflect.get(target, key) as unknown)
          : async (...to: Parameters<typeof town.api.forwardMessage>) => {
              const copy = await target.forwardMessage(...to)
              return { ...copy, video: { ...('video' in copy ? copy.video : {}), file_id: post.fileId } }
            },
    })
    expect(await repairFileId({ ...town.delivery, api }, asset.id, post.fileId)).toBe('remaking')
    expect(await rowOf(asset.id)).toMatchObject({
      status: 'PENDING',
      generation: 6,
      telegramFileId: null,
      telegramFileUniqueId: null,
      attempts: 0,
      retryAfter: null,
    })
    expect(await town.queue.missing('people', [{ assetId: asset.id, generation: 6 }])).toEqual([])
  })

  it('is replaced from the stored post, whose copy goes again', async () => {
    const [asset, other] = [await create(), await create({ telegramFileId: 'other' })]
    const repair = await repairFileId(town.delivery, asset.id, post.fileId)
    expect(repair).toEqual({ fileId: (await rowOf(asset.id)).telegramFileId })
    expect(repair).not.toEqual({ fileId: post.fileId })
    expect((await town.telegram.calls({ method: 'deleteMessage' })).length).toBe(1)
    expect(await rowOf(other.id)).toEqual(other)
  })

  it('that was healed by somebody else is taken from there', async () => {
    const asset = await create({ telegramFileId: 'healed' })
    expect(await repairFileId(town.delivery, asset.id, 'dead')).toEqual({ fileId: 'healed' })
    expect(await rowOf(asset.id)).toEqual(asset)
    expect(await repairFileId(town.delivery, 'no such asset', 'dead')).toBe('remaking')
    const without = await create({ telegramFileId: null, status: 'PENDING' })
    expect(await repairFileId(town.delivery, without.id, 'dead')).toBe('remaking')
  })

  it('waits when Telegram cannot be asked, and lets the channel rest in a flood', async () => {
    const asset = await create()
    await town.telegram.fault({ method: 'forwardMessage', answer: { kind: 'flood', retryAfter: 1_000 } })
    expect(await repairFileId(town.delivery, asset.id, post.fileId)).toBe('later')
    expect(await rowOf(asset.id)).toEqual(asset)
    expect(
      await town.db.floodBucket.count({
        where: { key: channelKey(String(post.chatId)), restUntil: { gt: new Date() } },
      }),
    ).toBe(1)
  })

  it('of what nobody waits for is made again behind people; of what is in hand changes no generation', async () => {
    const [asset, inHand] = [
      await create({ storageMessageId: null }),
      await create({ storageMessageId: null, status: 'GENERATING', leaseOwner: 'worker', leaseUntil: future() }),
    ]
    expect(await repairFileId(town.delivery, asset.id, post.fileId, 'warm')).toBe('remaking')
    expect(await town.queue.missing('warm', [{ assetId: asset.id, generation: 6 }])).toEqual([])
    expect(await repairFileId(town.delivery, inHand.id, post.fileId)).toBe('remaking')
    expect(await rowOf(inHand.id)).toMatchObject({
      status: 'GENERATING',
      generation: 5,
      telegramFileId: null,
      leaseOwner: 'worker',
    })
  })
})

describe('without a storage channel', () => {
  const claimed = ({ id, name }: { id: string; name: string }): ClaimedAsset => ({
    id,
    name,
    generation: 5,
    template: 'tiny',
    display: 'Маша',
    say: null,
    attempts: 0,
    revision: null,
    fileId: null,
    botId: null,
  })

  it('property 3: an upload whose answer was lost is counted, and its person stays first in line', async () => {
    const asset = await create({ status: 'GENERATING', telegramFileId: null })
    const first = await asked(asset.id, { createdAt: past() })
    const second = await asked(asset.id)
    const repeated = async () => (await town.db.installation.findUniqueOrThrow({ where: { id: 1 } })).repeatedUploads
    const before = await repeated()
    await town.telegram.fault({ method: 'sendVideo', chatId: Number(first.chatId), answer: { kind: 'drop-after' } })
    await expect(uploadToSubscriber(town.delivery, claimed(asset), clip, never)).rejects.toMatchObject({
      name: 'Outage',
      step: 'telegram',
    })
    expect(await repeated()).toBe(before + 1)
    expect(await requestOf(first)).toMatchObject({ status: 'PENDING', claimOwner: null })
    await (await uploadToSubscriber(town.delivery, claimed(asset), clip, never))?.delivered()
    expect([await requestOf(first), await requestOf(second)]).toMatchObject([
      { status: 'COMPLETED' },
      { status: 'PENDING' },
    ])
  })
})
