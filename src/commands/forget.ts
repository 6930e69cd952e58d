/** `forget <name>`: removes a name with all that is kept of it, and says what stays at Telegram. */
import { configOfProcess, type Config } from '../config.ts'
import { fence } from '../greetings/assets.ts'
import { assetsOf, forgetAssets, setsWith, type KnownAsset } from '../greetings/upkeep/forget.ts'
import { forgetFiles, formerPosts, formerRevisions, postsAreGone, type StoredPost } from '../greetings/former.ts'
import { dropHeld, heldQuestions, type HeldQuestion } from '../greetings/held-updates.ts'
import { forgetNameInQuestions } from '../greetings/questions.ts'
import { forgetNameInShareCodes } from '../greetings/share-codes.ts'
import { languageOf, text } from '../texts.ts'
import { openLog, type Log } from '../log.ts'
import type { Name } from '../names/name.ts'
import { setOf } from '../names/set.ts'
import { isTelegram, type Api } from '../telegram/api.ts'
import { deliver } from '../telegram/delivery.ts'
import { removeCached } from '../video/render-cache.ts'
import { loadShippedNames } from '../understanding/known-names.ts'
import { understand, type UnderstandingContext } from '../understanding/understand.ts'
import { loadTemplates } from '../video/load-templates.ts'
import { exitCode, UsageFault } from '../terminal/exit.ts'
import { keysOf, nameOf, nameRulesOf } from '../terminal/name-arguments.ts'
import { renderFolders } from '../app/folders.ts'
import { openRendererOf } from '../app/renderer.ts'
import { openServices, type Services } from '../app/services.ts'
import { openStore, type Store } from '../app/store.ts'

export interface ForgetOptions {
  deletePost: boolean
  together: boolean
  sandbox: boolean
  json: boolean
  logLevel?: string
}

/** Every name that a text may stand for. */
function namesIn(text: string, context: UnderstandingContext): readonly Name[] {
  const understood = understand(text, context)
  switch (understood.kind) {
    case 'name':
      return [understood.name, ...(understood.twin === undefined ? [] : [understood.twin])]
    case 'unsure':
      return understood.options
    case 'several': {
      const set = setOf(understood.names, context.nameRules)
      return [...understood.names, ...(set.ok ? [set.name] : [])]
    }
    default:
      return []
  }
}

/** A post in a storage channel. */
interface KnownPost {
  chatId: string
  messageId: number
  deleted: boolean
}

export async function forget(raw: string, options: ForgetOptions): Promise<number> {
  const config = configOfProcess()
  const log = openLog(options.logLevel ?? config.logLevel)
  // Also what nobody may ask for any more.
  const rules = {
    ...(await nameRulesOf(config, await loadTemplates(config.templatesFolder, config.templates))),
    anyWord: true,
  }
  const name = nameOf(raw, rules)
  const open = { config, log, sandbox: options.sandbox, role: 'forget', create: false }
  const store = await openStore(open)
  let services: Services | undefined
  try {
    const [key = name.key] = await keysOf(store.db, [name], options)
    const keys = [key, ...(await setsWith(store.db, key))]
    const assets = await assetsOf(store.db, keys)
    refuseHeld(assets)
    const waiting = assets.reduce((sum, asset) => sum + asset.waiting, 0)
    const known = await loadShippedNames(config.knownNames)
    const held = await heldQuestions(store.db, key, (text) =>
      namesIn(text, { known, nameRules: rules, language: 'ru' }),
    )
    const canTell = open.sandbox || config.token !== undefined
    if (options.deletePost || (waiting + held.length > 0 && canTell)) services = await openServices(open)
    if (services !== undefined) {
      if (!(await fence(store.db, assets))) throw beingMade()
      await tellWaiting(services, assets)
      // Telling a crowd takes a while, and somebody may have asked again.
      if (!(await fence(store.db, assets))) throw askedAgain()
    }
    for (const question of held) await dropQuestion(store, services, question)
    await forgetNameInQuestions(store.db, key)
    const shown = new Set([key, ...assets.map(({ display }) => display.toLowerCase())])
    for (const each of shown) await forgetNameInShareCodes(store.db, each)
    const former = await formerPosts(store.db, keys)
    const posts = await deletePosts(
      postsOf(assets, former),
      services !== undefined && options.deletePost ? services.api : undefined,
    )
    const gone = assets.length === 0 ? { requests: 0, waiting: 0 } : await forgetAssets(store, assets)
    if (gone === undefined) throw services === undefined ? beingMade() : askedAgain()
    // Since the videos are removed theirs are among the former ones, and those that stay are known until they are gone.
    await postsAreGone(
      store.db,
      posts.filter(({ deleted }) => deleted).map(({ chatId, messageId }) => ({ chatId: BigInt(chatId), messageId })),
    )
    const files = await removeFiles(store, config, assets, await formerRevisions(store.db, keys), log)
    await forgetFiles(store.db, keys)
    const result = {
      videos: assets.length,
      requests: gone.requests,
      waiting,
      told: Math.max(0, waiting - gone.waiting),
      held: held.length,
      files,
      posts,
    }
    process.stdout.write(
      options.json ? `${JSON.stringify(result)}\n` : asText(result, former.length, options.deletePost),
    )
    return posts.some(({ deleted }) => !deleted) && options.deletePost ? exitCode.someFailed : exitCode.done
  } finally {
    await services?.close()
    await store.close()
  }
}

const beingMade = () =>
  new UsageFault('A worker is making this name’s video right now. Nothing was changed. Try again in a minute.')

