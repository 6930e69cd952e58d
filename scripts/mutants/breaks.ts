/** Small breaks of a source file, each of which some test should notice. */
import { createHash } from 'node:crypto'
import ts from 'typescript'
import { sqlBreaks } from './sql.ts'

/** One change of one file. The texts are folded: any white space is one space. */
export interface Break {
  /** follows from the file and the texts, so it stays while the statement does */
  id: string
  file: string
  kind: string
  /** stands in the file exactly once */
  before: string
  after: string
  /** why nothing a test could see changes */
  equivalent?: string
}

interface Change {
  kind: string
  start: number
  end: number
  after: string
}

/**
 * All breaks of a source: terms of SQL and of Prisma's conditions, guards and their terms,
 * statements that only call something, constants.
 */
export function breaksOf(file: string, source: string): Break[] {
  const folded = fold(source)
  const found = changesOf(ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true)).map((change) =>
    described(file, folded, change),
  )
  return [...new Map(found.filter(({ before, after }) => before !== after).map((each) => [each.id, each])).values()]
}

/** The source with the break in it. @throws Error when its text does not stand there exactly once */
export function apply(source: string, broken: Pick<Break, 'id' | 'before' | 'after'>): string {
  const { start, end, after } = changeOf(source, broken)
  return source.slice(0, start) + after + source.slice(end)
}

/** The place in the source that a break changes, without what its text has around it. @throws as `apply` does */
export function changeOf(
  source: string,
  { id, before, after }: Pick<Break, 'id' | 'before' | 'after'>,
): { start: number; end: number; after: string } {
  const { text, places } = fold(source)
  const at = text.indexOf(before)
  if (at === -1 || text.indexOf(before, at + 1) !== -1)
    throw new Error(
      `Break ${id} is out of date: its text (${before}) stands ${at === -1 ? 'nowhere' : 'more than once'} ` +
        'in the file. Run `npm run mutants -- --list`.',
    )
  // What surrounds the change stays as it is written, with its line ends and comments.
  let same = 0
  while (same < Math.min(before.length, after.length) && before[same] === after[same]) same++
  let end = 0
  while (end < Math.min(before.length, after.length) - same && before.at(-1 - end) === after.at(-1 - end)) end++
  return {
    start: places[at + same] ?? 0,
    end: places[at + before.length - end] ?? source.length,
    after: after.slice(same, after.length - end),
  }
}

/**
 * @returns the text with its white space folded, and for each of its characters, and its end, the place in the source
 */
function fold(source: string): { text: string; places: number[] } {
  let text = ''
  const places: number[] = []
  for (const { 0: run, index } of source.matchAll(/\s+|\S+/g)) {
    const folded = run.trim() === '' ? ' ' : run
    for (let at = 0; at < folded.length; at++) places.push(index + at)
    text += folded
  }
  places.push(source.length)
  return { text, places }
}

/** The change as a text that stands in the file once: as many words around it as that takes. */
function described(file: string, { text, places }: ReturnType<typeof fold>, change: Change): Break {
  const position = (at: number) => places.findIndex((place) => place >= at)
  let [start, end] = [position(change.start), position(change.end)]
  while (end > start && text[end - 1] === ' ') end--
  const [coreStart, coreEnd] = [start, end]
  const isUnique = () =>
    text.indexOf(text.slice(start, end)) === start && text.indexOf(text.slice(start, end), start + 1) === -1
  for (let turn = 0; !isUnique() || (end - start < 12 && turn < 2); turn++) {
    if (turn % 2 === 0) start = Math.max(0, text.lastIndexOf(' ', start - 2) + 1)
    else end = text.indexOf(' ', end + 1) === -1 ? text.length : text.indexOf(' ', end + 1)
  }
  const before = text.slice(start, end)
  const after = text.slice(start, coreStart) + fold(change.after).text + text.slice(coreEnd, end)
  return { id: idOf(file, before, after), file, kind: change.kind, before, after }
}

export function idOf(file: string, before: string, after: string): string {
  return createHash('sha256').update([file, before, after].join('\n')).digest('hex').slice(0, 8)
}

// ---- where a source can be broken ------------------------------------------------------------------

function changesOf(file: ts.SourceFile): Change[] {
  const changes: Change[] = []
  const visit = (node: ts.Node) => {
    if (isSql(node)) changes.push(...sqlChanges(file, node))
    else if (ts.isStringLiteral(node) && /^FOR (UPDATE|SHARE)/.test(node.text))
      changes.push(replaced(file, node, 'lock', `''`))
    else if (ts.isCallExpression(node)) changes.push(...prismaChanges(file, node))
    else if (ts.isIfStatement(node) && leaves(node.thenStatement))
      changes.push(replaced(file, node.expression, 'guard', 'false'), ...conditionChanges(file, node.expression))
    else if (ts.isExpressionStatement(node) && isMeaningfulCall(file, node))
      changes.push(replaced(file, node, 'call', '{}'))
    else if (ts.isVariableDeclaration(node) && node.parent.parent.parent === file && node.initializer !== undefined)
      changes.push(...constantChanges(file, node))
    ts.forEachChild(node, visit)
  }
  visit(file)
  return changes
}

function replaced(file: ts.SourceFile, node: ts.Node, kind: string, after: string): Change {
  return { kind, start: node.getStart(file), end: node.end, after }
}

