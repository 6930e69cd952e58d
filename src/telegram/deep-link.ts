/** A name in a link to the bot: `https://t.me/<bot>?start=<payload>`. Telegram lets a payload have 64 characters of `A-Za-z0-9_-`. */
const longest = 64
/** Tells a name's payload from others that may come. */
const mark = 'n'

/** The payload for a name; undefined: it is too long for one. */
export function deepLinkFor(display: string): string | undefined {
  const payload = mark + Buffer.from(display, 'utf8').toString('base64url')
  return payload.length <= longest ? payload : undefined
}

/** The text that a payload stands for; undefined: it is none of ours. */
export function readDeepLink(payload: string): string | undefined {
  if (!payload.startsWith(mark) || payload.length > longest || !/^[\w-]+$/.test(payload)) return undefined
  const bytes = Buffer.from(payload.slice(mark.length), 'base64url')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes) || undefined
  } catch {
    return undefined
  }
}
