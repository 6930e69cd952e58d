/** `db backup` and `db restore`: the embedded database as a file. */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { configOfProcess } from '../config.ts'
import { backUp, restore } from '../db/backup.ts'
import { exitCode, UsageFault } from '../terminal/exit.ts'
import { checkOutput } from '../terminal/output-file.ts'
import { openFolder } from '../app/folders.ts'

export async function dbBackup(file: string, { force }: { force: boolean }): Promise<number> {
  const config = embedded()
  const home = await openFolder(config, false)
  const output = resolve(file)
  await checkOutput(output, force, `${output}/greetings.tar.gz`)
  const result = await backUp(home, output, { keepFreeBytes: config.keepFreeBytes })
  if (result.outcome === 'in use') throw inUse(result.members)
  process.stdout.write(
    `${file}: ${(result.bytes / 1e6).toFixed(1)} MB, the embedded database of live and sandbox. ` +
      `\`greetings db restore ${file}\` puts it back.\n`,
  )
  return exitCode.done
}

export async function dbRestore(file: string): Promise<number> {
  const archive = resolve(file)
  if (!(await stat(archive).catch(() => undefined))?.isFile())
    throw new UsageFault(`There is no file ${file}: check its name and the folder you are in.`)
  const config = embedded()
  const home = await openFolder(config, true)
  const result = await restore(home, archive, { keepFreeBytes: config.keepFreeBytes })
  if (result.outcome === 'in use') throw inUse(result.members)
  process.stdout.write(
    'Restored.' +
      (result.former === undefined
        ? ''
        : ` What was there before lies in ${result.former}; delete it when all is well.`) +
      '\n',
  )
  return exitCode.done
}

function embedded() {
  const config = configOfProcess()
  if (config.databaseUrl !== undefined)
    throw new UsageFault(
      'DATABASE_URL is set, so no embedded server is used: back up that database with pg_dump. Unset it ' +
        'to work with the embedded one.',
    )
  return config
}

const inUse = (members: string[]) =>
  new UsageFault(
    `The database is in use by: ${members.join(', ')}. Nothing was changed. Stop them first, or use ` +
      '`greetings export`, which needs no stop.',
  )
