import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Api, InputFile } from 'grammy'
import { describe, expect, it } from 'vitest'
import {
  token,
  otherToken,
  botId,
  otherBotId,
  clips,
  folder,
  server,
  sandbox,
  api,
  refusal,
  raw,
  channel,
  upload,
  useServer,
} from '../test-server.ts'

useServer()

describe('files', () => {
  it('takes a video with its thumbnail and sends it again by file_id', async () => {
    const id = await channel()
    await sandbox.say({ userId: 5, text: '/start' })
    const posted = await upload(id)
    expect(posted.video).toMatchObject({
      width: 720,
      height: 1280,
      duration: 18,
      mime_type: 'video/mp4',
      file_name: 'greeting.mp4',
      thumbnail: { width: 64, height: 96 },
    })
    const sent = await api.sendVideo(5, posted.video?.file_id ?? '', { caption: 'С Новым годом!' })
    expect(sent).toMatchObject({
      caption: 'С Новым годом!',
      video: { file_unique_id: posted.video?.file_unique_id, width: 720, thumbnail: {} },
    })
    expect(sent.video?.file_id).not.toBe(posted.video?.file_id)
    expect(await api.sendVideo(5, sent.video?.file_id ?? '')).toMatchObject({ video: { duration: 18 } })
    const again = await upload(id)
    expect(again.video?.file_unique_id).toBe(posted.video?.file_unique_id)
    expect(await sandbox.calls({ method: 'sendVideo' })).toMatchObject([
      { upload: 'multipart', chatId: id, thumbnail: 'taken', status: 200 },
      { upload: 'file_id', chatId: 5, fileUniqueId: posted.video?.file_unique_id },
      { upload: 'file_id' },
      { upload: 'multipart' },
    ])
    expect(await sandbox.counts()).toMatchObject({ uploads: 2, succeeded: { sendVideo: 4 } })
  })

  it('counts a thumbnail only when it comes as a file and is a small JPEG', async () => {
    const id = await channel()
    const posted = await api.sendVideo(id, new InputFile(clips.video, 'a.mp4'), {
      thumbnail: new InputFile(Buffer.from('no picture'), 'a.jpg'),
    })
    expect(posted.video?.thumbnail).toBeUndefined()
    expect(posted.video).toMatchObject({ width: 64, height: 96, duration: 2 })
    const first = await upload(id)
    const form = { chat_id: id, video: first.video?.file_id, thumbnail: first.video?.thumbnail?.file_id }
    await raw(`/bot${token}/sendVideo`, {
      method: 'POST',
      body: JSON.stringify(form),
      headers: { 'content-type': 'application/json' },
    })
    expect((await sandbox.calls({ method: 'sendVideo' })).map((call) => call.thumbnail)).toEqual([
      'ignored',
      'taken',
      undefined,
    ])
  })

  it('sends a cover again by its id', async () => {
    const id = await channel()
    const first = await api.sendVideo(id, new InputFile(clips.video, 'a.mp4'), {
      cover: new InputFile(clips.picture, 'c.jpg'),
    })
    expect(first.video?.cover).toMatchObject([{ width: 64, height: 96 }])
    const second = await api.sendVideo(id, first.video?.file_id ?? '', { cover: first.video?.cover?.[0]?.file_id })
    expect(second.video?.cover?.[0]?.file_unique_id).toBe(first.video?.cover?.[0]?.file_unique_id)
  })

  it('answers an mp4 without sound as animation and anything else as document', async () => {
    const id = await channel()
    const silent = (await api.sendVideo(id, new InputFile(clips.silent, 'a.mp4'))) as object
    expect(silent).not.toHaveProperty('video')
    expect(silent).toMatchObject({ animation: { width: 64, height: 96 }, document: { mime_type: 'video/mp4' } })
    const other = (await api.sendVideo(id, new InputFile(Buffer.from('not a video'), 'a.mp4'))) as object
    expect(other).not.toHaveProperty('video')
    expect(other).toMatchObject({ document: { file_name: 'a.mp4', file_size: 11 } })
    expect(await refusal(api.sendVideo(id, new InputFile(Buffer.alloc(0), 'a.mp4')))).toMatchObject({
      description: 'Bad Request: file must be non-empty',
    })
  })

  it("refuses another bot's file_id, nonsense, pictures and forgotten ids", async () => {
    const id = await channel()
    const posted = await upload(id)
    await sandbox.registerBot({ token: otherToken, username: 'other_bot' })
    await sandbox.setMember({ chatId: id, botId: otherBotId, status: 'administrator' })
    const other = new Api(otherToken, { apiRoot: server.url })
    const wrong = { code: 400, description: 'Bad Request: wrong file identifier/HTTP URL specified' }
    expect(await refusal(other.sendVideo(id, posted.video?.file_id ?? ''))).toMatchObject(wrong)
    expect(await refusal(api.sendVideo(id, 'nonsense'))).toMatchObject(wrong)
    expect(await refusal(api.sendVideo(id, posted.video?.thumbnail?.file_id ?? ''))).toMatchObject({
      code: 400,
      description: "Bad Request: can't use file of type Thumbnail as Video",
    })
    expect(await refusal(api.getFile('nonsense'))).toMatchObject({ description: 'Bad Request: invalid file_id' })
    expect(await refusal(other.getFile(posted.video?.file_id ?? ''))).toMatchObject({
      description: 'Bad Request: wrong file_id or the file is temporarily unavailable',
    })
    // Forwarding gives the other bot an id of its own.
    const forwarded = await other.forwardMessage(id, id, posted.message_id)
    expect(
      await other.sendVideo(id, (forwarded as { video?: { file_id: string } }).video?.file_id ?? ''),
    ).toMatchObject({ video: { file_unique_id: posted.video?.file_unique_id } })

    await sandbox.forgetFileIds(botId)
    expect(await refusal(api.sendVideo(id, posted.video?.file_id ?? ''))).toMatchObject(wrong)
    const healed = (await api.forwardMessage(id, id, posted.message_id)) as {
      video?: { file_id: string }
      message_id: number
    }
    expect(await api.sendVideo(id, healed.video?.file_id ?? '')).toMatchObject({ video: {} })
    await api.deleteMessage(id, healed.message_id)
    expect(await refusal(api.forwardMessage(id, id, healed.message_id))).toMatchObject({
      description: 'Bad Request: message to forward not found',
    })
  })

  it('gives a file back, byte by byte', async () => {
    const posted = await upload(await channel())
    const file = await api.getFile(posted.video?.file_id ?? '')
    expect(file).toMatchObject({
      file_unique_id: posted.video?.file_unique_id,
      file_path: expect.stringMatching(/^videos\//) as unknown,
    })
    const response = await fetch(`${server.url}/file/bot${token}/${file.file_path}`)
    const bytes = Buffer.from(await response.arrayBuffer())
    expect(bytes.length).toBe(posted.video?.file_size)
    expect(bytes.equals(await sandbox.fileContent(posted.video?.file_unique_id ?? ''))).toBe(true)
    const part = await fetch(`${server.url}/sandbox/files/${posted.video?.file_unique_id}`, {
      headers: { range: 'bytes=4-7' },
    })
    expect([part.status, await part.text()]).toEqual([206, 'ftyp'])
  })

  it('tells the bot of a document that a person sends, and gives it back', async () => {
    const words = { userId: 6, fileName: 'names.csv', mimeType: 'text/csv', content: 'имя\nМаша\n' }
    await sandbox.sendDocument({ ...words, caption: '/warm' })
    await sandbox.say({ userId: 6, text: '/warm', replyTo: 1 })
    const [first, second] = await api.getUpdates()
    expect(first?.message).toMatchObject({
      chat: { id: 6, type: 'private' },
      caption: '/warm',
      caption_entities: [{ type: 'bot_command', offset: 0, length: 5 }],
      document: { file_name: 'names.csv', mime_type: 'text/csv', file_size: 16 },
    })
    expect(second?.message).toMatchObject({ reply_to_message: { document: { file_name: 'names.csv' } } })
    const { file_path: path } = await api.getFile(first?.message?.document?.file_id ?? '')
    expect(path).toMatch(/^documents\//)
    expect(await (await fetch(`${server.url}/file/bot${token}/${path}`)).text()).toBe('имя\nМаша\n')
    for (const wrong of [{ content: '' }, { fileName: '../names.csv' }, { caption: 'я'.repeat(1_025) }])
      await expect(sandbox.sendDocument({ ...words, ...wrong })).rejects.toThrow('sandbox:')
  })

  it('tells the bot of a photo, a voice message and a contact that a person sends', async () => {
    const photo = await readFile(clips.picture)
    await sandbox.sendDocument({ userId: 6, kind: 'photo', fileName: 'a.jpg', content: photo, caption: 'Маша' })
    await sandbox.sendDocument({ userId: 6, kind: 'voice', fileName: 'a.ogg', mimeType: 'audio/ogg', content: 'OggS' })
    await sandbox.shareContact({ userId: 6, contact: { phoneNumber: '+7 900', firstName: 'Петя' } })
    const told = (await api.getUpdates()).map(({ message }) => message)
    expect(told).toMatchObject([
      { caption: 'Маша', photo: [{ width: 64, height: 96, file_size: photo.length }] },
      { voice: { mime_type: 'audio/ogg', file_size: 4 } },
      { contact: { phone_number: '+7 900', first_name: 'Петя' } },
    ])
    const photoId = told[0]?.photo?.[0]?.file_id ?? ''
    expect((await refusal(api.sendVideo(6, photoId))).description).toContain("can't use file of type Photo as Video")
    const noJpeg = { userId: 6, kind: 'photo', fileName: 'a.jpg', content: 'GIF89a' } as const
    await expect(sandbox.sendDocument(noJpeg)).rejects.toThrow('a photo must be a JPEG')
  })

  it('refuses a caption of more than 1,024 and a file of more than 50 MB', async () => {
    const id = await channel()
    expect(
      await refusal(api.sendVideo(id, new InputFile(clips.video, 'a.mp4'), { caption: 'я'.repeat(1_025) })),
    ).toMatchObject({ code: 400, description: 'Bad Request: message caption is too long' })
    const large = join(folder, 'large.bin')
    await writeFile(large, Buffer.alloc(50 * 1024 * 1024 + 1))
    expect(await refusal(api.sendVideo(id, new InputFile(large, 'a.mp4')))).toMatchObject({
      code: 413,
      description: 'Request Entity Too Large',
    })
    expect(await sandbox.messages(id)).toEqual([])
  })

  it('copies with another caption and gives only an id', async () => {
    const id = await channel()
    await sandbox.say({ userId: 5, text: '/start' })
    const posted = await upload(id)
    expect(await api.copyMessage(5, id, posted.message_id, { caption: 'для тебя' })).toEqual({ message_id: 2 })
    expect(await sandbox.messages(5)).toMatchObject([
      {},
      { caption: 'для тебя', video: { file_unique_id: posted.video?.file_unique_id } },
    ])
    const kept = await api.sendMessage(id, 'secret', { protect_content: true })
    expect(await refusal(api.forwardMessage(5, id, kept.message_id))).toMatchObject({
      description: "Bad Request: message can't be forwarded",
    })
  })
})
