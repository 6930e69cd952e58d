import { expect, it } from 'vitest'
import { deepLinkFor, readDeepLink } from '../../src/telegram/deep-link.ts'

it.each(['Маша', 'Анна-Мария', 'O’Connor', 'Иван Петрович'])('carries %s', (name) => {
  const payload = deepLinkFor(name)
  expect(payload).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
  expect(readDeepLink(payload ?? '')).toBe(name)
})

it('carries no name that is too long for Telegram', () => {
  expect(deepLinkFor('Константинопольская Александрина')).toBeUndefined()
})

it.each(['', 'n', 'x0JzQsNGI0LA', 'n_4', `n${'A'.repeat(64)}`, 'n.', 'n\u0000'])(
  'reads nothing out of %j',
  (payload) => {
    expect(readDeepLink(payload)).toBeUndefined()
  },
)
