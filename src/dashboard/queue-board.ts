/** The jobs one by one, shown by bull-board; the only user of it and of express. Nothing can be changed there. */
import type { RequestListener } from 'node:http'
import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { ExpressAdapter } from '@bull-board/express'
import express from 'express'
import { lanes, type GreetingsQueue } from '../queue/index.ts'

/** Where it lies below the dashboard. */
export const queuePath = '/queue'

const titles = {
  people: { name: 'People wait', description: 'Somebody asked for these videos' },
  deferred: { name: 'People wait for many', description: 'Asked for by people who wait for others already' },
  warm: { name: 'Warming', description: 'Nobody waits for these yet' },
}

/** What its page asks for elsewhere. */
const foreign = /<link[^>]*href="https?:[^>]*>/g

/** What its page may load: its own files, the styles within them, and nothing from elsewhere. */
export const queuePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "font-src 'self'; connect-src 'self'; base-uri 'self'; form-action 'none'; frame-ancestors 'none'"

/** Answers requests below `queuePath`. */
export function queueBoard(queue: GreetingsQueue): RequestListener {
  const adapter = boardOf(queue)
  const app = express()
  app.disable('x-powered-by')
  app.use(inOurLooks)
  app.use(queuePath, adapter.getRouter() as express.Router)
  app.use(answerError)
  return app
}

function boardOf({ queues }: GreetingsQueue): ExpressAdapter {
  const adapter = new ExpressAdapter()
  adapter.setBasePath(queuePath)
  createBullBoard({
    queues: lanes.map((lane) => {
      const shown = new BullMQAdapter(queues[lane], {
        readOnlyMode: true,
        allowRetries: false,
        description: titles[lane].description,
      })
      // It is listed and addressed by this, not by what the server calls it.
      shown.getName = () => titles[lane].name
      shown.setFormatter(
        'name',
        ({ data }: { data?: { assetId?: string } }) => `Video ${data?.assetId?.slice(0, 8) ?? ''}`,
      )
      return shown
    }),
    serverAdapter: adapter,
    options: {
      uiConfig: {
        boardTitle: 'Greetings · queue',
        boardLogo: { path: '/icon.svg', width: 28, height: 28 },
        favIcon: { default: '/icon.svg', alternative: '/icon.svg' },
        dateFormats: {
          short: { timeStyle: 'medium', hourCycle: 'h23' },
          common: { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
          full: { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' },
        },
        hideDocsLink: true,
        hideRedisDetails: true,
        showWorkers: false,
      },
    },
  })
  // bull-board's own tells the error's words, and the stack in development.
  adapter.setErrorHandler(() => ({ status: 500, body: { error: 'That did not work.' } }))
  return adapter
}

/** Its page in our looks, and without the typeface of another host. */
function inOurLooks(_request: express.Request, response: express.Response, next: express.NextFunction): void {
  const send = response.send.bind(response)
  response.send = (body: unknown) =>
    send(
      typeof body === 'string' && response.get('content-type')?.includes('json') !== true
        ? body
            .replaceAll(foreign, '')
            .replace('</head>', '<link rel="stylesheet" href="/queue.css"></head>')
            .replace('</body>', '<a class="to-dashboard" href="/">← Dashboard</a></body>')
        : body,
    )
  next()
}

/** Express would answer with the stack, and with it the folders of this host. It knows this by its four parameters. */
function answerError(
  error: { status?: number },
  _request: express.Request,
  response: express.Response,
  _next: express.NextFunction,
): void {
  const status = error.status !== undefined && error.status >= 400 && error.status < 500 ? error.status : 500
  if (response.headersSent) response.destroy()
  else
    response
      .status(status)
      .type('text')
      .send(status === 500 ? 'That did not work.\n' : 'There is nothing here.\n')
}
