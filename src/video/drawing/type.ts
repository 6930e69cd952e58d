/** Setting the type: how large, in how many lines, and which pixels the letters cover. */
import { createCanvas, GlobalFonts } from '@napi-rs/canvas'
import type { SKRSContext2D } from '@napi-rs/canvas'
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { missingGlyphs } from '../glyphs.ts'
import { layOut, type Layout, type Space } from '../layout.ts'
import type { Template, TemplateWindow } from '../template.ts'

/** A font has no outline for a capital letter, or another part of the set-up that must never fail. */
class DrawingFault extends Error {
  override name = 'DrawingFault'
}

/**
 * What the letters may fill, with room for their glow around them. `capital`:
 * height of a capital letter at a font size of 1.
 */
export function spaceFor(
  { size: { height } }: Template,
  { box, capHeightPercent }: TemplateWindow,
  capital: number,
): Space {
  const unit = height / 1280
  return {
    width: box.width - 2 * Math.min(34 * unit, box.width * 0.1),
    height: box.height - 2 * Math.min(26 * unit, box.height * 0.1),
    idealSize: ((capHeightPercent.ideal / 100) * height) / capital,
    leastSize: ((capHeightPercent.least / 100) * height) / capital,
  }
}

/** Wide letters, and syllables as names have them, of the scripts we know. */
const wideNames: Record<string, { capital: string; syllables: string[] }> = {
  Cyrillic: { capital: 'Щ', syllables: ['ша', 'мо', 'ща', 'жи'] },
  Latin: { capital: 'W', syllables: ['ma', 'wo', 'mo', 'ga'] },
}

/**
 * Windows that do not hold a long name as the manifest says, one line each with its place: set in wide letters as one
 * word and as two, it would be smaller than the least size, or narrowed by more than a tenth.
 */
export function layoutFaults(template: Template): string[] {
  const faults: string[] = []
  template.windows.forEach((window, index) =>
    template.typefaceFiles[index]?.forEach((file, typeface) => {
      const font = registerFont(file)
      const space = spaceFor(template, window, capHeightOf(font))
      for (const script of template.scripts) {
        const wide = wideNames[script]
        if (wide === undefined) continue
        const one = word(wide, template.longestName)
        const two =
          `${word(wide, Math.ceil(template.longestName / 2))} ` +
          `${word(wide, Math.max(1, Math.floor(template.longestName / 2) - 1))}`
        if (missingGlyphs(file, one).length > 0) continue
        const bad = [one, two].find((name) => {
          const { fontSize, narrowing } = layOut(name, space, (text) => measureLine(font, text))
          return narrowing < 0.9 || fontSize < space.leastSize * 0.999
        })
        if (bad !== undefined)
          faults.push(
            `windows[${index}].box: a name of ${template.longestName} letters (longestName) does not fit at the ` +
              `least size in ${basename(template.windows[index]?.typefaces[typeface] ?? file)}: enlarge the box, ` +
              'or lower "least" or "longestName"',
          )
      }
    }),
  )
  return faults
}

function word({ capital, syllables }: { capital: string; syllables: string[] }, length: number): string {
  return (capital + syllables.join('').repeat(Math.ceil(length / 8))).slice(0, length)
}

const families = new Map<string, string>()

export function registerFont(file: string): string {
  let family = families.get(file)
  if (family === undefined) {
    // A family of its own per file: a family's other weights never stand in.
    family = `face-${createHash('sha256').update(file).digest('hex').slice(0, 12)}`
    if (GlobalFonts.registerFromPath(file, family) === null) throw new DrawingFault('the font file cannot be used')
    families.set(file, family)
  }
  return family
}

const measuring = createCanvas(8, 8).getContext('2d')

/** Sizes are measured large and scaled: hinting at small sizes would round them. */
const measuredAt = 200

export function capHeightOf(font: string): number {
  measuring.font = `${measuredAt}px "${font}"`
  const { actualBoundingBoxAscent } = measuring.measureText('H')
  if (!(actualBoundingBoxAscent > 0)) throw new DrawingFault('the font has no capital letters')
  return actualBoundingBoxAscent / measuredAt
}

export function measureLine(font: string, text: string): { width: number; ascent: number; descent: number } {
  measuring.font = `${measuredAt}px "${font}"`
  const size = measuring.measureText(text)
  return {
    width: Math.max(size.width, size.actualBoundingBoxLeft + size.actualBoundingBoxRight) / measuredAt,
    ascent: size.actualBoundingBoxAscent / measuredAt,
    descent: size.actualBoundingBoxDescent / measuredAt,
  }
}

/** How much each pixel of the box is covered by the letters of a line, 0 to 255. */
export function inkOfLine(font: string, layout: Layout, line: number, box: TemplateWindow['box']): Uint8Array {
  const canvas = createCanvas(box.width, box.height)
  const context = canvas.getContext('2d')
  context.font = `${layout.fontSize}px "${font}"`
  context.fillStyle = '#fff'
  const text = layout.lines[line] ?? ''
  const first = measureLine(font, layout.lines[0] ?? '')
  const last = measureLine(font, layout.lines.at(-1) ?? '')
  const blockHeight = (first.ascent + last.descent) * layout.fontSize + (layout.lines.length - 1) * layout.lineHeight
  const baseline = (box.height - blockHeight) / 2 + first.ascent * layout.fontSize + line * layout.lineHeight
  drawCentred(context, text, box.width / 2, baseline, layout.narrowing)
  const { data } = context.getImageData(0, 0, box.width, box.height)
  const ink = new Uint8Array(box.width * box.height)
  for (let index = 0; index < ink.length; index++) ink[index] = data[index * 4 + 3] ?? 0
  return ink
}

/** Centred by what is seen, not by the advance: swashes reach beyond it. */
function drawCentred(context: SKRSContext2D, text: string, centre: number, baseline: number, narrowing: number): void {
  const { actualBoundingBoxLeft, actualBoundingBoxRight } = context.measureText(text)
  context.translate(centre, baseline)
  context.scale(narrowing, 1)
  context.fillText(text, (actualBoundingBoxLeft - actualBoundingBoxRight) / 2, 0)
}
