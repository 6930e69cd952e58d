/** What an answer of Telegram means for the person, the channel and the bot. */
import { describe, expect, it } from 'vitest'
import { noAnswer, refusal } from '../../src/telegram/errors.ts'

const refused = (
  code: number,
  description: string,
  parameters?: { retry_after?: number; migrate_to_chat_id?: number },
) => refusal('sendVideo', { error_code: code, description, parameters }, 20)

describe('a refusal', () => {
  it.each([
    [429, 'Too Many Requests: retry after 5', 'flood'],
    [401, 'Unauthorized', 'token'],
    [404, 'Not Found', 'token'],
    [400, 'Bad Request: message to delete not found', 'refused'],
    [409, 'Conflict: terminated by other getUpdates request', 'conflict'],
    [413, 'Request Entity Too Large', 'too_large'],
    [400, 'Bad Request: file is too big', 'too_large'],
    [400, 'Bad Request: entity too large', 'too_large'],
    [400, 'Bad Request: the file of 60000000 bytes is too big for a bot', 'too_large'],
    [500, 'Internal Server Error', 'server'],
    [502, 'Bad Gateway', 'server'],
    [400, 'Bad Request: invalid file HTTP URL specified: Unsupported URL protocol', 'file_unseen'],
    [400, "Bad Request: can't find real file path", 'file_unseen'],
    [400, 'Bad Request: realpath failed', 'file_unseen'],
    [400, "Bad Request: can't get stat about the file", 'file_unseen'],
    [400, 'Bad Request: must be a regular file', 'file_unseen'],
    [400, 'Bad Request: wrong file identifier/HTTP URL specified', 'bad_file_id'],
    [400, 'Bad Request: wrong remote file identifier specified: Wrong string length', 'bad_file_id'],
    [400, 'Bad Request: wrong file_id or the file is temporarily unavailable', 'bad_file_id'],
    [400, 'Bad Request: invalid file_id', 'bad_file_id'],
    [400, 'Bad Request: invalid remote file identifier', 'bad_file_id'],
    [400, 'Bad Request: invalid file id', 'bad_file_id'],
    [400, "Bad Request: can't use file of type Photo as Video", 'bad_file_id'],
    [403, 'Forbidden: bot was blocked by the user', 'person_unreachable'],
    [403, 'Forbidden: user is deactivated', 'person_unreachable'],
    [403, "Forbidden: bot can't initiate conversation with a user", 'person_unreachable'],
    [403, "Forbidden: bot can't send messages to bots", 'person_unreachable'],
    [400, "Bad Request: bot can't initiate conversation with a user", 'person_unreachable'],
    [400, "Bad Request: bot can't send messages to bots", 'person_unreachable'],
    [400, 'Bad Request: user not found', 'person_unreachable'],
    [400, 'Bad Request: user is deactivated', 'person_unreachable'],
    [400, 'Bad Request: bot was blocked by the user', 'person_unreachable'],
    [400, 'Bad Request: PEER_ID_INVALID', 'person_unreachable'],
    [400, 'Bad Request: USER_IS_BLOCKED', 'person_unreachable'],
    // Worded as no version that is known words it: whatever is forbidden, is forbidden in this chat alone.
    [403, 'Forbidden: something new', 'person_unreachable'],
    [403, 'Forbidden: bot was kicked from the channel chat', 'no_rights'],
    [403, 'Forbidden: bot is not a member of the channel chat', 'no_rights'],
    [400, 'Bad Request: need administrator rights in the channel chat', 'no_rights'],
    [400, 'Bad Request: not enough rights to send videos to the chat', 'no_rights'],
    [400, 'Bad Request: have no rights to send a message', 'no_rights'],
    [400, 'Bad Request: CHAT_WRITE_FORBIDDEN', 'no_rights'],
    [400, 'Bad Request: CHANNEL_PRIVATE', 'no_rights'],
    [400, 'Bad Request: chat not found', 'no_rights'],
    [400, 'Bad Request: group chat was deactivated', 'no_rights'],
    [400, 'Bad Request: VOICE_MESSAGES_FORBIDDEN', 'refused'],
  ])('%i “%s” is %s', (code, description, kind) => {
    expect(refused(code, description)).toMatchObject({ kind, code, description, method: 'sendVideo' })
  })

  it('keeps how long to wait, in Telegram’s seconds, and where the group went', () => {
    expect(refused(429, 'Too Many Requests: retry after 5', { retry_after: 5 })).toMatchObject({
      kind: 'flood',
      retryAfterMs: 100,
    })
    expect(
      refused(400, 'Bad Request: group chat was upgraded to a supergroup chat', { migrate_to_chat_id: -1001 }),
    ).toMatchObject({ kind: 'migrated', migrateTo: -1001 })
    // A flood is a flood, whatever else is said.
    expect(refused(429, 'Too Many Requests', { retry_after: 1, migrate_to_chat_id: -1001 }).kind).toBe('flood')
  })

  it('keeps no more than a line of what Telegram says', () => {
    expect(refused(400, 'x'.repeat(1_000)).description.length).toBe(200)
  })
})

describe('no answer', () => {
  const coded = (code: string) => Object.assign(new Error('fetch failed'), { code })

  it.each([
    'ECONNREFUSED',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EHOSTUNREACH',
    'ENETUNREACH',
    'UND_ERR_CONNECT_TIMEOUT',
    'CERT_HAS_EXPIRED',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
  ])('after %s: the call never reached Telegram and may be made again', (code) => {
    expect(noAnswer('sendVideo', coded(code), undefined)).toMatchObject({
      kind: 'not_sent',
      code: 0,
      description: `cannot connect (${code})`,
    })
  })

  it.each(['ECONNRESET', 'EPIPE', 'ETIMEDOUT'])('after %s: Telegram may have taken it', (code) => {
    expect(noAnswer('sendVideo', coded(code), undefined)).toMatchObject({
      kind: 'unknown_outcome',
      description: `the connection broke (${code})`,
    })
  })

  it('finds the code where the client libraries hide it, and gives up in a circle', () => {
    expect(noAnswer('sendVideo', { error: { cause: coded('ECONNREFUSED') } }, undefined).kind).toBe('not_sent')
    const circle: { error?: unknown } = {}
    circle.error = circle
    expect(noAnswer('sendVideo', circle, undefined)).toMatchObject({
      kind: 'unknown_outcome',
      description: 'the connection broke',
    })
  })

  it('that is no JSON is the fault of a server in between', () => {
    expect(noAnswer('sendVideo', { error: { type: 'invalid-json' } }, undefined).kind).toBe('server')
    expect(noAnswer('sendVideo', { error: new SyntaxError('Unexpected token <') }, undefined).kind).toBe('server')
  })

  it('when we gave up ourselves, or waited long enough', () => {
    expect(noAnswer('sendVideo', coded('ECONNREFUSED'), 'aborted').kind).toBe('aborted')
    expect(noAnswer('sendVideo', coded('ECONNREFUSED'), 'timed out').kind).toBe('unknown_outcome')
  })
})
