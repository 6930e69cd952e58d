/** Where things lie in a home. */
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { findHome, openHome } from '../home.ts'

/** The folder of the home, made when `create`. @throws HomeUnusable */
export async function openFolder(config: Config, create: boolean): Promise<string> {
  const found = await findHome({ explicit: config.home, cwd: process.cwd() })
  return (await openHome({ folder: found.folder, create })).folder
}

/** Where rendered files and what templates are made of are kept: shared by sandbox and live. */
export function renderFolders(home: string) {
  return { rendersFolder: join(home, 'renders'), cacheFolder: join(home, 'cache') }
}

/** Where an operator's recordings of names lie: one folder for sandbox and live. */
export function recordingsFolderOf(config: Config, home: string): string {
  return config.recordingsFolder ?? join(home, 'recordings')
}

/** Where the database of this home grows on this host; nowhere when it is a server of one's own. */
export async function databaseFolders({ databaseUrl }: Config, home: string): Promise<string[]> {
  if (databaseUrl !== undefined) return []
  const { serverFolders } = await import('../db/embedded/place.ts')
  return serverFolders(home)
}
