/** The first names of a demo: made while it starts, and offered on the chat page as soon as they can be sent. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Services } from '../app/services.ts'
import { askFromName, type AskRules } from '../greetings/ask.ts'
import { finishedOf } from '../greetings/reports/outcomes.ts'
import { request } from '../greetings/request.ts'
import type { Log } from '../log.ts'
import { sandboxControl, type SampleName } from '../sandbox/client.ts'
import { languageOfScript } from '../texts.ts'
import type { KnownNames } from '../understanding/known-names.ts'

/** Of so many frequent names, so many are offered in each language, as the bot itself does. */
const lookedAt = 50
const offered = 3

const lookMs = 300

interface Demo {
  services: Services
  askRules: AskRules
  known: KnownNames
  log: Log
}

/**
 * Sees to it that the most frequent names have videos, first those in the language of this machine, then the others, and
 * tells the chat page which are ready. `ready` is called once those of the first language are. What is not finished at
 * the signal is made by whoever works next.
 */
export async function prepareNames(demo: Demo, ready: () => void, stop: AbortSignal): Promise<void> {
  const { services, known, log } = demo
  if (services.sandbox === undefined) return
  const page = sandboxControl(services.sandbox.url)
  const first = Intl.DateTimeFormat().resolvedOptions().locale.startsWith('ru') ? 'ru' : 'en'
  const samples = new Map<string, SampleName[]>()
  const tell = () => page.offerNames([...samples.values()].flat())
  for (const language of first === 'ru' ? ['ru', 'en'] : ['en', 'ru']) {
    const names = known.startingWith('', lookedAt).filter(({ display }) => languageOfScript(display) === language)
    const open = new Map<string, SampleName>()
    const asks = names.slice(0, offered).flatMap((name) => {
      const asked = askFromName(name, demo.askRules)
      return asked.ok ? [asked.ask] : []
    })
    const mine = asks.map(({ display }): SampleName => ({ name: display, language, ready: false }))
    samples.set(language, mine)
    const answers = await request(services.door, asks)
    answers.forEach((answer, index) => {
      const sample = mine[index]
      if (sample === undefined || answer.status === 'refused') return
      if (answer.status === 'available') sample.ready = true
      else open.set(answer.assetId, sample)
    })
    await tell()
    if (open.size > 0) log.info({ language, names: mine.length }, 'preparing the first names; the page opens with them')
    while (open.size > 0) {
      await sleep(lookMs, undefined, { signal: stop })
      const finished = await finishedOf(services.db, [...open.keys()])
      for (const { id, status } of finished) {
        const sample = open.get(id)
        if (sample !== undefined && status === 'AVAILABLE') sample.ready = true
        open.delete(id)
      }
      if (finished.length === 0) continue
      await tell()
      log.info({ language, ready: mine.filter((sample) => sample.ready).length, of: mine.length }, 'first names')
    }
    if (language === first) ready()
  }
}
