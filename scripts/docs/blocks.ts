/** The parts of a Markdown file that a program writes: `<!-- generated: NAME -->` to `<!-- end -->`, each on a line. */

const block = (name: string) => new RegExp(`(<!-- generated: ${name} -->\n)[\\s\\S]*?(<!-- end -->)`)

/** The names of the blocks in a text. */
export function blocksOf(text: string): string[] {
  return [...text.matchAll(/<!-- generated: (.+?) -->/g)].map(([, name = '']) => name)
}

/** What stands in a block now. @throws when there is no such block */
export function blockOf(text: string, name: string): string {
  const found = block(name).exec(text)
  if (found === null) throw new Error(`There is no block <!-- generated: ${name} --> … <!-- end -->. Add an empty one.`)
  return found[0].split('\n').slice(1, -1).join('\n')
}

/** The text with other contents in a block. @throws when there is no such block */
export function withBlock(text: string, name: string, contents: string): string {
  blockOf(text, name)
  return text.replace(block(name), (_all, start: string, end: string) => `${start}${contents}\n${end}`)
}

/** A table. What would end a cell is escaped. */
export function table(head: string[], rows: string[][]): string {
  const escaped = (cell: string) => cell.replaceAll('\\|', '|').replaceAll('|', '\\|')
  const line = (cells: string[]) => `|${cells.map((cell) => (cell === '' ? ' |' : ` ${escaped(cell)} |`)).join('')}`
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}
