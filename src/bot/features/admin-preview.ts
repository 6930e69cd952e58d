/** `/preview`: the video of a name as a family gets it, and what is known about it. */
import { askFromName, type Ask } from '../../greetings/ask.ts'
import { videosOf, type NamedVideo } from '../../greetings/reports/one-name.ts'
import { parseNameOrSet } from '../../names/set.ts'
import { text, type Language } from '../../texts.ts'
import type { BotContext } from '../context.ts'
import { greet } from '../greet.ts'
import type { AdminDeps } from './admin-deps.ts'

export async function preview(deps: AdminDeps, ctx: BotContext, words: string): Promise<void> {
  const { door, nameRules } = deps
  const language = await ctx.language()
  if (words.trim() === '') return ctx.say(text(language, 'preview-usage'))
  const parsed = parseNameOrSet(words, nameRules)
  if (!parsed.ok) return ctx.say(text(language, `rejected-${parsed.reason}`))
  const asked = askFromName(parsed.name, deps)
  if (!asked.ok) return ctx.say(text(language, 'no-template'))
  const { ask } = asked
  const video = (await videosOf(door.db, ask.key)).find(({ template }) => template === ask.template)
  const say = text(language, 'preview-say', { say: video?.say ?? ask.display })
  ctx.say(`${stateText(language, ask, video, door.botId)}\n${say}`)
  // What failed is tried again when the admin says so.
  if (video?.status !== 'FAILED' || isServed(video, door.botId)) await greet(deps, ctx, [{ name: parsed.name }])
}

function stateText(language: Language, ask: Ask, video: NamedVideo | undefined, botId: bigint): string {
  const about = { name: ask.display, template: ask.template }
  if (video === undefined || (video.fileId !== null && video.botId !== botId && video.status === 'AVAILABLE'))
    return text(language, 'preview-new', about)
  if (isServed(video, botId))
    return text(language, 'preview-available', { ...about, date: dateText(language, video.availableAt) })
  if (video.status === 'FAILED') {
    const { errorClass, errorText } = video
    const reason = [errorClass, errorText].filter((part) => part !== null).join(': ')
    return text(language, 'preview-failed', { ...about, reason: reason === '' ? '?' : reason })
  }
  return text(language, 'preview-under-way', about)
}

const isServed = ({ fileId, botId }: NamedVideo, ownId: bigint) => fileId !== null && botId === ownId

function dateText(language: Language, moment: Date | null): string {
  if (moment === null) return '?'
  return new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short' }).format(moment)
}
