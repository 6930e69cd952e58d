/** What a person wrote, understood: a name is made, an unsure one is asked about, and talk is answered in words. */
import type { InlineKeyboard } from 'grammy'
import { emit } from '../events.ts'
import { namesOffered, questionSent, storeQuestion, type Question } from '../greetings/questions.ts'
import { parseNames, type Name } from '../names/name.ts'
import type { KnownNames } from '../understanding/known-names.ts'
import { understand, type Topic, type Understood } from '../understanding/understand.ts'
import { languageOf, languageOfScript, text, type Language, type TextKey } from '../texts.ts'
import type { BotContext } from './context.ts'
import { greet, type GreetingDeps } from './greet.ts'
import { forgetButtons, nameButtons, severalButtons } from './keyboards.ts'
import { together, togetherInLink } from './together.ts'

/** What responding needs. */
export interface RespondDeps extends GreetingDeps {
  known: KnownNames
}

/** How a text came. */
interface Manner {
  /** the person meant a name for certain: they used a command or a link */
  certain?: boolean
  /** the bot wrote it, into a link: several names are those of one video */
  linked?: boolean
  /** it came with something else, a photo or a contact, so that nothing in it is sure */
  besides?: boolean
}

const talk = {
  greeting: 'talk-greeting',
  thanks: 'talk-thanks',
  praise: 'talk-praise',
  yes: 'talk-yes',
  no: 'talk-no',
  bye: 'talk-bye',
  help: 'help',
  how_long: 'talk-how-long',
  how_much: 'talk-how-much',
  who_are_you: 'talk-who-are-you',
  wrong_name: 'talk-wrong-name',
  wrong_stress: 'talk-wrong-stress',
  does_not_come: 'talk-does-not-come',
  wishes: 'talk-wishes',
  not_understood: 'talk-not-understood',
  forget_me: 'forget-question',
} as const satisfies Record<Topic, TextKey>

/** Answers what a person wrote. */
export async function respond(
  deps: RespondDeps,
  ctx: BotContext,
  words: string,
  { certain = false, linked = false, besides = false }: Manner = {},
): Promise<void> {
  const language = await ctx.language()
  const context = { known: deps.known, nameRules: deps.nameRules, language, certain }
  const set = linked ? togetherInLink(deps, words, language) : undefined
  if (set !== undefined) {
    emit({ what: 'understood', outcome: 'name' })
    return greet(deps, ctx, [set])
  }
  let understood = understand(words, context)
  if (understood.kind !== 'name' && !certain) {
    const offered = await offeredTo(deps, ctx)
    if (offered.length > 0) understood = understand(words, { ...context, offered })
  }
  if (besides && understood.kind === 'name')
    understood = { kind: 'unsure', options: [understood.name], typed: understood.name }
  tellHow(understood)
  switch (understood.kind) {
    case 'name':
      return greet(deps, ctx, [understood])
    case 'unsure':
      return askWhich(deps, ctx, understood, language)
    case 'several':
      return ask(deps, ctx, understood.names, {
        words: text(language, 'question-several', { count: understood.names.length }),
        buttons: (question) => severalButtons(language, question, together(deps, understood.names)?.display),
      })
    case 'talk':
      // What is remembered of a person is for their own chat.
      if (understood.topic === 'forget_me' && ctx.chat?.type !== 'private')
        return ctx.say(text(language, 'group-usage'))
      return ctx.say(
        text(language, talk[understood.topic]),
        understood.topic === 'forget_me' ? { keyboard: forgetButtons(language) } : {},
      )
    case 'refused':
      return ctx.say(text(language, `rejected-${understood.reason}`))
  }
}

/** Counted by outcome and reason, never with the text. */
function tellHow(understood: Understood): void {
  if (understood.kind === 'talk') emit({ what: 'understood', outcome: 'talk', reason: understood.topic })
  else if (understood.kind === 'refused') emit({ what: 'asked', outcome: 'no_name', reason: understood.reason })
  else emit({ what: 'understood', outcome: understood.kind })
}

/** Names of the question that waits for this person here. */
async function offeredTo({ door: { db, botId }, nameRules }: RespondDeps, ctx: BotContext): Promise<Name[]> {
  if (ctx.from === undefined || ctx.chat === undefined) return []
  // An update that is told again does not answer the question it asked.
  const asked = { userId: BigInt(ctx.from.id), chatId: BigInt(ctx.chat.id), updateId: ctx.update.update_id }
  const displays = await namesOffered(db, botId, asked)
  return parseNames(displays, nameRules)
}

function askWhich(
  deps: RespondDeps,
  ctx: BotContext,
  { options, typed }: Extract<Understood, { kind: 'unsure' }>,
  languageWritten: Language,
): Promise<void> {
  const isKnown = typed !== undefined && deps.known.spelled(typed.key).same !== undefined
  const place = isKnown ? -1 : options.findIndex(({ key }) => key === typed?.key)
  // Whoever types `masha`, and whose Telegram is Russian, writes Russian.
  const meant = languageOfScript(options[0]?.display ?? '')
  const language = meant === languageOf(ctx.from?.language_code) ? meant : languageWritten
  const words =
    options.length === 1 && typed !== undefined
      ? text(language, 'question-unsure', { name: typed.display })
      : text(language, 'question-which')
  return ask(deps, ctx, options, {
    words,
    buttons: (question) => nameButtons(language, question, place < 0 ? undefined : place),
  })
}

/** Asks a person which of the names is meant. The question of an update that came before is not asked again. */
async function ask(
  { door: { db, botId } }: RespondDeps,
  ctx: BotContext,
  names: readonly Name[],
  { words, buttons }: { words: string; buttons: (question: Question) => InlineKeyboard },
): Promise<void> {
  if (ctx.from === undefined || ctx.chat === undefined) return
  const asked = { userId: BigInt(ctx.from.id), chatId: BigInt(ctx.chat.id), updateId: ctx.update.update_id }
  const question = await storeQuestion(
    db,
    botId,
    asked,
    names.map(({ display }) => display),
  )
  if (question.messageId !== null) return
  ctx.say(words, {
    keyboard: buttons(question),
    sent: (messageId) => questionSent(db, question.id, messageId),
  })
}
