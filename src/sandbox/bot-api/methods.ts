/** The methods of the Bot API. Each takes a call apart, changes the world and gives the `result`. */
import { readableChat } from './chat-access.ts'
import { getChat, getChatAdministrators, getChatMember } from './chats.ts'
import type { Call } from './context.ts'
import {
  deleteMessage,
  deleteMessages,
  editMessageCaption,
  editMessageReplyMarkup,
  editMessageText,
} from './editing.ts'
import { getFile, sendFile } from './files.ts'
import { copyMessage, forwardMessage, sendChatAction, sendMessage } from './messages.ts'
import { existingMessage } from './new-message.ts'
import { botSelf } from './objects.ts'
import { checkCommands, commandScope, save } from './profile.ts'
import { answerCallbackQuery, answerGuestQuery, answerInlineQuery } from './queries.ts'
import { getUpdates, setWebhook } from './updates.ts'
import { flag, number, text } from './values.ts'

/** By lower-case name: the spelling that Telegram uses, and what it does. */
export const methods: Record<string, { name: string; run(call: Call): unknown }> = Object.fromEntries(
  Object.entries<(call: Call) => unknown>({
    getMe: ({ state, bot }) => botSelf(state, bot),
    logOut: () => true,
    close: () => true,
    getUpdates,
    setWebhook,
    deleteWebhook: ({ updates, bot, parameters }) => {
      updates.setWebhook(bot.id, undefined, flag(parameters, 'drop_pending_updates'))
      return true
    },
    getWebhookInfo: ({ updates, bot }) => updates.webhookInfo(bot.id),
    sendMessage,
    sendVideo: (call) => sendFile(call, 'video'),
    sendDocument: (call) => sendFile(call, 'document'),
    sendChatAction,
    forwardMessage,
    copyMessage,
    editMessageText,
    editMessageCaption,
    editMessageReplyMarkup,
    deleteMessage,
    deleteMessages,
    answerCallbackQuery,
    answerInlineQuery,
    answerGuestQuery,
    getFile,
    getChat,
    getChatMember,
    getChatAdministrators,
    setMyCommands: (call) => save(call, `commands/${commandScope(call)}`, checkCommands(call)),
    deleteMyCommands: (call) => save(call, `commands/${commandScope(call)}`, undefined),
    getMyCommands: (call) => call.state.setting(call.bot.id, `commands/${commandScope(call)}`) ?? [],
    setMyName: (call) => save(call, `name/${text(call.parameters, 'language_code')}`, text(call.parameters, 'name')),
    getMyName: (call) => ({
      name:
        call.state.setting<string>(call.bot.id, `name/${text(call.parameters, 'language_code')}`) ?? call.bot.firstName,
    }),
    setMyDescription: (call) =>
      save(call, `description/${text(call.parameters, 'language_code')}`, text(call.parameters, 'description')),
    getMyDescription: (call) => ({
      description:
        call.state.setting<string>(call.bot.id, `description/${text(call.parameters, 'language_code')}`) ?? '',
    }),
    setMyShortDescription: (call) =>
      save(call, `short/${text(call.parameters, 'language_code')}`, text(call.parameters, 'short_description')),
    getMyShortDescription: (call) => ({
      short_description:
        call.state.setting<string>(call.bot.id, `short/${text(call.parameters, 'language_code')}`) ?? '',
    }),
    setChatMenuButton: () => true,
    getChatMenuButton: () => ({ type: 'commands' }),
    setMessageReaction: (call) => {
      existingMessage(call, readableChat(call), number(call.parameters, 'message_id'), 'message to react')
      return true
    },
  }).map(([name, run]) => [name.toLowerCase(), { name, run }]),
)
