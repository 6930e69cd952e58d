/** Files that look like media and make ffmpeg open others: nothing of those may reach a video, which is public. */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { beforeAll, describe, expect, test } from 'vitest'
import { openRecordings, soundOf } from '../../src/speech/recordings.ts'
import { containerOf } from '../../src/ffmpeg/container.ts'
import { findFfmpeg, type Ffmpeg } from '../../src/ffmpeg/find.ts'
import { runFfmpeg } from '../../src/ffmpeg/run.ts'
import { readMp4 } from '../../src/video/mp4.ts'
import { loadTemplates } from '../../src/video/load-templates.ts'
import { changedTemplate, ffmpegOfTests, made, temporaryFolder } from './tiny.ts'

const folder = temporaryFolder()
const secret = join(folder, 'private', 'secret.mp4')

/** Each of these plays the secret when ffmpeg may guess what it is. */
const playlists: Record<string, () => string> = {
  'an HLS playlist': () =>
    `#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:4,\n${secret}\n#EXT-X-ENDLIST\n`,
  'a concat script': () => `ffconcat version 1.0\nfile 'private/secret.mp4'\n`,
  'a DASH manifest': () =>
    `<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT4S" minBufferTime="PT1S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1000" codecs="avc1.42c00b"><BaseURL>${secret}</BaseURL></Representation></AdaptationSet></Period></MPD>\n`,
  'an SDP description': () =>
    'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n',
}

beforeAll(async () => {
  mkdirSync(join(folder, 'private'))
  await made(
    secret,
    '-f',
    'lavfi',
    '-i',
    'testsrc2=s=64x64:r=10:d=4',
    '-f',
    'lavfi',
    '-i',
    'sine=d=4',
    '-pix_fmt',
    'yuv420p',
    '-movflags',
    '+faststart',
  )
})

/** What npm may bring: a build of 2024, and on other platforms one of 2018. */
async function builds(): Promise<[Ffmpeg, Ffmpeg]> {
  const path = join(folder, 'oldest')
  copyFileSync(join(import.meta.dirname, '..', '..', 'node_modules', '@ffmpeg-installer', 'linux-x64', 'ffmpeg'), path)
  chmodSync(path, 0o755)
  return [await ffmpegOfTests(), await findFfmpeg({ path, cacheFolder: folder })]
}

/** Boxes along a path rewritten, with the lengths of those around them. */
function rewritten(bytes: Buffer, path: string[], change: (content: Buffer) => Buffer): Buffer {
  const [next, ...rest] = path
  if (next === undefined) return change(bytes)
  const parts: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32BE(at)
    const content = bytes.subarray(at + 8, at + length)
    const box = bytes.toString('latin1', at + 4, at + 8) === next ? rewritten(content, rest, change) : content
    const header = Buffer.from(bytes.subarray(at, at + 8))
    header.writeUInt32BE(box.length + 8, 0)
    parts.push(header, box)
    at += length
  }
  return Buffer.concat(parts)
}

/** A movie without media of its own: a Macintosh alias says that they lie in another file. */
function referenceMovie(target: string): Buffer {
  const movie = readFileSync(target)
  const media = movie.indexOf('mdat') - 4
  const path = Buffer.from(target)
  const alias = Buffer.concat([
    Buffer.alloc(10),
    Buffer.alloc(28),
    Buffer.alloc(12),
    Buffer.alloc(64),
    Buffer.alloc(16),
    Buffer.alloc(4),
    Buffer.alloc(16),
    Buffer.from([0, 2, path.length >> 8, path.length & 255]),
    path,
    Buffer.alloc(path.length % 2),
    Buffer.from([255, 255, 0, 0]),
  ])
  const entry = Buffer.concat([Buffer.alloc(4), Buffer.from('alis'), Buffer.alloc(4), alias])
  entry.writeUInt32BE(entry.length, 0)
  const references = Buffer.concat([Buffer.from([0, 0, 0, 0, 0, 0, 0, 1]), entry])
  // The media are an empty box: ours never reads beyond the index, ffmpeg takes what the alias leads to.
  return rewritten(
    Buffer.concat([movie.subarray(0, media), Buffer.from([0, 0, 0, 8]), Buffer.from('mdat')]),
    ['moov', 'trak', 'mdia', 'minf', 'dinf', 'dref'],
    () => references,
  )
}

