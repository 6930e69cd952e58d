/**
 * The figures for Prometheus; the only user of prom-client. What happens in this process is counted as it is
 * told (events.ts); what is true of the whole installation is read when somebody asks. Labels are
 * words of ours, never a name or an id.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Db } from './db/database.ts'
import { listen, type DomainEvent } from './events.ts'
import { currentOutages } from './greetings/outages.ts'
import { ownBot } from './greetings/own-bot.ts'
import { understoodIn } from './greetings/understood.ts'
import { shared } from './shared.ts'
import { longestWaitSeconds, statistics, workload } from './greetings/reports/statistics.ts'
import type { GreetingsQueue } from './queue/index.ts'

/** What is asked for the state of the installation. */
interface Installation {
  db: Db
  queue: GreetingsQueue
  workers: () => Promise<number>
  bots: () => Promise<number>
}

/** The figures of this process. */
export interface Metrics {
  contentType: string
  /** From now on the state of the installation is read there. */
  watch(installation: Installation): void
  /**
   * All figures as text, computed once for all who ask at a time. Without an installation, or
   * when it does not answer, its state is left out.
   */
  text(): Promise<string>
  close(): void
}

const waitBuckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600]
const workBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 7.5, 10, 15, 30, 60, 120, 300]
// A scrape must end before Prometheus gives up on it (10 s).
const stateMs = 5_000

/** Begins to count. */
export function openMetrics(about: { version: string; role: string }): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  new Gauge({
    name: 'greetings_build_info',
    help: 'Always 1; the labels tell what runs.',
    labelNames: ['version', 'node', 'role'],
    registers: [registry],
  }).set({ ...about, node: process.version }, 1)
  const counts = openCounts([registry])
  const gauges = openGauges([registry])
  const ignore = listen((event) => count(counts, event))

  let watched: Installation | undefined
  // A reading that takes too long goes on: no second one is begun beside it.
  const state = shared(async () => {
    if (watched === undefined) throw new Error('nothing is watched yet')
    await readState(watched, gauges)
  })
  const text = shared(async () => {
    let timer: NodeJS.Timeout | undefined
    try {
      await Promise.race([
        state(),
        new Promise((_, reject) => (timer = setTimeout(() => reject(new Error('no answer')), stateMs))),
      ])
    } catch {
      forgetState(gauges)
      gauges.up.set(0)
    } finally {
      clearTimeout(timer)
    }
    return registry.metrics()
  })

  return {
    contentType: registry.contentType,
    watch: (installation) => (watched = installation),
    text,
    close() {
      ignore()
      registry.clear()
    },
  }
}

/** What happens in this process. */
function openCounts(registers: Registry[]) {
  const requests = new Counter({
    name: 'greetings_requests_total',
    help: 'What people asked for, by outcome.',
    labelNames: ['outcome'],
    registers,
  })
  const understood = new Counter({
    name: 'greetings_understood_total',
    help: 'How texts of people were understood, or why they were refused.',
    labelNames: ['outcome', 'reason'],
    registers,
  })
  const waits = new Histogram({
    name: 'greetings_wait_seconds',
    help: 'From a person’s question to the video being sent.',
    labelNames: ['hit'],
    buckets: waitBuckets,
    registers,
  })
  const deliveries = new Counter({
    name: 'greetings_deliveries_total',
    help: 'Requests ended: the video was sent, or the person was told that it does not work or cannot be reached.',
    labelNames: ['outcome'],
    registers,
  })
  const work = (name: string, help: string) => new Histogram({ name, help, buckets: workBuckets, registers })
  const renders = work('greetings_render_seconds', 'Making one video, from name to checked file.')
  const steps = new Histogram({
    name: 'greetings_render_step_seconds',
    help: 'One step of making a video.',
    labelNames: ['step'],
    buckets: workBuckets,
    registers,
  })
  const kept = new Counter({
    name: 'greetings_renders_kept_total',
    help: 'Videos that were there already and not made again.',
    registers,
  })
  const uploads = work('greetings_upload_seconds', 'Uploading one video, waiting for Telegram’s limits included.')
  const faults = new Counter({
    name: 'greetings_faults_total',
    help: 'Attempts at a video that went wrong, by cause; final: it was given up.',
    labelNames: ['cause', 'final'],
    registers,
  })
  const outagesBegun = new Counter({
    name: 'greetings_outages_total',
    help: 'How often a step was found not working.',
    labelNames: ['step'],
    registers,
  })
  const floods = new Counter({
    name: 'greetings_telegram_floods_total',
    help: 'Answers 429 of Telegram, by method.',
    labelNames: ['method'],
    registers,
  })
  return { requests, understood, waits, deliveries, renders, steps, kept, uploads, faults, outagesBegun, floods }
}

