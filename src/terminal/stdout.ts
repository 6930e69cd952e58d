/**
 * Standard output that is never lost silently: a full disk ends a command with a sentence and an exit code of its own.
 */
import { fstatSync, writeSync } from 'node:fs'

/** how long a command whose result is lost may take to end by itself */
const patienceMs = 5_000

/**
 * Watches stdout and stderr. What is returned tells whether something was lost.
 *
 * @param exitCode of the process, once its result could not be written
 */
export function watchOutput(exitCode: number): { isLost(): boolean } {
  let lost = false
  if (isFile(1)) {
    // Node's own takes a write for done of which a nearly full disk took only a part.
    process.stdout._write = (chunk: Buffer, _encoding, done) => {
      try {
        for (let at = 0; at < chunk.length;) at += writeSync(1, chunk, at)
        done()
      } catch (error) {
        done(error as Error)
      }
    }
  }
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that went away (`| head`) is no fault of ours.
    if (error.code === 'EPIPE') process.exit(0)
    // A terminal that was closed: the signal that comes with it ends us.
    if (lost || (error.code === 'EIO' && process.stdout.isTTY)) return
    lost = true
    process.stderr.write(
      'The result could not be written to stdout ' +
        `(${error.code === 'ENOSPC' ? 'the disk is full' : String(error.code)}). What was done stays done; ` +
        'make room, or write elsewhere, and run the command again.\n',
    )
    // What runs until it is stopped is stopped; anything else comes to its end.
    if (process.listenerCount('SIGTERM') > 0) process.emit('SIGTERM')
    setTimeout(() => process.exit(exitCode), patienceMs).unref()
  })
  // The progress and the log may be lost: the work goes on, and the exit code tells how it went.
  process.stderr.on('error', () => undefined)
  process.on('exit', () => {
    if (lost) process.exitCode = exitCode
  })
  return { isLost: () => lost }
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile()
  } catch {
    return false // it is closed
  }
}
