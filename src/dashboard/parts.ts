/** The parts of the page, each of which shows one thing of the view. */
import type { LiveProcess } from '../greetings/workers.ts'
import type { ChannelUse } from '../telegram/uploads.ts'
import { coverageBar, useBar } from './charts.ts'
import { html, type Html } from './html.ts'
import { moment, number, sandboxOption, secondsSince, star, type PageSettings } from './pieces.ts'
import type { Failed, InWork } from '../greetings/reports/latest.ts'
import type { Made, View } from './view.ts'
import { counted, outcomeText, percent, quoted, refusalText, span } from './words.ts'

export function state({ findings, outages }: View): Html {
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

export function figures({ numbers: { assets, requests, last24h }, longestWaitSeconds }: View): Html {
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

export function coverage({ numbers: { templates } }: View): Html {
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

export function making({ inWork, numbers, workers }: View): Html {
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

export function poster({ id, template, display, secondsAgo, revision, sendable }: Made): Html {
  const picture =
    revision === undefined
      ? html`<span class="blank">${star}</span>`
      : html`<img src="/poster/${revision}.jpg" alt="" loading="lazy" width="180" height="320" />`
  const card = html`${picture}<b dir="auto">${display}</b><small>${span(Math.max(0, secondsAgo))} ago</small>`
  return html`<li title="${display} · ${template}">
    ${revision !== undefined || sendable ? html`<a class="play" href="/video/${id}.mp4">${card}</a>` : card}
  </li>`
}

export function failures({ failed, numbers }: View, settings: PageSettings): Html {
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

export function work(
  { at, numbers: { assets }, queue, pace, uploads, workers }: View,
  { channelRate }: PageSettings,
): Html {
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

export function missed({ missed }: View, settings: PageSettings): Html {
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

export function refused({ refused }: View): Html {
  if (refused.length === 0) return html`<p class="none">Every text was a name that could be served.</p>`
  return html`<ul class="counts">
    ${refused.map(({ reason, count }) => html`<li><b>${refusalText(reason)}</b><strong>${number(count)}</strong></li>`)}
  </ul>`
}

export function understood({ understood }: View): Html {
  if (understood.length === 0) return html`<p class="none">Nobody wrote anything.</p>`
  const sums = new Map<string, number>()
  for (const { outcome, count } of understood) sums.set(outcome, (sums.get(outcome) ?? 0) + count)
  return html`<ul class="counts">
    ${[...sums].map(([outcome, count]) => html`<li><b>${outcomeText(outcome)}</b><strong>${number(count)}</strong></li>`)}
  </ul>`
}

export function reported({ reported }: View): Html {
  return html`<ul class="counts">
    ${reported.map(
      ({ name, count, wanted }) =>
        html`<li>
          <b dir="auto"><a href="/?name=${encodeURIComponent(name)}">${name}</a></b
          ><small>${wanted.map((wish) => `${wish.spelling} ${wish.count}`).join(', ')}</small
          ><strong>${number(count)}</strong>
        </li>`,
    )}
  </ul>`
}

export function processes({ bots, workers }: View): Html {
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
