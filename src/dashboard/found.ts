/** The part of the page that shows what is known of a name. */
import type { NamedVideo } from '../greetings/reports/one-name.ts'
import { html, type Html } from './html.ts'
import { moment, sandboxOption, star, type PageSettings } from './pieces.ts'
import type { Found } from './view.ts'
import { counted, quoted, refusalText, span } from './words.ts'

const states: Record<NamedVideo['status'], string> = {
  PENDING: 'waits to be made',
  GENERATING: 'is being made',
  AVAILABLE: 'ready',
  FAILED: 'could not be made',
}

/** What is known of one video of the name. */
function card(video: NamedVideo, { pictures }: Found, settings: PageSettings): Html {
  const { id, template, display, status, revision, fileId } = video
  const picture =
    revision !== null && pictures.has(revision)
      ? html`<img src="/poster/${revision}.jpg" alt="" width="180" height="320" />`
      : html`<span class="blank">${star}</span>`
  const canPlay = revision !== null || fileId !== null
  const command = status === 'FAILED' ? 'retry' : 'status'
  return html`<li>
    ${canPlay ? html`<a class="play" href="/video/${id}.mp4" aria-label="Play">${picture}</a>` : picture}
    <div>
      <b dir="auto">${display}</b><small>${template}</small>
      <ul>
        ${factsOf(video).map((fact) => html`<li>${fact}</li>`)}
      </ul>
      <code>greetings ${command} ${quoted(display)}${sandboxOption(settings)}</code>
    </div>
  </li>`
}

function factsOf(video: NamedVideo): Html[] {
  const { say, status, waiting, waitingSeconds, asked, askedAt, availableAt, errorClass, errorText } = video
  const facts = [html`${states[status]}${availableAt === null ? '' : html` since ${moment(availableAt, 'day')}`}`]
  if (waiting > 0) {
    const first = waitingSeconds === null ? '' : `, the first for ${span(waitingSeconds)}`
    facts.push(html`${counted(waiting, 'person waits', 'people wait')}${first}`)
  }
  facts.push(html`asked for ${counted(asked, 'time')}${askedAt === null ? '' : html`, last ${moment(askedAt, 'day')}`}`)
  if (say !== null) facts.push(html`said “${say}”`)
  if (errorClass !== null)
    facts.push(html`<span class="alarm">${errorClass}${errorText === null ? '' : `: ${errorText}`}</span>`)
  return facts
}

/** What was found for a name. */
export function result(found: Found, settings: PageSettings): Html {
  const { text, rejection, videos, similar } = found
  const option = sandboxOption(settings)
  return html`${
      videos.length === 0
        ? html`<p class="none">
            ${rejection === undefined ? html`There is no video of this name yet. Make one: <code>echo ${quoted(text)} | greetings warm -${option}</code>` : `This name cannot be served: ${refusalText(rejection)}.`}
          </p>`
        : html`${rejection === undefined ? '' : html`<p class="none">Nobody gets it now: ${refusalText(rejection)}.</p>`}
            <ul class="results">
              ${videos.map((video) => card(video, found, settings))}
            </ul>`
    }
    ${similar.length === 0 ? '' : html`<p class="similar">Names that begin so: ${similar.map((name) => html`<a dir="auto" href="/?name=${encodeURIComponent(name)}">${name}</a>`)}</p>`}
    <p class="more"><a href="/">Clear the search</a></p>`
}
