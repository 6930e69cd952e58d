/** The documents with parts that a program writes, and what these parts should hold. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../src/installation.ts'
import { blockOf, blocksOf, withBlock } from './blocks.ts'
import { commandsTable, listOptionsTable, optionsTable, programOptionsTable, verbs } from './commands.ts'
import { proofsOf } from './properties.ts'
import { variablesTable } from './variables.ts'

type Fill = (written: string) => string

const documents: Record<string, (text: string) => Record<string, Fill>> = {
  'docs/commands.md': () => ({
    commands: commandsTable,
    program: programOptionsTable,
    ...Object.fromEntries(verbs().map((verb) => [`greetings ${verb.path}`, () => optionsTable(verb)])),
  }),
  'docs/names-and-lists.md': () => ({ 'list options': listOptionsTable }),
  'docs/properties.md': (text) =>
    Object.fromEntries(
      blocksOf(text).map((name) => [name, (written) => proofsOf(Number(name.replace('property ', '')), written)]),
    ),
  'docs/variables.md': () => ({ variables: () => variablesTable() }),
}

/** A document as it is, as it should be, and the names of the parts that a program writes. */
export interface Document {
  file: string
  path: string
  text: string
  fresh: string
  blocks: string[]
}

/** @throws when a document lacks a block, or a block something that only a person can write */
export function freshDocuments(): Document[] {
  return Object.entries(documents).map(([file, blocks]) => {
    const path = join(packageRoot, file)
    const text = readFileSync(path, 'utf8')
    const fills = Object.entries(blocks(text))
    const fresh = fills.reduce((result, [name, fill]) => withBlock(result, name, fill(blockOf(result, name))), text)
    return { file, path, text, fresh, blocks: fills.map(([name]) => name) }
  })
}
