/** Groups: several people and, if somebody added it, the bot. */
import { post } from './api.js'
import { state } from './state.js'
import { texts } from './texts.js'

/** Who is in a new group beside those who write already. */
const family = [
  { userId: 1_000_002, firstName: texts.father },
  { userId: 1_000_003, firstName: texts.grandmother },
]

/** Makes a group of several people, to which the one who writes has added the bot. Gives its id. */
export async function createGroup() {
  const { world, bot, writer } = state
  for (const person of family)
    if (world.users.length < 3 && !world.users.some(({ id }) => id === person.userId))
      await post('users', { ...person, languageCode: texts.familyLanguage })
  const made = await post('channels', { title: texts.family, type: 'supergroup' })
  const { id } = /** @type {{ id: number }} */ (made)
  await post('members', { chatId: id, botId: bot?.id, status: 'member', by: writer })
  return id
}
