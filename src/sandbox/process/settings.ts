/** What stands in a sandbox from its first start: its bot and its storage channel, in a file only its owner reads. */
import { randomBytes, randomInt } from 'node:crypto'
import { closeSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { makeToken } from '../control/bots.ts'

export interface SandboxSettings {
  token: string
  storageChatId: number
  /** of the Bot API and the chat page: the same at every start when it is free, so that open pages and bots find it */
  port: number
}

const fileOf = (folder: string) => join(folder, 'sandbox.json')

/** Undefined: no server has served this folder yet. */
export function readSettings(folder: string): SandboxSettings | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(folder), 'utf8')) as SandboxSettings
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** A new bot and a new channel. */
export function createSettings(folder: string): SandboxSettings {
  const made: SandboxSettings = {
    token: makeToken(),
    storageChatId: -1_000_000_000_000 - randomInt(1_000_000_000, 3_999_999_999),
    port: 0,
  }
  writeSettings(folder, made)
  return made
}

export function writeSettings(folder: string, settings: SandboxSettings): void {
  writeWhole(fileOf(folder), JSON.stringify(settings))
}

/** Writes a small file so that a reader sees the old or the new content, never half of it. */
function writeWhole(path: string, content: string): void {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`
  const file = openSync(temporary, 'w', 0o600)
  writeSync(file, content)
  closeSync(file)
  renameSync(temporary, path)
}