const askedAgain = () =>
  new UsageFault(
    'Those who waited were told, and somebody has asked for the name again since: a worker is making its ' +
      'video. Run this again in a minute.',
  )

function refuseHeld(assets: readonly KnownAsset[]): void {
  if (assets.some(({ held }) => held)) throw beingMade()
}

/** Whoever waits hears that the video was not made, and the note about it goes; what is there already is sent. */
async function tellWaiting({ delivery }: Services, assets: readonly KnownAsset[]): Promise<void> {
  for (const { id, waiting } of assets) if (waiting > 0) await deliver(delivery, id, new AbortController().signal)
}

/** A question that could not be handled yet would bring the name back. Whoever asked hears that it did not work. */
async function dropQuestion(
  { db }: Store,
  services: Services | undefined,
  { botId, updateId, chatId, languageCode, display }: HeldQuestion,
): Promise<void> {
  await dropHeld(db, botId, updateId)
  if (services?.bot.id !== botId) return
  await services.api
    .sendMessage(String(chatId), text(languageOf(languageCode), 'failed', { name: display, minutes: 1 }))
    .catch((error: unknown) => {
      if (!isTelegram(error)) throw error
    })
}

function postsOf(assets: readonly KnownAsset[], former: readonly StoredPost[]): StoredPost[] {
  return [
    ...assets.flatMap(({ chatId, messageId }) =>
      chatId === null || messageId === null ? [] : [{ chatId, messageId }],
    ),
    ...former,
  ]
}

/**
 * Deletes the posts when there is a bot to do it. While they are known: a
 * lost answer can be made up for by another run.
 */
async function deletePosts(posts: readonly StoredPost[], api: Api | undefined): Promise<KnownPost[]> {
  const seen: KnownPost[] = []
  for (const { chatId, messageId } of posts)
    seen.push({
      chatId: String(chatId),
      messageId,
      deleted: api !== undefined && (await deletePost(api, String(chatId), messageId)),
    })
  return seen
}

/**
 * Whether the post is gone. Telegram lets a bot delete its posts where it is an
 * administrator, some of them for two days only.
 */
async function deletePost(api: Api, chatId: string, messageId: number): Promise<boolean> {
  try {
    await api.deleteMessage(chatId, messageId)
    return true
  } catch (error) {
    if (!isTelegram(error, 'refused', 'no_rights', 'person_unreachable', 'migrated')) throw error
    return /message to delete not found/i.test((error as { description: string }).description)
  }
}

/** Rendered files of this host: those that were uploaded, now or earlier, and those that would be made now. */
async function removeFiles(
  { home }: Store,
  config: Config,
  assets: readonly KnownAsset[],
  uploaded: readonly string[],
  log: Log,
): Promise<number> {
  const revisions = new Set(uploaded)
  if (assets.length > 0) {
    try {
      const renderer = await openRendererOf(config, home)
      try {
        for (const asset of assets) {
          const template = renderer.templates.find(({ id }) => id === asset.template)
          if (template !== undefined)
            revisions.add(
              await renderer.revisionOf(template, { key: asset.name, display: asset.display, say: asset.say }),
            )
        }
      } finally {
        await renderer.close()
      }
    } catch (error) {
      log.warn({ error }, 'without ffmpeg or voice only files that were uploaded are found')
    }
  }
  let files = 0
  for (const revision of revisions) if (await removeCached(renderFolders(home).rendersFolder, revision)) files++
  return files
}

interface Result {
  videos: number
  requests: number
  waiting: number
  told: number
  held: number
  files: number
  posts: KnownPost[]
}

const counted = (count: number, one: string, more = `${one}s`) => `${count} ${count === 1 ? one : more}`

/** @param former posts among those of the result that were of earlier videos */
function asText(
  { videos, requests, waiting, told, held, files, posts }: Result,
  former: number,
  wanted: boolean,
): string {
  if (videos + held + posts.length + files === 0) return 'Nothing is known of this name.\n'
  const left = posts.filter(({ deleted }) => !deleted)
  const earlier = former > 0 ? ` (${former} of earlier videos)` : ''
  const them = left.length === 1 ? 'it' : 'them'
  const lines = [
    `Forgotten: ${counted(videos, 'video')}, ${counted(requests, 'request')}` +
      (waiting > 0
        ? ` (${waiting} of people who were waiting, ` +
          (told === waiting ? 'and were told' : told === 0 ? 'and were not told' : `of whom ${told} were told`) +
          ')'
        : '') +
      (held > 0 ? `, ${counted(held, 'question that was', 'questions that were')} held` : '') +
      `, ${counted(files, 'kept file')} on this host` +
      (posts.length > left.length
        ? `, ${counted(posts.length - left.length, 'post')} in the storage channel${left.length === 0 ? earlier : ''}`
        : '') +
      '.',
    left.length > 0
      ? `Still at Telegram: ${counted(left.length, 'post')}${left.length === posts.length ? earlier : ''}. ` +
        `The name is remembered until ${left.length === 1 ? 'it is' : 'they are'} gone:`
      : '',
    ...left.map(({ chatId, messageId }) => `  message ${messageId} in the storage channel ${chatId}`),
    left.length > 0
      ? wanted
        ? `Telegram did not let the bot delete ${them}. Delete ${them} by hand, and run this ` +
          'again: it forgets what is gone.'
        : `Run this again with --delete-post to delete ${them}.`
      : '',
    'What was sent to people stays in their chats. Files on other hosts go when a worker runs there.',
  ]
  return `${lines.filter((line) => line !== '').join('\n')}\n`
}
