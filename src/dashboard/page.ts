/** The page, whole. It works without its script, which only refreshes it. */
import { askedChart, coverageBar, waitChart } from './charts.ts'
import { html, type Html } from './html.ts'
import type { Failed, InWork, Made, View } from './view.ts'
import { counted, percent, quoted, span } from './words.ts'

/** What the page says about where it looks. */
export interface PageSettings {
  /** `sandbox`, or the bot it belongs to */
  world: string
  sandbox: boolean
}

/** The whole document. */
export function page(view: View, settings: PageSettings): string {
  return documentOf(html`
    ${part('state', 'How things are', state(view))}
    ${part('figures', 'Figures', figures(view))}
    ${part('asked', 'Asked for, by the hour', html`${askedChart(view.hours)}<p class="legend"><span class="key hit">in the cache</span><span class="key miss">had to be made, or not possible</span></p>`)}
    ${part('waits', 'Waiting, by the hour', html`${waitChart(view.hours)}<p class="legend"><span class="key half">half of the people</span><span class="key reach">95 of 100</span></p>`)}
    ${part('coverage', 'The cache', coverage(view))}
    ${part('making', 'Being made now', making(view))}
    ${part('made', 'Made lately', html`<ul class="posters">${view.made.map(poster)}</ul>${view.made.length === 0 ? html`<p class="none">No video yet. <code>greetings warm</code> fills the cache.</p>` : ''}`)}
    ${part('failed', 'Could not be made', failures(view, settings))}
    ${part('queue', 'Queue and workers', queue(view))}`, settings, view.at)
}

/** The document when there is nothing to show; `why` is one sentence. */
export function emptyPage(why: string, settings: PageSettings): string {
  return documentOf(html`<section data-part="state" class="state"><p class="verdict bad"><span class="lamp" aria-hidden="true"></span>${why}</p></section>`, settings, new Date())
}

function documentOf(content: Html, { world, sandbox }: PageSettings, at: Date): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Greetings · dashboard</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/page.css">
<noscript><meta http-equiv="refresh" content="10"></noscript>
<script src="/page.js" type="module"></script>
</head>
<body>
<header class="top">
  <svg class="star" viewBox="0 0 32 32" aria-hidden="true"><path d="M16 3l3.2 8.8 9 .4-7.1 5.6 2.4 8.8-7.5-5-7.5 5 2.4-8.8-7.1-5.6 9-.4z"/></svg>
  <h1>Greetings</h1>
  <p class="world${sandbox ? ' sandbox' : ''}">${world}</p>
  <p class="clock" data-part="clock">as of <time datetime="${at.toISOString()}">${at.toISOString().slice(11, 19)} UTC</time></p>
</header>
<p class="offline" id="offline" role="status" hidden>The dashboard does not answer. Looking again…</p>
<main>${content}</main>
</body>
</html>
`.text
}

function part(name: string, title: string, inner: Html): Html {
  return html`<section class="${name}" aria-labelledby="title-${name}"><h2 id="title-${name}">${title}</h2><div data-part="${name}">${inner}</div></section>`
}

function state({ findings, outages }: View): Html {
  const said = new Set(outages.map(({ step, reason }) => `${step} is out of order: ${reason}`))
  const others = findings.filter((finding) => !said.has(finding))
  if (findings.length === 0) return html`<p class="verdict good"><span class="lamp" aria-hidden="true"></span>All is well</p>`
  return html`<p class="verdict bad"><span class="lamp" aria-hidden="true"></span>${counted(findings.length, 'thing needs', 'things need')} attention</p>
