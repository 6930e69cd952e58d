/**
 * The renderer makes videos: it speaks a greeting, has it drawn and encoded in a resident process, and caches the finished
 * files by their content. Nothing here keeps the caller's event loop busy.
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { availableParallelism, hostname } from 'node:os'
import { join } from 'node:path'
import { childEnvironment } from '../child-environment.ts'
import type { Config } from '../config.ts'
import { AssetFault, diskOutage, Outage } from '../errors.ts'
import { builtScript } from '../installation.ts'
import { soundOf } from '../speech/recordings.ts'
import { openSpeaker } from '../speech/speaker.ts'
import type { Speaker } from '../speech/speaker.ts'
import type { Sound } from '../audio/sound.ts'
import { FfmpegMissing, findFfmpeg } from '../ffmpeg/find.ts'
import { killLeftOver } from '../ffmpeg/run.ts'
import { cachedVideo, filesOfVideo, removeCached, trimRenderCache, type Uploaded, type Video } from './render-cache.ts'
import type { Failure, FromRenderProcess, ToRenderProcess } from './render-process.ts'
import type { RenderJob, Step } from './render.ts'
import { createRevisions, type VideoName } from './revisions.ts'
import { bytesToMake } from './parts.ts'
import { openRoom, type RoomSettings } from './room.ts'
import { loadTemplates } from './template.ts'
import type { Template } from './template.ts'

export interface Renderer {
  /** the enabled ones, in order of preference */
  templates: Template[]
  /** Content hash of all that goes into the video: template, encoder settings, voice and spoken text, or the recording, drawn text. */
  revisionOf(template: Template, name: VideoName): Promise<string>
  /** Content hash of the template alone; read once. */
  templateRevisionOf(template: Template): Promise<string>
  /** The video of this revision, when this host has it whole from earlier. */
  cached(revision: string): Promise<Video | undefined>
  /**
   * Speaks, draws, encodes, joins and checks a video, and puts it among the renders. One that is cached is not made again.
   * @throws AssetFault; Outage; the signal's reason when aborted
   */
  make(
    template: Template,
    name: VideoName,
    options: { signal: AbortSignal; onStep?: (step: Step, ms: number) => void },
  ): Promise<Video>
  /** Makes what all videos of the enabled templates share, or finds it made. Throws as `make` does. */
  warmUp(signal?: AbortSignal): Promise<void>
  /** Removes the oldest cached videos beyond `mostBytes`, see `trimRenderCache`. Returns how many. */
  trimCache(mostBytes: number, uploaded: Uploaded): Promise<number>
  /** Removes cached videos that are older than they may be. Returns how many videos. */
  removeCached(files: readonly { revision: string; before: Date }[]): Promise<number>
  close(): Promise<void>
}

export interface RendererSettings {
  /** finished videos: `<revision>.mp4` and `<revision>.jpg` */
  rendersFolder: string
  /** what can be made again */
  cacheFolder: string
  /** the templates that ship when left out */
  templatesFolder?: string
  templateIds: string[]
  ffmpegPath?: string | undefined
  voice: Config['voice']
  /** recordings of names, which take the place of the voice; none when left out */
  recordingsFolder?: string | undefined
  /** what has to stay free, where else, and what may give way */
  room?: Omit<RoomSettings, 'rendersFolder' | 'cacheFolder'> | undefined
  /** told what had to be mended; never a name */
  log?: { warn: (text: string) => void } | undefined
}

/** A work folder older than this belongs to nobody, whatever its name says, milliseconds. */
const abandonedMs = 6 * 3_600_000

/**
 * @throws TemplateFault; Outage 'ffmpeg'; Outage 'voice'
 */
