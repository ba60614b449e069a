import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatUuid, tryWriteLowerUuid, tryWriteUuid, writeUuid } from '../../src/db/uuid-bytes.ts'
import { ValueError } from '../../src/db/values.ts'

test('a uuid comes back as it was, in lower case', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.boolean(), (id, isUpper) => {
      const bytes = new Uint8Array(20)
      writeUuid(isUpper ? id.toUpperCase() : id, bytes, 3)
      expect(formatUuid(bytes, 3)).toBe(id)
      expect(Buffer.from(bytes.subarray(3, 19)).toString('hex')).toBe(id.replaceAll('-', ''))
      expect(tryWriteLowerUuid(id, bytes)).toBe(true)
    }),
  )
})

test.each([
  ['0f0e0d0c-1234-4abc-8def-0123456789ab', true, true],
  ['0F0E0d0c-1234-4abc-8def-0123456789ab', true, false],
  ['0f0e0d0c-1234-4abc-8def-0123456789aB', true, false],
  ['0f0e0d0c-1234-4abc-8def-0123456789a', false, false],
  ['0f0e0d0c-1234-4abc-8def-0123456789ab0', false, false],
  ['0f0e0d0c-1234-4abc-8def_0123456789ab', false, false],
  ['0f0e0d0c01234-4abc-8def-0123456789ab', false, false],
  ['0f0e0d0g-1234-4abc-8def-0123456789ab', false, false],
  ['0f0e0d0c-1234-4abc-8def-0123456789\uff10b', false, false],
  ['', false, false],
])('%s', (text, isUuid, isLower) => {
  const bytes = new Uint8Array(16)
  expect(tryWriteUuid(text, bytes)).toBe(isUuid)
  expect(tryWriteLowerUuid(text, bytes)).toBe(isLower)
  if (!isUuid) expect(() => writeUuid(text, bytes)).toThrow(ValueError)
})
