/**
 * Writes those parts of the documents that come from the sources: commands,
 * options, variables, proofs. Run as `npm run docs`.
 */
import { writeFileSync } from 'node:fs'
import { freshDocuments } from './docs/documents.ts'

for (const { file, path, text, fresh } of freshDocuments()) {
  if (fresh !== text) writeFileSync(path, fresh)
  console.log(`${file}: ${fresh === text ? 'up to date' : 'rewritten'}`)
}
