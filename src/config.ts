/** The environment, read once and validated together. Every fault is reported at once, with its remedy. */
import { blankIsAbsent, environment } from './variables.ts'

/** What the environment says, in our units. */
export interface Config {
  /** `GREETINGS_HOME`, as given */
  home: string | undefined
  token: string | undefined
  apiRoot: string | undefined
  /** the server at `apiRoot` runs in local mode and sees our files at the same paths */
  apiLocal: boolean
  storageChatIds: string[]
  databaseUrl: string | undefined
  redisUrl: string | undefined
  /** enabled template ids, in order of preference */
  templates: string[]
  /** a folder of templates of one's own; undefined: those that ship */
  templatesFolder: string | undefined
  /** recordings of names by template; undefined: `recordings` in the home */
  recordingsFolder: string | undefined
  voice: {
    engine: 'auto' | 'say' | 'espeak' | 'piper' | 'http'
    voice: string | undefined
    url: string | undefined
    apiKey: string | undefined
    model: string | undefined
    piperPath: string | undefined
    piperModel: string | undefined
  }
  /** parallel renders of one worker; undefined: as many as there are processors, at most 8 */
  renderConcurrency: number | undefined
  adminIds: string[]
  webhook: { url: string; secret: string | undefined } | undefined
  port: number
  /** lets whoever knows it into the dashboard; undefined: this machine only */
  dashboardPassword: string | undefined
  logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'
  /** how long work in hand may go on after SIGTERM, milliseconds */
  stopMs: number
  ffmpegPath: string | undefined
  /** posts a minute to one storage channel; undefined: Telegram's 20, unlimited in the sandbox */
  channelRatePerMinute: number | undefined
  /** what has to stay free on every file system that is written to, bytes; undefined: see `reserveOf` */
  keepFreeBytes: number | undefined
  /** finished files are kept up to this size, bytes */
  keepBytes: number
  /**
   * files of the operator's: words that are names whatever the lists of offensive words say, and names that are refused
   */
  allowedNames: string | undefined
  blockedNames: string | undefined
  /** files with names that may be suggested to people, besides those that ship */
  knownNames: string[]
  /** divides all waiting times, ours and Telegram's in the sandbox; 1 in real life */
  timeDivisor: number
  times: Times
}

/** Every waiting time of ours, in milliseconds. `TIME_DIVISOR` divides them all; tests use it. */
export interface Times {
  /** liveness of whoever holds an asset */
  leaseMs: number
  leaseRenewMs: number
  reconcileMs: number
  /** a PENDING asset that is not queued for so long is added again */
  queueGraceMs: number
  /** an update that takes longer is held, and tried again while others are answered */
  handleMs: number
  /** how long somebody who asks waits for a locked row; whoever comes after them may wait as long */
  lockMs: number
  /** between two tries of a held update: first, and at most */
  heldRetryMs: number
  longestHeldRetryMs: number
  /** how long an update is held */
  heldMs: number
  /** how long a claimed request may take to be sent */
  claimMs: number
  /** a FAILED asset may be asked for again after this */
  coolDownMs: number
  /** between attempts at an asset whose render failed */
  attemptDelayMs: number
  /** the default pause of a step that is out of order */
  outageMs: number
  /** a worker process that was not seen for so long is gone */
  workerGoneMs: number
  /** how long the queue believes in a worker that says nothing */
  jobLockMs: number
  /** between two looks at the database of something that waits */
  pollMs: number
  /** a `retry_after` above this puts work back instead of sleeping */
  longestFloodSleepMs: number
  /** the length of one of Telegram's seconds: of those it asks to wait, and of those its limits count */
  telegramSecondMs: number
  /** how long an answer may take to a call that carries no file, and to one that does beside what its size needs */
  answerMs: number
  uploadAnswerMs: number
  /** how long `getUpdates` is held open, seconds */
  longPollSeconds: number
}

/** The waiting times for a divisor; 1 is real life. */
export function waitingTimes(divisor: number): Times {
  const ms = (value: number) => Math.max(10, Math.round(value / divisor))
  return {
    leaseMs: Math.max(1_000, ms(20_000)),
    leaseRenewMs: Math.max(250, ms(5_000)),
    reconcileMs: Math.max(200, ms(10_000)),
    queueGraceMs: Math.max(400, ms(10_000)),
    handleMs: Math.max(1_000, ms(2_000)),
    lockMs: 500,
    heldRetryMs: Math.max(100, ms(500)),
    longestHeldRetryMs: Math.max(500, ms(5_000)),
    heldMs: ms(86_400_000),
    claimMs: Math.max(6_000, ms(30_000)),
    coolDownMs: ms(3_600_000),
    attemptDelayMs: ms(5_000),
    outageMs: ms(15_000),
    workerGoneMs: Math.max(1_500, ms(20_000)),
    jobLockMs: Math.max(4_000, ms(20_000)),
    pollMs: Math.max(50, ms(1_000)),
    longestFloodSleepMs: ms(60_000),
    telegramSecondMs: Math.max(1, Math.round(1_000 / divisor)),
    answerMs: Math.max(3_000, ms(15_000)),
    uploadAnswerMs: Math.max(4_000, ms(30_000)),
    longPollSeconds: Math.max(1, Math.round(25 / divisor)),
  }
}

