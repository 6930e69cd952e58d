/** How a name is set: in how many lines, broken where, how large. */
import { isConjunction, linesOfDisplay } from '../names/set.ts'

/** What a font says about a line at a size of 1: its advance width, and how far its letters rise and fall. */
export interface LineSize {
  width: number
  ascent: number
  descent: number
}

export interface Layout {
  lines: string[]
  /** font size in pixels */
  fontSize: number
  /** below 1 only for what is too wide even at the least size: letters are narrowed by it */
  narrowing: number
  /** from baseline to baseline, pixels */
  lineHeight: number
}

export interface Space {
  /** what letters may fill, pixels, without the room for their glow */
  width: number
  height: number
  /** font sizes in pixels: what a short name gets, and the least */
  idealSize: number
  leastSize: number
}

/** Lines follow each other at this multiple of the font size: handwriting has long tails, and its lines may lock. */
const lineSpacing = 0.92

/** More lines than this and it is no signature any more. */
const mostLines = 4

/**
 * The largest setting, with as few lines as that allows. A name is broken at blanks and behind hyphens; within a word,
 * with a hyphen, only when it would have to be smaller than the least size otherwise. Of several names each keeps together
 * where it can.
 */
export function layOut(display: string, space: Space, measure: (text: string) => LineSize): Layout {
  const names = linesOfDisplay(display)?.map((text) => ({ text, joint: ' ', atBreak: '' }))
  const together = names === undefined ? undefined : best(names, space, measure)
  if (together !== undefined && together.fontSize >= space.leastSize && together.narrowing === 1) return together
  const words = splitWords(display)
  const whole = best(withConjunctions(words), space, measure)
  if (whole.fontSize >= space.leastSize && whole.narrowing === 1) return whole
  const syllables = best(withConjunctions(words.flatMap((word) => splitSyllables(word))), space, measure)
  return syllables.fontSize * syllables.narrowing > whole.fontSize * whole.narrowing ? syllables : whole
}

/** A piece of a name and what stands behind it when the next one follows on the same line, or when the line ends. */
interface Piece {
  text: string
  joint: string
  atBreak: string
}

function splitWords(display: string): Piece[] {
  const pieces: Piece[] = []
  for (const word of display.split(' ')) {
    const parts = word.split('-')
    parts.forEach((part, index) => {
      const last = index === parts.length - 1
      pieces.push({ text: part, joint: last ? ' ' : '-', atBreak: last ? '' : '-' })
    })
  }
  return pieces
}

/** “and” stays before the name that follows it. */
function withConjunctions(pieces: Piece[]): Piece[] {
  return pieces.flatMap((piece, place) => {
    if (isConjunction(piece.text) && place < pieces.length - 1) return []
    const before = pieces[place - 1]?.text ?? ''
    return isConjunction(before) ? { ...piece, text: `${before} ${piece.text}` } : piece
  })
}

const vowels =
  /[aeiouyàáâãäåæèéêëìíîïòóôõöøùúûüýÿœāăąēĕėęěīĭįıōŏőūŭůűų\u0430\u0435\u0451\u0438\u043e\u0443\u044b\u044d\u044e\u044f\u0456\u0457\u0454\u04d9\u04e9\u04b1\u04af]/iu

/**
 * Breaks before a consonant that a vowel follows, as syllables begin, and where none does
 * for long; never leaves fewer than three letters.
 */
function splitSyllables(word: Piece): Piece[] {
  const letters = [...new Intl.Segmenter(undefined, { granularity: 'grapheme' }).segment(word.text)].map(
    ({ segment }) => segment,
  )
  const pieces: Piece[] = []
  let start = 0
  for (let at = 3; at <= letters.length - 3; at++) {
    const begins =
      /^\p{L}/u.test(letters[at] ?? '') && !vowels.test(letters[at] ?? '') && vowels.test(letters[at + 1] ?? '')
    if (at - start < 3 || (!begins && at - start < 9)) continue
    pieces.push({ text: letters.slice(start, at).join(''), joint: '', atBreak: '-' })
    start = at
  }
  return [...pieces, { ...word, text: letters.slice(start).join('') }]
}

function best(pieces: Piece[], space: Space, measure: (text: string) => LineSize): Layout {
  const settings = Array.from({ length: Math.min(mostLines, pieces.length) }, (_, index) =>
    setInLines(pieces, index + 1, space, measure),
  )
  // Rather one line more than narrowed letters.
  const wide = settings.filter(({ fontSize, narrowing }) => narrowing === 1 && fontSize >= space.leastSize)
  const possible = wide.length > 0 ? wide : settings
  const largest = Math.max(...possible.map(({ fontSize, narrowing }) => fontSize * narrowing))
  // Otherwise a line more must make the letters clearly larger to be worth it.
  return possible.find(({ fontSize, narrowing }) => fontSize * narrowing >= largest * 0.7) as Layout
}

function setInLines(pieces: Piece[], count: number, space: Space, measure: (text: string) => LineSize): Layout {
  const lines = balance(pieces, count, (text) => measure(text).width)
  const sizes = lines.map(measure)
  const width = Math.max(...sizes.map((size) => size.width), 1e-6)
  const height = (sizes[0]?.ascent ?? 0) + (sizes.at(-1)?.descent ?? 0) + (lines.length - 1) * lineSpacing
  const fitting = Math.min(space.idealSize, space.width / width, space.height / Math.max(height, 1e-6))
  const heightBound = Math.min(space.leastSize, space.height / Math.max(height, 1e-6))
  const fontSize = Math.max(fitting, heightBound)
  return {
    lines,
    fontSize,
    narrowing: Math.min(1, space.width / (width * fontSize)),
    lineHeight: fontSize * lineSpacing,
  }
}

/** The breaks that make the longest line shortest. */
function balance(pieces: Piece[], count: number, width: (text: string) => number): string[] {
  let bestLines: string[] = []
  let bestWidth = Infinity
  const tryFrom = (start: number, left: number, lines: string[], widest: number) => {
    if (widest >= bestWidth) return
    if (left === 1) {
      const line = lineOf(pieces.slice(start))
      const all = Math.max(widest, width(line))
      if (all < bestWidth) [bestWidth, bestLines] = [all, [...lines, line]]
      return
    }
    for (let end = start + 1; end <= pieces.length - left + 1; end++) {
      const line = lineOf(pieces.slice(start, end))
      tryFrom(end, left - 1, [...lines, line], Math.max(widest, width(line)))
    }
  }
  tryFrom(0, count, [], 0)
  return bestLines
}

function lineOf(pieces: Piece[]): string {
  return pieces
    .map(({ text, joint, atBreak }, index) => text + (index === pieces.length - 1 ? atBreak : joint))
    .join('')
}
