/** Token and storage channels. */
import { setProfile } from '../../bot/profile.ts'
import type { Config } from '../../config.ts'
import type { Db } from '../../db/database.ts'
import { botText, otherBotText, ownBot } from '../../greetings/own-bot.ts'
import type { Sandbox } from '../../sandbox/process/open-sandbox.ts'
import { connectTelegram, whoAmI, type Api } from '../../telegram/api.ts'
import { checkChannels } from '../../telegram/channels.ts'
import type { RunCheck } from './check.ts'

export async function examineTelegram(
  config: Config,
  sandbox: Sandbox | undefined,
  inSandbox: boolean,
  db: Db | undefined,
  check: RunCheck,
  setsProfile: boolean,
): Promise<void> {
  const token = sandbox?.token ?? config.token
  if (inSandbox && sandbox === undefined) return
  if (token === undefined) {
    return check('token', async () => ({
      state: 'failure',
      message: 'TELEGRAM_BOT_TOKEN is not set. Ask @BotFather for a token (/newbot), or use --sandbox.',
    }))
  }
  const api = connectTelegram({ token, apiRoot: sandbox?.url ?? config.apiRoot, times: config.times })
  let botId: bigint | undefined
  await check('token', async () => {
    const bot = await whoAmI(api)
    botId = bot.id
    const known = db === undefined ? null : await ownBot(db)
    return known === null || known.id === bot.id
      ? botText(bot)
      : { state: 'failure', message: otherBotText(known.id, botText(bot)) }
  })
  const id = botId
  if (id === undefined) return
  if (setsProfile) {
    await check('profile', async () => {
      const changed = await setProfile(api)
      return changed === 0
        ? 'menus, name and descriptions are as they should be'
        : `set: ${changed} of menus, names and descriptions, in all languages`
    })
  }
  const chatIds = sandbox === undefined ? config.storageChatIds : [sandbox.storageChatId]
  if (chatIds.length === 0) {
    return check('storage', async () => ({
      state: 'warning',
      message:
        'No storage channel: the bot works, `warm` does not. Create a private channel, make the bot an ' +
        'administrator who may post, and set STORAGE_CHAT_IDS.',
    }))
  }
  await examineChannels(api, chatIds, id, check)
}

/** Whether the bot may post to each. Every command goes on with the channels that are left. */
async function examineChannels(api: Api, chatIds: string[], botId: bigint, check: RunCheck): Promise<void> {
  const findings = chatIds.map((chatId) => ({ chatId, faults: checkChannels(api, [chatId], botId) }))
  const outcomes = await Promise.allSettled(findings.map(({ faults }) => faults))
  const othersGoOn = outcomes.some((outcome) => outcome.status === 'fulfilled' && outcome.value.length === 0)
  for (const { chatId, faults } of findings) {
    await check('storage', async () => {
      const [fault] = await faults
      if (fault === undefined) return `the bot may post to ${chatId}`
      const remedy = 'Make the bot an administrator with the right to post messages, or correct STORAGE_CHAT_IDS.'
      return {
        state: othersGoOn ? 'warning' : 'failure',
        message: `${chatId}: ${fault.problem}. ${othersGoOn ? 'It is left out. ' : ''}${remedy}`,
      }
    })
  }
}
