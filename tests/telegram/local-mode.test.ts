/** Uploads to a Bot API server in local mode: it is told where a file lies and reads it itself. */
import { copyFile, mkdir, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { claim } from '../../src/greetings/assets.ts'
import { request } from '../../src/greetings/request.ts'
import { sandboxControl, type SandboxControl } from '../../src/sandbox/client.ts'
import { startSandboxServer, type SandboxServer } from '../../src/sandbox/server.ts'
import { connectTelegram, type Api } from '../../src/telegram/api.ts'
import { uploadToSubscriber, type DeliveryDeps } from '../../src/telegram/delivery.ts'
import { uploadToStorage, type Storage, type VideoFile } from '../../src/telegram/storage.ts'
import { makeClip } from '../environment/clip.ts'
import { ask, openTestEnvironment, person, quietLog, type TestEnvironment } from '../environment/test-environment.ts'

const never = new AbortController().signal
const notWanted = { signal: never, isWanted: () => false }

let town: TestEnvironment
let server: SandboxServer
let telegram: SandboxControl
let api: Api
let storage: Storage
let delivery: DeliveryDeps
let video: VideoFile

beforeAll(async () => {
  town = await openTestEnvironment()
  // All that an address has to encode, or may not.
  const folder = join(town.folder, 'с Новым годом, 100%41 #1?')
  await mkdir(folder)
  video = await makeClip(folder)
  server = await startSandboxServer({ folder: join(town.folder, 'local server'), timeDivisor: 50, local: true })
  telegram = sandboxControl(server.url)
  const bot = await telegram.registerBot()
  const channelId = await telegram.createChannel({ title: 'storage', admins: [bot.id] })
  api = connectTelegram({ token: bot.token, apiRoot: server.url, local: true, times: town.times })
  storage = {
    db: town.db,
    api,
    chatIds: [String(channelId)],
    leftOut: new Map(),
    ratePerMinute: 60_000,
    times: town.times,
    log: quietLog,
  }
  delivery = { db: town.db, api, queue: town.queue, botId: BigInt(bot.id), times: town.times, log: quietLog }
})
afterAll(async () => {
  await server.close()
  await town.close()
})
beforeEach(async () => {
  await telegram.clearCalls()
  await town.db.floodBucket.deleteMany()
})

describe('a server in local mode', () => {
  it('gets the path of video and thumbnail and none of their bytes; the id it answers with can be sent', async () => {
    const post = await uploadToStorage(storage, video, notWanted)
    await telegram.say({ userId: 5, text: '/start' })
    const sent = await api.sendVideo(5, post.fileId)
    expect(sent.video).toMatchObject({
      file_unique_id: post.fileUniqueId,
      width: 64,
      height: 64,
      thumbnail: { width: 64 },
    })
    const [uploaded, again] = await telegram.calls({ method: 'sendVideo' })
    expect(uploaded).toMatchObject({
      upload: 'path',
      thumbnail: 'taken',
      status: 200,
      uploadBytes: sent.video?.file_size,
    })
    expect(uploaded?.parameters).toMatchObject({
      video: pathToFileURL(video.path).href,
      thumbnail: pathToFileURL(video.thumbnailPath).href,
      width: 64,
    })
    expect(uploaded?.bodyBytes).toBeLessThan(1_500)
    expect(uploaded?.uploadBytes).toBeGreaterThan(3_000)
    expect(again).toMatchObject({ upload: 'file_id' })
    expect((await telegram.counts()).uploads).toBe(1)
  })

  it('gets the path of what goes to a person too', async () => {
    await telegram.say({ userId: 77, text: '/start' })
    await request(town.door, [ask('Маша')], person(77))
    const { id: assetId, generation } = await town.db.videoAsset.findFirstOrThrow()
    const asset = await claim(town.db, { assetId, generation }, 'test', 60_000)
    if (asset === undefined) throw new Error('could not claim')
    const uploaded = await uploadToSubscriber(delivery, asset, video, never)
    expect(uploaded?.post.fileId).toBeTruthy()
    expect(
      (await telegram.calls({ method: 'sendVideo' })).map(({ upload, bodyBytes }) => [upload, bodyBytes < 1_500]),
    ).toEqual([['path', true]])
  })

  it('may take as long as the size of the file needs', async () => {
    const hold = await telegram.fault({ method: 'sendVideo', answer: { kind: 'hold' } })
    const times = { ...town.times, answerMs: 50, uploadAnswerMs: 20_000 }
    const patient = connectTelegram({ token: town.token, apiRoot: server.url, local: true, times })
    await telegram.registerBot({ token: town.token })
    await telegram.setMember({
      chatId: Number(storage.chatIds[0]),
      botId: Number(town.botId),
      status: 'administrator',
      can_post_messages: true,
    })
    const post = uploadToStorage({ ...storage, api: patient }, video, notWanted)
    await telegram.waitForHeld(hold.id)
    // A call without a file is given up long before.
    await telegram.fault({ method: 'getMe', answer: { kind: 'silence' } })
    await expect(patient.getMe()).rejects.toMatchObject({ kind: 'unknown_outcome', description: 'no answer in time' })
    await telegram.release()
    expect((await post).fileId).toBeTruthy()
    expect((await telegram.calls({ method: 'sendVideo' })).length).toBe(1)
  })

  it('a file it does not see is no fault of the video: an outage that says what to do', async () => {
    const gone = { ...video, path: join(town.folder, 'nowhere', 'video.mp4') }
    const error: unknown = await uploadToStorage(storage, gone, notWanted).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ name: 'Outage', step: 'storage' })
    expect((error as Error).message).toMatch(/can't find real file path.*--local.*same path.*TELEGRAM_API_LOCAL/)
    expect(await telegram.calls({ method: 'sendVideo' })).toMatchObject([{ upload: 'path', status: 400 }])
  })

  it('takes what is above 50 MB; above 2,000 MB the file is too large', async () => {
    const large = join(town.folder, 'large.mp4')
    // Empty space behind the last box, which takes no room on the disk.
    await copyFile(video.path, large)
    await truncate(large, 51 * 1024 * 1024)
    expect((await api.sendDocument(storage.chatIds[0] ?? '', pathToFileURL(large).href)).document).toMatchObject({
      file_size: 51 * 1024 * 1024,
    })
    await truncate(large, 2_000 * 1024 * 1024 + 1)
    await expect(uploadToStorage(storage, { ...video, path: large }, notWanted)).rejects.toMatchObject({
      name: 'AssetFault',
      faultClass: 'too_large',
    })
    await rm(large)
  })

  it('a thumbnail it does not see is left out, as Telegram does', async () => {
    await uploadToStorage(storage, { ...video, thumbnailPath: join(town.folder, 'nowhere.jpg') }, notWanted)
    expect(await telegram.calls({ method: 'sendVideo' })).toMatchObject([{ status: 200, thumbnail: 'ignored' }])
  })

  it('an address is read as the server itself reads it', async () => {
    const chat = storage.chatIds[0] ?? ''
    const file = join(town.folder, 'a b+c.txt')
    await writeFile(file, 'text')
    const { href } = pathToFileURL(file)
    for (const good of [href, href.replace('file://', 'file://localhost')])
      expect((await api.sendDocument(chat, good)).document).toMatchObject({ file_name: 'a b+c.txt', file_size: 4 })
    // One slash makes a relative path of it; a folder is no file.
    await expect(api.sendDocument(chat, href.replace('file:///', 'file:/'))).rejects.toMatchObject({
      kind: 'file_unseen',
    })
    await expect(api.sendDocument(chat, pathToFileURL(town.folder).href)).rejects.toMatchObject({
      kind: 'file_unseen',
      description: 'Bad Request: file must be a regular file',
    })
  })
})

describe('a server that is not in local mode', () => {
  it('refuses an address; that is an outage too', async () => {
    const wrong = connectTelegram({ token: town.token, apiRoot: town.server.url, local: true, times: town.times })
    const error: unknown = await uploadToStorage({ ...town.storage, api: wrong }, video, notWanted).catch(
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ name: 'Outage', step: 'storage' })
    expect((error as Error).message).toMatch(/invalid file HTTP URL specified: Unsupported URL protocol.*--local/)
    expect((await town.telegram.counts()).uploads).toBe(0)
  })

  it('gets the bytes when local mode is not asked for', async () => {
    await uploadToStorage(town.storage, video, notWanted)
    const [call] = await town.telegram.calls({ method: 'sendVideo', ok: true })
    expect(call?.upload).toBe('multipart')
    expect(call?.bodyBytes).toBeGreaterThan(call?.uploadBytes ?? Infinity)
  })
})