/** How many bytes of picture `runFfmpeg` makes of a file. */
async function decoded(ffmpeg: Ffmpeg, file: string): Promise<number> {
  let bytes = 0
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      done()
    },
  })
  await runFfmpeg(ffmpeg, { inputs: [{ source: file }], options: ['-map', '0:v:0', '-f', 'rawvideo'], output })
  return bytes
}

describe('the container of a file', () => {
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=64x64:r=10:d=1', '-pix_fmt', 'yuv420p']
  const tone = ['-f', 'lavfi', '-i', 'sine=d=1']
  test.each<[string, string, string[]]>([
    ['mov', 'a.mp4', picture],
    ['mov', 'a.mov', picture],
    ['mov', 'a.m4a', tone],
    ['matroska', 'a.mkv', picture],
    ['matroska', 'a.webm', [...picture, '-c:v', 'libvpx']],
    ['mpegts', 'a.ts', picture],
    ['wav', 'a.wav', tone],
    ['aiff', 'a.aiff', tone],
    ['flac', 'a.flac', tone],
    ['ogg', 'a.ogg', tone],
    ['ogg', 'a.opus', tone],
    ['aac', 'a.aac', tone],
    ['mp3', 'tagged.mp3', [...tone, '-metadata', 'title=x']],
    ['mp3', 'bare.mp3', [...tone, '-id3v2_version', '0', '-write_xing', '0']],
  ])('is %s for %s, and ffmpeg reads it as that', async (container, file, options) => {
    const path = await made(join(folder, file), ...options)
    expect(await containerOf(path)).toBe(container)
    await runFfmpeg(await ffmpegOfTests(), { inputs: [{ source: path }], options: ['-f', 'null'], output: '-' })
  })

  test('is told through an ID3 tag before it', async () => {
    const tag = Buffer.concat([Buffer.from('ID3\x04\x00\x00\x00\x00\x02\x00', 'latin1'), Buffer.alloc(256)])
    for (const [container, file] of [
      ['flac', 'a.flac'],
      ['aac', 'a.aac'],
    ] as const) {
      const path = join(folder, `tagged-${file}`)
      writeFileSync(path, Buffer.concat([tag, readFileSync(join(folder, file))]))
      expect(await containerOf(path)).toBe(container)
    }
  })

  test('is none for what is not read: text, pictures, other formats, a folder, a named pipe', async () => {
    for (const [file, content] of [
      ['empty.mp4', ''],
      ['text.mp4', 'Twelve letters and more'],
      ['a.avi', 'RIFF\x00\x00\x00\x00AVI LIST'],
      ['a.jpg', '\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01'],
      ['a.svg', '<svg xmlns="http://www.w3.org/2000/svg"/>'],
    ] as const) {
      writeFileSync(join(folder, file), content, 'latin1')
      expect(await containerOf(join(folder, file)), file).toBeUndefined()
    }
    execFileSync('mkfifo', [join(folder, 'pipe.wav')])
    expect(await containerOf(join(folder, 'pipe.wav'))).toBeUndefined()
    expect(await containerOf(folder)).toBeUndefined()
  })
})

