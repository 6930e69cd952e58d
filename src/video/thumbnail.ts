/** The still picture of a video. */
import { createCanvas } from '@napi-rs/canvas'
import type { NameDrawing } from './drawing/index.ts'
import { toSmallRgba, windowFrame } from './frames.ts'
import type { Parts } from './parts.ts'
import { type Template, TemplateFault, windowFrames } from './template.ts'

/** Longest side of a thumbnail, pixels. */
const thumbnailSide = 320

/**
 * The template's poster frame with the name in it, as a small JPEG.
 * @throws TemplateFault when the poster lies in no window
 */
export async function thumbnailOf(template: Template, parts: Parts, drawn: NameDrawing[]): Promise<Buffer> {
  const at = Math.round(template.posterSeconds * template.fps)
  const index = template.windows.findIndex(
    (window) => at >= windowFrames(template, window).start && at < windowFrames(template, window).end,
  )
  const window = template.windows[index]
  if (window === undefined) throw new TemplateFault([`templates/${template.id}: posterSeconds lies in no window`])
  const place = at - windowFrames(template, window).start
  const frame = await windowFrame(parts.windows[index] ?? '', template, place)
  drawn[index]?.drawInto(frame, place)
  const { width, height } = template.size
  const factor = Math.max(1, Math.ceil(Math.max(width, height) / thumbnailSide))
  const small = { width: Math.floor(width / factor), height: Math.floor(height / factor) }
  const canvas = createCanvas(small.width, small.height)
  const picture = canvas.getContext('2d').createImageData(small.width, small.height)
  toSmallRgba(frame, template.size, factor, small, picture.data)
  canvas.getContext('2d').putImageData(picture, 0, 0)
  return canvas.encode('jpeg', 90)
}