<ul class="findings">${outages.map(({ step, reason, since, until }) => html`<li><b>${step}</b> is out of order: ${reason} <small>for ${span(secondsSince(since))}, ${secondsSince(until) > 0 ? 'tried again with the next video' : `next try in ${span(-secondsSince(until))}`}</small></li>`)}${others.map((finding) => html`<li>${finding}</li>`)}</ul>`
}

const secondsSince = (moment: Date) => (Date.now() - moment.getTime()) / 1_000

function figures({ numbers: { assets, requests, last24h }, longestWaitSeconds }: View): Html {
  const { hitRate, waitSeconds, requests: asked } = last24h
  const figure = (value: string, name: string, more: string) => html`<div><dd>${value}</dd><dt>${name}</dt><dd class="more">${more}</dd></div>`
  return html`<dl>${[
    figure(assets.available.toLocaleString('en'), 'videos ready', assets.otherBot > 0 ? `${assets.otherBot.toLocaleString('en')} of another bot` : assets.stale === 0 ? counted(assets.pending + assets.generating, 'more under way', 'more under way') : `${assets.stale.toLocaleString('en')} of an older template`),
    figure(hitRate === null ? '–' : percent(hitRate), 'answered at once', `${counted(asked, 'question')} in 24 h`),
    figure(waitSeconds.p50 === null ? '–' : span(waitSeconds.p50), 'median wait', waitSeconds.p95 === null ? 'nobody was served in 24 h' : `95 of 100 within ${span(waitSeconds.p95)}`),
    figure(requests.pending.toLocaleString('en'), requests.pending === 1 ? 'person waits' : 'people wait', longestWaitSeconds === null ? 'everybody was served' : `the longest for ${span(longestWaitSeconds)}`),
  ]}</dl>`
}

function coverage({ numbers: { templates } }: View): Html {
  if (templates.length === 0) return html`<p class="none">No template is in use.</p>`
  return html`<ul class="templates">${templates.map((count) => {
    const { template, available, otherBot, generating, pending, failed } = count
    const words = [`${available.toLocaleString('en')} ready`, ...(otherBot > 0 ? [`${otherBot.toLocaleString('en')} of another bot`] : []), ...(generating > 0 ? [`${generating} being made`] : []), ...(pending > 0 ? [`${pending.toLocaleString('en')} waiting`] : []), ...(failed > 0 ? [`${failed.toLocaleString('en')} failed`] : [])]
    return html`<li><b>${template}</b><span>${words.join(' · ')}</span>${coverageBar(count)}</li>`
  })}</ul>`
}

function making({ inWork, numbers, workers }: View): Html {
  const more = numbers.assets.generating - inWork.length
  if (inWork.length === 0) return html`<p class="none">${workers.length === 0 ? html`Nothing, and no worker is alive: start <code>greetings worker</code> or <code>up</code>.` : 'Nothing. The workers rest.'}</p>`
  const row = ({ template, display, seconds, waiting }: InWork) => html`<li><span class="glow" aria-hidden="true"></span><b dir="auto">${display}</b><small>${template} · for ${span(seconds)}${waiting > 0 ? ` · ${counted(waiting, 'person waits', 'people wait')}` : ''}</small></li>`
  return html`<ul class="rows">${inWork.map(row)}</ul>${more > 0 ? html`<p class="none">and ${more} more</p>` : ''}`
}

function poster({ template, display, secondsAgo, revision }: Made): Html {
  const picture = revision === undefined ? html`<span class="blank" aria-hidden="true"><svg viewBox="0 0 32 32"><path d="M16 3l3.2 8.8 9 .4-7.1 5.6 2.4 8.8-7.5-5-7.5 5 2.4-8.8-7.1-5.6 9-.4z"/></svg></span>` : html`<img src="/poster/${revision}.jpg" alt="" loading="lazy" width="180" height="320">`
  return html`<li title="${template}">${picture}<b dir="auto">${display}</b><small>${span(Math.max(0, secondsAgo))} ago</small></li>`
}

function failures({ failed, numbers }: View, { sandbox }: PageSettings): Html {
  if (failed.length === 0) return html`<p class="none">Nothing failed.</p>`
  const command = (what: string) => html`<code>greetings retry ${what}${sandbox ? ' --sandbox' : ''}</code>`
  const row = ({ template, display, errorClass, errorText, secondsAgo }: Failed) => html`<li><b dir="auto">${display}</b><small>${template} · ${span(Math.max(0, secondsAgo))} ago</small><p><b>${errorClass}</b>${errorText === '' ? '' : html`: ${errorText}`}</p>${command(quoted(display))}</li>`
  return html`<ul class="faults">${failed.map(row)}</ul><p class="none">${counted(numbers.assets.failed, 'video')} in all. Try all again: ${command('--all')}</p>`
}

function queue({ queue: { waiting, active, delayed, oldestWaitingSeconds }, workers, bots }: View): Html {
  return html`<p class="jobs">${[html`<b>${waiting.toLocaleString('en')}</b> waiting`, html`<b>${active.toLocaleString('en')}</b> active`, html`<b>${delayed.toLocaleString('en')}</b> delayed`].map((each) => html`<span>${each}</span>`)}${oldestWaitingSeconds === null ? '' : html`<span>the oldest for <b>${span(oldestWaitingSeconds)}</b></span>`}</p>
${workers.length === 0 ? html`<p class="none">No worker is alive.</p>` : html`<ul class="rows">${workers.map(({ host, pid, concurrency, rendering, uploading, startedAt, seenSeconds, silent }) => html`<li><b>${host}</b><small>pid ${pid} · ${silent ? `silent for ${span(seenSeconds)}` : `${rendering} of ${concurrency} rendering · ${uploading} uploading`} · up for ${span(secondsSince(startedAt))}</small></li>`)}</ul>`}
${bots.length === 0 ? html`<p class="none">No bot is alive.</p>` : html`<ul class="rows">${bots.map(({ host, pid, mode, startedAt, seenSeconds, silent }) => html`<li><b>${host}</b><small>bot, pid ${pid} · ${silent ? `silent for ${span(seenSeconds)}` : mode} · up for ${span(secondsSince(startedAt))}</small></li>`)}</ul>`}
<p class="more"><a href="/queue/">The jobs, one by one</a></p>`
}
