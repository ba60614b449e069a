import { expect, test } from 'vitest'
import { Buckets } from '../../src/lib/buckets.ts'

test('counts each observation in the first bucket that is not below it', () => {
  const buckets = new Buckets([1, 2, 5])
  for (const value of [0, 1, 1.5, 2, 5, 6, 7]) buckets.observe(value)
  expect([...buckets.counts]).toEqual([2, 2, 1, 2])
  expect(buckets.sum).toBe(22.5)
})
