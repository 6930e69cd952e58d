/** The file a command writes its result to. */
import { once } from 'node:events'
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { UsageFault } from './exit.ts'

/** Before time is spent: can the file be written at all? @throws UsageFault, with `example` for a folder */
export async function checkOutput(output: string, force: boolean, example: string): Promise<void> {
  const there = await stat(output).catch(() => undefined)
  if (there?.isDirectory() === true) throw new UsageFault(`${output} is a folder. Name a file, such as ${example}.`)
  if (there !== undefined && !there.isFile()) return // a pipe or a device: nothing is overwritten
  if (there !== undefined && !force) throw new UsageFault(`${output} exists already. Add --force to overwrite it.`)
  await access(dirname(output), constants.W_OK).catch(() => {
    throw new UsageFault(`The folder ${dirname(output)} does not exist or cannot be written.`)
  })
}

/** Writes to stdout, and waits while it takes no more. */
export async function writeOut(text: string | Buffer): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain')
}

/** What became of a file that could not be written: a full disk is no defect. Any other error stays what it is. */
export function unwritable(error: unknown, output: string | undefined): unknown {
  const code = error instanceof Error && 'syscall' in error && 'code' in error ? String(error.code) : undefined
  if (code === undefined || !['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO', 'EROFS', 'EACCES', 'EPERM'].includes(code))
    return error
  return new OutputLost(
    `${output} could not be written (${code === 'ENOSPC' ? 'the disk is full' : code}). What lay there is as it was.`,
    { cause: error },
  )
}

/** A result that could not be written. */
class OutputLost extends Error {
  override name = 'OutputLost'
  readonly exitCode = 3
}
