import { types } from 'cassandra-driver'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  compareVersions,
  deriveTimeuuid,
  formatTimeuuid,
  isSameMicrosecond,
  MAX_VERSION_MS,
  MIN_VERSION_MS,
  maxTimeuuid,
  microsOf,
  minTimeuuid,
  msOf,
  parseTimeuuid,
  readTimeuuid,
  ticksOf,
  tryParseTimeuuid,
  type Version,
  versionOfTicks,
  writeTimeuuid,
} from '../../src/db/timeuuid.ts'

const EPOCH_TICKS = 122_192_928_000_000_000n
const anyWord = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const anyTicks = fc.bigInt({ min: 0n, max: 2n ** 60n - 1n })
const anyVersion = fc.tuple(anyTicks, anyWord, anyWord).map(([ticks, high, low]) => versionOfTicks(ticks, high, low))
/** Versions so close to each other that every part of the order gets its turn. */
const anyCloseVersion = fc
  .tuple(fc.constantFrom(0n, 1n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n), anyCloseWord(), anyCloseWord())
  .map(([ticks, high, low]) => versionOfTicks(ticks, high, low))

function anyCloseWord() {
  return fc.constantFrom(0, -1, 1, 0x7f, 0x80, 0x7f7f7f7f, 0x80808080, 0x7fffffff, 0x80000000, 0x00800000, 0x007f0000)
}

/** TimeUUIDType's definition word by word, on bytes: the time, then each of the last eight bytes as a signed one. */
function compareAsCassandra(a: Version, b: Version): number {
  if (ticksOf(a) !== ticksOf(b)) return ticksOf(a) < ticksOf(b) ? -1 : 1
  const [one, other] = [tieOf(a), tieOf(b)]
  const at = one.findIndex((byte, index) => byte !== other[index])
  return at < 0 ? 0 : Math.sign((one[at] ?? 0) - (other[at] ?? 0))
}

function tieOf(version: Version): Int8Array {
  return new Int8Array(bytesOf(version).buffer, 8, 8)
}

function bytesOf(version: Version): Uint8Array {
  const bytes = new Uint8Array(16)
  writeTimeuuid(version, bytes)
  return bytes
}

describe('text and bytes of a version', () => {
  test('reads the words of a timeuuid and writes them again', () => {
    const text = '20fc670f-9149-11e4-bf01-0123456789ab'
    const version = parseTimeuuid(text.toUpperCase())
    expect(ticksOf(version)).toBe(0x1e4_9149_20fc670fn)
    expect(formatTimeuuid(version)).toBe(text)
    expect(Buffer.from(bytesOf(version)).toString('hex')).toBe(text.replaceAll('-', ''))
  })

  test.each([
    ['a uuid of version 4', '20fc670f-9149-41e4-bf01-0123456789ab'],
    ['no dashes', '20fc670f914911e4bf010123456789ab'],
    ['too long', '20fc670f-9149-11e4-bf01-0123456789abc'],
    ['a letter that is no digit', '20fc670g-9149-11e4-bf01-0123456789ab'],
    ['nothing', ''],
  ])('refuses %s', (_, text) => {
    expect(() => parseTimeuuid(text)).toThrow(RangeError)
    expect(tryParseTimeuuid(text)).toBeUndefined()
  })

  test('takes other variants, as Cassandra does', () => {
    const text = '20fc670f-9149-11e4-7f7f-7f7f7f7f7f7f'
    expect(formatTimeuuid(parseTimeuuid(text))).toBe(text)
  })

  test('refuses bytes that are too few or of another version', () => {
    expect(() => readTimeuuid(new Uint8Array(15))).toThrow('16 bytes')
    expect(() => readTimeuuid(new Uint8Array(16))).toThrow('version 1')
    expect(() => readTimeuuid(new Uint8Array(20), 5)).toThrow('16 bytes')
  })

  test('every version comes back from text and from bytes, also in the middle of others', () => {
    fc.assert(
      fc.property(anyVersion, fc.nat(7), (version, at) => {
        const bytes = new Uint8Array(16 + at)
        writeTimeuuid(version, bytes, at)
        expect(readTimeuuid(bytes, at)).toEqual(version)
        expect(parseTimeuuid(formatTimeuuid(version))).toEqual(version)
        expect(types.TimeUuid.fromString(formatTimeuuid(version)).getBuffer()).toEqual(Buffer.from(bytesOf(version)))
      }),
    )
  })

  test('ticks beyond 60 bits are refused', () => {
    expect(() => versionOfTicks(2n ** 60n, 0, 0)).toThrow(RangeError)
    expect(() => versionOfTicks(-1n, 0, 0)).toThrow(RangeError)
  })
})

