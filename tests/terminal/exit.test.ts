import { describe, expect, it } from 'vitest'
import { endOf } from '../../src/terminal/exit.ts'

const withCode = (code: string, message = 'connect') => Object.assign(new Error(message), { code })

describe('what ends a command', () => {
  it.each([
    ['the network', withCode('ECONNREFUSED')],
    ['a database that was shut down', withCode('57P01')],
    [
      'Prisma, in which the driver’s error lies',
      Object.assign(new Error('Raw query failed'), {
        code: 'P2010',
        meta: { driverAdapterError: Object.assign(new Error('gone'), { cause: { kind: 'ConnectionClosed' } }) },
      }),
    ],
    ['pg, without a code', new Error('Connection terminated unexpectedly')],
  ])('in the middle of its work, a service that went away: 3, with a remedy (%s)', (_from, error) => {
    const { code, lines } = endOf(error)
    expect(code).toBe(3)
    expect(lines.join('\n')).toMatch(/went away.*greetings doctor/)
  })

  it('a defect of ours: 1, with its place and nothing more of it than a line', () => {
    const { code, lines } = endOf(new Error('first line\nsecond line with a secret'))
    expect(code).toBe(1)
    expect(lines.join('\n')).toMatch(/unexpected Error: first line\n.*exit\.test\.ts/)
    expect(lines.join('\n')).not.toContain('secret')
  })
})
