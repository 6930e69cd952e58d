/** `purge` beside people who come back in that very moment. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { purgePeople } from '../../src/greetings/purge.ts'
import { request } from '../../src/greetings/request.ts'
import { ask, openTown, person, type Town } from '../town.ts'

let town: Town
beforeAll(async () => {
  town = await openTown()
})
afterAll(() => town.close())

it('nobody loses their request, whoever comes first: the person who asks or the purge', async () => {
  await town.db.videoAsset.create({ data: { template: 'tiny', name: 'маша', display: 'Маша', status: 'AVAILABLE', telegramFileId: 'x', telegramBotId: town.botId } })
  const { signal } = new AbortController()
  const people = Array.from({ length: 12 }, (_, n) => n + 1)
  const names = ['Маша', 'Петя'] // a hit, and a miss
  for (let round = 0; round < 40; round++) {
    await town.db.userRequest.deleteMany()
    const asked = people.map((id) => request(town.door, [ask(names[id % 2] ?? '')], person(id)))
    const purged = [purgePeople(town.db, { signal }), purgePeople(town.db, { signal })]
    const answers = (await Promise.all(asked)).flat()
    await Promise.all(purged)
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set(['available', 'waiting']))
    expect(await town.db.userRequest.count()).toBe(people.length)
  }
  await town.db.userRequest.deleteMany()
  expect(await purgePeople(town.db, { signal })).toBe(people.length)
  expect(await town.db.user.count()).toBe(0)
})
