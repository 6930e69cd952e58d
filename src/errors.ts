/**
 * The two ways in which making a video can go wrong. Everything a worker's step throws is one of these
 * or a defect of ours, which counts as a fault of the asset.
 */
import { hostname } from 'node:os'

/**
 * What of the asset itself is at fault. It uses up an attempt. `gate`: the finished file does
 * not pass the video check; stored by that name.
 */
export type AssetFaultClass = 'voice' | 'render' | 'gate' | 'too_large'

/** A fault of the asset itself: rendering this name again elsewhere would probably fail too. */
export class AssetFault extends Error {
  override name = 'AssetFault'
  readonly exitCode = 1
  constructor(
    readonly faultClass: AssetFaultClass,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** The step that is out of order. */
export type OutageStep = 'ffmpeg' | 'voice' | 'disk' | 'template' | 'telegram' | 'storage' | 'token'

/** Something the asset is not to blame for. Uses no attempt: the work is put back and tried later. */
export class Outage extends Error {
  override name = 'Outage'
  constructor(
    readonly step: OutageStep,
    message: string,
    /** how long to wait before the next try; the caller's default when left out */
    readonly retryAfterMs?: number,
    options?: ErrorOptions,
  ) {
    super(message, options)
  }

  /** of a command that ends with it */
  get exitCode(): number {
    return this.step === 'token' ? 2 : 3
  }

  /** what the command says then */
  get lastWords(): string {
    return this.step === 'token' ? tokenRefused : this.message
  }
}

/** What a command says that ends because Telegram refuses the token. */
export const tokenRefused =
  'Telegram does not accept the bot’s token. Check TELEGRAM_BOT_TOKEN, or get a new token from ' +
  '@BotFather (/token). Nothing was lost: what is queued stays queued.'

const thisHost = `${hostname()}: `

/**
 * A disk of this host has no room or does not work. The reason begins with
 * the host, as no other can see that it is over.
 */
export function diskOutage(reason: string, options?: ErrorOptions): Outage {
  return new Outage('disk', `${thisHost}${reason}`, undefined, options)
}

/** Whether work on this host shows that the outage is over: that a disk has room again is seen on its own host only. */
export function isSeenHere({ step, reason }: { step: string; reason: string }): boolean {
  return step !== 'disk' || reason.startsWith(thisHost)
}

/** Nobody is to blame and nothing is out of order: this asset's work is put back for so long. */
export class NotNow extends Error {
  override name = 'NotNow'
  constructor(readonly delayMs: number) {
    super('the work is put back')
  }
}

/** An unexpected error by its class, code and place in our code, without its message, which may hold anything. */
export function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  const { code } = error as { code?: unknown }
  const frames = error.stack?.split('\n').filter((line) => line.trimStart().startsWith('at ')) ?? []
  const frame = frames.find((line) => !line.includes('node_modules') && !line.includes('node:')) ?? frames[0]
  const place = /([^/\\(]+:\d+):\d+\)?$/.exec(frame ?? '')?.[1]
  return [error.name, typeof code === 'string' ? code : '', place === undefined ? '' : `at ${place}`]
    .filter((part) => part !== '')
    .join(' ')
}
