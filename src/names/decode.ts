/** From the bytes of a list to its text: encoding, line ends, and what is no text at all. */
import { TextDecoder } from 'node:util'

/** A list that cannot be read. Its message is one sentence for the operator: what is wrong with which file, and what to do. */
export class UnreadableFile extends Error {
  override name = 'UnreadableFile'
  readonly exitCode = 2
}

/** Bytes looked at, from the first one that is no ASCII, to tell encodings apart. */
const sampleSize = 64 * 1024

/** First bytes of files that people take for lists. */
const knownFormats: { magic: number[]; what: string }[] = [
  { magic: [0x50, 0x4b, 0x03, 0x04], what: 'an Excel workbook or an archive' },
  { magic: [0xd0, 0xcf, 0x11, 0xe0], what: 'an old Excel workbook' },
  { magic: [0x89, 0x50, 0x4e, 0x47], what: 'a picture' },
  { magic: [0xff, 0xd8, 0xff], what: 'a picture' },
  { magic: [0x47, 0x49, 0x46, 0x38], what: 'a picture' },
  { magic: [0x25, 0x50, 0x44, 0x46], what: 'a PDF' },
  { magic: [0x1f, 0x8b], what: 'compressed' },
]

/**
 * The text of a list, piece by piece, every line end being `\n`.
 *
 * A byte order mark decides the encoding; else it is UTF-8 or, when the bytes look like Russian text, windows-1251.
 * That is decided at the first bytes beyond ASCII, so that a stream is read only once.
 *
 * @param source what the bytes come from, as said in messages
 * @param encoding a label that `TextDecoder` knows; overrides all detection
 * @throws UnreadableFile
 */
export async function* textOf(
  bytes: AsyncIterable<Uint8Array>,
  source: string,
  encoding?: string,
): AsyncGenerator<string> {
  let lineCount = 1
  let endsInReturn = false
  for await (const decoded of decode(bytes, source, encoding, () => lineCount)) {
    const zero = decoded.indexOf('\0')
    if (zero >= 0) {
      throw new UnreadableFile(
        `${source} is not a text file (it holds a zero byte, in line ${lineCount + lineEnds(decoded.slice(0, zero), endsInReturn)}): save the list as CSV in UTF-8, or say --encoding utf-16le if it is UTF-16.`,
      )
    }
    // CRLF, LF and CR may be mixed, and a CRLF may lie across two pieces.
    let text = endsInReturn && decoded.startsWith('\n') ? decoded.slice(1) : decoded
    if (decoded !== '') endsInReturn = decoded.endsWith('\r')
    if (text.includes('\r')) text = text.replace(/\r\n?/g, '\n')
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lineCount++
    if (text !== '') yield text
  }
}

async function* decode(
  bytes: AsyncIterable<Uint8Array>,
  source: string,
  encoding: string | undefined,
  line: () => number,
): AsyncGenerator<string> {
  let decoder = encoding === undefined ? undefined : decoderFor(encoding)
  let held: Buffer = Buffer.alloc(0)
  let started = false // whether the first bytes were seen

  const text = (chunk: Uint8Array | undefined) => {
    try {
      return chunk ? (decoder as TextDecoder).decode(chunk, { stream: true }) : (decoder as TextDecoder).decode()
    } catch {
      const { encoding: label } = decoder as TextDecoder
      throw new UnreadableFile(
        `${source} has bytes that are not ${label}, in line ${line() + lineEnds(beforeDamage(chunk, label), false)}: save the list in UTF-8, or name its encoding with --encoding.`,
      )
    }
  }

  for await (const chunk of bytes) {
    if (decoder && started) {
      yield text(chunk)
      continue
    }
    held = Buffer.concat([held, chunk])
    if (!started) {
      if (held.length < 4) continue
      started = true
      decoder ??= fromFirstBytes(held, source)
    }
    if (!decoder) {
      // ASCII is the same in every encoding that remains.
      const foreign = held.findIndex((byte) => byte > 0x7f)
      const ascii = foreign < 0 ? held.length : foreign
      if (ascii > 0) {
        yield held.toString('latin1', 0, ascii)
        held = held.subarray(ascii)
      }
      if (held.length < sampleSize) continue
      decoder = fromSample(held, source, line(), false)
    }
    yield text(held)
    held = Buffer.alloc(0)
  }
  decoder ??= (started ? undefined : fromFirstBytes(held, source)) ?? fromSample(held, source, line(), true)
  yield text(held)
  yield text(undefined)
}

