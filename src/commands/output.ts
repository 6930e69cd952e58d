/** The file a command writes its result to. */
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { UsageFault } from './exit.ts'

/** Before time is spent: can the file be written at all? @throws UsageFault, with `example` for a folder */
export async function checkOutput(output: string, force: boolean, example: string): Promise<void> {
  const there = await stat(output).catch(() => undefined)
  if (there?.isDirectory() === true) throw new UsageFault(`${output} is a folder. Name a file, such as ${example}.`)
  if (there !== undefined && !force) throw new UsageFault(`${output} exists already. Add --force to overwrite it.`)
  await access(dirname(output), constants.W_OK).catch(() => {
    throw new UsageFault(`The folder ${dirname(output)} does not exist or cannot be written.`)
  })
}
