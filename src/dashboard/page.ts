/** The page, whole. It works without its script, which only refreshes it. */
import type { NamedVideo } from '../greetings/reports/one-name.ts'
import type { LiveProcess } from '../greetings/workers.ts'
import type { ChannelUse } from '../telegram/uploads.ts'
import { askedChart, coverageBar, useBar, waitChart } from './charts.ts'
import { html, type Html } from './html.ts'
import type { Failed, Found, InWork, Made, View } from './view.ts'
import { counted, percent, quoted, refusalText, span } from './words.ts'

/** What the page says about where it looks. */
export interface PageSettings {
  /** `sandbox`, or the bot it belongs to */
  world: string
  sandbox: boolean
  /** posts a minute that a storage channel takes; undefined: there is no limit */
  channelRate?: number | undefined
}

/** The whole document; `found`: what was looked for. */
export function page(view: View, settings: PageSettings, found?: Found): string {
  return documentOf(
    html` ${found === undefined ? '' : part('found', `Looked for “${found.text}”`, result(found, settings))}
    ${part('state', 'How things are', state(view))} ${part('figures', 'Figures', figures(view))}
    ${view.failed.length === 0 ? '' : part('failed', 'Could not be made', failures(view, settings))}
    ${part('making', 'Being made now', making(view))} ${part('queue', 'Queue and uploads', work(view, settings))}
    ${part(
      'asked',
      'Asked for, by the hour',
      html`${askedChart(view.hours, view.at)}
        <p class="legend">
          <span class="key hit">in the cache</span><span class="key miss">had to be made, or not possible</span>
        </p>`,
    )}
    ${part(
      'waits',
      'Waiting, by the hour',
      html`${waitChart(view.hours, view.at)}
        <p class="legend"><span class="key half">half of the people</span><span class="key reach">95 of 100</span></p>`,
    )}
    ${part(
      'made',
      'Made lately',
      html`<ul class="posters">
          ${view.made.map((made) => poster(made))}
        </ul>
        ${view.made.length === 0 ? html`<p class="none">No video yet. <code>greetings warm</code> fills the cache.</p>` : ''}`,
    )}
    ${part('coverage', 'Templates', coverage(view))} ${part('missed', 'Missed this week', missed(view, settings))}
    ${part('refused', 'Not served in 24 h', refused(view))} ${part('processes', 'Bots and workers', processes(view))}`,
    settings,
    view.at,
    found?.text,
  )
}

/** The document when there is nothing to show; `why` is one sentence. */
export function emptyPage(why: string, settings: PageSettings): string {
  return documentOf(
    html`<section data-part="state" class="state">
      <p class="verdict bad"><span class="lamp" aria-hidden="true"></span>${why}</p>
    </section>`,
    settings,
    new Date(),
  )
}

/** Files of `browser/`, in the order in which they override each other. */
const styles = ['base', 'layout', 'figures', 'counts', 'videos']

