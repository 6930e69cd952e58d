/** What must hold after any fault, each with words of its own. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { isDatabaseTrouble } from '../../src/db/database.ts'
import type { Load } from './load.ts'
import type { FaultEnvironment } from './fault-environment.ts'

/** What a fault may lead to beyond nothing. */
export interface Allowance {
  /** people whom Telegram does not let the bot reach: their request is FAILED */
  unreachable: Set<number>
  /** a person of the key has chat of the value since: a chat that moved */
  moved: Map<number, number>
  /** keys of names whose video Telegram never takes: their people are told */
  impossible: Set<string>
  /**
   * somebody may die, or lose the database, between an answer and writing it down: a video or an upload may come twice
   */
  mayDouble: boolean
  /** a fault of the file itself was played */
  mayUseAttempts: boolean
  /** the real renderer renders, which keeps no ledger */
  rendersUnseen: boolean
}

/** What was found. `violations` is empty when all is well. */
export interface Finding {
  requests: number
  lost: number
  doubled: number
  violations: string[]
}

/** The revision that the planned renderer gives a name. */
export const revisionOf = (key: string) => createHash('sha256').update(key).digest('hex').slice(0, 32)

/**
 * Whether everybody has their answer and every name its video, and the queue is
 * empty. False also while the database is away.
 */
export async function isSettled({ town }: FaultEnvironment, load: Load): Promise<boolean> {
  try {
    const people = [...load.wishes.keys()].map(BigInt)
    const keys = load.names.map(({ key }) => key)
    const [row] = await town.db.$queryRaw<{ done: bigint; made: bigint }[]>`
      SELECT (SELECT count(DISTINCT "userId") FROM "UserRequest" WHERE "userId" = ANY(${people}) AND status <> 'PENDING') AS done,
        (SELECT count(*) FROM "VideoAsset" WHERE name = ANY(${keys}) AND (status = 'AVAILABLE' OR status = 'FAILED')) AS made`
    return Number(row?.done) === people.length && Number(row?.made) >= keys.length
  } catch (error) {
    if (isDatabaseTrouble(error) || /Connection/.test(String(error))) return false
    throw error
  }
}

/** How far it is, for the message when it does not settle. */
export async function progressOf({ town }: FaultEnvironment, load: Load): Promise<string> {
  const requests = await town.db.userRequest.groupBy({
    by: ['status'],
    where: { userId: { in: [...load.wishes.keys()].map(BigInt) } },
    _count: true,
  })
  const assets = await town.db.videoAsset.groupBy({
    by: ['status'],
    where: { name: { in: load.names.map(({ key }) => key) } },
    _count: true,
  })
  const words = (rows: { status: string; _count: number }[]) =>
    rows.map(({ status, _count }) => `${_count} ${status}`).join(', ')
  return `requests: ${words(requests)}; assets: ${words(assets)}; queue: ${JSON.stringify(await town.queue.counts())}; outages: ${JSON.stringify(await town.db.outage.findMany())}`
}

