/** The connection to the Bot API. Every failure leaves it as a `TelegramError`. */
import { stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Api, InputFile, type ApiClientOptions, type Transformer } from 'grammy'
import type { Times } from '../config.ts'
import { tell } from '../greetings/events.ts'
import { noAnswer, refusal, TelegramError } from './errors.ts'

export type { Api } from 'grammy'

/** How to reach the Bot API as one bot. */
export interface TelegramSettings {
  token: string
  /** a Bot API server of one's own, or the sandbox; undefined: Telegram's */
  apiRoot: string | undefined
  times: Times
}

/** The bot's own identity, as Telegram tells it. */
export interface BotIdentity {
  id: bigint
  username: string
}

/** The client options that api and bot share. */
export function clientOptions({ apiRoot }: Pick<TelegramSettings, 'apiRoot'>): ApiClientOptions {
  return { ...(apiRoot === undefined ? {} : { apiRoot }), timeoutSeconds: 600 }
}

/** Connects the Bot API's methods; no call is made yet. */
export function connectTelegram(settings: TelegramSettings): Api {
  const api = new Api(settings.token, clientOptions(settings))
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
      const waitMs = !(error instanceof TelegramError) ? undefined : error.kind === 'flood' ? error.retryAfterMs : error.kind === 'server' ? tries * times.telegramSecondMs : undefined
      if (waitMs === undefined || waitMs > times.longestFloodSleepMs || tries >= 5) throw error
      await sleep(waitMs)
    }
  }
}

/** @throws TelegramError */
export async function whoAmI(api: Api): Promise<BotIdentity> {
  const { id, username } = await api.getMe()
  return { id: BigInt(id), username }
}

/**
 * Turns whatever goes wrong into a `TelegramError`, and bounds every call in time: a call that only names a
 * `file_id` must not hang for minutes, an upload may take as long as its size needs.
 */
export function ownErrors(times: Times): Transformer {
  return async (previous, method, payload, signal) => {
    const timeout = AbortSignal.timeout(await longestMs(method, payload, times))
    const caller = signal as unknown as AbortSignal | undefined
    const either = caller === undefined ? timeout : AbortSignal.any([caller, timeout])
    let answer
    try {
      answer = await previous(method, payload, either as unknown as typeof signal)
    } catch (error) {
      throw noAnswer(method, error, caller?.aborted === true ? 'aborted' : timeout.aborted ? 'timed out' : undefined)
    }
    if (!answer.ok && answer.error_code === 429) tell({ what: 'flood', method })
    if (!answer.ok) throw refusal(method, answer, times.telegramSecondMs)
    return answer
  }
}

const slowestUploadBytesPerSecond = 50_000

async function longestMs(method: string, payload: Record<string, unknown>, { answerMs, uploadAnswerMs }: Times): Promise<number> {
  if (method === 'getUpdates') return Number(payload.timeout ?? 0) * 1_000 + answerMs
  const file = payload.video
  if (!(file instanceof InputFile)) return answerMs
  const path = (file as unknown as { fileData: unknown }).fileData
  const bytes = typeof path === 'string' ? (await stat(path).catch(() => ({ size: 0 }))).size : 0
  return uploadAnswerMs + Math.ceil((bytes / slowestUploadBytesPerSecond) * 1_000)
}

/** Whether the error is Telegram's, of one of these kinds. */
export function isTelegram(error: unknown, ...kinds: TelegramError['kind'][]): boolean {
  return error instanceof TelegramError && (kinds.length === 0 || kinds.includes(error.kind))
}
