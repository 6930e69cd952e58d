import { setMaxListeners } from 'node:events'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { claim, markAvailable } from '../../src/greetings/assets.ts'
import { Outage } from '../../src/errors.ts'
import { listen } from '../../src/events.ts'
import { reconcile } from '../../src/greetings/reconcile.ts'
import { request } from '../../src/greetings/request.ts'
import { deliver, uploadToSubscriber } from '../../src/telegram/delivery.ts'
import { channelKey } from '../../src/telegram/flood.ts'
import { postOf, uploadToStorage, type VideoFile } from '../../src/telegram/storage.ts'
import { makeClip, type Clip } from '../environment/clip.ts'
import { ask, openTestEnvironment, person, until, type TestEnvironment } from '../environment/test-environment.ts'

let town: TestEnvironment
let clip: Clip
let video: VideoFile
const never = new AbortController().signal
setMaxListeners(0, never)

beforeAll(async () => {
  town = await openTestEnvironment({ channels: 2 })
  clip = await makeClip(town.folder)
  video = clip
})
afterAll(() => town.close())
beforeEach(async () => {
  await town.db.userRequest.deleteMany()
  await town.db.videoAsset.deleteMany()
  await town.db.floodBucket.deleteMany()
  await town.telegram.clearCalls()
})
afterEach(() => town.telegram.release())

/** An asset that people wait for, held by this test as its worker. */
async function asked(name: string, people: number[]) {
  await town.telegram.sayAll(people.map((userId) => ({ userId, text: '/start' })))
  for (const id of people) await request(town.door, [ask(name)], person(id))
  const { id: assetId, generation } = await town.db.videoAsset.findFirstOrThrow({ where: { name: ask(name).key } })
  const asset = await claim(town.db, { assetId, generation }, 'test', 60_000)
  if (asset === undefined) throw new Error('could not claim')
  return asset
}

async function made(name: string, people: number[]) {
  const asset = await asked(name, people)
  const post = await uploadToStorage(town.storage, video, { signal: never, isWanted: () => true })
  await markAvailable(town.db, asset, 'test', town.botId, { revision: 'r', templateRevision: 't' }, post)
  return asset.id
}

const videosOf = async (userId: number) =>
  (await town.telegram.messages(userId)).filter((message) => message.video !== undefined).length
const states = async () =>
  Object.fromEntries((await town.db.userRequest.findMany()).map(({ userId, status }) => [Number(userId), status]))