export async function openRenderer(settings: RendererSettings): Promise<Renderer> {
  const { rendersFolder, cacheFolder } = settings
  const templates = await loadTemplates(settings.templatesFolder, settings.templateIds)
  await mkdir(rendersFolder, { recursive: true })
  await mkdir(cacheFolder, { recursive: true })
  await removeAbandoned(rendersFolder)
  const ffmpeg = await findFfmpeg({ path: settings.ffmpegPath, cacheFolder }).catch((error: unknown) => {
    throw error instanceof FfmpegMissing ? new Outage('ffmpeg', error.message, undefined, { cause: error }) : error
  })
  const voiceFolder = await mkdtemp(join(rendersFolder, workPrefix()))
  const speaker = await openSpeaker(settings.voice, voiceFolder).catch(async (error: unknown) => {
    await rm(voiceFolder, { recursive: true, force: true })
    throw error
  })
  const room = openRoom({ ...settings.room, rendersFolder, cacheFolder })
  const pool = openRenderPool((text) => settings.log?.warn(text))
  const revisions = createRevisions(speaker, settings.recordingsFolder)

  /** Room for a render, and before it for what all videos of its template share. */
  const takeRoom = async (template: Template, signal: AbortSignal) =>
    room.take(signal, async () => bytesToMake(ffmpeg, template, await revisions.ofTemplate(template), cacheFolder))

  const renderer: Renderer = {
    templates,
    revisionOf: revisions.now,
    templateRevisionOf: revisions.ofTemplate,
    cached: (revision) => cachedVideo(rendersFolder, revision),
    make: async (template, name, { signal, onStep = () => undefined }) => {
      signal.throwIfAborted()
      const recording = await revisions.recordingOf(template, name)
      const revision = await revisions.of(template, name, recording)
      const earlier = await renderer.cached(revision)
      if (earlier !== undefined) return earlier
      const leaveRoom = await takeRoom(template, signal)
      const started = performance.now()
      let workFolder: string | undefined
      try {
        workFolder = await makeWorkFolder(rendersFolder)
        const spoken =
          recording === undefined
            ? await speakAll(speaker, template, name, signal)
            : [await soundOf(recording, ffmpeg, workFolder, signal)]
        onStep('speech', Math.round(performance.now() - started))
        const files = filesOfVideo(rendersFolder, revision)
        const job: RenderJob = {
          ffmpeg,
          template,
          templateRevision: await revisions.ofTemplate(template),
          display: name.display,
          spoken,
          cacheFolder,
          workFolder,
          videoFile: files.video,
          thumbnailFile: files.thumbnail,
        }
        await pool.run({ kind: 'render', job }, signal, onStep)
      } finally {
        if (workFolder !== undefined) await rm(workFolder, { recursive: true, force: true })
        leaveRoom()
      }
      const video = await renderer.cached(revision)
      if (video === undefined) throw new AssetFault('gate', 'The finished video is gone or damaged.')
      return video
    },
    warmUp: async (signal = new AbortController().signal) => {
      for (const template of templates) {
        const leaveRoom = await takeRoom(template, signal)
        await pool
          .run(
            {
              kind: 'prepare',
              job: { ffmpeg, template, templateRevision: await revisions.ofTemplate(template), cacheFolder },
            },
            signal,
            () => undefined,
          )
          .finally(leaveRoom)
      }
    },
    trimCache: (mostBytes, uploaded) => trimRenderCache(rendersFolder, mostBytes, uploaded),
    async removeCached(files) {
      let removed = 0
      for (const { revision, before } of files) if (await removeCached(rendersFolder, revision, before)) removed++
      return removed
    },
    close: async () => {
      await pool.close()
      await speaker.close()
      await rm(voiceFolder, { recursive: true, force: true })
    },
  }
  return renderer
}

async function speakAll(speaker: Speaker, template: Template, name: VideoName, signal: AbortSignal): Promise<Sound[]> {
  const spoken: Sound[] = []
  for (const { text, language } of template.speech)
    spoken.push(await speaker.speak(speaker.sentence(text, name, language), language, signal))
  return spoken
}

// ---------------------------------------------------------------------------------------------------------------------
// Work folders

/** `tmp-<host>-<pid>-`: tells whose it is. */
function workPrefix(pid = process.pid): string {
  return `tmp-${createHash('sha256').update(hostname()).digest('hex').slice(0, 8)}-${pid}-`
}

async function makeWorkFolder(folder: string): Promise<string> {
  try {
    return await mkdtemp(join(folder, workPrefix()))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EROFS' || code === 'EACCES')
      throw diskOutage(`Nothing can be written to ${folder} (${code}). Make room, or correct its rights.`)
    throw error
  }
}

