/** `import`: takes over what `export` wrote. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { configOfProcess } from '../config.ts'
import { CacheFileFault, importVideos, parseLine, type CachedVideo, type Imported } from '../greetings/upkeep/export.ts'
import { botText, ownBot, type OwnBot } from '../greetings/own-bot.ts'
import { openLog } from '../log.ts'
import { exitCode, UsageFault } from '../terminal/exit.ts'
import { openCount } from '../terminal/progress.ts'
import { listenForStop } from '../terminal/signals.ts'
import { openStore } from '../app/store.ts'

export interface ImportOptions {
  overwrite: boolean
  partial: boolean
  sandbox: boolean
  json: boolean
  quiet: boolean
  logLevel?: string
}

// Prisma keeps the arguments of its last hundred or so raw statements: small ones keep memory small.
const batch = 250
/** characters; a line of ours has about 500 */
const longestLine = 20_000

export async function importCache(file: string, options: ImportOptions): Promise<number> {
  const config = configOfProcess()
  const log = openLog(options.logLevel ?? config.logLevel)
  const bytes = file === '-' ? process.stdin : await openFile(file)
  const stop = listenForStop()
  const store = await openStore({ config, log, sandbox: options.sandbox, role: 'import', create: true })
  const view = openCount({ quiet: options.quiet, label: 'read' })
  try {
    const bot = await ownBot(store.db, options.sandbox ? undefined : config.token)
    const result = await importVideos(store.db, videosOf(bytes, options.partial, stop.asked), {
      overwrite: options.overwrite,
      botId: bot?.id ?? null,
      onProgress: (lines) => view.show(lines),
    })
    view.close()
    process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : asText(result, bot))
    return exitCode.done
  } catch (error) {
    if (stop.code !== undefined) return stop.code
    throw error
  } finally {
    view.close()
    await store.close()
    stop.close()
  }
}

async function openFile(path: string): Promise<AsyncIterable<Uint8Array>> {
  const there = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new UsageFault(
      error.code === 'ENOENT'
        ? `There is no file ${path}: check its name and the folder you are in.`
        : `${path} cannot be read (${error.code}).`,
    )
  })
  if (there.isDirectory()) throw new UsageFault(`${path} is a folder. Name a file that \`greetings export\` wrote.`)
  return createReadStream(path)
}

/**
 * The videos of a file. Several exports may stand one after the other; each ends with its count,
 * and without the last one something is missing.
 */
async function* videosOf(
  bytes: AsyncIterable<Uint8Array>,
  isPartial: boolean,
  stop: AbortSignal,
): AsyncGenerator<CachedVideo[]> {
  let videos: CachedVideo[] = []
  let number = 0
  let sinceEnd = 0
  let isComplete = false
  for await (const line of linesOf(bytes)) {
    number++
    if (line.trim() === '') continue
    const read = parseLine(line, number)
    isComplete = typeof read === 'number'
    if (typeof read === 'number') {
      if (read !== sinceEnd && !isPartial)
        throw incomplete(`Line ${number} says that ${read} videos precede it, but there are ${sinceEnd}`)
      sinceEnd = 0
      continue
    }
    sinceEnd++
    videos.push(read)
    if (videos.length < batch) continue
    stop.throwIfAborted()
    yield videos
    videos = []
  }
  stop.throwIfAborted()
  if (!isComplete && !isPartial)
    throw incomplete(
      number === 0
        ? 'The file is empty'
        : `The file ends after line ${number} without the count that an export ends with`,
    )
  if (videos.length > 0) yield videos
}

const incomplete = (what: string) =>
  new CacheFileFault(
    `${what}: it was cut off, changed, or written by an earlier version. Nothing was imported. Export ` +
      'again, or take what there is with --partial.',
  )

/** The lines of a text in UTF-8, none of them longer than a line of ours can be. */
async function* linesOf(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let rest = ''
  let number = 1
  const decode = (chunk?: Uint8Array) => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true })
    } catch (error) {
      throw new CacheFileFault(
        `The file is no text in UTF-8 (near line ${number}). Nothing was imported. Name a file ` +
          'that `greetings export` wrote.',
        { cause: error },
      )
    }
  }
  for await (const chunk of bytes) {
    const lines = (rest + decode(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      yield line
      number++
    }
    if (rest.length > longestLine)
      throw new CacheFileFault(
        `Line ${number} is longer than any line of an export. Nothing was imported. Name a file ` +
          'that `greetings export` wrote.',
      )
  }
  rest += decode()
  if (rest !== '') yield rest
}

function asText({ lines, added, replaced, unchanged, kept, repeated, otherBot }: Imported, bot: OwnBot | null): string {
  const parts = [
    `${added} added`,
    replaced > 0 ? `${replaced} replaced` : '',
    unchanged > 0 ? `${unchanged} there already` : '',
    kept > 0
      ? `${kept} left as they are: the database’s are younger or of its own bot (--overwrite replaces them)`
      : '',
    repeated > 0 ? `${repeated} repeated` : '',
  ]
  const others =
    otherBot === 0 || bot === null
      ? ''
      : `${otherBot} of ${lines} belong to another bot: ${botText(bot)} cannot send them. Make it an ` +
        'administrator of the storage channels and run `greetings verify --repair`, which takes them over. ' +
        'Otherwise each is uploaded again when somebody asks.\n'
  return `${lines} videos read: ${parts.filter((part) => part !== '').join(', ')}.\n${others}`
}
