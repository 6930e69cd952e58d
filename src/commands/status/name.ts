/** `status NAME`: everything about one name. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { styleText } from 'node:util'
import { videosOf, type NamedVideo } from '../../greetings/reports/one-name.ts'
import type { OwnBot } from '../../greetings/own-bot.ts'
import { durationText } from '../../terminal/progress.ts'
import { renderFolders } from '../../app/folders.ts'
import type { Records } from '../../app/store.ts'

/** What is looked at. */
interface Asked {
  key: string
  /** null: none is known */
  bot: OwnBot | null
  /** of the enabled templates, by id */
  revisions: ReadonlyMap<string, string>
}

/** A name's videos as `--json` prints them. */
export async function nameReport({ db, home }: Pick<Records, 'db' | 'home'>, { key, bot, revisions }: Asked) {
  const videos = []
  for (const video of await videosOf(db, key)) {
    const { template, display, say, status, generation, revision, templateRevision, attempts, waiting, asked } = video
    const isServed = video.fileId !== null && (bot === null || video.botId === bot.id)
    const file = revision === null ? undefined : join(renderFolders(home).rendersFolder, `${revision}.mp4`)
    videos.push({
      template,
      display,
      say,
      state: stateOf(video),
      status,
      generation,
      served: isServed,
      otherBot: video.fileId !== null && !isServed,
      stale:
        isServed &&
        templateRevision !== null &&
        revisions.has(template) &&
        revisions.get(template) !== templateRevision,
      revision,
      templateRevision,
      bytes: video.bytes,
      storage:
        video.fileId === null
          ? null
          : { botId: idOf(video.botId), chatId: idOf(video.storageChatId), messageId: video.storageMessageId },
      file:
        file !== undefined &&
        (await stat(file).then(
          () => true,
          () => false,
        ))
          ? file
          : null,
      heldBy: video.leaseOwner,
      heldSeconds: rounded(video.leaseSeconds),
      attempts,
      lastError: video.errorClass === null ? null : { class: video.errorClass, text: video.errorText ?? '' },
      retryAfter: instant(video.retryAfter),
      waiting,
      waitingSeconds: rounded(video.waitingSeconds),
      asked,
      askedAt: instant(video.askedAt),
      createdAt: instant(video.createdAt),
      queuedAt: instant(video.queuedAt),
      availableAt: instant(video.availableAt),
      verifiedAt: instant(video.verifiedAt),
      updatedAt: instant(video.updatedAt),
    })
  }
  return { key, videos }
}

export type NameReport = Awaited<ReturnType<typeof nameReport>>
type VideoReport = NameReport['videos'][number]

const instant = (moment: Date | null) => moment?.toISOString() ?? null
const rounded = (seconds: number | null) => (seconds === null ? null : Math.max(0, Math.round(seconds)))
// Telegram's ids are below 2^52.
const idOf = (id: bigint | null) => (id === null ? null : Number(id))

/** What is happening to it, which the row's status alone does not tell. */
function stateOf({
  status,
  leaseOwner,
  retryAfter,
}: NamedVideo): 'waiting' | 'postponed' | 'being made' | 'available' | 'failed' {
  if (status === 'AVAILABLE') return 'available'
  if (status === 'FAILED') return 'failed'
  if (leaseOwner !== null) return 'being made'
  return retryAfter !== null && retryAfter.getTime() > Date.now() ? 'postponed' : 'waiting'
}

/** For people. */
export function nameText({ key, videos }: NameReport): string {
  if (videos.length === 0) return `“${key}” is not in this database: nobody asked for it, and no list warmed it.\n`
  return videos.map(videoText).join('\n')
}

function videoText(video: VideoReport): string {
  const { template, display, say, state, storage, lastError, waiting } = video
  const rows: [string, string][] = [
    ['state', stateText(video)],
    [
      'generation',
      `${video.generation}` +
        (video.attempts > 0 ? `, ${video.attempts} failed ${video.attempts === 1 ? 'attempt' : 'attempts'}` : ''),
    ],
    [
      'error',
      lastError === null
        ? ''
        : styleText('red', `${lastError.class}${lastError.text === '' ? '' : `: ${lastError.text}`}`),
    ],
    [
      'next try',
      video.retryAfter === null || Date.parse(video.retryAfter) < Date.now()
        ? ''
        : (state === 'failed' ? 'when somebody asks after' : 'after') +
          ` ${moment(video.retryAfter)}; \`greetings retry\` does not wait`,
    ],
    [
      'waiting',
      waiting === 0
        ? 'nobody'
        : `${waiting} ${waiting === 1 ? 'person' : 'people'}, the first for ${durationText(video.waitingSeconds ?? 0)}`,
    ],
    [
      'asked',
      video.asked === 0
        ? 'by nobody yet'
        : `${video.asked} ${video.asked === 1 ? 'time' : 'times'}, last ${moment(video.askedAt)}`,
    ],
    ['say', say ?? ''],
    [
      'revision',
      video.revision === null
        ? 'none: no video yet'
        : `${video.revision}${video.templateRevision === null ? '' : ` of template ${video.templateRevision}`}`,
    ],
    [
      'stored',
      storage === null
        ? 'nowhere yet'
        : (storage.chatId === null
            ? 'at Telegram, in no channel'
            : `message ${storage.messageId ?? '?'} in channel ${storage.chatId}`) +
          `, bot ${storage.botId ?? '?'}` +
          (video.bytes === null ? '' : `, ${(video.bytes / 1e6).toFixed(1)} MB`),
    ],
    ['file', video.file ?? ''],
    ['times', timesText(video)],
  ]
  return `${styleText('bold', display)} · ${template}\n${rows
    .filter(([, text]) => text !== '')
    .map(([label, text]) => `  ${label.padEnd(11)}${text}\n`)
    .join('')}`
}

function stateText({ state, served, otherBot, stale, heldBy, heldSeconds }: VideoReport): string {
  const colour = state === 'failed' ? 'red' : state === 'available' && served ? 'green' : 'yellow'
  const meanwhile = state === 'available' ? '' : served ? ', an earlier video is sent meanwhile' : ''
  return (
    styleText(colour, otherBot && state === 'available' ? 'of another bot' : state) +
    `${stale ? ', of an older template' : ''}${meanwhile}` +
    (heldBy === null ? '' : `, by ${heldBy}, whose lease ends in ${heldSeconds} s`)
  )
}

function timesText(video: VideoReport): string {
  return [
    ['made', video.createdAt],
    ['queued', video.queuedAt],
    ['available', video.availableAt],
    ['verified', video.verifiedAt],
    ['changed', video.updatedAt],
  ]
    .filter(([, at]) => at !== null)
    .map(([what, at]) => `${what === 'made' ? 'first asked for' : what} ${moment(at ?? null)}`)
    .join(', ')
}

/** In UTC, as the log and `--json` have it. */
const moment = (at: string | null) => (at === null ? 'never' : at.replace('T', ' ').replace(/\.\d+Z$/, ' UTC'))
