import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkVideo } from '../../src/video/check.ts'
import { openRenderer } from '../../src/video/renderer.ts'
import type { Renderer } from '../../src/video/renderer.ts'
import type { Video } from '../../src/video/render-cache.ts'
import type { Template } from '../../src/video/template.ts'
import { bundledVoice, ffmpegOfTests, frameHashes, loudnessOf, temporaryFolder } from './tiny.ts'

const folder = temporaryFolder()

describe.each([
  ['new-year-ru', 'Маша', 'Владислав Владиславович'],
  ['new-year-en', 'Zoë', 'Wolfeschlegelsteinhausen'],
])('the template %s', (id, short, long) => {
  let renderer: Renderer
  let template: Template
  const videos: Video[] = []
  beforeAll(async () => {
    renderer = await openRenderer({
      rendersFolder: `${folder}/renders`,
      cacheFolder: `${folder}/cache`,
      templateIds: [id],
      voice: bundledVoice,
    })
    template = renderer.templates[0] as Template
    for (const display of [short, long])
      videos.push(
        await renderer.make(
          template,
          { key: display.toLowerCase(), display, say: null },
          { signal: new AbortController().signal },
        ),
      )
  }, 280_000)
  afterAll(() => renderer.close())

  test('makes files of a few megabytes that pass the gate', async () => {
    for (const video of videos) {
      expect(await checkVideo(video.path, template)).toMatchObject({ faults: [] })
      expect(video.bytes).toBeLessThan(6_000_000)
      expect(statSync(video.thumbnailPath).size).toBeLessThan(200_000)
    }
  })

  test('is at -16 LUFS, with true peaks below -1 dB', async () => {
    for (const { path } of videos) {
      const { integrated, peak } = await loudnessOf(path)
      expect(Math.abs(integrated + 16)).toBeLessThan(0.8)
      expect(peak).toBeLessThan(-1)
    }
  })

  test('shows the same frames outside its windows, whatever the name', async () => {
    const [first, second] = [await frameHashes(videos[0]?.path ?? ''), await frameHashes(videos[1]?.path ?? '')]
    expect(first).toHaveLength(template.seconds * template.fps)
    const inWindow = (frame: number) =>
      template.windows.some(({ from, to }) => frame >= from * template.fps && frame < to * template.fps)
    expect(first.every((hash, frame) => hash === second[frame] || inWindow(frame))).toBe(true)
    expect(first.filter((hash, frame) => hash !== second[frame]).length).toBeGreaterThan(60)
  })

  test('is close to its clip on both sides of each seam', async () => {
    const { path } = await ffmpegOfTests()
    const text = execFileSync(
      path,
      [
        '-hide_banner',
        '-nostats',
        '-i',
        videos[0]?.path ?? '',
        '-i',
        template.clipFile,
        '-filter_complex',
        '[0:v][1:v]psnr=stats_file=-',
        '-f',
        'null',
        '-',
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    )
    const quality = text
      .trim()
      .split('\n')
      .map((line) => Number(/psnr_avg:(\S+)/.exec(line)?.[1]?.replace('inf', '99')))
    for (const { from, to } of template.windows) {
      for (const frame of [from * template.fps - 1, from * template.fps, to * template.fps - 1, to * template.fps])
        expect(quality[frame], `frame ${frame}`).toBeGreaterThan(36)
    }
  })
})
