/**
 * The variables of the environment: the rule of each, its default, and what it means. `npm run docs` writes the table
 * in docs/variables.md from this, in this order, so links lead from there.
 */
import { z } from 'zod'

const chatId = /^-?\d{1,20}$/

/** A variable that is set to nothing, or to blanks, is not set. */
export const blankIsAbsent = (value: unknown) => (typeof value === 'string' && value.trim() === '' ? undefined : value)
/** `otherwise` says what holds without it. */
const optional = <T extends z.ZodType>(type: T, otherwise = '') =>
  z.preprocess(blankIsAbsent, type.optional()).meta({ default: otherwise })
const withDefault = <T extends z.ZodType>(type: T, value: z.input<T>) =>
  z.preprocess((raw) => blankIsAbsent(raw) ?? value, type).meta({ default: `\`${String(value)}\`` })

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
)
const url = (protocols: string[]) =>
  z.string().refine(
    (text) => {
      try {
        return protocols.includes(new URL(text).protocol)
      } catch {
        return false
      }
    },
    `is not a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  )
const whole = (min: number, max: number) =>
  z.coerce
    .number({ error: 'is not a number' })
    .int('is not a whole number')
    .min(min, `is below ${min}`)
    .max(max, `is above ${max}`)
const gigabytes = z.coerce.number({ error: 'is not a number' }).min(0, 'is below 0')
const ids = list.refine(
  (parts) => parts.every((part) => chatId.test(part)),
  'is not a comma-separated list of numeric ids, such as -1001234567890',
)

/** What the environment may say. */
export const environment = z.object({
  TELEGRAM_BOT_TOKEN: optional(
    z
      .string()
      .regex(/^\d+:[A-Za-z0-9_-]{20,}$/, 'does not look like a token from @BotFather (digits, a colon, letters)'),
  ).describe('the token from @BotFather; not needed with `--sandbox`'),
  TELEGRAM_API_ROOT: optional(url(['http:', 'https:']), 'Telegram’s own').describe(
    'address of a self-hosted Bot API server',
  ),
  TELEGRAM_API_LOCAL: withDefault(
    z
      .string()
      .trim()
      .regex(/^[01]$/, 'is neither 0 nor 1'),
    '0',
  ).describe(
    '`1`: that server runs in [local mode](operating.md#a-bot-api-server-of-your-own) and reads the files ' +
      'itself, by their path',
  ),
  STORAGE_CHAT_IDS: optional(ids).describe('ids of the storage channels, separated by commas'),
  CHANNEL_RATE: optional(whole(1, 100_000), '20; unlimited in the sandbox').describe(
    'posts a minute to one storage channel',
  ),
  KEEP_GB: withDefault(gigabytes, 20).describe(
    'rendered files are kept in the home up to this total size; the oldest uploaded ones go first',
  ),
  KEEP_FREE_GB: optional(gigabytes, 'a tenth of the disk, from 0.15 to 1').describe(
    'what [stays free](operating.md#a-disk-that-is-small-or-fills-up) on every disk that is written to; `0`: ' +
      'nothing',
  ),
  ALLOWED_NAMES: optional(z.string()).describe(
    'a file of [names that are accepted](../names/README.md#words-that-are-refused), whatever the lists of ' +
      'offensive words say',
  ),
  BLOCKED_NAMES: optional(z.string()).describe('a file of names that are refused'),
  KNOWN_NAMES: withDefault(list, '').describe(
    'files with names that the bot may suggest besides [those that ship](../names/README.md), separated by commas',
  ),
  ADMIN_IDS: optional(ids).describe(
    'Telegram user ids, separated by commas: exempt from the limits per person, and with ' +
      '[commands of their own](operating.md#admins-in-telegram) in their chat with the bot',
  ),
  DATABASE_URL: optional(url(['postgres:', 'postgresql:']), 'the embedded one').describe(
    'address of a PostgreSQL database. Through PgBouncer only together with `REDIS_URL`: the queue in ' +
      'PostgreSQL needs sessions of its own',
  ),
  REDIS_URL: optional(url(['redis:', 'rediss:']), 'the queue is in PostgreSQL').describe(
    'address of Redis (`redis://` or `rediss://`)',
  ),
  GREETINGS_HOME: optional(z.string(), 'see [the home](home.md)').describe(
    'the folder of the embedded database, the sandbox and rendered files',
  ),
  TEMPLATES: withDefault(
    list.refine(
      (parts) => parts.every((part) => /^[a-z0-9][a-z0-9-]*$/.test(part)),
      'holds something that is not a template id, such as new-year-ru',
    ),
    'new-year-ru,new-year-en',
  ).describe('the templates in use, in order of preference'),
  TEMPLATES_FOLDER: optional(z.string(), 'those that ship').describe('a folder with templates of your own'),
  RECORDINGS_FOLDER: optional(z.string(), '`recordings` in the home').describe(
    '[recordings](voices.md#a-human-voice) of names',
  ),
  TTS: withDefault(
    z.enum(['auto', 'say', 'espeak', 'piper', 'http'], { error: 'must be auto, say, espeak, piper or http' }),
    'auto',
  ).describe('the [voice](voices.md): `auto`, `say`, `espeak`, `piper`, `http`'),
  TTS_VOICE: optional(z.string(), 'by language').describe(
    'the voice within the engine; for Piper, the number of the speaker',
  ),
  TTS_URL: optional(url(['http:', 'https:'])).describe(
    'with `TTS=http`: an OpenAI-compatible server; `/v1/audio/speech` is added if it is missing',
  ),
  TTS_API_KEY: optional(z.string()).describe('with `TTS=http`: its key'),
  TTS_MODEL: optional(z.string()).describe('with `TTS=http`: its model'),
  PIPER_PATH: optional(z.string(), '`piper` from PATH').describe('with `TTS=piper`: the program'),
  PIPER_MODEL: optional(z.string()).describe('with `TTS=piper`: the voice model (`.onnx`)'),
  FFMPEG_PATH: optional(z.string(), 'the bundled one, else PATH').describe('an ffmpeg of your own'),
  RENDER_CONCURRENCY: optional(whole(1, 64), 'processors, at most 8').describe(
    'videos that one worker renders at a time, 1 to 64',
  ),
  WEBHOOK_URL: optional(url(['https:', 'http:']), 'long polling').describe(
    'public address to which Telegram sends updates',
  ),
  WEBHOOK_SECRET: optional(
    z.string().regex(/^[A-Za-z0-9_-]{1,256}$/, 'must be 1 to 256 of A-Z, a-z, 0-9, _ and -'),
    'made at each start',
  ).describe('proves that a webhook call is Telegram’s: 1 to 256 of `A-Z a-z 0-9 _ -`'),
  PORT: withDefault(whole(0, 65_535), 8080).describe(
    'where webhook calls are accepted, on 127.0.0.1: put a reverse proxy with TLS in front',
  ),
  DASHBOARD_PASSWORD: optional(z.string().min(8, 'is too short: at least 8 characters')).describe(
    'opens the [dashboard](monitoring.md#the-dashboard) to whoever knows it, at least 8 characters; without ' +
      'it the dashboard answers only this machine',
  ),
  LOG_LEVEL: withDefault(
    z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'], {
      error: 'must be trace, debug, info, warn, error or silent',
    }),
    'info',
  ).describe('`trace`, `debug` (each step of a video), `info`, `warn`, `error`, `silent`'),
  STOP_SECONDS: withDefault(whole(0, 3_600), 8).describe('how long work in hand may go on after a signal'),
  TIME_DIVISOR: withDefault(whole(1, 1_000), 1).describe('divides all waiting times. For tests; leave it alone'),
})
