/** Small charts of the last day, as SVG within the page. Colours are the style sheet's. */
import type { VideoCounts } from '../greetings/reports/statistics.ts'
import { html, type Html } from './html.ts'
import { percent, span } from './words.ts'
import type { Hour } from './view.ts'

const width = 480
const height = 150
const left = 44
const bottom = 24
const slot = (width - left) / 24
const floor = height - bottom

const when = ({ hoursAgo }: Hour) => (hoursAgo === 0 ? 'this hour' : `${hoursAgo} h ago`)
const middle = ({ hoursAgo }: Hour) => left + (23 - hoursAgo + 0.5) * slot
const round = (value: number) => Number(value.toFixed(1))

function frame(label: string, inner: Html[], at: Date): Html {
  // Each is told as a moment; the page's script turns it into the hour where the viewer is.
  const hours = [18, 12, 6, 0].map((hoursAgo) => {
    const began = new Date((Math.floor(at.getTime() / 3_600_000) - hoursAgo) * 3_600_000)
    return html`<text
      x="${round(left + (23 - hoursAgo + 0.5) * slot)}"
      y="${height - 4}"
      class="tick mid"
      ${hoursAgo === 0 ? '' : html` data-moment="${began.toISOString()}" data-as="time"`}
      >${hoursAgo === 0 ? 'now' : began.toISOString().slice(11, 16)}</text
    >`
  })
  return html`<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}">
    ${inner}${hours}
  </svg>`
}

/** A round number at or above `value`, and so is its half. */
function ceiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)))
  return [1, 2, 4, 10].map((step) => step * power).find((step) => step >= value) ?? value
}

/** How many asked in each hour, hits below, the rest above. */
export function askedChart(hours: readonly Hour[], at: Date): Html {
  const top = ceiling(Math.max(4, ...hours.map(({ asked }) => asked)))
  const y = (count: number) => floor - (count / top) * (floor - 10)
  const grid = [0, top / 2, top].map(
    (value) =>
      html`<line x1="${left}" x2="${width}" y1="${round(y(value))}" y2="${round(y(value))}" class="grid" /><text
          x="${left - 6}"
          y="${round(y(value) + 4)}"
          class="tick end"
          >${value}</text
        >`,
  )
  const bars = hours.map((hour) => {
    const { asked, hits } = hour
    if (asked === 0) return html``
    const x = round(middle(hour) - slot * 0.36)
    const bar = (from: number, to: number, name: string) =>
      html`<rect
        x="${x}"
        y="${round(y(to))}"
        width="${round(slot * 0.72)}"
        height="${round(Math.max(0, y(from) - y(to)))}"
        rx="1.5"
        class="${name}"
      />`
    return html`<g
      ><title>${when(hour)}: ${asked} asked, ${percent(hits / asked)} hits</title
      >${bar(0, hits, 'hit')}${bar(hits, asked, 'miss')}</g
    >`
  })
  const sum = (pick: (hour: Hour) => number) => hours.reduce((total, hour) => total + pick(hour), 0)
  return frame(
    `Questions by the hour over the last day: ${sum(({ asked }) => asked)}, of which ` +
      `${sum(({ hits }) => hits)} were hits`,
    [...grid, ...bars],
    at,
  )
}

/** How long people waited in each hour: a dot at the median, a line up to what 95 of 100 stayed below. Logarithmic. */
export function waitChart(hours: readonly Hour[], at: Date): Html {
  const [least, longest] = [0.1, Math.max(100, ...hours.map(({ p95 }) => p95 ?? 0))]
  const y = (seconds: number) =>
    floor - (Math.log(Math.min(longest, Math.max(least, seconds)) / least) / Math.log(longest / least)) * (floor - 10)
  const grid = [0.1, 1, 10, 60, 600, 3_600]
    .filter((value) => value <= longest)
    .map(
      (value) =>
        html`<line x1="${left}" x2="${width}" y1="${round(y(value))}" y2="${round(y(value))}" class="grid" /><text
            x="${left - 6}"
            y="${round(y(value) + 4)}"
            class="tick end"
            >${span(value)}</text
          >`,
    )
  const marks = hours.map((hour) => {
    const { p50, p95 } = hour
    if (p50 === null || p95 === null) return html``
    const x = round(middle(hour))
    return html`<g
      ><title>${when(hour)}: half within ${span(p50)}, 95 of 100 within ${span(p95)}</title
      ><line x1="${x}" x2="${x}" y1="${round(y(p50))}" y2="${round(y(p95))}" class="reach" /><circle
        cx="${x}"
        cy="${round(y(p50))}"
        r="4"
        class="half"
    /></g>`
  })
  const served = hours.filter(({ p50 }) => p50 !== null)
  return frame(
    served.length === 0
      ? 'Waiting times by the hour: nobody was served in the last day'
      : `Waiting times by the hour, ${served.length} hours in which somebody was served`,
    [...grid, ...marks],
    at,
  )
}

/** How much of what is allowed is used. */
export function useBar(used: number, most: number): Html {
  const share = most === 0 ? 0 : Math.min(100, (used / most) * 100)
  return html`<svg
    class="bar"
    viewBox="0 0 100 8"
    preserveAspectRatio="none"
    role="img"
    aria-label="${used} of ${most} a minute"
  >
    <rect x="0" y="0" width="${round(share)}" height="8" class="${used > most ? 'full' : 'available'}" />
  </svg>`
}

/** How far a template's videos are. */
export function coverageBar({ available, otherBot, generating, pending, failed }: VideoCounts): Html {
  const all = available + otherBot + generating + pending + failed
  let at = 0
  const parts = (
    [
      ['available', available],
      ['generating', generating],
      ['pending', pending],
      ['failed', failed],
    ] as const
  ).map(([name, count]) => {
    const share = all === 0 ? 0 : (count / all) * 100
    const part = html`<rect x="${round(at)}" y="0" width="${round(share)}" height="8" class="${name}" />`
    at += share
    return count === 0 ? html`` : part
  })
  return html`<svg
    class="bar"
    viewBox="0 0 100 8"
    preserveAspectRatio="none"
    role="img"
    aria-label="${available} of ${all} available"
  >
    ${parts}
  </svg>`
}
