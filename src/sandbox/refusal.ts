/** An answer of the Bot API that is not `ok`, with Telegram's own wording. */
export class Refusal extends Error {
  override name = 'Refusal'
  constructor(
    /** also the HTTP status */
    readonly code: number,
    readonly description: string,
    readonly parameters?: { retry_after?: number; migrate_to_chat_id?: number },
  ) {
    super(`${code} ${description}`)
  }
}

/** 400 with the usual prefix. */
export function badRequest(what: string): Refusal {
  return new Refusal(400, `Bad Request: ${what}`)
}

/** 403 with the usual prefix. */
export function forbidden(what: string): Refusal {
  return new Refusal(403, `Forbidden: ${what}`)
}

/** 429. Telegram announces whole seconds, at least one. */
export function tooManyRequests(retryAfterSeconds: number): Refusal {
  const seconds = Math.max(1, Math.ceil(retryAfterSeconds))
  return new Refusal(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds })
}
