/** A list of names that an admin sent as a file, read as `greetings warm` reads one. */
import { setImmediate as breathe } from 'node:timers/promises'
import { askFromName, type Ask, type AskRules } from '../greetings/ask.ts'
import { UnreadableFile } from '../names/decode.ts'
import { readNames, type NameList } from '../names/lists.ts'
import type { Api, TelegramSettings } from '../telegram/api.ts'
import { downloadWhole } from '../telegram/download.ts'
import { text, type Language } from '../texts.ts'

/** What a list may be at most. */
export const listLimits = { megabytes: 5, count: 50_000 }
export const mostListBytes = listLimits.megabytes * 1_000_000

const piece = 8 * 1024
const batch = 5_000

/** What reading a list needs. */
export interface ListDeps extends AskRules {
  api: Api
  telegram: TelegramSettings
}

/** A list, or why there is none, for the admin. */
export type WarmList = { ok: true; list: NameList } | { ok: false; why: string }

/** Fetches a file and reads it. Nothing of its name is used. @throws the signal's reason */
export async function fetchList(
  { api, telegram, nameRules }: ListDeps,
  { fileId, language }: { fileId: string; language: Language },
  signal: AbortSignal,
): Promise<WarmList> {
  const bytes = await downloadWhole(api, telegram, fileId, mostListBytes, signal)
  signal.throwIfAborted()
  if (bytes === undefined) return { ok: false, why: text(language, 'warm-not-fetched') }
  if (bytes === 'too_large') return { ok: false, why: text(language, 'warm-too-large', listLimits) }
  try {
    const list = await readNames(['-'], { ...nameRules, stdin: inPieces(bytes) })
    if (list.doubt !== undefined)
      return { ok: false, why: text(language, 'warm-doubtful', { column: list.lists[0]?.column ?? 1 }) }
    if (list.distinct > listLimits.count) return { ok: false, why: text(language, 'warm-too-large', listLimits) }
    return { ok: true, list }
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error
    return { ok: false, why: text(language, 'warm-unreadable') }
  }
}

/** In between, people are answered. */
async function* inPieces(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += piece) {
    await breathe()
    yield bytes.subarray(at, at + piece)
  }
}

/** The names of a list as they are asked for, in batches, and how many no template serves. */
export async function* asksOf(list: NameList, rules: AskRules): AsyncGenerator<{ asks: Ask[]; unserved: number }> {
  for await (const rows of list.select().batches(batch)) {
    await breathe()
    const asks = rows.map(({ name, say }) => askFromName(name, rules, say)).filter((asked) => asked.ok)
    yield { asks: asks.map(({ ask }) => ask), unserved: rows.length - asks.length }
  }
}
