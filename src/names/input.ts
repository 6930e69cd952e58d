/** The files that hold lists, and why one cannot be read. */
import { createReadStream } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { UnreadableFile } from './decode.ts'

/** Its bytes. @throws UnreadableFile */
export async function openFile(path: string): Promise<AsyncIterable<Uint8Array>> {
  try {
    if ((await stat(path)).isDirectory()) throw new UnreadableFile(`${path} is a folder: name a file of names in it.`)
  } catch (error) {
    throw cannotRead(path, error)
  }
  return bytesOf(path)
}

async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: 16 * 1024 }) as AsyncIterable<Uint8Array>
  } catch (error) {
    throw cannotRead(path, error)
  }
}

function cannotRead(path: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT')
    return new UnreadableFile(`There is no file ${path}: check its name and the folder you are in.`, { cause: error })
  if (code === 'EACCES' || code === 'EPERM')
    return new UnreadableFile(`${path} may not be read: give this user the right to read it.`, { cause: error })
  if (typeof code === 'string')
    return new UnreadableFile(`${path} cannot be read (${code}): check the file and the disk.`, { cause: error })
  return error
}

/** The report must not replace a list. */
export async function refuseOverwriting(report: string, inputs: readonly string[]) {
  const real = await realpath(report).catch(() => undefined)
  for (const input of real === undefined ? [] : inputs) {
    if ((await realpath(input).catch(() => undefined)) === real)
      throw new UnreadableFile(`--rejects names ${report}, which is the list itself: name another file.`)
  }
}
