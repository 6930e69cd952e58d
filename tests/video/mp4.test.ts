import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { isThumbnail, checkVideo } from '../../src/video/check.ts'
import { Mp4Fault, readMp4 } from '../../src/video/mp4.ts'
import { loadTemplates } from '../../src/video/load-templates.ts'
import type { Template } from '../../src/video/template.ts'
import { made, temporaryFolder, tinyTemplates } from './tiny.ts'

const folder = temporaryFolder()
const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=64x64:r=10:d=4']
const tone = ['-f', 'lavfi', '-i', 'sine=r=48000:d=4']
const h264 = [
  '-c:v',
  'libx264',
  '-profile:v',
  'high',
  '-level:v',
  '4.0',
  '-pix_fmt',
  'yuv420p',
  '-bf',
  '2',
  '-force_key_frames',
  '1,1.4',
]
const aac = ['-c:a', 'aac', '-ac', '2', '-ar', '48000']
const fast = ['-movflags', '+faststart']

let template: Template
let good: string
beforeAll(async () => {
  template = (await loadTemplates(tinyTemplates, ['tiny']))[0] as Template
  good = await made(join(folder, 'good.mp4'), ...picture, ...tone, ...h264, ...aac, ...fast)
})

describe('the reader of MP4 files', () => {
  test('tells what ffmpeg wrote', async () => {
    const { video, audio, ...file } = await readMp4(good)
    expect(file).toMatchObject({ fastStart: true, seconds: 4, bytes: readFileSync(good).length })
    expect(video).toMatchObject({
      codec: 'avc1',
      width: 64,
      height: 64,
      frames: 40,
      frameSeconds: 0.1,
      profile: 100,
      level: 40,
      chromaFormat: 1,
      bitDepth: 8,
      squarePixels: true,
      rotated: false,
    })
    expect(video?.seconds).toBeCloseTo(4)
    expect(video?.keyFrames).toEqual(expect.arrayContaining([0, 10, 14]))
    expect(audio).toMatchObject({ codec: 'mp4a', objectType: 2, sampleRate: 48_000, channels: 2 })
    expect(audio?.seconds).toBeCloseTo(4, 1)
  })

  test('takes no file that is cut short, wherever the cut is', async () => {
    const bytes = readFileSync(good)
    const file = join(folder, 'cut.mp4')
    for (let length = 0; length < bytes.length; length += Math.max(1, Math.floor(bytes.length / 60))) {
      writeFileSync(file, bytes.subarray(0, length))
      await expect(readMp4(file), `cut at ${length}`).rejects.toThrow(Mp4Fault)
    }
    writeFileSync(file, bytes)
    truncateSync(file, bytes.length - 1)
    await expect(readMp4(file)).rejects.toThrow(Mp4Fault)
  })

  test('fails in one way only on a damaged index', async () => {
    const bytes = readFileSync(good)
    const file = join(folder, 'damaged.mp4')
    let state = 1
    for (let round = 0; round < 300; round++) {
      const damaged = Buffer.from(bytes)
      for (let change = 0; change < 4; change++) {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
        damaged[state % 3_000] = state >>> 24
      }
      writeFileSync(file, damaged)
      await readMp4(file).catch((error: unknown) => expect(error).toBeInstanceOf(Mp4Fault))
    }
  })

  test('leaves other errors alone', async () => {
    await expect(readMp4(join(folder, 'nowhere.mp4'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('the gate', () => {
  test('lets a good file pass', async () => {
    expect(await checkVideo(good, template)).toEqual({ faults: [], tooLarge: false, bytes: readFileSync(good).length })
  })

  test.each<[string, string[], RegExp]>([
    ['a frame is missing', [...picture, ...tone, '-frames:v', '39', ...h264, ...aac, ...fast], /39 frames, not 40/],
    ['there is no sound', [...picture, ...h264, ...fast], /no sound/],
    ['there is no picture', [...tone, ...aac, ...fast], /no picture/],
    [
      'the sound is shorter',
      [...picture, '-f', 'lavfi', '-i', 'sine=r=48000:d=3', ...h264, ...aac, ...fast],
      /sound of 3\.\d+ s beside a picture of 4\.000 s/,
    ],
    ['the index is behind', [...picture, ...tone, ...h264, ...aac], /index behind the media/],
    ['it is MPEG-4', [...picture, ...tone, '-c:v', 'mpeg4', ...aac, ...fast], /picture is mp4v, not H\.264/],
    [
      'it is baseline',
      [...picture, ...tone, '-c:v', 'libx264', '-profile:v', 'baseline', '-pix_fmt', 'yuv420p', ...aac, ...fast],
      /profile 66, not High/,
    ],
    ['it is 4:4:4', [...picture, ...tone, '-c:v', 'libx264', '-pix_fmt', 'yuv444p', ...aac, ...fast], /not 4:2:0/],
    [
      'the level is too high',
      [
        ...picture,
        ...tone,
        '-c:v',
        'libx264',
        '-profile:v',
        'high',
        '-level:v',
        '5.1',
        '-pix_fmt',
        'yuv420p',
        ...aac,
        ...fast,
      ],
      /level 5\.1, above 4\.0/,
    ],
    [
      'pixels are not square',
      [...picture, ...tone, '-vf', 'setsar=4/3', ...h264, ...aac, ...fast],
      /pixels are not square/,
    ],
    ['it is MP3', [...picture, ...tone, ...h264, '-c:a', 'libmp3lame', ...fast], /sound is not AAC-LC/],
    [
      'it is another size',
      ['-f', 'lavfi', '-i', 'testsrc2=s=32x64:r=10:d=4', ...tone, ...h264, ...aac, ...fast],
      /32×64 pixels, not 64×64/,
    ],
    [
      'a seam is at no key frame',
      [
        ...picture,
        ...tone,
        '-c:v',
        'libx264',
        '-profile:v',
        'high',
        '-pix_fmt',
        'yuv420p',
        '-g',
        '100',
        ...aac,
        ...fast,
      ],
      /a seam is not at a key frame/,
    ],
    [
      'frames come at a varying rate',
      [
        ...picture,
        ...tone,
        '-vf',
        'setpts=PTS+0.03/TB*mod(N\\,2)',
        '-fps_mode',
        'vfr',
        '-enc_time_base',
        '1:1000',
        ...h264,
        ...aac,
        ...fast,
      ],
      /constant rate/,
    ],
  ])('stops a file when %s', async (name, options, fault) => {
    const file = await made(join(folder, `${name.replaceAll(' ', '-').replaceAll(':', '')}.mp4`), ...options)
    expect((await checkVideo(file, template)).faults.join('; ')).toMatch(fault)
  })

  test('stops a file of 10 MB', async () => {
    const file = join(folder, 'large.mp4')
    const padding = Buffer.alloc(10_000_000)
    padding.writeUInt32BE(padding.length, 0)
    padding.write('free', 4, 'latin1')
    writeFileSync(file, Buffer.concat([readFileSync(good), padding]))
    expect(await checkVideo(file, template)).toMatchObject({ tooLarge: true, faults: ['10.1 MB, not below 10'] })
  })

  test('stops what is no MP4 file', async () => {
    const file = join(folder, 'text.mp4')
    writeFileSync(file, 'no video at all, but some text')
    expect((await checkVideo(file, template)).faults).toEqual(['no whole MP4 file: the file ends inside a box'])
    closeSync(openSync(join(folder, 'empty.mp4'), 'w'))
    expect((await checkVideo(join(folder, 'empty.mp4'), template)).faults[0]).toMatch(/no whole MP4 file/)
  })
})

test('a thumbnail is a whole JPEG below 200 kB', async () => {
  const jpeg = await made(join(folder, 'thumbnail.jpg'), ...picture, '-frames:v', '1', '-update', '1')
  expect(await isThumbnail(jpeg)).toBe(true)
  truncateSync(jpeg, 400)
  expect(await isThumbnail(jpeg)).toBe(false)
  expect(await isThumbnail(join(folder, 'nowhere.jpg'))).toBe(false)
})

test('a thumbnail that begins and ends as it should is of a size that one can have', async () => {
  const file = join(folder, 'sized.jpg')
  const ofBytes = (bytes: number) => {
    const jpeg = Buffer.alloc(bytes)
    jpeg.writeUInt16BE(0xffd8, 0)
    jpeg.writeUInt16BE(0xffd9, bytes - 2)
    writeFileSync(file, jpeg)
    return isThumbnail(file)
  }
  const sizes = [4, 99, 100, 199_999, 200_000]
  const taken: number[] = []
  for (const bytes of sizes) if (await ofBytes(bytes)) taken.push(bytes)
  expect(taken).toEqual([100, 199_999])
})

test.runIf(existsSync('/proc/self/fd'))('a thumbnail that was looked at is not left open', async () => {
  const file = join(folder, 'closed.jpg')
  writeFileSync(file, 'no picture')
  const openHere = () =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === file
      } catch {
        return false
      }
    })
  for (let n = 0; n < 5; n++) expect(await isThumbnail(file)).toBe(false)
  expect(openHere()).toEqual([])
})
