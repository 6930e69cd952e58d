/** The page, whole. It works without its script, which only refreshes it. */
import { askedChart, waitChart } from './charts.ts'
import { result } from './found.ts'
import { html, type Html } from './html.ts'
import {
  coverage,
  failures,
  figures,
  making,
  missed,
  poster,
  processes,
  refused,
  reported,
  state,
  understood,
  work,
} from './parts.ts'
import { moment, type PageSettings } from './pieces.ts'
import type { Found, View } from './view.ts'

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
    ${view.reported.length === 0 ? '' : part('reported', 'Sounds wrong', reported(view))}
    ${part('understood', 'What people wrote in 24 h', understood(view))}
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
