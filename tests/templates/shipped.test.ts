import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findFfmpeg, type Ffmpeg } from '../../src/ffmpeg/find.ts'
import { runFfmpeg } from '../../src/ffmpeg/run.ts'
import { readMp4 } from '../../src/video/mp4.ts'
import { frameCount, type Template } from '../../src/video/template.ts'
import { listTemplateIds, loadTemplates } from '../../src/video/load-templates.ts'

let ffmpeg: Ffmpeg
let cacheFolder: string
beforeAll(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'greetings-shipped-'))
  ffmpeg = await findFfmpeg({ cacheFolder })
})
afterAll(() => rm(cacheFolder, { recursive: true, force: true }))

/** How many stereo samples at 44.1 kHz the file holds. */
async function countSamples(file: string): Promise<number> {
  const samples = new PassThrough()
  let bytes = 0
  samples.on('data', (part: Buffer) => {
    bytes += part.length
  })
  await runFfmpeg(ffmpeg, {
    inputs: [{ source: file }],
    options: ['-f', 's16le', '-c:a', 'pcm_s16le', '-ar', '44100', '-ac', '2'],
    output: samples,
  })
  return bytes / 4
}

describe('the templates that ship', async () => {
  const ids = await listTemplateIds()

  it('are one for Cyrillic and one for Latin names', async () => {
    const templates = await loadTemplates(undefined, ids)
    expect(templates.map(({ id, scripts }) => [id, scripts])).toEqual([
      ['new-year-en', ['Latin']],
      ['new-year-ru', ['Cyrillic']],
    ])
  })

  describe.each(ids)('%s', (id) => {
    let template: Template
    beforeAll(async () => {
      const [loaded] = await loadTemplates(undefined, [id])
      template = loaded as Template
    })

    it('has a clip of exactly the promised frames, size and colours, without sound', async () => {
      const { video, audio, bytes } = await readMp4(template.clipFile)
      expect(audio).toBeUndefined()
      expect(video).toMatchObject({
        codec: 'avc1',
        ...template.size,
        frames: frameCount(template),
        squarePixels: true,
        chromaFormat: 1,
        bitDepth: 8,
        rotated: false,
      })
      expect(video?.frameSeconds).toBeCloseTo(1 / template.fps, 9)
      // A repository carries it for ever.
      expect(bytes).toBeLessThan(20e6)
    })

    it('has music exactly as long as the clip', async () => {
      expect(await countSamples(template.musicFile)).toBe(template.seconds * 44_100)
    })
  })
})
