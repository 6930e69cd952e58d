// People who ask for a name at the same time, from a process of its own: run
// by the storm test, with what it needs as JSON.
import { openDatabase } from '../../dist/db/database.js'
import { request } from '../../dist/greetings/request.js'
import { openQueue } from '../../dist/queue/index.js'
import { waitingTimes } from '../../dist/config.js'

const { home, databaseUrl, redisUrl, queueId, botId, ask, from, to } = JSON.parse(process.argv[2] ?? '{}')
const log = { warn: () => undefined, info: () => undefined, debug: () => undefined, error: () => undefined }
const database = await openDatabase({ home, databaseUrl, sandbox: false, role: 'many-people', log })
const queue = await openQueue({ databaseUrl: database.url, redisUrl, queueId, log })
try {
  const door = { db: database.db, queue, botId: BigInt(botId), times: waitingTimes(1), log }
  process.stdout.write('ready\n')
  await new Promise((resolve) => process.stdin.once('data', resolve))
  const people = Array.from({ length: to - from }, (_, n) => from + n)
  const answers = []
  // As many at a time as a bot fetches at once.
  while (people.length > 0) {
    const batch = people.splice(0, 100).map(async (id) => {
      const person = { userId: BigInt(id), chatId: BigInt(id), language: 'ru', updateId: id }
      const [answer] = await request(door, [ask], person)
      return answer.status
    })
    answers.push(...(await Promise.all(batch)))
  }
  process.stdout.write(`${JSON.stringify(answers)}\n`)
} finally {
  process.stdin.destroy()
  await queue.close()
  await database.close()
}