/** Those of processes of this host that have ended, with what they left running, and those nobody can still be using. */
async function removeAbandoned(folder: string): Promise<void> {
  const ours = workPrefix(0).replace(/0-$/, '')
  for (const name of await readdir(folder)) {
    if (!name.startsWith('tmp-')) continue
    const path = join(folder, name)
    const pid = name.startsWith(ours) ? Number(name.slice(ours.length).split('-')[0]) : undefined
    const age =
      Date.now() -
      (await stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => Date.now(),
      ))
    if ((pid === undefined || isAlive(pid)) && age <= abandonedMs) continue
    if (name.startsWith(ours)) await killLeftOver(path)
    await rm(path, { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

// ---------------------------------------------------------------------------------------------------------------------
// Render processes

type Work =
  | { kind: 'render'; job: RenderJob }
  | { kind: 'prepare'; job: Pick<RenderJob, 'ffmpeg' | 'template' | 'templateRevision' | 'cacheFolder'> }

interface RenderPool {
  run(work: Work, signal: AbortSignal, onStep: (step: Step, ms: number) => void): Promise<void>
  close(): Promise<void>
}

/** A render process tells every second that it is not stuck. One that is silent for so many of our own seconds is; until its first word, for it loads a lot, they are more. */
const silentSeconds = { working: 10, starting: 60 }

/** The render process ended in the middle of its work, by itself or because it stood still. */
class RenderProcessGone extends Error {
  override name = 'RenderProcessGone'
}

interface RenderProcess {
  child: ChildProcess
  gone: Promise<void>
  /** for how many of our seconds the process has said nothing while it works */
  silent: number
  onSilence: (seconds: number) => void
  clock?: NodeJS.Timeout | undefined
  work: Map<number, { done: () => void; fail: (error: unknown) => void; onStep: (step: Step, ms: number) => void }>
}

/** Resident processes, one more whenever all are busy, as many as there are processors at most. */
function openRenderPool(onNote: (text: string) => void): RenderPool {
  const processes = new Set<RenderProcess>()
  let closed = false
  let nextId = 1
  const most = Math.max(1, availableParallelism())

  const leastBusy = (): RenderProcess => {
    const found = [...processes].sort((a, b) => a.work.size - b.work.size)[0]
    if (found !== undefined && (found.work.size === 0 || processes.size >= most)) return found
    const started = startRenderProcess((resident) => processes.delete(resident), onNote)
    processes.add(started)
    return started
  }
  const runOnce: RenderPool['run'] = (work, signal, onStep) => {
    if (closed) return Promise.reject(new Error('the renderer is closed'))
    signal.throwIfAborted()
    const resident = leastBusy()
    const id = nextId++
    return new Promise<void>((done, fail) => {
      // The process answers an abort once everything it ran has ended.
      const onAbort = () => send(resident, { id, kind: 'abort' })
      const settle = (then: () => void) => {
        signal.removeEventListener('abort', onAbort)
        resident.work.delete(id)
        keepAlive(resident)
        then()
      }
      resident.work.set(id, {
        done: () => settle(done),
        fail: (error) => settle(() => fail(signal.aborted ? (signal.reason as Error) : (error as Error))),
        onStep,
      })
      keepAlive(resident)
      signal.addEventListener('abort', onAbort, { once: true })
      send(resident, { id, ...work })
    })
  }
  return {
    run: async (work, signal, onStep) => {
      try {
        await runOnce(work, signal, onStep)
      } catch (error) {
        if (!(error instanceof RenderProcessGone)) throw error
        onNote(`${error.message}; its work is begun again`)
        await runOnce(work, signal, onStep).catch((again: unknown) => {
          throw again instanceof RenderProcessGone ? new AssetFault('render', again.message, { cause: again }) : again
        })
      }
    },
    close: async () => {
      closed = true
      const all = [...processes]
      for (const { child } of all) if (child.connected) child.disconnect()
      for (const { child } of all) child.ref()
      await Promise.all(all.map(({ gone }) => gone))
    },
  }
}

function startRenderProcess(onGone: (resident: RenderProcess) => void, onNote: (text: string) => void): RenderProcess {
  // A group of its own: Ctrl-C in a terminal reaches us, and we decide. It leaves when our end of the channel closes.
  const child = fork(builtScript('video/render-process'), [], {
    env: childEnvironment(),
    detached: true,
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const resident: RenderProcess = {
    child,
    work: new Map(),
    gone: Promise.resolve(),
    silent: 0,
    onSilence: () => undefined,
  }
  let patience = silentSeconds.starting
  let stuck = false
  resident.onSilence = (seconds) => {
    if (seconds < patience) return
    stuck = true
    killGroup(child)
  }
  resident.gone = new Promise((resolve) => {
    const end = () => {
      onGone(resident)
      for (const { fail } of [...resident.work.values()])
        fail(
          new RenderProcessGone(
            stuck ? `the render process stood still for ${patience} s` : 'the render process ended unexpectedly',
          ),
        )
      resolve()
    }
    child.once('exit', end)
    child.once('error', end)
  })
  child.on('message', (message: FromRenderProcess) => {
    resident.silent = 0
    patience = silentSeconds.working
    if (message.kind === 'alive') return
    const work = resident.work.get(message.id)
    if (message.kind === 'step') work?.onStep(message.step, message.ms)
    else if (message.kind === 'note') onNote(message.text)
    else if (message.kind === 'done') work?.done()
    else work?.fail(revived(message.failure))
  })
  return resident
}

function send({ child }: RenderProcess, message: ToRenderProcess): void {
  // An unfinished send means the process has just gone; its exit settles the work.
  if (child.connected) child.send(message, () => undefined)
}

/** Keeps this program alive, and the process watched, only while one works for it. */
function keepAlive(resident: RenderProcess): void {
  const { child, work } = resident
  if (work.size > 0) {
    child.ref()
    child.channel?.ref()
    // Counted, not measured: after a sleep of the whole machine nobody is to blame for the time that passed.
    resident.clock ??= setInterval(() => resident.onSilence(++resident.silent), 1_000)
  } else {
    child.unref()
    child.channel?.unref()
    clearInterval(resident.clock)
    resident.clock = undefined
    resident.silent = 0
  }
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}

function revived(failure: Failure): Error {
  if (failure.kind === 'outage') return new Outage(failure.step, failure.message, failure.retryAfterMs)
  if (failure.kind === 'fault') return new AssetFault(failure.faultClass, failure.message)
  return new Error('aborted')
}
