import { createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createFingerprint } from '../../src/lib/fingerprint.ts'

describe('a fingerprint', () => {
  const key = Buffer.alloc(32, 7)
  it('is the first 8 hex digits of an HMAC-SHA-256', () => {
    expect(createFingerprint(key)('token')).toBe(createHmac('sha256', key).update('token').digest('hex').slice(0, 8))
  })
  it('depends on text and key', () => {
    const prints = [
      createFingerprint(key)('a'),
      createFingerprint(key)('b'),
      createFingerprint(Buffer.alloc(32, 8))('a'),
    ]
    expect(new Set(prints).size).toBe(3)
  })
})
