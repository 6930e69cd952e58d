/** What stands in a sandbox from its first start: its bot and its storage channel, in a file only its owner reads. */
import { randomInt } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeToken } from './control.ts'
import { writeWhole } from './world.ts'

export interface Furniture {
  token: string
  storageChatId: number
  /** of the Bot API and the chat page: the same at every start when it is free, so that open pages and bots find it */
  port: number
}

const fileOf = (folder: string) => join(folder, 'sandbox.json')

/** Undefined: no server has served this folder yet. */
export function readFurniture(folder: string): Furniture | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(folder), 'utf8')) as Furniture
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** A new bot and a new channel. */
export function furnishFolder(folder: string): Furniture {
  const made: Furniture = {
    token: makeToken(),
    storageChatId: -1_000_000_000_000 - randomInt(1_000_000_000, 3_999_999_999),
    port: 0,
  }
  writeFurniture(folder, made)
  return made
}

export function writeFurniture(folder: string, furniture: Furniture): void {
  writeWhole(fileOf(folder), JSON.stringify(furniture))
}
