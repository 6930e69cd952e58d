/**
 * The renderer makes videos: it speaks a greeting, has it drawn and encoded in a resident process, and caches the
 * finished files by their content. Nothing here keeps the caller's event loop busy.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Sound } from '../audio/sound.ts'
import type { Config } from '../config.ts'
import { AssetFault, Outage } from '../errors.ts'
import { FfmpegMissing, findFfmpeg, type Ffmpeg } from '../ffmpeg/find.ts'
import { soundOf } from '../speech/recordings.ts'
import { openSpeaker, type Speaker } from '../speech/speaker.ts'
import { bytesToMake } from './parts.ts'
import { cachedVideo, filesOfVideo, removeCached, trimRenderCache, type Uploaded, type Video } from './render-cache.ts'
import { openRenderPool, type RenderPool } from './render-pool.ts'
import type { RenderJob, Step } from './render-job.ts'
import { createRevisions, type Revisions, type VideoName } from './revisions.ts'
import { openRoom, type Room, type RoomSettings } from './room.ts'
import { loadTemplates } from './load-templates.ts'
import type { Template } from './template.ts'
import { makeWorkFolder, removeAbandoned, workPrefix } from './work-folders.ts'

export interface Renderer {
  /** the enabled ones, in order of preference */
  templates: Template[]
  /**
   * Content hash of all that goes into the video: template, encoder settings, voice
   * and spoken text, or the recording, drawn text.
   */
  revisionOf(template: Template, name: VideoName): Promise<string>
  /** Content hash of the template alone; read once. */
  templateRevisionOf(template: Template): Promise<string>
  /**
   * Speaks, draws, encodes, joins and checks a video, and puts it among the renders. One that this host has whole from
   * earlier is not made again.
   * @throws AssetFault; Outage; the signal's reason when aborted
   */
  make(
    template: Template,
    name: VideoName,
    options: { signal: AbortSignal; onStep?: (step: Step, ms: number) => void },
  ): Promise<Made>
  /**
   * Makes what all videos of the enabled templates share, or finds it made. `onMade` is told of each that was made, and
   * how long that took. Throws as `make` does.
   */
  warmUp(signal?: AbortSignal, onMade?: (templateId: string, ms: number) => void): Promise<void>
  /** Removes the oldest cached videos beyond `mostBytes`, see `trimRenderCache`. Returns how many. */
  trimCache(mostBytes: number, uploaded: Uploaded): Promise<number>
  /** Removes cached videos that are older than they may be. Returns how many videos. */
  removeCached(files: readonly { revision: string; before: Date }[]): Promise<number>
  close(): Promise<void>
}

/** A video, and whether it was made just now. */
export interface Made extends Video {
  isNew: boolean
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

/** What an open renderer works with. */
interface Equipment {
  ffmpeg: Ffmpeg
  speaker: Speaker
  room: Room
  pool: RenderPool
  revisions: Revisions
  rendersFolder: string
  cacheFolder: string
}

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
  const equipment: Equipment = { ffmpeg, speaker, room, pool, revisions, rendersFolder, cacheFolder }
  return {
    templates,
    revisionOf: revisions.now,
    templateRevisionOf: revisions.ofTemplate,
    make: (template, name, { signal, onStep = () => undefined }) => make(equipment, template, name, signal, onStep),
    warmUp: async (signal = new AbortController().signal, onMade = () => undefined) => {
      for (const template of templates) await prepare(equipment, template, signal, (ms) => onMade(template.id, ms))
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
}

async function make(
  equipment: Equipment,
  template: Template,
  name: VideoName,
  signal: AbortSignal,
  onStep: (step: Step, ms: number) => void,
): Promise<Made> {
  const { ffmpeg, speaker, pool, revisions, rendersFolder, cacheFolder } = equipment
  signal.throwIfAborted()
  const recording = await revisions.recordingOf(template, name)
  const revision = await revisions.of(template, name, recording)
  const earlier = await cachedVideo(rendersFolder, revision)
  if (earlier !== undefined) return { ...earlier, isNew: false }
  const leaveRoom = await takeRoom(equipment, template, signal)
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
  const video = await cachedVideo(rendersFolder, revision)
  if (video === undefined) throw new AssetFault('gate', 'The finished video is gone or damaged.')
  return { ...video, isNew: true }
}

/** Makes what all videos of the template share. */
async function prepare(
  equipment: Equipment,
  template: Template,
  signal: AbortSignal,
  onMade: (ms: number) => void,
): Promise<void> {
  const { ffmpeg, pool, revisions, cacheFolder } = equipment
  const leaveRoom = await takeRoom(equipment, template, signal)
  const job = { ffmpeg, template, templateRevision: await revisions.ofTemplate(template), cacheFolder }
  await pool.run({ kind: 'prepare', job }, signal, (_step, ms) => onMade(ms)).finally(leaveRoom)
}

/** Room for a render, and before it for what all videos of its template share. */
function takeRoom(
  { ffmpeg, room, revisions, cacheFolder }: Equipment,
  template: Template,
  signal: AbortSignal,
): Promise<() => void> {
  return room.take(signal, async () => bytesToMake(ffmpeg, template, await revisions.ofTemplate(template), cacheFolder))
}

async function speakAll(speaker: Speaker, template: Template, name: VideoName, signal: AbortSignal): Promise<Sound[]> {
  const spoken: Sound[] = []
  for (const { text, language } of template.speech)
    spoken.push(await speaker.speak(speaker.sentence(text, name, language), language, signal))
  return spoken
}
