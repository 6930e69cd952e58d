/** What several parts of the page are made of. */
import { html, type Html } from './html.ts'

/** What the page says about where it looks. */
export interface PageSettings {
  /** `sandbox`, or the bot it belongs to */
  world: string
  sandbox: boolean
  /** posts a minute that a storage channel takes; undefined: there is no limit */
  channelRate?: number | undefined
}

/** The option that commands need here. */
export const sandboxOption = ({ sandbox }: PageSettings) => (sandbox ? ' --sandbox' : '')

export const number = (value: number) => value.toLocaleString('en')

export const secondsSince = (moment: Date) => (Date.now() - moment.getTime()) / 1_000

/**
 * A moment in UTC, which the page's script turns into the viewer's time. `as`: `clock`, `time`, or `day` with the date.
 */
export function moment(at: Date, as: 'clock' | 'time' | 'day'): Html {
  const text = at.toISOString()
  return html`<time datetime="${text}" data-moment="${text}" data-as="${as}"
    >${as === 'day' ? `${text.slice(0, 10)} ` : ''}${text.slice(11, as === 'clock' ? 19 : 16)} UTC</time
  >`
}

export const star = html`<svg viewBox="0 0 32 32" aria-hidden="true">
  <path d="M16 3l3.2 8.8 9 .4-7.1 5.6 2.4 8.8-7.5-5-7.5 5 2.4-8.8-7.1-5.6 9-.4z" />
</svg>`
