import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createZone } from '../../src/playground/zone.ts'

const NAMES = ['gw-0', 'gw-1', 'gw-2']

describe('the zone', () => {
  it('keeps a new token at its origin until the origin flushes', () => {
    const zone = createZone(NAMES)
    zone.put('gw-0', 't')
    zone.flush('gw-1')
    expect(NAMES.map((name) => zone.has(name, 't'))).toEqual([true, false, false])
    zone.flush('gw-0')
    expect(NAMES.map((name) => zone.has(name, 't'))).toEqual([true, true, true])
  })

  it('spreads that a token was forgotten in the same way', () => {
    const zone = createZone(NAMES)
    zone.put('gw-0', 't')
    zone.flush('gw-0')
    zone.remove('gw-1', 't')
    expect(NAMES.map((name) => zone.has(name, 't'))).toEqual([true, false, true])
    zone.flush('gw-1')
    expect(NAMES.map((name) => zone.has(name, 't'))).toEqual([false, false, false])
  })

  it('leaves a replica that was cut off behind for good', () => {
    const zone = createZone(NAMES)
    zone.setConnected('gw-2', false)
    zone.put('gw-0', 't')
    zone.flush('gw-0')
    zone.setConnected('gw-2', true)
    zone.flush('gw-0')
    expect(NAMES.map((name) => zone.has(name, 't'))).toEqual([true, true, false])
  })

  it('hears nothing of what a replica stored while cut off', () => {
    const zone = createZone(NAMES)
    zone.setConnected('gw-0', false)
    zone.put('gw-0', 't')
    zone.flush('gw-0')
    zone.setConnected('gw-0', true)
    zone.flush('gw-0')
    expect(NAMES.map((name) => zone.has(name, 't'))).toEqual([true, false, false])
  })

  it('keeps the newest ten thousand tokens', () => {
    const zone = createZone(NAMES)
    for (let i = 0; i <= 10_000; i++) zone.put('gw-0', `t${i}`)
    zone.flush('gw-0')
    for (const name of ['gw-0', 'gw-1']) {
      expect(zone.has(name, 't0')).toBe(false)
      expect(zone.has(name, 't1')).toBe(true)
      expect(zone.has(name, 't10000')).toBe(true)
    }
  })

  it('refuses a name that is not in it, and says which are', () => {
    const zone = createZone(NAMES)
    expect(() => zone.put('gw-9', 't')).toThrow('no replica is called gw-9; there are gw-0, gw-1, gw-2')
  })

  it('agrees everywhere once everybody has flushed, when each token is changed at one replica only', () => {
    const change = fc.record({ at: fc.constantFrom(...NAMES), token: fc.nat(5), present: fc.boolean() })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), (changes) => {
        const zone = createZone(NAMES)
        const last = new Map<string, boolean>()
        for (const { at, token, present } of changes) {
          const name = `${at}/${token}`
          if (present) zone.put(at, name)
          else zone.remove(at, name)
          last.set(name, present)
        }
        for (const name of NAMES) zone.flush(name)
        for (const [token, present] of last) {
          for (const name of NAMES) expect(zone.has(name, token)).toBe(present)
        }
      }),
    )
  })
})
