/**
 * What can come back from Telegram, in our own words. Errors of the client library carry the payload of the
 * call (chat ids, captions) and the URL with the bot's token, so they never leave this folder.
 */
import { tokenRefused } from '../errors.ts'

/** What to do about an answer. Sources: the Bot API's own server and years of bots in the field. */
export type TelegramErrorKind =
  /** 429: wait `retryAfterMs`, which is no offence */
  | 'flood'
  /** this person blocked the bot, left Telegram or never wrote to it: final for them alone */
  | 'person_unreachable'
  /** the bot may not post here, or the chat does not exist */
  | 'no_rights'
  /** the group became a supergroup with the id `migrateTo` */
  | 'migrated'
  /** the file_id is dead, of another bot, or of another kind of file */
  | 'bad_file_id'
  /** the file is over the server's limit: 50 MB, 2,000 MB of a server in local mode */
  | 'too_large'
  /** a server of one's own cannot read a file by its path: it is not in local mode, or does not see that path */
  | 'file_unseen'
  /** the token is wrong or was revoked */
  | 'token'
  /** somebody else polls with this token, or a webhook is set */
  | 'conflict'
  /** a passing fault of the server, or of a proxy before it */
  | 'server'
  /** the call never reached Telegram */
  | 'not_sent'
  /** the connection broke: Telegram may or may not have taken the call */
  | 'unknown_outcome'
  /** we gave up on the call ourselves */
  | 'aborted'
  /** any other refusal */
  | 'refused'

/** An unsuccessful call of the Bot API, without its payload and without the token. */
export class TelegramError extends Error {
  override name = 'TelegramError'
  constructor(
    readonly kind: TelegramErrorKind,
    readonly method: string,
    /** Telegram's error code, or 0 when no answer came */
    readonly code: number,
    readonly description: string,
    readonly retryAfterMs?: number,
    readonly migrateTo?: number,
  ) {
    super(`${method}: ${code === 0 ? '' : `${code} `}${description}`)
  }

  /** of a command that ends with it */
  get exitCode(): number {
    return this.kind === 'token' || this.kind === 'conflict' ? 2 : 3
  }

  /** what the command says then */
  get lastWords(): string {
    if (this.kind === 'token') return tokenRefused
    if (this.kind === 'conflict')
      return (
        `Telegram says: ${this.description}. Another process takes this bot’s updates: ` +
        'stop it, or unset its webhook.'
      )
    return `Telegram cannot be reached: ${this.description}. Check the connection, and TELEGRAM_API_ROOT if it is set.`
  }
}

interface ApiFailure {
  error_code: number
  description: string
  parameters?: { retry_after?: number; migrate_to_chat_id?: number }
}

// What a server answers to a `file://` address: without local mode it takes that for a URL.
const fileUnseen =
  /unsupported URL protocol|can't find real file path|realpath failed|can't get stat about the file|must be a regular file/i
// getFile says this in other words than the methods that send.
const badFileId =
  /wrong (remote )?file identifier|(wrong|invalid) file_id|invalid (remote )?file|can't use file of type/i
const personGone =
  /bot was blocked by the user|user is deactivated|can't initiate conversation|bot can't send messages to bots|user not found|PEER_ID_INVALID|USER_IS_BLOCKED/i
const noRights =
  /need administrator rights|not enough rights|have no rights|kicked|not a member|CHAT_WRITE_FORBIDDEN|CHANNEL_PRIVATE|chat not found|group chat was deactivated/i

/** Reads a refusal of the Bot API. `secondMs` is the length of one of Telegram's seconds, 1000 in real life. */
export function refusal(
  method: string,
  { error_code: code, description, parameters = {} }: ApiFailure,
  secondMs: number,
): TelegramError {
  const error = (kind: TelegramErrorKind) =>
    new TelegramError(
      kind,
      method,
      code,
      description.slice(0, 200),
      parameters.retry_after === undefined ? undefined : parameters.retry_after * secondMs,
      parameters.migrate_to_chat_id,
    )
  if (code === 429) return error('flood')
  if (parameters.migrate_to_chat_id !== undefined) return error('migrated')
  if (code === 401 || (code === 404 && /^not found$/i.test(description))) return error('token')
  if (code === 409) return error('conflict')
  if (code === 413 || /entity too large|file is too big|bytes is too big/i.test(description)) return error('too_large')
  if (code >= 500) return error('server')
  if (fileUnseen.test(description)) return error('file_unseen')
  if (badFileId.test(description)) return error('bad_file_id')
  if (personGone.test(description)) return error('person_unreachable')
  if (noRights.test(description)) return error('no_rights')
  if (code === 403) return error('person_unreachable')
  return error('refused')
}

const neverSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
])

/** Reads a call that brought no answer of the Bot API. The original is dropped: it holds the URL with the token. */
export function noAnswer(method: string, cause: unknown, stopped: 'aborted' | 'timed out' | undefined): TelegramError {
  if (stopped === 'aborted') return new TelegramError('aborted', method, 0, 'given up')
  if (stopped === 'timed out') return new TelegramError('unknown_outcome', method, 0, 'no answer in time')
  const code = errorCode(cause)
  if (code !== undefined && neverSent.has(code))
    return new TelegramError('not_sent', method, 0, `cannot connect (${code})`)
  // node-fetch: the answer was no JSON, such as a proxy's HTML page.
  if (isJsonFault(cause)) return new TelegramError('server', method, 0, 'the answer is not the Bot API’s')
  return new TelegramError(
    'unknown_outcome',
    method,
    0,
    `the connection broke${code === undefined ? '' : ` (${code})`}`,
  )
}

function errorCode(error: unknown): string | undefined {
  for (let at = error, depth = 0; typeof at === 'object' && at !== null && depth < 5; depth++) {
    const { code, error: inner, cause } = at as { code?: unknown; error?: unknown; cause?: unknown }
    if (typeof code === 'string') return code
    at = inner ?? cause
  }
  return undefined
}

function isJsonFault(error: unknown): boolean {
  for (let at = error, depth = 0; typeof at === 'object' && at !== null && depth < 5; depth++) {
    const { type, error: inner, name } = at as { type?: unknown; error?: unknown; name?: unknown }
    if (type === 'invalid-json' || name === 'SyntaxError') return true
    at = inner
  }
  return false
}