function documentOf(content: Html, { world, sandbox }: PageSettings, at: Date, search = ''): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <meta name="robots" content="noindex" />
        <title>Greetings · dashboard</title>
        <link rel="icon" href="/icon.svg" type="image/svg+xml" />
        ${styles.map((name) => html`<link rel="stylesheet" href="/${name}.css" />`)}
        <noscript><meta http-equiv="refresh" content="10" /></noscript>
        <script src="/page.js" type="module"></script>
      </head>
      <body>
        <header class="top">
          <svg class="star" viewBox="0 0 32 32" aria-hidden="true">
            <path d="M16 3l3.2 8.8 9 .4-7.1 5.6 2.4 8.8-7.5-5-7.5 5 2.4-8.8-7.1-5.6 9-.4z" />
          </svg>
          <h1>Greetings</h1>
          <p class="world${sandbox ? ' sandbox' : ''}">${world}</p>
          <form class="search" action="/" role="search">
            <input
              type="search"
              name="name"
              value="${search}"
              maxlength="200"
              placeholder="A name"
              aria-label="Look for a name"
              autocomplete="off"
            /><button>Look</button>
          </form>
          <p class="clock" data-part="clock">as of ${moment(at, 'clock')}</p>
        </header>
        <p class="offline" id="offline" role="status" hidden>The dashboard does not answer. Looking again…</p>
        <main>${content}</main>
        <dialog id="cinema" aria-label="Video">
          <video controls playsinline></video>
          <p hidden>This video cannot be played: it is neither on this host, nor can it be had from Telegram.</p>
          <form method="dialog"><button aria-label="Close">×</button></form>
        </dialog>
      </body>
    </html> `.text
}

function part(name: string, title: string, inner: Html): Html {
  return html`<section class="${name}" aria-labelledby="title-${name}">
    <h2 id="title-${name}">${title}</h2>
    <div data-part="${name}">${inner}</div>
  </section>`
}

function state({ findings, outages }: View): Html {
  const said = new Set(outages.map(({ step, reason }) => `${step} is out of order: ${reason}`))
  const others = findings.filter((finding) => !said.has(finding))
  if (findings.length === 0)
    return html`<p class="verdict good"><span class="lamp" aria-hidden="true"></span>All is well</p>`
  return html`<p class="verdict bad">
      <span class="lamp" aria-hidden="true"></span>${counted(findings.length, 'thing needs', 'things need')} attention
    </p>
    <ul class="findings">
      ${outages.map(({ step, reason, since, until }) => html`<li><b>${step}</b> is out of order: ${reason} <small>for ${span(secondsSince(since))}, ${secondsSince(until) > 0 ? 'tried again with the next video' : `next try in ${span(-secondsSince(until))}`}</small></li>`)}${others.map((finding) => html`<li>${finding}</li>`)}
    </ul>`
}

const secondsSince = (moment: Date) => (Date.now() - moment.getTime()) / 1_000

/** A moment in UTC, which the page's script turns into the viewer's time. `as`: `clock`, `time`, or `day` with the date. */
function moment(at: Date, as: 'clock' | 'time' | 'day'): Html {
  const text = at.toISOString()
  return html`<time datetime="${text}" data-moment="${text}" data-as="${as}"
    >${as === 'day' ? `${text.slice(0, 10)} ` : ''}${text.slice(11, as === 'clock' ? 19 : 16)} UTC</time
  >`
}

const number = (value: number) => value.toLocaleString('en')

function figures({ numbers: { assets, requests, last24h }, longestWaitSeconds }: View): Html {
  const { hitRate, waitSeconds, requests: asked } = last24h
  const figure = (value: string, name: string, more: string) =>
    html`<div>
      <dd>${value}</dd>
      <dt>${name}</dt>
      <dd class="more">${more}</dd>
    </div>`
  return html`<dl>
    ${[
      figure(
        number(assets.available),
        'videos ready',
        assets.otherBot > 0
          ? `${number(assets.otherBot)} of another bot`
          : assets.stale === 0
            ? counted(assets.pending + assets.generating, 'more under way', 'more under way')
            : `${number(assets.stale)} of an older template`,
      ),
      figure(hitRate === null ? '–' : percent(hitRate), 'answered at once', `${counted(asked, 'question')} in 24 h`),
      figure(
        waitSeconds.p50 === null ? '–' : span(waitSeconds.p50),
        'median wait',
        waitSeconds.p95 === null ? 'nobody was served in 24 h' : `95 of 100 within ${span(waitSeconds.p95)}`,
      ),
      figure(
        number(requests.pending),
        requests.pending === 1 ? 'person waits' : 'people wait',
        longestWaitSeconds === null ? 'everybody was served' : `the first of them for ${span(longestWaitSeconds)}`,
      ),
    ]}
  </dl>`
}

function coverage({ numbers: { templates } }: View): Html {
  if (templates.length === 0) return html`<p class="none">No template is in use.</p>`
  return html`<ul class="templates">
    ${templates.map((count) => {
      const { template, available, otherBot, generating, pending, failed, stale } = count
      const all = available + otherBot + generating + pending + failed
      const words = [
        `${number(available)} ready`,
        ...(stale > 0 ? [`${number(stale)} of an older revision`] : []),
        ...(otherBot > 0 ? [`${number(otherBot)} of another bot`] : []),
        ...(generating > 0 ? [`${generating} being made`] : []),
        ...(pending > 0 ? [`${number(pending)} waiting`] : []),
        ...(failed > 0 ? [`${number(failed)} failed`] : []),
      ]
      return html`<li>
        <b>${template}</b><strong>${all === 0 ? '–' : percent(available / all)}</strong>${coverageBar(count)}<span
          >${words.join(' · ')}</span
        >
      </li>`
    })}
  </ul>`
}

function making({ inWork, numbers, workers }: View): Html {
  const more = numbers.assets.generating - inWork.length
  if (inWork.length === 0)
    return html`<p class="none">
      ${workers.length === 0 ? html`Nothing, and no worker is alive: start <code>greetings worker</code> or <code>up</code>.` : 'Nothing. The workers rest.'}
    </p>`
  const row = ({ template, display, seconds, waiting }: InWork) =>
    html`<li>
      <span class="glow" aria-hidden="true"></span><b dir="auto">${display}</b
      ><small
        >${template} · for
        ${span(seconds)}${waiting > 0 ? ` · ${counted(waiting, 'person waits', 'people wait')}` : ''}</small
      >
    </li>`
  return html`<ul class="rows">
      ${inWork.map(row)}
    </ul>
    ${more > 0 ? html`<p class="none">and ${more} more</p>` : ''}`
}

const star = html`<svg viewBox="0 0 32 32" aria-hidden="true">
  <path d="M16 3l3.2 8.8 9 .4-7.1 5.6 2.4 8.8-7.5-5-7.5 5 2.4-8.8-7.1-5.6 9-.4z" />