/** The configuration is unusable; `faults` holds one sentence each, with the variable and the remedy. */
export class ConfigFault extends Error {
  override name = 'ConfigFault'
  readonly exitCode = 2
  constructor(readonly faults: string[]) {
    super(faults.join('\n'))
  }

  /** what a command says that ends with it */
  get lastWords(): string {
    return ['The configuration cannot be used:', ...this.faults.map((fault) => `  ${fault}`)].join('\n')
  }
}

/**
 * Reads and checks the environment. Values of secrets never appear in a fault.
 * @throws ConfigFault with every fault at once
 */
export function readConfig(env: Record<string, string | undefined>): Config {
  const parsed = environment.safeParse(env)
  const faults = parsed.success
    ? []
    : parsed.error.issues.map(
        ({ path, message }) => `${path.join('.')} ${message}. Correct it, or unset it for the default.`,
      )
  // From the environment itself, so that a fault elsewhere does not hide these.
  const voice = env.TTS
  if (voice === 'http' && blankIsAbsent(env.TTS_URL) === undefined)
    faults.push('TTS_URL is missing. TTS=http needs the address of an OpenAI-compatible /v1/audio/speech endpoint.')
  if (voice === 'piper' && blankIsAbsent(env.PIPER_MODEL) === undefined)
    faults.push('PIPER_MODEL is missing. TTS=piper needs the path of a voice model (.onnx).')
  if (env.TELEGRAM_API_LOCAL?.trim() === '1' && blankIsAbsent(env.TELEGRAM_API_ROOT) === undefined)
    faults.push(
      'TELEGRAM_API_ROOT is missing. TELEGRAM_API_LOCAL=1 needs the address of a Bot API server of your ' +
        'own that was started with --local.',
    )
  if (!parsed.success || faults.length > 0) throw new ConfigFault(faults)
  const read = parsed.data
  return {
    home: read.GREETINGS_HOME,
    token: read.TELEGRAM_BOT_TOKEN,
    apiRoot: read.TELEGRAM_API_ROOT?.replace(/\/+$/, ''),
    apiLocal: read.TELEGRAM_API_LOCAL === '1',
    storageChatIds: read.STORAGE_CHAT_IDS ?? [],
    databaseUrl: read.DATABASE_URL,
    redisUrl: read.REDIS_URL,
    templates: read.TEMPLATES,
    templatesFolder: read.TEMPLATES_FOLDER,
    recordingsFolder: read.RECORDINGS_FOLDER,
    voice: {
      engine: read.TTS,
      voice: read.TTS_VOICE,
      url: read.TTS_URL,
      apiKey: read.TTS_API_KEY,
      model: read.TTS_MODEL,
      piperPath: read.PIPER_PATH,
      piperModel: read.PIPER_MODEL,
    },
    renderConcurrency: read.RENDER_CONCURRENCY,
    adminIds: read.ADMIN_IDS ?? [],
    webhook: read.WEBHOOK_URL === undefined ? undefined : { url: read.WEBHOOK_URL, secret: read.WEBHOOK_SECRET },
    port: read.PORT,
    dashboardPassword: read.DASHBOARD_PASSWORD,
    logLevel: read.LOG_LEVEL,
    stopMs: read.STOP_SECONDS * 1_000,
    ffmpegPath: read.FFMPEG_PATH,
    channelRatePerMinute: read.CHANNEL_RATE,
    keepFreeBytes: read.KEEP_FREE_GB === undefined ? undefined : read.KEEP_FREE_GB * 1e9,
    keepBytes: read.KEEP_GB * 1e9,
    allowedNames: read.ALLOWED_NAMES,
    knownNames: read.KNOWN_NAMES,
    blockedNames: read.BLOCKED_NAMES,
    timeDivisor: read.TIME_DIVISOR,
    times: waitingTimes(read.TIME_DIVISOR),
  }
}

/** Gives this process the variables that are not set in its environment: what is set wins, also when it is empty. */
export function completeEnvironment(values: Record<string, string | undefined>): void {
  for (const [name, value] of Object.entries(values)) if (value !== undefined) process.env[name] ??= value
}

/** `GREETINGS_HOME` of this process, before anything else of the configuration is looked at. */
export function namedHome(): string | undefined {
  return blankIsAbsent(process.env.GREETINGS_HOME) as string | undefined
}

/** The configuration of this process, once its environment is complete. */
export function configOfProcess(): Config {
  return readConfig(process.env)
}

/** What programs that we start, and we ourselves, take for the user. */
export function setEnvironmentOfUser(name: string, home: string): void {
  Object.assign(process.env, { HOME: home, USER: name, LOGNAME: name })
}
