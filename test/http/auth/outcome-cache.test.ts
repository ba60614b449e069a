import { expect, test } from 'vitest'
import { failure } from '../../../src/http/auth/authenticator.ts'
import { fingerprint, OutcomeCache } from '../../../src/http/auth/outcome-cache.ts'
import { FakeClock } from '../../lib/fake-clock.ts'

const outcome = failure('unknown', 'x')

test('an outcome is kept for its time, and no longer', async () => {
  const clock = new FakeClock()
  const cache = new OutcomeCache(clock, 10)
  cache.set('a', outcome, 100)
  await clock.advance(99)
  expect(cache.get('a')).toBe(outcome)
  await clock.advance(1)
  expect(cache.get('a')).toBeUndefined()
  expect(cache.size).toBe(0)
})

test('no time at all is not kept', () => {
  const cache = new OutcomeCache(new FakeClock(), 10)
  cache.set('a', outcome, 100)
  cache.set('a', outcome, 0)
  cache.set('b', outcome, -1)
  expect(cache.size).toBe(0)
})

test('the one unused for longest goes when there are too many', () => {
  const cache = new OutcomeCache(new FakeClock(), 3)
  for (const key of ['a', 'b', 'c']) cache.set(key, outcome, 100)
  cache.get('a')
  cache.set('d', outcome, 100)
  expect(['a', 'b', 'c', 'd'].filter((key) => cache.get(key) !== undefined)).toEqual(['a', 'c', 'd'])
})

test('setting a key again takes no further room', () => {
  const cache = new OutcomeCache(new FakeClock(), 2)
  for (const key of ['a', 'b', 'b', 'b']) cache.set(key, outcome, 100)
  expect(cache.get('a')).toBe(outcome)
})

test('a fingerprint does not contain its token', () => {
  expect(fingerprint('hunter2')).not.toContain('hunter2')
  expect(fingerprint('hunter2')).toBe(fingerprint('hunter2'))
})
