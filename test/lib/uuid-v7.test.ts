import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createUuidV7 } from '../../src/lib/uuid-v7.ts'

const SHAPE = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe('UUIDs of version 7', () => {
  test('have the form of RFC 9562, and begin with the time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), (wallMs) => {
        const id = createUuidV7({ wallNow: () => wallMs })()
        expect(id).toMatch(SHAPE)
        expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(wallMs)
      }),
    )
  })

  test('of one process sort by their making, whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 2, maxLength: 50 }), (times) => {
        const clock = [...times]
        const next = createUuidV7({ wallNow: () => clock.shift() ?? 0 })
        const ids = times.map(next)
        expect(ids.toSorted()).toEqual(ids)
        expect(new Set(ids).size).toBe(ids.length)
      }),
    )
  })

  test('sort also when there are more within a millisecond than the counter can count', () => {
    const next = createUuidV7({ wallNow: () => 1_000 })
    const ids = Array.from({ length: 10_000 }, next)
    expect(ids.toSorted()).toEqual(ids)
    expect(new Set(ids.map((id) => id.slice(0, 18))).size).toBe(ids.length)
  })

  test('differ between processes', () => {
    const at = { wallNow: () => 1_000 }
    expect(createUuidV7(at)().slice(19)).not.toBe(createUuidV7(at)().slice(19))
  })
})
