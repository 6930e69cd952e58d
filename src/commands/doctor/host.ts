/** What this host must have: room, programs, templates, lists, a voice. */
import { tmpdir } from 'node:os'
import type { Config } from '../../config.ts'
import { disksOf, enough } from '../../disk.ts'
import { findFfmpeg } from '../../ffmpeg/find.ts'
import { openRecordings } from '../../speech/recordings.ts'
import { openSpeaker } from '../../speech/speaker.ts'
import { loadTemplates } from '../../video/load-templates.ts'
import { databaseFolders, recordingsFolderOf, renderFolders } from '../../app/folders.ts'
import { nameRulesOf } from '../../terminal/name-arguments.ts'
import type { Finding } from './check.ts'

const leastFreeBytes = 2_000_000_000
const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(bytes < 1e9 ? 2 : 1)} GB`

/** Room on every disk that is written to. */
export async function examineDisk(config: Config, home: string): Promise<Finding> {
  const { rendersFolder, cacheFolder } = renderFolders(home)
  const disks = await disksOf(
    [rendersFolder, cacheFolder, ...(await databaseFolders(config, home))],
    config.keepFreeBytes,
  )
  const free = disks
    .map(
      ({ folders, freeBytes }) =>
        `${gigabytes(freeBytes)} free${disks.length > 1 ? ` for ${folders.join(' and ')}` : ''}`,
    )
    .join(', ')
  const tooSmall = disks.find(({ totalBytes, reserveBytes }) => reserveBytes * enough > totalBytes)
  if (tooSmall !== undefined)
    return {
      state: 'failure',
      message:
        `${free}. The disk of ${tooSmall.folders[0]} holds ${gigabytes(tooSmall.totalBytes)}, too little ` +
        `for ${gigabytes(tooSmall.reserveBytes)} to stay free: set KEEP_FREE_GB to less, or ` +
        'GREETINGS_HOME to a folder on a larger disk.',
    }
  const short = disks.find(({ freeBytes, reserveBytes }) => freeBytes < reserveBytes)
  if (short !== undefined)
    return {
      state: 'failure',
      message:
        `${free}, and ${gigabytes(short.reserveBytes)} have to stay free on the disk of ` +
        `${short.folders[0]} (KEEP_FREE_GB). Uploaded renders give way, then rendering rests: make room, ` +
        'or set GREETINGS_HOME to a folder on a larger disk.',
    }
  const isPlenty = disks.every(
    ({ freeBytes, reserveBytes }) => freeBytes > Math.max(leastFreeBytes, reserveBytes * enough),
  )
  return isPlenty
    ? free
    : {
        state: 'warning',
        message: `${free}. Rendered files need about 5 MB each: make room, or point GREETINGS_HOME to a larger disk.`,
      }
}

export async function examineFfmpeg(config: Config, home: string): Promise<Finding> {
  const { version, path } = await findFfmpeg({
    path: config.ffmpegPath,
    cacheFolder: renderFolders(home).cacheFolder,
  })
  return `${version.split(' ').slice(0, 3).join(' ')}, ${path}`
}

export async function examineTemplates(config: Config): Promise<Finding> {
  // Reading a template opens its fonts and finds characters they lack.
  const templates = await loadTemplates(config.templatesFolder, config.templates)
  return templates.map(({ id, scripts }) => `${id} (${scripts.join(', ')})`).join(', ')
}

/** The operator's lists of names that are allowed or blocked. */
export async function examineNames(config: Config): Promise<Finding> {
  const { allowed, blocked } = await nameRulesOf(config, [])
  return `${allowed?.size ?? 0} allowed and ${blocked?.size ?? 0} blocked by lists of your own`
}

export async function examineRecordings(config: Config, home: string): Promise<Finding> {
  const recordings = openRecordings(recordingsFolderOf(config, home))
  const listings = []
  for (const template of await loadTemplates(config.templatesFolder, config.templates))
    listings.push({ id: template.id, ...(await recordings.list(template)) })
  const faults = listings.flatMap((listing) => listing.faults)
  if (faults.length > 0)
    return {
      state: 'warning',
      message:
        `${faults.length} ` +
        (faults.length === 1 ? 'file serves' : 'files serve') +
        ' no name: `greetings template check` tells which and why.',
    }
  return listings.every(({ byKey }) => byKey.size === 0)
    ? 'none'
    : listings.map(({ id, byKey }) => `${byKey.size} for ${id}`).join(', ')
}

export async function examineVoice(config: Config): Promise<Finding> {
  const speaker = await openSpeaker(config.voice, tmpdir())
  try {
    const { samples, rate } = await speaker.speak('Маша', 'ru', AbortSignal.timeout(30_000))
    return `${speaker.identity('ru').split(':')[0] ?? ''}, says “Маша” in ${(samples.length / rate).toFixed(1)} s`
  } finally {
    await speaker.close()
  }
}