function isSql(node: ts.Node): node is ts.TemplateLiteral {
  return (
    (ts.isTemplateExpression(node) || ts.isNoSubstitutionTemplateLiteral(node)) &&
    /^`\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\s/.test(node.getText())
  )
}

function sqlChanges(file: ts.SourceFile, node: ts.TemplateLiteral): Change[] {
  const start = node.getStart(file) + 1
  const text = file.text.slice(start, node.end - 1)
  let masked = text
  if (ts.isTemplateExpression(node)) {
    for (const { expression, literal } of node.templateSpans) {
      const [from, to] = [expression.pos - 2 - start, literal.getStart(file) + 1 - start]
      masked = masked.slice(0, from) + '¤'.repeat(to - from) + masked.slice(to)
    }
  }
  // Interpolations get back what stands in them.
  const unmasked = (change: { start: number; end: number; after: string }) =>
    change.after.includes('¤')
      ? change.after.replace(masked.slice(change.start, change.end).replace(/ DESC$/, ''), () =>
          text.slice(change.start, change.end).replace(/ DESC$/, ''),
        )
      : change.after
  return sqlBreaks(masked).map((change) => ({
    kind: change.kind,
    start: start + change.start,
    end: start + change.end,
    after: unmasked(change),
  }))
}

/**
 * Conditions and values that Prisma makes into SQL, of calls that concern many rows: those of one row need their key.
 */
function prismaChanges(file: ts.SourceFile, call: ts.CallExpression): Change[] {
  const [argument] = call.arguments
  if (
    !ts.isPropertyAccessExpression(call.expression) ||
    !/^(updateMany|deleteMany|findMany|findFirst|count)$/.test(call.expression.name.text) ||
    argument === undefined ||
    !ts.isObjectLiteralExpression(argument)
  )
    return []
  return argument.properties.flatMap((property) => {
    if (!ts.isPropertyAssignment(property) || !ts.isObjectLiteralExpression(property.initializer)) return []
    const name = property.name.getText(file)
    if (name !== 'where' && name !== 'data') return []
    const { properties } = property.initializer
    if (name === 'data' && properties.length < 2) return []
    return properties.map((each) => replaced(file, each, name === 'where' ? 'where' : 'set', '...{}'))
  })
}

/** Whether the branch of an `if` does nothing but leave. */
function leaves(branch: ts.Statement): boolean {
  const last = ts.isBlock(branch) ? branch.statements.at(-1) : branch
  return (
    last !== undefined &&
    (ts.isReturnStatement(last) ||
      ts.isThrowStatement(last) ||
      ts.isContinueStatement(last) ||
      ts.isBreakStatement(last))
  )
}

/** Each term of a guard alone made to say nothing. */
function conditionChanges(file: ts.SourceFile, condition: ts.Expression): Change[] {
  if (ts.isParenthesizedExpression(condition)) return conditionChanges(file, condition.expression)
  if (!ts.isBinaryExpression(condition)) return []
  const operator = condition.operatorToken.kind
  if (operator !== ts.SyntaxKind.BarBarToken && operator !== ts.SyntaxKind.AmpersandAmpersandToken) return []
  const neutral = operator === ts.SyntaxKind.BarBarToken ? 'false' : 'true'
  return [condition.left, condition.right].flatMap((side) => {
    const inner = conditionChanges(file, side)
    const isSame = ts.isBinaryExpression(side) && side.operatorToken.kind === operator
    return isSame ? inner : [replaced(file, side, 'condition', neutral), ...inner]
  })
}

// What only tells or waits is no promise to anybody; and a promise that is heard for its failure only does nothing.
const meaningless =
  /^(await )?((\w+\.)*log\??\.|tell\(|sleep\(|setMaxListeners\(|clear(Timeout|Interval)\(|onStep\(|stepDone\()|^\w+\.catch\(/

function isMeaningfulCall(file: ts.SourceFile, { expression }: ts.ExpressionStatement): boolean {
  const inner = ts.isAwaitExpression(expression) || ts.isVoidExpression(expression) ? expression.expression : expression
  return ts.isCallExpression(inner) && !meaningless.test(expression.getText(file))
}

/** A number twice as large; a list without one of its entries; a pattern without one of its alternatives. */
function constantChanges(file: ts.SourceFile, { name, initializer }: ts.VariableDeclaration): Change[] {
  // How much is done at a time changes how long it takes and nothing else.
  if (initializer === undefined || /^batch$/i.test(name.getText(file))) return []
  const changes: Change[] = []
  const visit = (node: ts.Node) => {
    if (ts.isNumericLiteral(node))
      changes.push(replaced(file, node, 'constant', String(Number(node.text.replaceAll('_', '')) * 2 || 1)))
    else if (ts.isArrayLiteralExpression(node) && node.elements.length > 1)
      changes.push(...node.elements.map((element) => replaced(file, element, 'constant', '...[]')))
    else if (ts.isRegularExpressionLiteral(node)) changes.push(...patternChanges(file, node))
    else if (!ts.isFunctionLike(node) && !ts.isCallExpression(node)) ts.forEachChild(node, visit)
  }
  if (!ts.isFunctionLike(initializer)) visit(initializer)
  return changes
}

function patternChanges(file: ts.SourceFile, node: ts.RegularExpressionLiteral): Change[] {
  const start = node.getStart(file) + 1
  const pattern = node.text.slice(1, node.text.lastIndexOf('/'))
  const ends: number[] = []
  for (let at = 0, depth = 0; at < pattern.length; at++) {
    if (pattern[at] === '\\') at++
    else if (pattern[at] === '(' || pattern[at] === '[') depth++
    else if (pattern[at] === ')' || pattern[at] === ']') depth--
    else if (pattern[at] === '|' && depth === 0) ends.push(at)
  }
  if (ends.length === 0) return []
  return [...ends, pattern.length].map((end, n) => ({
    kind: 'constant',
    start: start + (n === 0 ? 0 : (ends[n - 1] ?? 0) + 1),
    end: start + end,
    after: '(?!)',
  }))
}