/** Looks at everything one load left. */
export async function check(stage: FaultEnvironment, load: Load, allowed: Allowance): Promise<Finding> {
  const { town } = stage
  const violations: string[] = []
  const wrong = (what: string, many: readonly unknown[]) => {
    if (many.length > 0) violations.push(`${what}: ${many.length}, such as ${many.slice(0, 3).map(String).join('; ')}`)
  }
  const assets = await town.db.videoAsset.findMany({ where: { name: { in: load.names.map(({ key }) => key) } } })
  const requests = await town.db.userRequest.findMany({
    where: { userId: { in: [...load.wishes.keys()].map(BigInt) } },
  })
  const byKey = new Map(assets.map((asset) => [asset.name, asset]))

  // One asset per name, and each has its video.
  wrong(
    'names with another number of assets than one',
    load.names.filter(({ key }) => assets.filter(({ name }) => name === key).length !== 1).map(({ key }) => key),
  )
  wrong(
    'assets that are not AVAILABLE',
    assets
      .filter(({ name, status }) => status !== (allowed.impossible.has(name) ? 'FAILED' : 'AVAILABLE'))
      .map(({ name, status, errorText }) => `${name} ${status} ${errorText ?? ''}`),
  )

  // No outage counted as a failure.
  const noticed = await town.db.$queryRaw<
    { name: string; attempts: number; status: string; reason: string }[]
  >`SELECT * FROM noticed WHERE name = ANY(${load.names.map(({ key }) => key)})`
  // Without a storage channel there is nowhere to upload to while nobody waits: such an asset
  // rests, with no attempt used, until somebody asks.
  const rests = ({ attempts, reason }: { attempts: number; reason: string }) =>
    town.storage.chatIds.length === 0 && attempts === 0 && reason.startsWith('storage: ')
  wrong(
    'attempts used or assets given up',
    noticed
      .filter((one) => !allowed.mayUseAttempts && !allowed.impossible.has(one.name) && !rests(one))
      .map(({ attempts, status, reason }) => `${status} after ${attempts}: ${reason}`),
  )

  // Each person: one request, ended as it may end.
  const askers = new Map(requests.map((request) => [Number(request.userId), request]))
  wrong(
    'people without a request',
    [...load.wishes.keys()].filter((id) => !askers.has(id)),
  )
  wrong('requests of one person beyond the first', requests.length > askers.size ? [requests.length - askers.size] : [])
  const mayFail = (id: number, key: string) => allowed.unreachable.has(id) || allowed.impossible.has(key)
  wrong(
    'requests that did not end well',
    requests
      .filter(
        ({ userId, status }) =>
          status === 'PENDING' ||
          (status === 'FAILED' && !mayFail(Number(userId), load.wishes.get(Number(userId))?.key ?? '')),
      )
      .map(({ status, errorText }) => `${status} ${errorText ?? ''}`),
  )

  // Telegram took the message, and its answer was lost: only then it may be there once more.
  const calls = await town.telegram.calls({})
  const callsOf = (id: number) =>
    calls
      .filter(({ method, chatId }) => method === 'sendVideo' && chatId === id)
      .map(
        ({ at, status, messageId, fault }) =>
          `at ${at % 1_000_000} ms ${status ?? 'no answer'}${messageId === undefined ? '' : ', taken'}${fault === undefined ? '' : `, ${fault}`}`,
      )
      .join('; ')
  const unheard = calls.filter(({ status, messageId }) => status === undefined && messageId !== undefined)

  // Each chat: the video of the name, once; or the news that there is none.
  let lost = 0
  let doubled = 0
  const wrongVideo: number[] = []
  const untold: number[] = []
  const twice: number[] = []
  const toldWrongly: number[] = []
  await Promise.all(
    [...load.wishes].map(async ([id, { key }]) => {
      if (allowed.unreachable.has(id)) return
      const messages = (
        await Promise.all(
          [id, allowed.moved.get(id)].filter((chat) => chat !== undefined).map((chat) => town.telegram.messages(chat)),
        )
      ).flat()
      const videos = messages.filter(({ video }) => video !== undefined)
      if (allowed.impossible.has(key)) {
        if (!messages.some(({ text }) => text?.includes('не получилось'))) untold.push(id)
        return
      }
      if (messages.some(({ text }) => text?.includes('не получилось'))) toldWrongly.push(id)
      if (videos.length === 0) lost++
      if (videos.length > 1) doubled++
      if (
        videos.length >
        1 +
          unheard.filter(
            ({ method, chatId }) => method === 'sendVideo' && (chatId === id || chatId === allowed.moved.get(id)),
          ).length
      )
        twice.push(id)
      if (videos.some(({ video }) => video?.file_unique_id !== byKey.get(key)?.telegramFileUniqueId))
        wrongVideo.push(id)
    }),
  )
  if (lost > 0) violations.push(`people without their video: ${lost}`)
  if (!allowed.mayDouble)
    wrong(
      'people with a video twice, though no answer was lost',
      twice.map((id) => `${id}: ${callsOf(id)}`),
    )
  wrong('people with the video of another name', wrongVideo)
  wrong('people who were not told that there is no video', untold)
  wrong('people who were told that it did not work out, though nothing is wrong with their video', toldWrongly)

  // Renders: each name once, and again only where a process was killed in the middle, or stood still so long that its
  // lease ran out: what such a one had begun may come to its end, and is published by nobody.
  const killed = new Set([stage.bot, ...stage.workers].flatMap(({ killed, frozen }) => [...killed, ...frozen]))
  const frozen = new Set(stage.workers.flatMap(({ frozen }) => [...frozen]))
  const lines = (await readFile(stage.ledger, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
  const again: string[] = []
  for (const { key } of allowed.rendersUnseen ? [] : load.names) {
    const mine = lines.filter(([, , revision]) => revision === revisionOf(key))
    const ends = mine.filter(([event]) => event === 'end').length
    // One that stood still may also notice it, break off, and begin the name again itself.
    const nextOf = (pid: string | undefined, at: number) => mine.slice(at + 1).find(([, by]) => by === pid)?.[0]
    const cut = mine.filter(
      ([event, pid], at) =>
        event === 'begin' && (frozen.has(Number(pid)) ? nextOf(pid, at) !== 'end' : nextOf(pid, at) === undefined),
    )
    const begins = mine.filter(([event]) => event === 'begin').length
    const late = Math.min(ends - 1, mine.filter(([event, pid]) => event === 'end' && frozen.has(Number(pid))).length)
    if (ends - late !== 1 || begins - 1 > late + cut.filter(([, pid]) => killed.has(Number(pid))).length)
      again.push(mine.map(([event, pid]) => `${event} ${pid}`).join(', ') || 'none')
  }
  wrong('names rendered another number of times than once', again)

  // Uploads: one post per name in all channels, and one more for each lost answer and each that
  // was made again on purpose, as the stored post of a dead file_id could not be reached.
  // Copies that could not be deleted are no uploads.
  const posts = (
    await Promise.all(town.storage.chatIds.map((chatId) => town.telegram.messages(chatId, { limit: 100_000 })))
  ).flat()
  const postsOf = (unique: string | null) =>
    posts.filter(
      ({ video, forward_origin: origin }) =>
        video !== undefined && origin === undefined && video.file_unique_id === unique,
    ).length
  const channels = new Set(town.storage.chatIds.map(Number))
  const lostPostsOf = (unique: string | null) =>
    unheard.filter(
      ({ method, chatId, fileUniqueId }) =>
        method === 'sendVideo' && channels.has(chatId ?? 0) && fileUniqueId === unique,
    ).length
  const log = [stage.bot, ...stage.workers]
    .flatMap((service) => service.output().split('\n'))
    .filter((line) => line.includes('the video will be uploaded again'))
  const uploadedAgain = (id: string) => log.filter((line) => line.includes(id)).length
  const repeated = assets.filter(
    ({ id, status, telegramFileUniqueId }) =>
      status === 'AVAILABLE' &&
      postsOf(telegramFileUniqueId) > 1 + lostPostsOf(telegramFileUniqueId) + uploadedAgain(id),
  )
  if (!allowed.mayDouble)
    wrong(
      'names with more posts than one, though no answer was lost',
      repeated.map(({ name, telegramFileUniqueId }) => `${name} ${postsOf(telegramFileUniqueId)}`),
    )
  if (channels.size > 0)
    wrong(
      'names without a post',
      assets
        .filter(({ status, telegramFileUniqueId }) => status === 'AVAILABLE' && postsOf(telegramFileUniqueId) === 0)
        .map(({ name }) => name),
    )

  // Nobody gives up but for a token: who ends by themselves lost what they had in hand.
  for (const { name, ends, output } of [stage.bot, ...stage.workers]) {
    const bad = ends.splice(0).filter((code) => code !== 0 && code !== 2)
    if (bad.length > 0)
      violations.push(
        `the ${name} ended with ${bad.join(', ')}: ${output()
          .split('\n')
          .filter((line) => !line.startsWith('{') || line.startsWith('{"level":"fatal"'))
          .filter((line) => line.trim() !== '')
          .slice(-30)
          .join('\n      ')}`,
      )
  }

  // What Node itself complains of, such as listeners that pile up, is a defect.
  wrong(
    'warnings of Node',
    [stage.bot, ...stage.workers].flatMap(({ output }) => output().match(/^\(node:\d+\) .+$/gm) ?? []),
  )

  // Privacy: whatever went wrong, no name and no token is in a log.
  const output = [stage.bot, ...stage.workers].map((service) => service.output()).join('')
  wrong(
    'names in a log',
    load.names.filter(({ key, display }) => output.includes(display) || output.includes(key)).map(({ key }) => key),
  )
  if (output.includes(town.token.split(':')[1] as string)) violations.push('the token is in a log')
  return { requests: load.wishes.size, lost, doubled, violations }
}