type Counts = ReturnType<typeof openCounts>

/** Counts an event. */
function count(counts: Counts, event: DomainEvent): void {
  const understood = understoodIn(event)
  if (understood !== undefined) {
    const { outcome, reason } = understood
    counts.understood.inc({ outcome, ...(reason === undefined ? {} : { reason }) })
  }
  switch (event.what) {
    case 'asked':
      return counts.requests.inc({ outcome: event.outcome })
    case 'delivered':
      counts.waits.observe({ hit: String(event.hit) }, event.seconds)
      return counts.deliveries.inc({ outcome: 'sent' })
    case 'gave_up':
      return counts.deliveries.inc({ outcome: 'gave_up' })
    case 'step':
      if (event.step === 'video') counts.renders.observe(event.seconds)
      else if (event.step === 'upload') counts.uploads.observe(event.seconds)
      else if (event.step === 'video from the render cache') counts.kept.inc()
      else counts.steps.observe({ step: event.step }, event.seconds)
      return
    case 'fault':
      return counts.faults.inc({ cause: event.cause, final: String(event.final) })
    case 'outage':
      return counts.outagesBegun.inc({ step: event.step })
    case 'flood':
      return counts.floods.inc({ method: event.method })
  }
}

/** The state of the installation. */
function openGauges(registers: Registry[]) {
  const up = new Gauge({
    name: 'greetings_state_up',
    help:
      '1: database and queue answered when the state below was read. The same for ' +
      'every process of the installation.',
    registers,
  })
  const videos = new Gauge({ name: 'greetings_videos', help: 'Videos by state.', labelNames: ['state'], registers })
  const pending = new Gauge({ name: 'greetings_requests_pending', help: 'People who wait.', registers })
  const longest = new Gauge({
    name: 'greetings_longest_wait_seconds',
    help: 'How long the person who has waited longest has been waiting.',
    registers,
  })
  const jobs = new Gauge({
    name: 'greetings_queue_jobs',
    help: 'Jobs in the queue by state.',
    labelNames: ['state'],
    registers,
  })
  const oldest = new Gauge({
    name: 'greetings_queue_oldest_seconds',
    help: 'Age of the oldest job that waits and may run.',
    registers,
  })
  const outages = new Gauge({
    name: 'greetings_outage',
    help: '1: this step is out of order now.',
    labelNames: ['step'],
    registers,
  })
  const workers = new Gauge({ name: 'greetings_workers', help: 'Live workers.', registers })
  const bots = new Gauge({ name: 'greetings_bots', help: 'Live processes that take updates.', registers })
  return { up, videos, pending, longest, jobs, oldest, outages, workers, bots }
}

type Gauges = ReturnType<typeof openGauges>

function forgetState({ videos, jobs, outages, pending, longest, oldest, workers, bots }: Gauges): void {
  for (const labelled of [videos, jobs, outages]) labelled.reset()
  for (const single of [pending, longest, oldest, workers, bots]) single.remove()
}

/** Reads the state of the installation into the gauges. */
async function readState(installation: Installation, gauges: Gauges): Promise<void> {
  const { db, queue } = installation
  const bot = await ownBot(db)
  const [numbers, waited, fetched, out, working, answering] = await Promise.all([
    statistics(db, new Map(), bot?.id ?? null),
    longestWaitSeconds(db),
    queue.counts(),
    currentOutages(db),
    installation.workers(),
    installation.bots(),
  ])
  const depth = workload(fetched, numbers.assets)
  forgetState(gauges)
  const { pending, generating, available, otherBot, failed } = numbers.assets
  for (const [name, count] of Object.entries({ pending, generating, available, other_bot: otherBot, failed }))
    gauges.videos.set({ state: name }, count)
  gauges.pending.set(numbers.requests.pending)
  gauges.longest.set(waited ?? 0)
  for (const name of ['waiting', 'active', 'delayed'] as const) gauges.jobs.set({ state: name }, depth[name])
  gauges.oldest.set(depth.oldestWaitingSeconds ?? 0)
  for (const { step } of out) gauges.outages.set({ step }, 1)
  gauges.workers.set(working)
  gauges.bots.set(answering)
  gauges.up.set(1)
}
