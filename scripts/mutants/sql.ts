/**
 * Takes an SQL statement apart as far as breaking it needs: the terms of its WHERE, ON, SET and ORDER BY, and its lock
 * clauses, wherever they stand. It knows the SQL of this project, not all there is.
 */

/** A place in a statement, what stands there, and what breaks it without making it invalid. */
export interface SqlBreak {
  kind: 'where' | 'set' | 'order' | 'lock'
  start: number
  end: number
  after: string
}

interface Token {
  word: string
  start: number
  end: number
  depth: number
}

const tokenPattern = /'(?:[^']|'')*'|"[^"]*"(?:\."[^"]*")?|¤+|\$\d+|[A-Za-z_][\w.]*|\d[\w.]*|::|[<>!|]=?|[^\s\w]/g

/** @param text a statement in which each interpolation is written `¤¤¤`, as long as it is */
export function sqlBreaks(text: string): SqlBreak[] {
  const tokens = tokensOf(text)
  const breaks: SqlBreak[] = []
  for (const [at, token] of tokens.entries()) {
    const body = () => tokens.slice(at + 1, clauseEnd(tokens, at))
    const next = tokens[at + 1]
    if (token.word === 'WHERE' || (token.word === 'ON' && next?.word !== 'CONFLICT'))
      breaks.push(...conditionBreaks(text, body()))
    else if (token.word === 'SET') breaks.push(...assignmentBreaks(text, tokens, at, body()))
    else if (token.word === 'BY' && tokens[at - 1]?.word === 'ORDER') breaks.push(...orderBreaks(text, body()))
    else if (isLock(tokens, at)) breaks.push(...lockBreaks(text, tokens.slice(at, clauseEnd(tokens, at))))
  }
  return breaks
}

/** `CASE … END` counts as a pair of brackets. */
function tokensOf(text: string): Token[] {
  let depth = 0
  return [...text.matchAll(tokenPattern)].map((match) => {
    const word = /^[a-z_]+$/i.test(match[0]) ? match[0].toUpperCase() : match[0]
    const closes = word === ')' || word === ']' || word === 'END'
    if (closes) depth--
    const token = { word, start: match.index, end: match.index + match[0].length, depth }
    if (word === '(' || word === '[' || word === 'CASE') depth++
    return token
  })
}

const clauseWords = new Set([
  'WHERE',
  'SET',
  'ORDER',
  'LIMIT',
  'RETURNING',
  'FROM',
  'GROUP',
  'HAVING',
  'ON',
  'UNION',
  'VALUES',
  'SELECT',
  'JOIN',
  'LEFT',
  'CROSS',
  'DO',
  'OFFSET',
])

/** Where the clause that begins at `at` is over: at the next one of its level, or where the level ends. */
function clauseEnd(tokens: readonly Token[], at: number): number {
  const depth = tokens[at]?.depth ?? 0
  const end = tokens.findIndex(
    (token, n) =>
      n > at &&
      (token.depth < depth ||
        (token.depth === depth &&
          ((clauseWords.has(token.word) && tokens[n - 1]?.word !== 'DISTINCT') || isLock(tokens, n)))),
  )
  return end === -1 ? tokens.length : end
}

const isLock = (tokens: readonly Token[], at: number) =>
  tokens[at]?.word === 'FOR' && ['UPDATE', 'SHARE', 'KEY', 'NO'].includes(tokens[at + 1]?.word ?? '')

/** The parts between tokens that are `separator` on the outer level. */
function split(tokens: readonly Token[], separator: string): Token[][] {
  const depth = tokens[0]?.depth ?? 0
  const parts: Token[][] = [[]]
  for (const [at, token] of tokens.entries()) {
    const isRange =
      separator === 'AND' &&
      tokens.slice(0, at).findLast((each) => each.depth === depth && ['AND', 'BETWEEN'].includes(each.word))?.word ===
        'BETWEEN'
    if (token.depth === depth && token.word === separator && !isRange) parts.push([])
    else parts.at(-1)?.push(token)
  }
  return parts.filter((part) => part.length > 0)
}

const span = (tokens: readonly Token[]) => ({ start: tokens[0]?.start ?? 0, end: tokens.at(-1)?.end ?? 0 })

/** Each term becomes what changes nothing among its neighbours: `true` between ANDs, `false` between ORs. */
function conditionBreaks(text: string, tokens: readonly Token[]): SqlBreak[] {
  const either = split(tokens, 'OR')
  const parts = either.length > 1 ? either : split(tokens, 'AND')
  const neutral = either.length > 1 ? 'false' : 'true'
  return parts.flatMap((part) => {
    const place = span(part)
    const term = text.slice(place.start, place.end)
    // A numbered parameter that is named nowhere is an error of its own.
    const after = /\$\d/.test(term) ? `(${term} ${neutral === 'true' ? 'OR true' : 'AND false'})` : neutral
    const isGroup =
      part[0]?.word === '(' &&
      part.at(-1)?.word === ')' &&
      part.filter(({ depth }) => depth === part[0]?.depth).length === 2 &&
      part[1]?.word !== 'SELECT'
    const nested = isGroup ? part.slice(1, -1) : either.length > 1 ? part : []
    const inner = isGroup || split(nested, 'AND').length > 1 ? conditionBreaks(text, nested) : []
    return [{ kind: 'where', ...place, after }, ...inner]
  })
}

/** Each column keeps the value it has. */
function assignmentBreaks(text: string, tokens: readonly Token[], at: number, body: readonly Token[]): SqlBreak[] {
  const table = tokens
    .slice(0, at)
    .findLastIndex(({ word }, n) => (word === 'UPDATE' && tokens[n - 1]?.word !== 'DO') || word === 'INTO')
  const named = tokens[table + 2]?.word === 'AS' ? tokens[table + 3] : tokens[table + 1]
  if (table === -1 || named === undefined) return []
  return split(body, ',').map((part) => {
    const column = text.slice(part[0]?.start, part[0]?.end)
    return { kind: 'set', ...span(part), after: `${column} = ${text.slice(named.start, named.end)}.${column}` }
  })
}

/** Each term the other way round. */
function orderBreaks(text: string, tokens: readonly Token[]): SqlBreak[] {
  return split(tokens, ',').map((part) => {
    const { start, end } = span(part)
    const term = text.slice(start, end)
    return { kind: 'order', start, end, after: / DESC\b/.test(term) ? term.replace(/ DESC\b/, '') : `${term} DESC` }
  })
}

/** No lock; or one that is waited for. */
function lockBreaks(text: string, tokens: readonly Token[]): SqlBreak[] {
  const place = span(tokens)
  const lock = text.slice(place.start, place.end)
  const waiting = lock.replace(/ (SKIP LOCKED|NOWAIT)$/, '')
  return [
    { kind: 'lock', ...place, after: '' },
    ...(waiting === lock ? [] : [{ kind: 'lock' as const, ...place, after: waiting }]),
  ]
}
