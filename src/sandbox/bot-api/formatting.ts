/** Text with a `parse_mode`, and the entities that Telegram makes of it. */
import { badRequest } from '../refusal.ts'

/** Text as Telegram stores it: its entities beside it. */
export interface FormattedText {
  text: string
  entities: unknown[] | undefined
}

/** Commands in what somebody typed: `/start payload` carries one entity, which bots go by. */
export function commandEntities(text: string): unknown[] | undefined {
  const found = [...text.matchAll(/(?<![\w/])\/([A-Za-z0-9_]{1,32})(@\w+)?/g)].map((match) => ({
    type: 'bot_command',
    offset: match.index,
    length: match[0].length,
  }))
  return found.length > 0 ? found : undefined
}

/** People and bots that are mentioned by their username. */
export function mentionEntities(text: string): unknown[] | undefined {
  const found = [...text.matchAll(/(?<![\w/@])@\w{3,32}/g)].map((match) => ({
    type: 'mention',
    offset: match.index,
    length: match[0].length,
  }))
  return found.length > 0 ? found : undefined
}

const htmlTags: Record<string, string> = {
  b: 'bold',
  strong: 'bold',
  i: 'italic',
  em: 'italic',
  u: 'underline',
  ins: 'underline',
  s: 'strikethrough',
  strike: 'strikethrough',
  del: 'strikethrough',
  code: 'code',
  pre: 'pre',
  a: 'text_link',
  blockquote: 'blockquote',
  'tg-spoiler': 'spoiler',
}

const htmlNames: Record<string, string> = { lt: '<', gt: '>', amp: '&', quot: '"' }

/**
 * Reads text with a `parse_mode`. HTML is understood; MarkdownV2 only as far as its first unescaped reserved
 * character, which is refused as Telegram does; with no parse mode a text is what it is.
 * @throws Refusal 400 `can't parse entities`
 */

export function parseText(text: string, parseMode: string): FormattedText {
  switch (parseMode.toLowerCase()) {
    case '':
      return { text, entities: undefined }
    case 'html':
      return parseHtml(text)
    case 'markdownv2':
      return parseMarkdown(text)
    default:
      throw badRequest('unsupported parse_mode')
  }
}

function parseHtml(source: string): FormattedText {
  let text = ''
  const entities: unknown[] = []
  const open: { tag: string; offset: number; url: string | undefined; at: number }[] = []
  for (const match of source.matchAll(/<(\/?)([^<>\s]*)([^<>]*)>|<|&(#\d+|\w+);|[^<&]+|&/g)) {
    const [whole, slash, name, attributes, reference] = match
    const at = Buffer.byteLength(source.slice(0, match.index))
    if (whole === '<') throw badRequest(`can't parse entities: Unclosed start tag at byte offset ${at}`)
    if (name === undefined) {
      const code = reference?.startsWith('#')
        ? String.fromCodePoint(Number(reference.slice(1)))
        : htmlNames[reference ?? '']
      text += code ?? whole
      continue
    }
    const tag = name.toLowerCase()
    if (slash === '') {
      if (htmlTags[tag] === undefined)
        throw badRequest(`can't parse entities: Unsupported start tag "${tag}" at byte offset ${at}`)
      open.push({ tag, offset: text.length, at, url: /href\s*=\s*["']?([^"'\s>]+)/.exec(attributes ?? '')?.[1] })
      continue
    }
    const last = open.pop()
    if (last === undefined) throw badRequest(`can't parse entities: Unexpected end tag at byte offset ${at}`)
    if (tag !== last.tag)
      throw badRequest(
        `can't parse entities: Unmatched end tag at byte offset ${at}, expected "</${last.tag}>", found "</${tag}>"`,
      )
    const length = text.length - last.offset
    if (length > 0)
      entities.push({
        type: htmlTags[tag],
        offset: last.offset,
        length,
        ...(last.url === undefined ? {} : { url: last.url }),
      })
  }
  const unclosed = open.pop()
  if (unclosed !== undefined)
    throw badRequest(`can't parse entities: Can't find end tag corresponding to start tag "${unclosed.tag}"`)
  return { text, entities: entities.length > 0 ? entities : undefined }
}

const markdownTypes: Record<string, string> = { '*': 'bold', _: 'italic', '~': 'strikethrough', '`': 'code' }

function parseMarkdown(source: string): FormattedText {
  let text = ''
  const entities: unknown[] = []
  const open: { mark: string; offset: number; at: number }[] = []
  for (let i = 0; i < source.length; i++) {
    const mark = source[i] ?? ''
    if (mark === '\\' && i + 1 < source.length) text += source[++i]
    else if (open.at(-1)?.mark === mark) {
      const { offset } = open.pop() as { offset: number }
      if (text.length > offset) entities.push({ type: markdownTypes[mark], offset, length: text.length - offset })
    } else if (markdownTypes[mark] !== undefined) open.push({ mark, offset: text.length, at: i })
    else if ('[]()>#+-=|{}.!'.includes(mark))
      throw badRequest(
        `can't parse entities: Character '${mark}' is reserved and must be escaped with the preceding '\\'`,
      )
    else text += mark
  }
  const unclosed = open.pop()
  if (unclosed !== undefined)
    throw badRequest(
      "can't parse entities: Can't find end of " +
        `${markdownTypes[unclosed.mark]?.replace(/^./, (first) => first.toUpperCase())} entity at byte ` +
        `offset ${Buffer.byteLength(source.slice(0, unclosed.at))}`,
    )
  return { text, entities: entities.length > 0 ? entities : undefined }
}
