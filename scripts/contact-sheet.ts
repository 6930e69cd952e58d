/**
 * Renders greetings and puts frames of them side by side, for the README and for whoever changes a template:
 *
 *   npm run contact-sheet
 *
 * docs/pictures/greeting.jpg: four moments; new-year-<ru|en>.jpg: a frame a second; names.jpg: short and long names, in
 * the middle of the window.
 */
import { createCanvas, loadImage, type Image } from '@napi-rs/canvas'
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { templatesFolder } from '../src/installation.ts'
import { parseName } from '../src/names/name.ts'
import { findFfmpeg } from '../src/ffmpeg/find.ts'
import { openRenderer } from '../src/video/renderer.ts'
import { type Video } from '../src/video/render-cache.ts'

const pictures = join(import.meta.dirname, '..', 'docs', 'pictures')
const voice = {
  engine: 'espeak',
  voice: undefined,
  url: undefined,
  apiKey: undefined,
  model: undefined,
  piperPath: undefined,
  piperModel: undefined,
} as const
const names: Record<string, string[]> = {
  'new-year-ru': [
    'Ия',
    'Маша',
    'Ёлка',
    'Щербаківна',
    'Анна-Мария',
    'Владислав Владиславович',
    'Джалантахчандрачапала',
    'Александрина-Виктория Елизавета-Катерина',
  ],
  'new-year-en': [
    'Zoë',
    "O'Connor",
    'Łucja',
    'Şerife',
    'Mary Ann',
    'Maximiliana-Alexandrina',
    'Wolfeschlegelsteinhausenberger',
    'Emma',
  ],
}

const folder = await mkdtemp(join(tmpdir(), 'greetings-sheet-'))
try {
  const { path: ffmpeg } = await findFfmpeg({ cacheFolder: folder })
  const renderer = await openRenderer({
    rendersFolder: join(folder, 'renders'),
    cacheFolder: join(folder, 'cache'),
    templatesFolder,
    templateIds: Object.keys(names),
    voice,
  })
  const signal = new AbortController().signal
  const videos = new Map<string, Video>()
  for (const template of renderer.templates) {
    for (const text of names[template.id] ?? []) {
      const parsed = parseName(text)
      if (!parsed.ok) throw new Error(`${text}: ${parsed.reason}`)
      videos.set(text, await renderer.make(template, { ...parsed.name, say: null }, { signal }))
    }
  }
  await renderer.close()

  const frame = async (text: string, seconds: number): Promise<Image> => {
    const file = join(folder, 'frame.png')
    execFileSync(ffmpeg, [
      '-loglevel',
      'error',
      '-y',
      '-ss',
      String(seconds),
      '-i',
      videos.get(text)?.path ?? '',
      '-frames:v',
      '1',
      file,
    ])
    return loadImage(file)
  }
  const moments = async (text: string, all: number[]) => {
    const images: Image[] = []
    for (const seconds of all) images.push(await frame(text, seconds))
    return images
  }
  await sheet('greeting.jpg', await moments('Маша', [5.6, 10.6, 14.2, 18]), 4, { width: 300, height: 533 })
  for (const [file, text] of [
    ['new-year-ru.jpg', 'Маша'],
    ['new-year-en.jpg', 'Emma'],
  ] as const) {
    await sheet(
      file,
      await moments(
        text,
        Array.from({ length: 20 }, (_, second) => second + 0.5),
      ),
      10,
      { width: 150, height: 267 },
    )
  }
  const window = { x: 40, y: 400, width: 640, height: 400 }
  const shown: Image[] = []
  for (const text of Object.values(names).flat()) shown.push(await frame(text, 10.8))
  await sheet('names.jpg', shown, 4, { width: 300, height: 188 }, window)
} finally {
  await rm(folder, { recursive: true, force: true })
}

/** Pictures in rows, each of `size` pixels; of each only `part` when given. */
async function sheet(
  file: string,
  images: Image[],
  columns: number,
  size: { width: number; height: number },
  part?: { x: number; y: number; width: number; height: number },
): Promise<void> {
  const gap = 6
  const rows = Math.ceil(images.length / columns)
  const canvas = createCanvas(columns * (size.width + gap) - gap, rows * (size.height + gap) - gap)
  const context = canvas.getContext('2d')
  context.fillStyle = '#0b1030'
  context.fillRect(0, 0, canvas.width, canvas.height)
  images.forEach((image, index) => {
    const { x, y, width, height } = part ?? { x: 0, y: 0, width: image.width, height: image.height }
    context.drawImage(
      image,
      x,
      y,
      width,
      height,
      (index % columns) * (size.width + gap),
      Math.floor(index / columns) * (size.height + gap),
      size.width,
      size.height,
    )
  })
  const bytes = await canvas.encode('jpeg', 86)
  await writeFile(join(pictures, file), bytes)
  console.log(`${file}: ${canvas.width} × ${canvas.height}, ${Math.round(bytes.length / 1000)} kB`)
}