describe('delivery', () => {
  it('sends to everyone who waits, in the order of asking, and marks each', async () => {
    const people = Array.from({ length: 45 }, (_, n) => 100 + n)
    const assetId = await made('Маша', people)
    expect(await deliver(town.delivery, assetId, never)).toBe(45)
    const sent = (await town.telegram.calls({ method: 'sendVideo', upload: 'file_id' })).map(
      ({ chatId }) => chatId ?? 0,
    )
    expect(new Set(sent).size).toBe(45)
    // Within a batch the sends run at the same time; batches follow each other.
    const batches = [sent.slice(0, 20), sent.slice(20, 40), sent.slice(40)]
    expect(batches.map((batch) => [...batch].sort())).toEqual([
      people.slice(0, 20),
      people.slice(20, 40),
      people.slice(40),
    ])
    expect(new Set(Object.values(await states()))).toEqual(new Set(['COMPLETED']))
  })

  it('property 7: two who deliver at the same time send to each person once', async () => {
    const people = Array.from({ length: 60 }, (_, n) => 200 + n)
    const assetId = await made('Маша', people)
    await Promise.all([
      deliver(town.delivery, assetId, never),
      deliver(town.delivery, assetId, never),
      deliver(town.delivery, assetId, never),
    ])
    expect((await town.telegram.counts()).succeeded.sendVideo).toBe(61)
  })

  it('property 7: interrupted anywhere, it goes on with the rest', async () => {
    const people = Array.from({ length: 60 }, (_, n) => 300 + n)
    const assetId = await made('Маша', people)
    const hold = await town.telegram.fault({
      method: 'sendVideo',
      upload: 'file_id',
      skip: 23,
      answer: { kind: 'hold' },
    })
    const stop = new AbortController()
    setMaxListeners(0, stop.signal)
    const first = deliver(town.delivery, assetId, stop.signal)
    await town.telegram.waitForHeld(hold.id, 10)
    stop.abort(new Error('stopped'))
    await expect(first).rejects.toThrow()
    await town.telegram.release()
    await until(async () => {
      await deliver(town.delivery, assetId, never)
      return (await town.db.userRequest.count({ where: { status: 'PENDING' } })) === 0
    }, 'the rest')
    for (const id of people) expect(await videosOf(id)).toBeGreaterThanOrEqual(1)
    expect(Object.values(await states()).every((status) => status === 'COMPLETED')).toBe(true)
  })

  it('property 7: an answer that was lost means the video is sent again, not forgotten', async () => {
    const assetId = await made('Маша', [400, 401])
    await town.telegram.fault({ method: 'sendVideo', chatId: 400, answer: { kind: 'drop-after' } })
    await deliver(town.delivery, assetId, never)
    expect(await states()).toEqual({ 400: 'PENDING', 401: 'COMPLETED' })
    await until(async () => (await deliver(town.delivery, assetId, never)) > 0, 'the second delivery')
    expect(await states()).toEqual({ 400: 'COMPLETED', 401: 'COMPLETED' })
    expect(await videosOf(400)).toBe(2)
    expect(await videosOf(401)).toBe(1)
  })

  it('property 8: one who blocked the bot or left fails alone', async () => {
    const asset = await made('Маша', [500, 501, 502, 503])
    await town.telegram.block(501)
    await town.telegram.deleteUser(502)
    await deliver(town.delivery, asset, never)
    expect(await states()).toEqual({ 500: 'COMPLETED', 501: 'FAILED', 502: 'FAILED', 503: 'COMPLETED' })
  })

  it('property 8: without a storage channel the upload goes to the first who can be reached', async () => {
    const asset = await asked('Маша', [510, 511, 512])
    await town.telegram.block(510)
    const upload = await uploadToSubscriber(town.delivery, asset, video, never)
    await upload?.delivered()
    expect(await states()).toEqual({ 510: 'FAILED', 511: 'COMPLETED', 512: 'PENDING' })
    if (upload === undefined) throw new Error('nobody was reached')
    await markAvailable(town.db, asset, 'test', town.botId, { revision: 'r', templateRevision: 't' }, upload.post)
    await deliver(town.delivery, asset.id, never)
    expect(await states()).toMatchObject({ 512: 'COMPLETED' })
    const { fileUniqueId } = upload.post
    expect((await town.telegram.messages(512)).some((message) => message.video?.file_unique_id === fileUniqueId)).toBe(
      true,
    )
  })

  it('property 11: without a storage channel one chat that rests holds up neither the worker nor the others', async () => {
    const asset = await asked('Яна', [420, 421, 422])
    await town.telegram.fault({
      method: 'sendVideo',
      chatId: 420,
      times: 0,
      answer: { kind: 'flood', retryAfter: 3_000 },
    })
    await town.telegram.fault({
      method: 'sendVideo',
      chatId: 421,
      answer: { kind: 'refuse', code: 400, description: 'Bad Request: VOICE_MESSAGES_FORBIDDEN' },
    })
    const upload = () => uploadToSubscriber(town.delivery, asset, video, never)
    await expect(upload()).rejects.toMatchObject({ name: 'NotNow', delayMs: town.times.outageMs })
    await (await upload())?.delivered()
    expect([await videosOf(420), await videosOf(421), await videosOf(422)]).toEqual([0, 0, 1])
    expect(await states()).toEqual({ 420: 'PENDING', 421: 'FAILED', 422: 'COMPLETED' })
  })

  it('property 8: without a storage channel, whoever somebody else has claimed, or who rests, is waited for', async () => {
    const asset = await asked('Яна', [436])
    const upload = () => uploadToSubscriber(town.delivery, asset, video, never)
    await town.db.userRequest.updateMany({ data: { claimOwner: 'dead', claimUntil: new Date(Date.now() + 60_000) } })
    await expect(upload()).rejects.toMatchObject({ name: 'NotNow', delayMs: town.times.outageMs })
    await town.db.userRequest.updateMany({ data: { claimOwner: null, claimUntil: new Date(Date.now() - 1) } })
    await town.telegram.fault({ method: 'sendVideo', chatId: 436, answer: { kind: 'flood', retryAfter: 100 } })
    await expect(upload()).rejects.toMatchObject({ name: 'NotNow' })
    // Its rest is known to everybody now.
    expect(await town.db.floodBucket.findUnique({ where: { key: 'chat:436' } })).toMatchObject({
      restUntil: expect.any(Date) as Date,
    })
    await expect(upload()).rejects.toMatchObject({ name: 'NotNow' })
    expect(await states()).toEqual({ 436: 'PENDING' })
    const done = await until(() => upload().catch(() => undefined), 'the upload')
    await done.delivered()
    expect((await town.telegram.counts()).early).toBe(0)
    expect(await states()).toEqual({ 436: 'COMPLETED' })
    expect(await upload()).toBeUndefined()
  })

  it('who wakes up after their claim was taken over gives nothing back that is not theirs', async () => {
    const asset = await asked('Яна', [435])
    const hold = await town.telegram.fault({ method: 'sendVideo', answer: { kind: 'hold' } })
    const stop = new AbortController()
    const frozen = uploadToSubscriber(town.delivery, asset, video, stop.signal).catch((error: unknown) => error)
    await town.telegram.waitForHeld(hold.id)
    const claimUntil = new Date(Date.now() + 60_000)
    await town.db.userRequest.updateMany({ data: { claimOwner: 'another', claimUntil } })
    stop.abort(new Error('the lease was lost'))
    await frozen
    expect(await town.db.userRequest.findFirstOrThrow()).toMatchObject({
      claimOwner: 'another',
      claimUntil,
      status: 'PENDING',
    })
  })

  it('property 11: without a storage channel a file that is too large is the asset’s own fault', async () => {
    const asset = await asked('Яна', [425])
    await town.telegram.fault({
      method: 'sendVideo',
      answer: { kind: 'refuse', code: 413, description: 'Request Entity Too Large' },
    })
    await expect(uploadToSubscriber(town.delivery, asset, video, never)).rejects.toMatchObject({
      name: 'AssetFault',
      faultClass: 'too_large',
    })
    expect(await states()).toEqual({ 425: 'PENDING' })
  })

  it('property 7: a database that is away for a moment makes no second video', async () => {
    const assetId = await made('Маша', [430])
    let away = 3
    const db = new Proxy(town.db, {
      get(target, key) {
        if (key !== '$queryRaw') return Reflect.get(target, key) as unknown
        return (parts: TemplateStringsArray, ...values: unknown[]) =>
          parts.join('').includes(`SET status = 'COMPLETED'`) && away-- > 0
            ? Promise.reject(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }))
            : target.$queryRaw(parts, ...values)
      },
    })
    expect(await deliver({ ...town.delivery, db }, assetId, never)).toBe(1)
    expect(away).toBeLessThan(0)
    expect([await videosOf(430), await states()]).toEqual([1, { 430: 'COMPLETED' }])
  })

  it('property 8: when nobody who waits can be reached there is nowhere to upload to', async () => {
    const asset = await asked('Маша', [520])
    await town.telegram.block(520)
    expect(await uploadToSubscriber(town.delivery, asset, video, never)).toBeUndefined()
    expect(await states()).toEqual({ 520: 'FAILED' })
  })

  it('a 429 is obeyed: nobody sends in bulk before it is over, and everyone is served after it', async () => {
    const people = Array.from({ length: 30 }, (_, n) => 600 + n)
    const assetId = await made('Маша', people)
    await town.telegram.fault({
      method: 'sendVideo',
      upload: 'file_id',
      skip: 25,
      answer: { kind: 'flood', retryAfter: 20 },
    })
    await until(async () => {
      await deliver(town.delivery, assetId, never)
      return (await town.db.userRequest.count({ where: { status: 'PENDING' } })) === 0
    }, 'all deliveries')
    expect(Object.values(await states()).every((status) => status === 'COMPLETED')).toBe(true)
    expect((await town.telegram.counts()).succeeded.sendVideo).toBe(31)
    // Sends that were on their way when the flood began do not count as ignoring it.
    expect((await town.telegram.counts()).early).toBeLessThanOrEqual(4)
  })

  it('a group that became a supergroup is followed', async () => {
    const assetId = await made('Маша', [700])
    await town.telegram.fault({
      method: 'sendVideo',
      chatId: 700,
      answer: {
        kind: 'refuse',
        code: 400,
        description: 'Bad Request: group chat was upgraded to a supergroup chat',
        parameters: { migrate_to_chat_id: 701 },
      },
    })
    await town.telegram.say({ userId: 701, text: '/start' })
    await deliver(town.delivery, assetId, never)
    expect(await videosOf(701)).toBe(1)
    expect(await states()).toEqual({ 700: 'COMPLETED' })
  })

  it.each([
    'wrong file identifier/HTTP URL specified',
    'wrong remote file identifier specified: Wrong string length',
    'invalid remote file identifier',
    "can't use file of type Photo as Video",
  ])(
    'property 10: a refused file_id (%s) is healed from the stored post, and the person gets the video',
    async (wording) => {
      const assetId = await made('Маша', [800])
      const before = await town.db.videoAsset.findUniqueOrThrow({ where: { id: assetId } })
      await town.telegram.fault({
        method: 'sendVideo',
        upload: 'file_id',
        answer: { kind: 'refuse', code: 400, description: `Bad Request: ${wording}` },
      })
      const had = await videosOf(800)
      await deliver(town.delivery, assetId, never)
      expect(await videosOf(800)).toBe(had + 1)
      const after = await town.db.videoAsset.findUniqueOrThrow({ where: { id: assetId } })
      expect(after.telegramFileId).not.toBe(before.telegramFileId)
      expect(after).toMatchObject({ telegramFileUniqueId: before.telegramFileUniqueId, status: 'AVAILABLE' })
      // The copy in the channel is removed again.
      expect((await town.telegram.calls({ method: 'deleteMessage' })).length).toBe(1)
    },
  )

  it('property 10: without its stored post the asset becomes work again and its people keep waiting', async () => {
    const assetId = await made('Маша', [810])
    await town.db.videoAsset.update({ where: { id: assetId }, data: { storageMessageId: null } })
    await town.telegram.forgetFileIds()
    await deliver(town.delivery, assetId, never)
    expect(await town.db.videoAsset.findUniqueOrThrow({ where: { id: assetId } })).toMatchObject({
      status: 'PENDING',
      generation: 2,
      telegramFileId: null,
    })
    expect(await states()).toEqual({ 810: 'PENDING' })
  })

  it('property 11: an outage of Telegram ends a delivery without losing anybody', async () => {
    const assetId = await made('Маша', [900, 901])
    await town.telegram.fault({ method: 'sendVideo', upload: 'file_id', times: 2, answer: { kind: 'html', code: 502 } })
    await expect(deliver(town.delivery, assetId, never)).rejects.toBeInstanceOf(Outage)
    expect(await states()).toEqual({ 900: 'PENDING', 901: 'PENDING' })
    await until(
      async () =>
        (
          await reconcile({ db: town.db, queue: town.queue, botId: town.botId, times: town.times })
        )?.undelivered.includes(assetId),
      'the reconciler noticing them',
    )
    await until(async () => {
      await deliver(town.delivery, assetId, never)
      return (await town.db.userRequest.count({ where: { status: 'PENDING' } })) === 0
    }, 'the delivery')
    expect(await states()).toEqual({ 900: 'COMPLETED', 901: 'COMPLETED' })
  })

  it('property 11: of a failed asset its people are told, and only then their requests are FAILED', async () => {
    const asset = await asked('Маша', [910, 911])
    await town.db.videoAsset.update({
      where: { id: asset.id },
      data: { status: 'FAILED', leaseOwner: null, retryAfter: new Date(Date.now() + 3_600_000) },
    })
    await town.telegram.fault({ method: 'sendMessage', chatId: 911, answer: { kind: 'drop-before' } })
    await deliver(town.delivery, asset.id, never).catch(() => undefined)
    expect(await states()).toMatchObject({ 910: 'FAILED' })
    const told = (await town.telegram.messages(910)).at(-1)
    expect(told?.text).toContain('не получилось')
    await until(async () => {
      await deliver(town.delivery, asset.id, never).catch(() => undefined)
      return (await states())[911] === 'FAILED'
    }, 'the second person being told')
    expect((await town.telegram.messages(911)).some((message) => message.text?.includes('не получилось'))).toBe(true)
  })
})

