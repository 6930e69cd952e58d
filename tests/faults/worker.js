// A worker of the built program whose renderer keeps to a plan: what a video looks like is of no matter to faults. Run
// by the fault suite, with what the renderer needs as JSON. Every render
// is written to a ledger, so that none is missed.
import { createHash } from 'node:crypto'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { configOfProcess } from '../../dist/config.js'
import { endOf } from '../../dist/terminal/exit.js'
import { listenForStop, whenAborted } from '../../dist/terminal/signals.js'
import { openServices, startWorkerIn } from '../../dist/app/services.js'
import { uploadedRevisions } from '../../dist/greetings/assets.js'
import { openLog } from '../../dist/log.js'
import { openRoom } from '../../dist/video/room.js'
import { loadTemplates } from '../../dist/video/load-templates.js'

const { renders, ledger, clip, renderMs } = JSON.parse(process.argv[2] ?? '{}')
const write = (event, revision) => appendFileSync(ledger, `${event} ${process.pid} ${revision}\n`)

const config = configOfProcess()
const log = openLog(config.logLevel, { isService: true })
const stop = listenForStop()
let world
let worker
try {
  mkdirSync(renders, { recursive: true })
  world = await openServices({ config, log, sandbox: false, role: 'worker', create: true })
  worker = await startWorkerIn(world, await plannedRenderer(), config, log)
  log.info({}, 'worker is running')
  await Promise.race([whenAborted(stop.asked), worker.ended ?? new Promise(() => undefined)])
} catch (error) {
  const { code, lines } = endOf(error)
  process.stderr.write(`${lines.join('\n')}\n`)
  process.exitCode = code
} finally {
  await worker?.stop(config.stopMs)
  await world?.close()
  stop.close()
}

async function plannedRenderer() {
  const revisionOf = async (_template, { key }) => createHash('sha256').update(key).digest('hex').slice(0, 32)
  const pathOf = (revision) => join(renders, `${revision}.mp4`)
  const videoOf = (revision) => ({ ...clip, path: pathOf(revision), revision, bytes: statSync(pathOf(revision)).size })
  const room = openRoom({
    rendersFolder: renders,
    cacheFolder: renders,
    keepFreeBytes: config.keepFreeBytes,
    uploaded: (revisions) => uploadedRevisions(world.db, revisions),
  })
  const renderer = {
    templates: await loadTemplates(config.templatesFolder, config.templates),
    revisionOf,
    templateRevisionOf: async () => 'tiny of today',
    make: async (template, name, { signal }) => {
      const revision = await revisionOf(template, name)
      if (existsSync(pathOf(revision))) return { ...videoOf(revision), isNew: false }
      const leaveRoom = await room.take(signal)
      write('begin', revision)
      try {
        await sleep(renderMs, undefined, { signal })
      } catch (error) {
        write('abort', revision)
        throw error
      } finally {
        leaveRoom()
      }
      const draft = join(renders, `${process.pid}-${revision}`)
      // A box that players skip: each video has bytes and a size of its own.
      const skipped = Buffer.alloc(40 + (Number.parseInt(revision.slice(0, 6), 16) % 20_000), revision)
      skipped.writeUInt32BE(skipped.length, 0)
      skipped.write('free', 4, 'latin1')
      writeFileSync(draft, Buffer.concat([readFileSync(clip.path), skipped]))
      if (existsSync(join(renders, `huge-${revision}`))) truncateSync(draft, 51 * 1024 * 1024)
      renameSync(draft, pathOf(revision))
      write('end', revision)
      return { ...videoOf(revision), isNew: true }
    },
    warmUp: async () => undefined,
    trimCache: async () => 0,
    removeCached: async () => 0,
    close: async () => undefined,
  }
  return renderer
}
