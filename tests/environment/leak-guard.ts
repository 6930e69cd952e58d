/** After every test file: no process of its own runs on, no socket or server is open, no temporary folder is left. */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll } from 'vitest'

/** What was told to end or to close may take this long; only files that leave something wait. */
const longestMs = 5_000
/** Begins the home whose database server all test files share (see `temporary-database.ts`); it ends by itself after the last of them. */
const sharedHome = join(tmpdir(), 'greetings-tests-')
/**
 * Ends the command line of a guardian that this process started. One whose server was stopped before it saw it
 * waits as long as its starter lives (see `src/db/embedded/guardian.ts`), so it ends a second after this process.
 */
const ownGuardian = new RegExp(String.raw`guardian-process\.js \S+ ${process.pid} $`)

// Test files run side by side in one temporary folder, so each remembers what it has made there itself.
const folders: string[] = []
const { mkdtempSync } = fs
const { mkdtemp } = fs.promises
fs.mkdtempSync = ((...args: Parameters<typeof mkdtempSync>) => remember(mkdtempSync(...args))) as typeof mkdtempSync
fs.promises.mkdtemp = (async (...args: Parameters<typeof mkdtemp>) =>
  remember(await mkdtemp(...args))) as typeof mkdtemp
syncBuiltinESMExports()

function remember<T>(folder: T): T {
  folders.push(String(folder))
  return folder
}

const before = openSockets()

// Hooks after a file run last to first: this one, of a set-up file, comes after all of the file's own.
afterAll(async () => {
  const deadline = Date.now() + longestMs
  let leaks = findLeaks()
  while (leaks.length > 0 && Date.now() < deadline) {
    await sleep(50)
    leaks = findLeaks()
  }
  if (leaks.length > 0) throw new Error(`this test file leaves behind:\n${leaks.join('\n')}`)
})

/** What there is now that this test file must not leave behind, one line each. */
export function findLeaks(): string[] {
  const sockets = openSockets()
  return [
    ...runningProcesses().map((each) => `process ${each}`),
    ...[...sockets].flatMap(([kind, count]) =>
      count > (before.get(kind) ?? 0) ? [`${count - (before.get(kind) ?? 0)} × ${kind}`] : [],
    ),
    ...folders.filter((folder) => fs.existsSync(folder)).map((folder) => `folder ${folder}`),
  ]
}

/** How many of each kind keep this process alive. */
function openSockets(): Map<string, number> {
  const counts = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) {
    if (/^(TCP|UDP|Pipe|TLS).*Wrap$/.test(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return counts
}

/** This process's children, and whatever was started with one of its folders. Where there is no /proc: none. */
function runningProcesses(): string[] {
  const found: string[] = []
  for (const pid of fs.existsSync('/proc') ? fs.readdirSync('/proc').filter((entry) => /^\d+$/.test(entry)) : []) {
    if (Number(pid) === process.pid) continue
    try {
      const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      if (state === 'Z') continue
      const commandLine = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      if (commandLine.includes(sharedHome) || ownGuardian.test(commandLine)) continue
      const about = commandLine + fs.readFileSync(`/proc/${pid}/environ`, 'utf8')
      if (Number(parent) === process.pid || folders.some((folder) => about.includes(folder)))
        found.push(`${pid}: ${commandLine.slice(0, 200)}`)
    } catch {
      // ended in the meantime, or somebody else's
    }
  }
  return found
}