</svg>`

function poster({ id, template, display, secondsAgo, revision, sendable }: Made): Html {
  const picture =
    revision === undefined
      ? html`<span class="blank">${star}</span>`
      : html`<img src="/poster/${revision}.jpg" alt="" loading="lazy" width="180" height="320" />`
  const card = html`${picture}<b dir="auto">${display}</b><small>${span(Math.max(0, secondsAgo))} ago</small>`
  return html`<li title="${display} · ${template}">
    ${revision !== undefined || sendable ? html`<a class="play" href="/video/${id}.mp4">${card}</a>` : card}
  </li>`
}

const sandboxOption = ({ sandbox }: PageSettings) => (sandbox ? ' --sandbox' : '')

function failures({ failed, numbers }: View, settings: PageSettings): Html {
  const command = (what: string) => html`<code>greetings retry ${what}${sandboxOption(settings)}</code>`
  const row = ({ template, display, errorClass, errorText, secondsAgo }: Failed) =>
    html`<li>
      <b dir="auto">${display}</b><small>${template} · ${span(Math.max(0, secondsAgo))} ago</small>
      <p><b>${errorClass}</b>${errorText === '' ? '' : html`: ${errorText}`}</p>
      ${command(quoted(display))}
    </li>`
  return html`<ul class="faults">
      ${failed.map(row)}
    </ul>
    <p class="none">${counted(numbers.assets.failed, 'video')} in all. Try all again: ${command('--all')}</p>`
}

function work({ at, numbers: { assets }, queue, pace, uploads, workers }: View, { channelRate }: PageSettings): Html {
  const left = assets.pending + assets.generating
  const empty =
    left === 0
      ? html`<b>The queue is empty.</b>`
      : workers.length === 0
        ? html`<b>${counted(left, 'video')}</b> to make, and no worker is alive.`
        : pace === null
          ? html`<b>${counted(left, 'video')}</b> to make; how long that takes is not known yet.`
          : html`<b>${counted(left, 'video')}</b> to make: empty at about
              <b>${moment(new Date(at.getTime() + (left / pace) * 60_000), left / pace > 1_080 ? 'day' : 'time')}</b>,
              in ${span((left / pace) * 60)}`
  const jobs = [
    html`<b>${number(assets.generating)}</b> being made`,
    ...(queue === null
      ? [html`<span class="alarm">the queue does not answer</span>`]
      : [html`<b>${number(queue.waiting)}</b> ${queue.waiting === 1 ? 'job waits' : 'jobs wait'}`]),
    ...(queue === null || queue.delayed === 0 ? [] : [html`<b>${number(queue.delayed)}</b> put off`]),
    ...(pace === null ? [] : [html`<b>${Number(pace.toFixed(1))}</b> made a minute`]),
    ...(queue === null || queue.oldestWaitingSeconds === null
      ? []
      : [html`oldest job: queued <b>${span(queue.oldestWaitingSeconds)}</b> ago`]),
  ]
  const channel = ({ chatId, posts, restSeconds, halvedSeconds, restedUntil }: ChannelUse) => {
    const most =
      channelRate === undefined ? undefined : Math.max(1, Math.floor(channelRate / (halvedSeconds > 0 ? 2 : 1)))
    const flood =
      restSeconds > 0
        ? html`429: rests for ${span(restSeconds)}`
        : halvedSeconds > 0
          ? html`after a 429 at half the rate for ${span(halvedSeconds)}`
          : restedUntil === null
            ? 'no 429 yet'
            : html`last 429 over since ${moment(restedUntil, 'day')}`
    return html`<li><b>${chatId}</b><strong>${posts === null || most === undefined ? 'no limit' : `${posts} of ${most} a minute`}</strong>${posts === null || most === undefined ? '' : useBar(posts, most)}<span${restSeconds > 0 || halvedSeconds > 0 ? html` class="alarm"` : ''}>${flood}</span></li>`
  }
  const rests = [
    ...(uploads.bulkRestSeconds > 0
      ? [`Telegram asked for rest: nothing goes in bulk for ${span(uploads.bulkRestSeconds)}`]
      : []),
    ...(uploads.restingChats > 0 ? [`${counted(uploads.restingChats, 'chat rests', 'chats rest')} after a 429`] : []),
  ]
  return html`<p class="lead">${empty}</p>
    <p class="jobs">${jobs.map((each) => html`<span>${each}</span>`)}</p>
    ${
      uploads.channels.length === 0
        ? html`<p class="none">Nothing was uploaded to a storage channel yet.</p>`
        : html`<h3>Storage channels</h3>
            <ul class="templates">
              ${uploads.channels.map(channel)}
            </ul>`
    }
    ${rests.map((rest) => html`<p class="alarm">${rest}</p>`)}
    <p class="more"><a href="/queue/">The jobs, one by one</a></p>`
}

function missed({ missed }: View, settings: PageSettings): Html {
  if (missed.length === 0) return html`<p class="none">Nobody had to wait for a name.</p>`
  const option = sandboxOption(settings)
  return html`<p class="none">Names people had to wait for, and how often.</p>
    <ul class="counts">
      ${missed.map(
        ({ name, count, isReady }) =>
          html`<li>
            <b dir="auto"><a href="/?name=${encodeURIComponent(name)}">${name}</a></b
            ><small>${isReady ? 'ready now' : 'not ready'}</small><strong>${number(count)}</strong>
          </li>`,
      )}
    </ul>
    <p class="none">
      Make what is missing: <code>greetings names --missed --since 7d${option} | greetings warm -${option}</code>
    </p>`
}

function refused({ refused }: View): Html {
  if (refused.length === 0) return html`<p class="none">Every text was a name that could be served.</p>`
  return html`<ul class="counts">
    ${refused.map(({ reason, count }) => html`<li><b>${refusalText(reason)}</b><strong>${number(count)}</strong></li>`)}
  </ul>`
}

function processes({ bots, workers }: View): Html {
  const row = ({ host, pid, startedAt, seenSeconds, silent }: LiveProcess, what: string, doing: string) =>
    html`<li>
      <b>${what}</b
      ><small
        >${host}, pid ${pid} · ${silent ? html`<span class="alarm">silent for ${span(seenSeconds)}</span>` : doing} · up
        for ${span(secondsSince(startedAt))}</small
      >
    </li>`
  return html`<ul class="rows">
    ${bots.map((bot) => row(bot, 'Bot', bot.mode))}${bots.length === 0 ? html`<li class="none">No bot is alive.</li>` : ''}
    ${workers.map((worker) => row(worker, 'Worker', `${worker.rendering} of ${worker.concurrency} rendering, ${worker.uploading} uploading`))}${workers.length === 0 ? html`<li class="none">No worker is alive.</li>` : ''}
  </ul>`
}

const states: Record<NamedVideo['status'], string> = {
  PENDING: 'waits to be made',
  GENERATING: 'is being made',
  AVAILABLE: 'ready',
  FAILED: 'could not be made',
}

function result({ text, rejection, videos, pictures, similar }: Found, settings: PageSettings): Html {
  const option = sandboxOption(settings)
  const card = (video: NamedVideo) => {
    const {
      id,
      template,
      display,
      say,
      status,
      revision,
      fileId,
      waiting,
      waitingSeconds,
      asked,
      askedAt,
      availableAt,
      errorClass,
      errorText,
    } = video
    const facts = [
      html`${states[status]}${availableAt === null ? '' : html` since ${moment(availableAt, 'day')}`}`,
      ...(waiting > 0
        ? [
            html`${counted(waiting, 'person waits', 'people wait')}${waitingSeconds === null ? '' : `, the first for ${span(waitingSeconds)}`}`,
          ]
        : []),
      html`asked for ${counted(asked, 'time')}${askedAt === null ? '' : html`, last ${moment(askedAt, 'day')}`}`,
      ...(say === null ? [] : [html`said “${say}”`]),
      ...(errorClass === null
        ? []
        : [html`<span class="alarm">${errorClass}${errorText === null ? '' : `: ${errorText}`}</span>`]),
    ]
    const hasPicture = revision !== null && pictures.has(revision)
    const command = status === 'FAILED' ? 'retry' : 'status'
    return html`<li>
      ${revision === null && fileId === null ? html`<span class="blank">${star}</span>` : html`<a class="play" href="/video/${id}.mp4" aria-label="Play">${hasPicture ? html`<img src="/poster/${revision}.jpg" alt="" width="180" height="320" />` : html`<span class="blank">${star}</span>`}</a>`}
      <div>
        <b dir="auto">${display}</b><small>${template}</small>
        <ul>
          ${facts.map((fact) => html`<li>${fact}</li>`)}
        </ul>
        <code>greetings ${command} ${quoted(display)}${option}</code>
      </div>
    </li>`
  }
  return html`${
      videos.length === 0
        ? html`<p class="none">
            ${rejection === undefined ? html`There is no video of this name yet. Make one: <code>echo ${quoted(text)} | greetings warm -${option}</code>` : `That is no name that could be served: ${refusalText(rejection)}.`}
          </p>`
        : html`${rejection === undefined ? '' : html`<p class="none">Nobody gets it now: ${refusalText(rejection)}.</p>`}
            <ul class="results">
              ${videos.map(card)}
            </ul>`
    }
    ${similar.length === 0 ? '' : html`<p class="similar">Names that begin so: ${similar.map((name) => html`<a dir="auto" href="/?name=${encodeURIComponent(name)}">${name}</a>`)}</p>`}
    <p class="more"><a href="/">Clear the search</a></p>`
}
