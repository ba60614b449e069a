// Tokens as a Cassandra 5.0.9 has them: SELECT token(id).
import { expect, test } from 'vitest'
import { tokenOf, tokenWordOf } from '../../../src/db/cassandra/murmur3.ts'

const TOKENS = [
  ['00000000-0000-0000-0000-000000000000', 5457549051747178710n],
  ['ffffffff-ffff-ffff-ffff-ffffffffffff', -2824192546314762522n],
  ['00000000-0000-0000-0000-000000000001', 2589554819249504804n],
  ['80000000-0000-0000-0000-000000000000', -7761335981022169054n],
  ['7f7f7f7f-8080-8080-8080-7f7f7f7f7f7f', -1543756766151151452n],
  ['01234567-89ab-4cde-8f01-23456789abcd', 2708872610907222797n],
  ['fedcba98-7654-1321-b0fe-dcba98765432', 4120589715793417797n],
  ['6ba7b810-9dad-11d1-80b4-00c04fd430c8', -6761550319734257329n],
  ['123e4567-e89b-42d3-a456-426614174000', 5526382331501224824n],
  ['f47ac10b-58cc-4372-a567-0e02b2c3d479', 3078397264688283949n],
] as const

test.each(TOKENS)('%s has the token of the server', (id, token) => {
  const bytes = Buffer.from(`ff${id.replaceAll('-', '')}`, 'hex')
  expect(tokenOf(bytes, 1)).toBe(token)
  expect(tokenWordOf(bytes, 1)).toBe(Number(token >> 32n))
})
