import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { openLookups } from '../../src/bot/lookups.ts'

/** Work that goes on until it is told what it found. */
function work() {
  let resolve: (found: string) => void = () => undefined
  const promise = new Promise<string>((give) => (resolve = give))
  let begun = false
  return {
    find: (found: string) => resolve(found),
    isBegun: () => begun,
    run: () => {
      begun = true
      return promise
    },
  }
}

describe('looks for people who do not wait', () => {
  it('so many at a time, and of one person the newest only', async () => {
    const { look } = openLookups({ atOnce: 1, lateMs: 60_000 })
    const [first, second, third, other] = [work(), work(), work(), work()]
    const found = [look(1, first.run)]
    await sleep(0)
    found.push(look(1, second.run), look(2, other.run), look(1, third.run))
    await sleep(0)
    expect([first, second, third, other].map((each) => each.isBegun())).toEqual([true, false, false, false])
    first.find('too late')
    expect(await found[0]).toBeUndefined()
    expect(await found[1]).toBeUndefined()
    third.find('third')
    expect(await found[3]).toBe('third')
    other.find('other')
    expect(await found[2]).toBe('other')
    expect(second.isBegun()).toBe(false)
  })

  it('none that is too old, and a look that fails makes room', async () => {
    const { look } = openLookups({ atOnce: 1, lateMs: 5 })
    const [first, second] = [work(), work()]
    const found = [look(1, first.run), look(2, second.run)]
    await sleep(15)
    first.find('old')
    expect(await Promise.all(found)).toEqual([undefined, undefined])
    expect(second.isBegun()).toBe(false)
    await expect(look(3, () => Promise.reject(new Error('away')))).rejects.toThrow('away')
    expect(await look(3, async () => 'there')).toBe('there')
  })
})
