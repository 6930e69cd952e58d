/** Which characters a font file can draw: a reader of the `cmap` table of TrueType and OpenType files. */
import { readFileSync } from 'node:fs'

/** The file is no font that can be read, or has no table of Unicode characters. */
export class FontFault extends Error {
  override name = 'FontFault'
}

const coverages = new Map<string, (codePoint: number) => boolean>()

/**
 * The characters of `text` that the font file has no glyph for, each once, in order.
 * Marks are asked for as they are composed in NFC: a font may lack a mark alone and have the letter with it.
 * @throws FontFault
 */
export function missingGlyphs(fontFile: string, text: string): string[] {
  let covers = coverages.get(fontFile)
  if (covers === undefined) {
    covers = remembered(readCoverage(readFileSync(fontFile)))
    coverages.set(fontFile, covers)
  }
  const missing = new Set<string>()
  for (const character of text.normalize('NFC')) {
    if (!covers(character.codePointAt(0) ?? 0)) missing.add(character)
  }
  return [...missing]
}

/** Names are made of few characters, asked for again and again. */
function remembered(look: (codePoint: number) => boolean): (codePoint: number) => boolean {
  const known = new Map<number, boolean>()
  return (codePoint) => {
    let covered = known.get(codePoint)
    if (covered === undefined) known.set(codePoint, (covered = look(codePoint)))
    return covered
  }
}

/** @throws FontFault */
function readCoverage(font: Buffer): (codePoint: number) => boolean {
  try {
    const cmap = tableOffset(font, 'cmap')
    let best: { offset: number; format: number } | undefined
    for (let index = 0; index < font.readUInt16BE(cmap + 2); index++) {
      const record = cmap + 4 + index * 8
      const platform = font.readUInt16BE(record)
      const encoding = font.readUInt16BE(record + 2)
      if (!(platform === 0 || (platform === 3 && (encoding === 1 || encoding === 10)))) continue
      const offset = cmap + font.readUInt32BE(record + 4)
      const format = font.readUInt16BE(offset)
      // Format 12 reaches beyond the Basic Multilingual Plane, format 4 does not; others hold no plain map.
      if (format === 12 || (format === 4 && best === undefined)) best = { offset, format }
    }
    if (best === undefined) throw new FontFault('the font has no table of Unicode characters')
    return best.format === 12 ? readGroups(font, best.offset) : readSegments(font, best.offset)
  } catch (error) {
    if (error instanceof FontFault) throw error
    throw new FontFault('the file is no TrueType or OpenType font', { cause: error })
  }
}

function tableOffset(font: Buffer, tag: string): number {
  for (let index = 0; index < font.readUInt16BE(4); index++) {
    const record = 12 + index * 16
    if (font.toString('latin1', record, record + 4) === tag) return font.readUInt32BE(record + 8)
  }
  throw new FontFault(`the font has no ${tag} table`)
}

function readGroups(font: Buffer, offset: number): (codePoint: number) => boolean {
  const groups: [number, number][] = []
  for (let index = 0; index < font.readUInt32BE(offset + 12); index++) {
    const group = offset + 16 + index * 12
    groups.push([font.readUInt32BE(group), font.readUInt32BE(group + 4)])
  }
  return (codePoint) => groups.some(([first, last]) => codePoint >= first && codePoint <= last)
}

function readSegments(font: Buffer, offset: number): (codePoint: number) => boolean {
  const doubled = font.readUInt16BE(offset + 6)
  const ends = offset + 14
  const starts = ends + doubled + 2
  const deltas = starts + doubled
  const rangeOffsets = deltas + doubled
  return (codePoint) => {
    if (codePoint > 0xffff) return false
    for (let at = 0; at < doubled; at += 2) {
      if (codePoint > font.readUInt16BE(ends + at)) continue
      const start = font.readUInt16BE(starts + at)
      if (codePoint < start) return false
      const rangeOffset = font.readUInt16BE(rangeOffsets + at)
      if (rangeOffset === 0) return ((codePoint + font.readUInt16BE(deltas + at)) & 0xffff) !== 0
      return font.readUInt16BE(rangeOffsets + at + rangeOffset + (codePoint - start) * 2) !== 0
    }
    return false
  }
}
