import { describe, expect, test } from 'vitest'
import { drawName } from '../../src/video/drawing/index.ts'
import { loadTemplates } from '../../src/video/load-templates.ts'
import { typefaceFor } from '../../src/video/template.ts'
import type { Template, TemplateWindow } from '../../src/video/template.ts'
import { tinyTemplates } from './tiny.ts'

const [tiny] = await loadTemplates(tinyTemplates, ['tiny'])
/** The tiny template at the real size, with a window as the shipped ones have. */
const window: TemplateWindow = {
  ...((tiny as Template).windows[0] as TemplateWindow),
  from: 0,
  to: 4,
  box: { x: 58, y: 440, width: 604, height: 320 },
  capHeightPercent: { ideal: 8, least: 4 },
  entrance: { style: 'write', after: 0.15, seconds: 1.5 },
  exit: { style: 'fade', seconds: 0.5 },
}
const template: Template = {
  ...(tiny as Template),
  size: { width: 720, height: 1280 },
  fps: 30,
  seconds: 4,
  windows: [window],
}
const { width, height } = template.size

function plainFrame(luma: number): Uint8Array {
  return new Uint8Array((width * height * 3) / 2).fill(luma, 0, width * height).fill(128, width * height)
}
const draw = (name: string, luma = 60) =>
  drawName(template, window, name, typefaceFor(template, 0, name) ?? '', { frame: plainFrame(luma) })

/** Relative luminance of a level, 0 to 1. */
const light = (level: number) => Math.max(0, (level - 16) / 219) ** 2.2

describe('a drawn name', () => {
  test('changes no pixel outside the box, in no frame', () => {
    const drawing = draw('Щербаківна')
    const plain = plainFrame(60)
    for (let index = 0; index < 120; index += 3) {
      const frame = plainFrame(60)
      drawing.drawInto(frame, index)
      for (let row = 0; row < height; row++) {
        const inside = row >= window.box.y && row < window.box.y + window.box.height
        const [start, end] = [row * width, (row + 1) * width]
        if (!inside) expect(Buffer.compare(frame.subarray(start, end), plain.subarray(start, end))).toBe(0)
        else {
          expect(
            Buffer.compare(frame.subarray(start, start + window.box.x), plain.subarray(start, start + window.box.x)),
          ).toBe(0)
          expect(
            Buffer.compare(
              frame.subarray(start + window.box.x + window.box.width, end),
              plain.subarray(start + window.box.x + window.box.width, end),
            ),
          ).toBe(0)
        }
      }
      const above = width * height + (window.box.y / 2) * (width / 2)
      expect(frame.subarray(width * height, above).every((value) => value === 128)).toBe(true)
    }
  })

  test('is not there before the tip touches the glass, and gone in the last frame', () => {
    const drawing = draw('Маша')
    for (const index of [0, 119]) {
      const frame = plainFrame(60)
      drawing.drawInto(frame, index)
      expect(Buffer.compare(frame, plainFrame(60)), `frame ${index}`).toBe(0)
    }
  })

  test('grows from left to right', () => {
    const drawing = draw('Маша')
    const brightColumns = (index: number) => {
      const frame = plainFrame(60)
      drawing.drawInto(frame, index)
      let last = 0
      for (let column = window.box.x; column < window.box.x + window.box.width; column++) {
        for (let row = window.box.y; row < window.box.y + window.box.height; row++)
          if ((frame[row * width + column] ?? 0) > 190) last = column
      }
      return last
    }
    const reached = [12, 20, 28, 60].map(brightColumns)
    expect(reached).toEqual([...reached].sort((a, b) => a - b))
    expect(reached[3] ?? 0).toBeGreaterThan((reached[0] ?? 0) + 100)
  })

  test.each([
    ['Маша', 30],
    ['Анна-Мария', 60],
    ['Ия', 110],
    ['Владислав Владиславович', 140],
  ])('stands out 4.5 : 1 from what lies around its letters: %s on %d', (name, luma) => {
    const frame = plainFrame(luma)
    draw(name, luma).drawInto(frame, 80)
    // Letters are what is brightest; around them lie the pixels a few
    // columns off, without the soft edge of the strokes.
    const letters: number[] = []
    const around: number[] = []
    const at = (row: number, column: number) => frame[row * width + column] ?? 0
    for (let row = window.box.y; row < window.box.y + window.box.height; row++) {
      for (let column = window.box.x + 12; column < window.box.x + window.box.width - 12; column++) {
        if (at(row, column) > 185) letters.push(light(at(row, column)))
        else if (
          [-8, 8].some((step) => at(row, column + step) > 185) &&
          ![-3, -2, -1, 0, 1, 2, 3].some((step) => at(row, column + step) > 140 || at(row + step, column) > 140)
        )
          around.push(light(at(row, column)))
      }
    }
    expect(letters.length).toBeGreaterThan(2_000)
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
    expect((mean(letters) + 0.05) / (mean(around) + 0.05)).toBeGreaterThan(4.5)
  })

  test('is the same every time, and another for another name', () => {
    const shown = (name: string) => {
      const frame = plainFrame(60)
      draw(name).drawInto(frame, 40)
      return Buffer.from(frame)
    }
    expect(shown('Маша').equals(shown('Маша'))).toBe(true)
    expect(shown('Маша').equals(shown('Даша'))).toBe(false)
  })

  test.each(['Ия', 'Маша', 'Анна-Мария', 'Джалантахчандрачапала', 'Владислав Владиславович', 'Щ'.repeat(40)])(
    'has capitals of 4 to 8 per cent of the frame: %s',
    (name) => {
      const { capHeight, layout } = draw(name)
      expect(capHeight / height).toBeGreaterThanOrEqual(0.0399)
      expect(capHeight / height).toBeLessThanOrEqual(0.0801)
      if (name.length <= 7) expect(capHeight / height).toBeCloseTo(0.08, 3)
      if (name.length >= 14) expect(layout.lines.length).toBeGreaterThan(1)
    },
  )

  test('appears as a whole where the template says so', () => {
    const fading: TemplateWindow = { ...window, entrance: { style: 'fade', after: 0, seconds: 1 } }
    const drawing = drawName(template, fading, 'Маша', typefaceFor(template, 0, 'Маша') ?? '', {
      frame: plainFrame(60),
    })
    const brightest = (index: number) => {
      const frame = plainFrame(60)
      drawing.drawInto(frame, index)
      return frame.subarray(0, width * height).reduce((most, value) => Math.max(most, value), 0)
    }
    expect(brightest(10)).toBeLessThan(brightest(30))
    expect(brightest(30)).toBeGreaterThan(190)
  })
})
