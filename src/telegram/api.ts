/** The connection to the Bot API. Every failure leaves it as a `TelegramError`. */
import { stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { Api, InputFile, type ApiClientOptions, type Transformer } from 'grammy'
import type { Times } from '../config.ts'
import { emit } from '../events.ts'
import { noAnswer, refusal, TelegramError } from './errors.ts'

export type { Api } from 'grammy'

/** How to reach the Bot API as one bot. */
export interface TelegramSettings {
  token: string
  /** a Bot API server of one's own, or the sandbox; undefined: Telegram's */
  apiRoot: string | undefined
  /** the server runs in local mode and sees our files at the same paths */
  local?: boolean
  times: Times
}

/** The bot's own identity, as Telegram tells it. */
export interface BotIdentity {
  id: bigint
  /** as it is addressed, without the @ */
  username: string
  /** as people see it */
  name: string
  /** its owner switched inline mode on */
  supportsInline: boolean
}

/** The client options that api and bot share. */
export function clientOptions({ apiRoot }: Pick<TelegramSettings, 'apiRoot'>): ApiClientOptions {
  return { ...(apiRoot === undefined ? {} : { apiRoot }), timeoutSeconds: 600 }
}

/** Connects the Bot API's methods; no call is made yet. */
export function connectTelegram(settings: TelegramSettings): Api {
  const api = new Api(settings.token, clientOptions(settings))
  // The transformer that is added last comes first: it must still see what is uploaded, to know how long that may take.
  if (settings.local === true) api.config.use(filesByPath)
  api.config.use(ownErrors(settings.times))
  return api
}

/**
 * A call of the beginning, before there is anything to put back: a flood or a fault of the server that passes soon is
 * waited for.
 * @throws TelegramError
 */
export async function patiently<T>(times: Times, call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call()
    } catch (error) {
      const waitMs = !(error instanceof TelegramError)
        ? undefined
        : error.kind === 'flood'
          ? error.retryAfterMs
          : error.kind === 'server'
            ? tries * times.telegramSecondMs
            : undefined
      if (waitMs === undefined || waitMs > times.longestFloodSleepMs || tries >= 5) throw error
      await sleep(waitMs)
    }
  }
}

/** @throws TelegramError */
export async function whoAmI(api: Api): Promise<BotIdentity> {
  const { id, username, first_name, supports_inline_queries } = await api.getMe()
  return { id: BigInt(id), username, name: first_name, supportsInline: supports_inline_queries }
}

/**
 * Turns whatever goes wrong into a `TelegramError`, and bounds every call in time: a call that only names a
 * `file_id` must not hang for minutes, an upload may take as long as its size needs.
 */
export function ownErrors(times: Times): Transformer {
  return async (previous, method, payload, signal) => {
    const caller = signal as unknown as AbortSignal | undefined
    // Not AbortSignal.any: that leaves something behind in a signal that lives as long as the process, at every call.
    const either = new AbortController()
    const end = () => either.abort()
    const timeout = setTimeout(end, await longestMs(method, payload, times))
    caller?.addEventListener('abort', end)
    if (caller?.aborted === true) end()
    let answer
    try {
      answer = await previous(method, payload, either.signal as unknown as typeof signal)
    } catch (error) {
      throw noAnswer(
        method,
        error,
        caller?.aborted === true ? 'aborted' : either.signal.aborted ? 'timed out' : undefined,
      )
    } finally {
      clearTimeout(timeout)
      caller?.removeEventListener('abort', end)
    }
    if (!answer.ok && answer.error_code === 429) emit({ what: 'flood', method })
    if (!answer.ok) throw refusal(method, answer, times.telegramSecondMs)
    return answer
  }
}

/**
 * A server in local mode reads files itself: it is told their addresses instead of their bytes.
 * https://core.telegram.org/bots/api#using-a-local-bot-api-server
 */
const filesByPath: Transformer = (previous, method, payload, signal) => {
  const told = Object.entries(payload).map(([name, value]): [string, unknown] => {
    const path = pathOf(value)
    return [name, path === undefined ? value : pathToFileURL(path).href]
  })
  return previous(method, Object.fromEntries(told) as typeof payload, signal)
}

/** Where the file of an upload lies; undefined when the value is no upload from a file. */
function pathOf(value: unknown): string | undefined {
  if (!(value instanceof InputFile)) return undefined
  const { fileData } = value as unknown as { fileData: unknown }
  return typeof fileData === 'string' ? fileData : undefined
}

const slowestUploadBytesPerSecond = 50_000

async function longestMs(
  method: string,
  payload: Record<string, unknown>,
  { answerMs, uploadAnswerMs }: Times,
): Promise<number> {
  if (method === 'getUpdates') return Number(payload.timeout ?? 0) * 1_000 + answerMs
  if (!(payload.video instanceof InputFile)) return answerMs
  const path = pathOf(payload.video)
  const bytes = path === undefined ? 0 : (await stat(path).catch(() => ({ size: 0 }))).size
  return uploadAnswerMs + Math.ceil((bytes / slowestUploadBytesPerSecond) * 1_000)
}

/** Whether the error is Telegram's, of one of these kinds. */
export function isTelegram(error: unknown, ...kinds: TelegramError['kind'][]): boolean {
  return error instanceof TelegramError && (kinds.length === 0 || kinds.includes(error.kind))
}