describe.each(Object.keys(playlists))('%s', (kind) => {
  const content = () => playlists[kind]?.() ?? ''

  test('is opened by no run of ffmpeg', async () => {
    const file = join(folder, 'list.mp4')
    writeFileSync(file, content())
    await expect(decoded(await ffmpegOfTests(), file)).rejects.toMatchObject({
      name: 'FfmpegFailed',
      reason: 'input',
      message: expect.stringMatching(/^list\.mp4 is in no format that is read \(MP4, /) as string,
    })
  })

  test('called clip.mp4 or music.flac is a fault of the template', async () => {
    const templates = changedTemplate(() => undefined)
    for (const [key, file] of [
      ['clip', 'clip.mp4'],
      ['music', 'music.flac'],
    ] as const) {
      const whole = readFileSync(join(templates, 'tiny', file))
      writeFileSync(join(templates, 'tiny', file), content())
      await expect(loadTemplates(templates, ['tiny'])).rejects.toThrow(`${key}: ${file} is in no format that is read`)
      writeFileSync(join(templates, 'tiny', file), whole)
    }
  })

  test('called by a name is no recording', async () => {
    const recordings = join(folder, 'recordings', 'tiny')
    mkdirSync(recordings, { recursive: true })
    writeFileSync(join(recordings, 'Маша.wav'), content())
    const found = await openRecordings(join(folder, 'recordings')).find({ id: 'tiny', scripts: ['Cyrillic'] }, 'маша')
    if (found === undefined) throw new Error('no recording')
    await expect(soundOf(found, await ffmpegOfTests(), folder, new AbortController().signal)).rejects.toMatchObject({
      name: 'AssetFault',
      faultClass: 'voice',
    })
  })
})

test('ffmpeg left to itself would have played them', async () => {
  const [newest, oldest] = await builds()
  const file = join(folder, 'left-to-itself.mp4')
  const shown = ({ path }: Ffmpeg) =>
    spawnSync(path, ['-loglevel', 'error', '-i', file, '-f', 'rawvideo', '-'], { maxBuffer: 1e8 }).stdout.length
  writeFileSync(file, playlists['a concat script']?.() ?? '')
  for (const build of [newest, oldest]) expect(shown(build)).toBeGreaterThan(0)
  // The newer one looks at the ending before it believes in this.
  writeFileSync(file, playlists['an HLS playlist']?.() ?? '')
  expect(shown(oldest)).toBeGreaterThan(0)
})

test('a link out of the template’s folder is a fault of the template; one within it is none', async () => {
  const templates = changedTemplate((manifest) => {
    manifest.clip = 'linked.mp4'
    manifest.music = 'linked.flac'
  })
  symlinkSync(secret, join(templates, 'tiny', 'linked.mp4'))
  symlinkSync('music.flac', join(templates, 'tiny', 'linked.flac'))
  const error: unknown = await loadTemplates(templates, ['tiny']).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toMatchObject({
    faults: [expect.stringMatching(/: clip: linked\.mp4 is a link to a file outside the template's folder$/)],
  })
})

test('a link out of the folder of recordings is no recording, nor is a named pipe; a link within it is one', async () => {
  const recordings = join(folder, 'linked-recordings', 'tiny')
  mkdirSync(recordings, { recursive: true })
  copyFileSync(join(folder, 'a.wav'), join(recordings, 'Маша.wav'))
  symlinkSync('Маша.wav', join(recordings, 'Мария.wav'))
  symlinkSync(join(folder, 'a.wav'), join(recordings, 'Анна.wav'))
  execFileSync('mkfifo', [join(recordings, 'Вера.wav')])
  const { byKey, faults } = await openRecordings(join(folder, 'linked-recordings')).list({
    id: 'tiny',
    scripts: ['Cyrillic'],
  })
  expect([...byKey.keys()]).toEqual(['мария', 'маша'])
  expect(faults).toEqual(
    ['Анна.wav', 'Вера.wav'].map(
      (file) => `${file}: is no ordinary file, or a link to one outside the folder of recordings`,
    ),
  )
})

describe('a reference movie', () => {
  const file = join(folder, 'reference.mov')
  beforeAll(() => writeFileSync(file, referenceMovie(secret)))
  test('shows the other file when ffmpeg is asked to follow it, and not when it is not', async () => {
    for (const { path } of await builds()) {
      const shown = (...options: string[]) =>
        spawnSync(path, ['-loglevel', 'error', ...options, '-i', file, '-f', 'rawvideo', '-'], { maxBuffer: 1e8 })
          .stdout.length
      expect(shown('-enable_drefs', '1', '-use_absolute_path', '1')).toBeGreaterThan(0)
      expect(shown()).toBe(0)
    }
  })

  test('shows nothing in any run of ours', async () => {
    for (const ffmpeg of await builds()) expect(await decoded(ffmpeg, file).catch(() => 0)).toBe(0)
  })

  test('is no clip', async () => {
    await expect(readMp4(file)).rejects.toThrow('its media lie in another file')
  })
})
