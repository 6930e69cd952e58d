import { describe, expect, it } from 'vitest'
import { AssetLocked, openGate, type Gate } from '../../src/greetings/gate.ts'

const lockTimeout = Object.assign(new Error('canceling statement due to lock timeout'), { code: '55P03' })

/** Work that ends when it is told to. */
function enter(gate: Gate, asset: string, attempt: { giveUp?: AbortSignal; isRetry?: boolean } = {}) {
  let end: (error?: Error) => void = () => undefined
  let isThrough = false
  const result = gate.through(
    asset,
    () => {
      isThrough = true
      return new Promise<string>(
        (resolve, reject) => (end = (error) => (error === undefined ? resolve('done') : reject(error))),
      )
    },
    attempt,
  )
  result.catch(() => undefined)
  return { result, end: (error?: Error) => end(error), isThrough: () => isThrough }
}
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('the gate', () => {
  it('lets so many through at a time, and so many for one asset, in their order', async () => {
    const gate = openGate({ atOnce: 3, forOneAsset: 2 })
    const [a1, a2, a3, b1, c1] = ['a', 'a', 'a', 'b', 'c'].map((asset) => enter(gate, asset)) as [
      ReturnType<typeof enter>,
      ReturnType<typeof enter>,
      ReturnType<typeof enter>,
      ReturnType<typeof enter>,
      ReturnType<typeof enter>,
    ]
    const through = () => [a1, a2, a3, b1, c1].map((one) => one.isThrough())
    expect(through()).toEqual([true, true, false, true, false])
    b1.end()
    expect(await b1.result).toBe('done')
    expect(through()).toEqual([true, true, false, true, true])
    a1.end()
    await turn()
    expect(through()).toEqual([true, true, true, true, true])
    for (const one of [a2, a3, c1]) one.end()
    expect(await Promise.all([a2.result, a3.result, c1.result])).toEqual(['done', 'done', 'done'])
  })

  it('refuses at once whoever asks for an asset whose row is locked, until a retry gets through', async () => {
    const gate = openGate({ atOnce: 6, forOneAsset: 1 })
    const first = enter(gate, 'a')
    const second = enter(gate, 'a')
    first.end(lockTimeout)
    await expect(first.result).rejects.toBe(lockTimeout)
    await expect(second.result).rejects.toBeInstanceOf(AssetLocked)
    await expect(enter(gate, 'a').result).rejects.toBeInstanceOf(AssetLocked)
    const other = enter(gate, 'b')
    expect(other.isThrough()).toBe(true)

    const retry = enter(gate, 'a', { isRetry: true })
    expect(retry.isThrough()).toBe(true)
    await expect(enter(gate, 'a', { isRetry: true }).result).rejects.toBeInstanceOf(AssetLocked)
    retry.end()
    await retry.result
    expect(enter(gate, 'a').isThrough()).toBe(true)
  })

  it('does not begin what nobody waits for any more', async () => {
    const gate = openGate({ atOnce: 1, forOneAsset: 1 })
    const first = enter(gate, 'a')
    const giveUp = new AbortController()
    const second = enter(gate, 'b', { giveUp: giveUp.signal })
    const third = enter(gate, 'c')
    giveUp.abort(new Error('held'))
    await expect(second.result).rejects.toThrow('held')
    await expect(enter(gate, 'b', { giveUp: giveUp.signal }).result).rejects.toThrow('held')
    first.end()
    await turn()
    expect([second.isThrough(), third.isThrough()]).toEqual([false, true])
  })

  it('gives the place back whatever went wrong', async () => {
    const gate = openGate({ atOnce: 1, forOneAsset: 1 })
    const first = enter(gate, 'a')
    first.end(new Error('a defect'))
    await expect(first.result).rejects.toThrow('a defect')
    expect(enter(gate, 'a').isThrough()).toBe(true)
  })
})
