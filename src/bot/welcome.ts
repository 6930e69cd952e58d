/** How a person is welcomed: with a video to look at, where there is one, and names to tap. */
import { askFromName } from '../greetings/ask.ts'
import { findAssets, isHit } from '../greetings/assets.ts'
import type { Name } from '../names/name.ts'
import { languageOfScript, text, type Language } from '../texts.ts'
import type { BotContext } from './context.ts'
import { sampleButtons } from './keyboards.ts'
import type { RespondDeps } from './respond.ts'

/** Of so many frequent names one is shown, and some are offered. */
const lookedAt = 50
const offered = 3

/** Says what the bot does. */
export async function welcome(deps: RespondDeps, ctx: BotContext): Promise<void> {
  const language = await ctx.language()
  const { sample, names } = await samples(deps, language)
  ctx.say(text(language, 'welcome'), {
    keyboard: sampleButtons(names.map(({ display }) => display)),
    ...(sample === undefined ? {} : { video: sample }),
  })
}

/** Names that many children have: the video of one, where there is one, and others to tap, those with a video first. */
async function samples(
  { door: { db, botId }, known, ...rules }: RespondDeps,
  language: Language,
): Promise<{ sample: string | undefined; names: readonly Name[] }> {
  const frequent = known.startingWith('', lookedAt).filter(({ display }) => languageOfScript(display) === language)
  const asks = frequent.flatMap((name) => {
    const asked = askFromName(name, rules)
    return asked.ok ? [asked.ask] : []
  })
  // The welcome does without a video when the database is away.
  const assets = await findAssets(db, asks).catch(() => [])
  const videos = new Map(assets.filter((asset) => isHit(asset, botId)).map(({ name, fileId }) => [name, fileId]))
  const ready = frequent.filter(({ key }) => videos.has(key))
  // Of few videos none is kept from being tapped: it is shown as well.
  const shown = ready.length > offered ? ready.slice(1) : ready
  const names = [...shown, ...frequent.filter(({ key }) => !videos.has(key))].slice(0, offered)
  return { sample: videos.get(ready[0]?.key ?? '') ?? undefined, names }
}
