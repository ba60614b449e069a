import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutPage, readCursor, writeCursor } from '../../src/state/cursor.ts'
import { InvalidCursor } from '../../src/state/store.ts'

describe('a cursor', () => {
  it('gives the key back, in the list that it is of', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (key, list) => {
        const cursor = writeCursor(list, key)
        expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/)
        expect(readCursor(list, cursor)).toBe(key)
        expect(() => readCursor(`${list}x`, cursor)).toThrow(InvalidCursor)
      }),
    )
  })

  it('is refused when it is anything else', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String(), fc.json().map(toBase64)), (text) => {
        expect(() => readCursor('runs', text)).toThrow(InvalidCursor)
      }),
    )
  })

  it('is refused when it was changed by one letter, or reads the same to a tolerant reader', () => {
    const cursor = writeCursor('runs', '019b76da-a800-7b3c-9d51-0f7c3f6d2e10')
    for (let at = 0; at < cursor.length; at++) {
      const changed = `${cursor.slice(0, at)}${cursor[at] === '!' ? '?' : '!'}${cursor.slice(at + 1)}`
      expect(() => readCursor('runs', changed)).toThrow(InvalidCursor)
    }
    for (const same of [
      `${cursor}=`,
      `${cursor}\n`,
      ` ${cursor}`,
      toBase64('["runs", "a"]'),
      toBase64('["runs","\\u0061"]'),
    ]) {
      expect(() => readCursor('runs', same)).toThrow(InvalidCursor)
    }
  })
})

describe('a page', () => {
  it('names its last entry where more follow, and nothing where none does', () => {
    const cut = (entries: readonly string[]) => cutPage('l', entries, 2, (entry) => entry)
    expect(cut([])).toEqual({ items: [], nextCursor: null })
    expect(cut(['a', 'b'])).toEqual({ items: ['a', 'b'], nextCursor: null })
    expect(cut(['a', 'b', 'c'])).toEqual({ items: ['a', 'b'], nextCursor: writeCursor('l', 'b') })
  })
})

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64url')
}