describe('the order of versions', () => {
  test('a later tick wins whatever the text says', () => {
    // As text the first one is greater: the lower bits of the time come first in it.
    const [earlier, later] = [
      parseTimeuuid('ffffffff-0000-1000-8000-000000000000'),
      parseTimeuuid('00000000-0001-1000-8000-000000000000'),
    ]
    expect(compareVersions(earlier, later)).toBeLessThan(0)
  })

  test('one tick of 100 ns decides', () => {
    const ticks = EPOCH_TICKS + 14_200_704_000_000_000n
    expect(compareVersions(versionOfTicks(ticks, 0, 0), versionOfTicks(ticks + 1n, -1, -1))).toBeLessThan(0)
  })

  test.each([
    ['0x80 is less than 0x7f in the first byte', '8000-000000000000', '7f00-000000000000'],
    ['and in the second', '0080-000000000000', '007f-000000000000'],
    ['and in the last one', '0000-000000000080', '0000-00000000007f'],
    ['0xff is less than 0x00', '0000-0000ff000000', '0000-000000000000'],
  ])('ties: %s', (_, lesser, greater) => {
    const [a, b] = [parseTimeuuid(`20fc670f-9149-11e4-${lesser}`), parseTimeuuid(`20fc670f-9149-11e4-${greater}`)]
    expect(compareVersions(a, b)).toBeLessThan(0)
    expect(compareVersions(b, a)).toBeGreaterThan(0)
    expect(compareVersions(a, { ...a })).toBe(0)
  })

  test('is the one that Cassandra defines', () => {
    fc.assert(
      fc.property(fc.oneof(anyCloseVersion, anyVersion), fc.oneof(anyCloseVersion, anyVersion), (a, b) => {
        expect(Math.sign(compareVersions(a, b))).toBe(compareAsCassandra(a, b))
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('time in a version', () => {
  test('milliseconds and microseconds are cut off downwards, before 1970 too', () => {
    fc.assert(
      fc.property(anyVersion, (version) => {
        const ticks = ticksOf(version) - EPOCH_TICKS
        const floor = (by: bigint) => (ticks - (((ticks % by) + by) % by)) / by
        expect(BigInt(msOf(version))).toBe(floor(10_000n))
        expect(microsOf(version)).toBe(floor(10n))
      }),
    )
  })

  test('microseconds beyond 2^53 are exact', () => {
    const micros = 9_007_199_254_740_993n
    expect(microsOf(versionOfTicks(EPOCH_TICKS + micros * 10n + 9n, 0, 0))).toBe(micros)
  })

  test.each([
    [0n, 9n, true],
    [9n, 10n, false],
    [5n, 5n, true],
    [9_999n, 10_000n, false],
    [9_990n, 9_999n, true],
    [0xffffffffn - 5n, 0x100000000n, true],
    [0n, 0x100000000n, false],
  ])('ticks %d and %d are of the same microsecond: %s', (a, b, expected) => {
    const [one, other] = [versionOfTicks(a, 0, 0), versionOfTicks(b, -1, -1)]
    expect(isSameMicrosecond(one, other)).toBe(expected)
    expect(isSameMicrosecond(other, one)).toBe(expected)
  })

  test('the same microsecond is the same write timestamp', () => {
    fc.assert(
      fc.property(anyTicks, fc.bigInt({ min: -20n, max: 20n }), (ticks, apart) => {
        const other = ticks + apart
        fc.pre(other >= 0n && other < 2n ** 60n)
        const [a, b] = [versionOfTicks(ticks, 0, 0), versionOfTicks(other, 1, 1)]
        expect(isSameMicrosecond(a, b)).toBe(microsOf(a) === microsOf(b))
      }),
    )
  })
})

describe('bounds of a millisecond', () => {
  const anyMs = fc.oneof(
    fc.integer({ min: MIN_VERSION_MS, max: MAX_VERSION_MS }),
    fc.constantFrom(0, -1, 1, MIN_VERSION_MS, MAX_VERSION_MS, 1_420_070_400_000),
  )

  test('hold every version of the millisecond and none of another, of whatever variant', () => {
    fc.assert(
      fc.property(anyMs, fc.nat(9_999), anyWord, anyWord, (ms, tick, high, low) => {
        const ticks = BigInt(ms) * 10_000n + EPOCH_TICKS + BigInt(tick)
        const version = versionOfTicks(ticks, high, low)
        expect(msOf(version)).toBe(ms)
        expect(compareVersions(minTimeuuid(ms), version)).toBeLessThanOrEqual(0)
        expect(compareVersions(version, maxTimeuuid(ms))).toBeLessThanOrEqual(0)
        expect(compareVersions(maxTimeuuid(ms), minTimeuuid(ms + 1))).toBeLessThan(0)
        expect(ticksOf(maxTimeuuid(ms)) + 1n).toBe(ticksOf(minTimeuuid(ms)) + 10_000n)
      }),
    )
  })

  test('are the same every time, as those of the driver with fixed ticks', () => {
    const date = new Date(1_420_070_400_123)
    expect(maxTimeuuid(date.getTime())).toEqual(maxTimeuuid(date.getTime()))
    for (const [ours, theirs] of [
      [maxTimeuuid(date.getTime()), types.TimeUuid.max(date, 9_999)],
      [minTimeuuid(date.getTime()), types.TimeUuid.min(date, 0)],
    ] as const)
      expect(formatTimeuuid(ours).slice(0, 18)).toBe(theirs.toString().slice(0, 18))
  })

  test('beyond what timeuuids can name they are the first and the last of all', () => {
    const first = versionOfTicks(0n, 0x80808080, 0x80808080)
    const last = versionOfTicks(2n ** 60n - 1n, 0x7f7f7f7f, 0x7f7f7f7f)
    for (const ms of [Number(2n ** 63n - 1n), Number.MAX_SAFE_INTEGER, MAX_VERSION_MS + 1]) {
      expect(maxTimeuuid(ms)).toEqual(last)
      expect(minTimeuuid(ms)).toEqual(last)
    }
    for (const ms of [Number.MIN_SAFE_INTEGER, MIN_VERSION_MS - 1]) {
      expect(maxTimeuuid(ms)).toEqual(first)
      expect(minTimeuuid(ms)).toEqual(first)
    }
  })

  test('a fraction of a millisecond is refused', () => {
    expect(() => maxTimeuuid(0.5)).toThrow(RangeError)
    expect(() => maxTimeuuid(Number.NaN)).toThrow(RangeError)
  })
})

describe('a version derived from a hash', () => {
  const anyHash = fc.uint8Array({ minLength: 16, maxLength: 32 })

  test('is of its millisecond, the same for the same hash, and of the RFC in variant and node', () => {
    fc.assert(
      fc.property(fc.integer({ min: MIN_VERSION_MS, max: MAX_VERSION_MS }), anyHash, (ms, hash) => {
        const version = deriveTimeuuid(ms, hash)
        expect(msOf(version)).toBe(ms)
        expect(deriveTimeuuid(ms, Uint8Array.from(hash))).toEqual(version)
        expect(formatTimeuuid(version)).toMatch(/^.{8}-.{4}-1.{3}-[89ab].{3}-.[13579bdf].{10}$/)
      }),
    )
  })

  test('differs where the hash does', () => {
    const seen = new Set<string>()
    for (let at = 0; at < 1_000; at++) {
      const hash = Buffer.alloc(16)
      hash.writeUInt32BE(at * 4_294_967, 0)
      hash.writeUInt32BE(at, 8)
      seen.add(formatTimeuuid(deriveTimeuuid(0, hash)))
    }
    expect(seen.size).toBe(1_000)
  })

  test.each([MAX_VERSION_MS + 1, MIN_VERSION_MS - 1, 0.5, Number.NaN, 2 ** 63])('refuses %d ms', (ms) => {
    expect(() => deriveTimeuuid(ms, new Uint8Array(16))).toThrow(RangeError)
  })

  test('refuses too short a hash', () => {
    expect(() => deriveTimeuuid(0, new Uint8Array(11))).toThrow('12 bytes')
  })
})