/** Line ends of a text, of which the first `\n` may belong to a `\r` before it. */
function lineEnds(text: string, isAfterReturn: boolean): number {
  return (isAfterReturn ? text.replace(/^\n/, '') : text).match(/\r\n?|\n/g)?.length ?? 0
}

/** What of a piece can be read before the first bytes that cannot. The end of a character that the piece before began with is left out. */
function beforeDamage(bytes: Uint8Array | undefined, label: string): string {
  if (bytes === undefined) return ''
  const text = new TextDecoder(label).decode(
    label === 'utf-8' ? bytes.subarray(bytes.findIndex((byte) => (byte & 0xc0) !== 0x80)) : bytes,
  )
  const at = text.indexOf('\uFFFD')
  return at < 0 ? '' : text.slice(0, at)
}

function decoderFor(label: string): TextDecoder {
  try {
    return new TextDecoder(label, { fatal: true })
  } catch {
    throw new UnreadableFile(
      `--encoding ${label} is no encoding that is known: utf-8, windows-1251, koi8-r, ibm866 and utf-16le are.`,
    )
  }
}

function fromFirstBytes(bytes: Buffer, source: string): TextDecoder | undefined {
  const format = knownFormats.find(({ magic }) => magic.every((byte, place) => bytes[place] === byte))
  if (format)
    throw new UnreadableFile(
      `${source} is ${format.what}, not a list: in the program it comes from, save it as CSV in UTF-8.`,
    )
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return decoderFor('utf-8')
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return decoderFor('utf-16le')
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return decoderFor('utf-16be')
  return undefined
}

function fromSample(sample: Buffer, source: string, line: number, complete: boolean): TextDecoder {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(sample, { stream: !complete })
    return decoderFor('utf-8')
  } catch {
    if (looksRussian(sample)) return decoderFor('windows-1251')
  }
  if (sample.includes(0)) throw new UnreadableFile(`${source} is not a text file: save the list as CSV in UTF-8.`)
  throw new UnreadableFile(
    `${source} is neither in UTF-8 (line ${line + lineEnds(beforeDamage(sample, 'utf-8'), false)} has other bytes) nor in Russian windows-1251: save it in UTF-8, or name its encoding, for example with --encoding koi8-r.`,
  )
}

/**
 * Whether bytes read as windows-1251 make words of Cyrillic letters. Western encodings put single letters beyond ASCII
 * between ASCII ones; KOI8-R, read so, has capitals inside words; the DOS code page has letters where none are here.
 */
function looksRussian(bytes: Buffer): boolean {
  let letters = 0
  let others = 0
  let besideAscii = 0
  let capitalsInside = 0
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] as number
    if (byte < 0x80) continue
    if (!isCyrillic(byte)) {
      if (!punctuation.has(byte)) others++
      continue
    }
    letters++
    const before = bytes[i - 1] ?? 0
    if (isAsciiLetter(before) || isAsciiLetter(bytes[i + 1] ?? 0)) besideAscii++
    if (byte >= 0xc0 && byte <= 0xdf && before >= 0xe0) capitalsInside++
  }
  return letters > 0 && others * 20 <= letters && besideAscii * 5 <= letters && capitalsInside * 10 <= letters
}

/** « » „ “ ” ‘ ’ – — … № and the fixed blank in windows-1251 */
const punctuation = new Set([0xab, 0xbb, 0x84, 0x93, 0x94, 0x91, 0x92, 0x96, 0x97, 0x85, 0xb9, 0xa0])
/** Ёё, and the letters of Ukrainian and Belarusian beside the alphabet */
const moreLetters = new Set([0xa8, 0xb8, 0xa5, 0xb4, 0xaa, 0xba, 0xaf, 0xbf, 0xb2, 0xb3, 0xa1, 0xa2])

function isCyrillic(byte: number): boolean {
  return byte >= 0xc0 || moreLetters.has(byte)
}

function isAsciiLetter(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a)
}
