/** ё in names: people write е for it, and it is spoken all the same. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { namesFolder } from '../installation.ts'

/** ё written е, as most people do. */
export const withoutYo = (text: string) => text.replaceAll('ё', 'е').replaceAll('Ё', 'Е')

/**
 * A text in which each name whose only difference from one that ships is ё has it: Артем → Артём. A name that ships with е
 * too stays as it is.
 */
export type YoSpelling = (text: string) => string

/** Reads the lists that ship. */
export async function yoSpelling(): Promise<YoSpelling> {
  const lists = await Promise.all(['ru.csv', 'rare.csv'].map((file) => readFile(join(namesFolder, file), 'utf8')))
  const names = lists.flatMap((list) => list.split('\n').map((line) => line.split(',', 1)[0] ?? ''))
  const listed = new Set(names.map((name) => name.toLowerCase()))
  const spellings = new Map(
    names.filter((name) => /ё/i.test(name)).map((name) => [withoutYo(name).toLowerCase(), name]),
  )
  for (const key of spellings.keys()) if (listed.has(key)) spellings.delete(key)
  return (text) => text.replace(/[\p{L}\p{M}]+/gu, (word) => spellings.get(word.toLowerCase()) ?? word)
}