describe('the storage channel', () => {
  it('takes the video with its size, length and thumbnail, without a caption', async () => {
    const post = await uploadToStorage(town.storage, video, { signal: never, isWanted: () => false })
    const [call] = await town.telegram.calls({ method: 'sendVideo' })
    expect(call).toMatchObject({ thumbnail: 'taken', upload: 'multipart' })
    expect(call?.parameters).toMatchObject({ width: '64', height: '64', duration: '1', supports_streaming: 'true' })
    expect(call?.parameters.caption).toBeUndefined()
    expect(post.messageId).toBeGreaterThan(0)
  })

  it('in a flood the other channel goes on', async () => {
    const [first, second] = town.storage.chatIds
    await town.telegram.fault({ method: 'sendVideo', chatId: first, answer: { kind: 'flood', retryAfter: 3_000 } })
    const posts = []
    for (let n = 0; n < 4; n++)
      posts.push(await uploadToStorage(town.storage, video, { signal: never, isWanted: () => false }))
    expect(
      posts.map(({ chatId }) => String(chatId)).filter((chatId) => chatId === second).length,
    ).toBeGreaterThanOrEqual(3)
    expect((await town.telegram.counts()).early).toBe(0)
  })

  it('property 11: all channels in a long flood are an outage, with the time until it is over', async () => {
    await town.telegram.fault({ method: 'sendVideo', times: 2, answer: { kind: 'flood', retryAfter: 10_000 } })
    const error = await uploadToStorage(town.storage, video, { signal: never, isWanted: () => false }).catch(
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ name: 'Outage', step: 'telegram' })
    expect((error as Outage).retryAfterMs).toBeGreaterThan(100_000)
  })

  it('an upload that is aborted ends with the reason of whoever aborted it', async () => {
    const stop = new AbortController()
    const reason = new Error('the worker stops')
    const hold = await town.telegram.fault({ method: 'sendVideo', answer: { kind: 'hold' } })
    const upload = uploadToStorage(town.storage, video, { signal: stop.signal, isWanted: () => false })
    const failed = expect(upload).rejects.toBe(reason)
    await town.telegram.waitForHeld(hold.id)
    stop.abort(reason)
    await failed
  })

  it('tells of each upload how many there were at a time', async () => {
    const parallel: number[] = []
    const deaf = listen((event) => void (event.what === 'sent' && parallel.push(event.parallel)))
    await uploadToStorage(town.storage, video, { signal: never, isWanted: () => false })
    deaf()
    expect(parallel).toEqual([1])
  })

  it('a minute that is full is no outage: the post waits for room', async () => {
    // As if five had been posted to each channel a moment from now: room is a little more than a minute away.
    const keys = town.storage.chatIds.map(channelKey)
    await town.db
      .$executeRaw`INSERT INTO "FloodBucket" (key, posts) SELECT key, array_fill(now() + interval '0.1 s', ARRAY[5]) FROM unnest(${keys}::text[]) AS key`
    const post = await uploadToStorage({ ...town.storage, ratePerMinute: 5 }, video, {
      signal: never,
      isWanted: () => true,
    })
    expect(post.fileId).not.toBe('')
  })

  it('property 3: an upload whose answer was lost is repeated', async () => {
    await town.telegram.fault({ method: 'sendVideo', answer: { kind: 'drop-after' } })
    const post = await uploadToStorage(town.storage, video, { signal: never, isWanted: () => false })
    expect(post.fileId).not.toBe('')
    expect((await town.telegram.calls({ method: 'sendVideo' })).length).toBe(2)
  })

  it('a channel the bot was thrown out of is left alone; without any, storage is out of order', async () => {
    const [first, second] = town.storage.chatIds
    await town.telegram.setMember({ chatId: Number(first), status: 'kicked' })
    for (let n = 0; n < 3; n++)
      expect(String((await uploadToStorage(town.storage, video, { signal: never, isWanted: () => true })).chatId)).toBe(
        second,
      )
    await town.telegram.setMember({ chatId: Number(second), status: 'member' })
    const error = await uploadToStorage(town.storage, video, { signal: never, isWanted: () => true }).catch(
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ name: 'Outage', step: 'storage' })
    for (const chatId of town.storage.chatIds)
      await town.telegram.setMember({ chatId: Number(chatId), status: 'administrator', can_post_messages: true })
  })

  it('what Telegram takes as something other than a video is a fault of the file', () => {
    expect(() =>
      postOf({ message_id: 1, date: 0, chat: { id: 1, type: 'channel', title: '' }, animation: {} } as never, 1n),
    ).toThrow(/as a video/)
  })
})
