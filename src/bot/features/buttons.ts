/** Taps on buttons: the answer to a question, once, by whoever was asked. */
import { Composer } from 'grammy'
import { emit } from '../../events.ts'
import { voteForName } from '../../greetings/known.ts'
import { choose } from '../../greetings/questions.ts'
import { parseName, parseNames, type Name } from '../../names/name.ts'
import { text } from '../../texts.ts'
import type { BotContext } from '../context.ts'
import { greet, type Wanted } from '../greet.ts'
import { readTap, type Choice, type Tap } from '../keyboards.ts'
import { respond, type RespondDeps } from '../respond.ts'
import { together } from '../together.ts'

export function buttons(deps: RespondDeps): Composer<BotContext> {
  const composer = new Composer<BotContext>()
  composer.on('callback_query', async (ctx) => {
    const tap = readTap(ctx.callbackQuery.data ?? '')
    if (tap?.what === 'question' && ctx.chat !== undefined) return answerQuestion(deps, ctx, tap)
    if (tap?.what === 'sample') {
      // The welcome stays, so that the other names can be tapped too.
      ctx.takeTapped()
      return respond(deps, ctx, tap.name, { certain: true })
    }
    return ctx.toast(text(await ctx.language(), 'toast-old'))
  })
  return composer
}

async function answerQuestion(
  deps: RespondDeps,
  ctx: BotContext,
  { id, choice }: Extract<Tap, { what: 'question' }>,
): Promise<void> {
  const { door, nameRules } = deps
  const userId = BigInt(ctx.from?.id ?? 0)
  const language = await ctx.language()
  const chosen = await choose(door.db, door.botId, id, {
    userId,
    choice: String(choice),
    updateId: ctx.update.update_id,
  })
  if (chosen.status === 'old') return ctx.toast(text(language, 'toast-old'))
  if (chosen.status === 'not_yours') return ctx.toast(text(language, 'toast-not-yours'))
  if (chosen.status === 'answered') {
    const name = wordsFor(deps, chosen.names, chosen.choice)
    return ctx.toast(name === undefined ? text(language, 'toast-old') : text(language, 'toast-already', { name }))
  }
  if (choice === 'other') return ctx.say(text(language, 'other-name'))
  const names: Name[] = []
  for (const display of namesChosen(chosen.names, choice)) {
    // What a name is may have changed since it was asked.
    const parsed = parseName(display, nameRules)
    if (!parsed.ok) return ctx.say(text(language, `rejected-${parsed.reason}`))
    names.push(parsed.name)
  }
  const wanted = wantedOf(deps, names, choice)
  const [first] = wanted
  if (first === undefined) return ctx.say(text(language, names.length > 1 ? 'rejected-several_names' : 'toast-old'))
  const name = wordsFor(deps, chosen.names, String(choice))
  if (name !== undefined) ctx.toast(text(language, 'toast-chosen', { name }))
  emit({ what: 'understood', outcome: 'confirmed' })
  await greet(deps, ctx, wanted)
  if (wanted.length === 1 && deps.known.spelled(first.name.key).same === undefined)
    await voteForName(door.db, userId, first.name.key)
}

/** What is to be made; nothing where one video cannot hold all names any more. */
function wantedOf(deps: RespondDeps, names: readonly Name[], choice: Choice): Wanted[] {
  if (choice !== 'together') return names.map((name) => ({ name }))
  const found = together(deps, names)
  return found === undefined ? [] : [found.wanted]
}

/** The video that was chosen, as the person knows it; undefined: there is more than one, or none. */
function wordsFor(deps: RespondDeps, names: readonly string[], choice: string): string | undefined {
  return choice === 'together' ? together(deps, parseNames(names, deps.nameRules))?.display : names[Number(choice)]
}

function namesChosen(names: readonly string[], choice: Choice): readonly string[] {
  return typeof choice === 'number' ? names.slice(choice, choice + 1) : names
}
