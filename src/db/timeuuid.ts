// The version of a row: a timeuuid, that is 60 bits of time in ticks (100 ns since 1582-10-15) and 8 bytes that break ties.
// Ticks are beyond 2^53, so never a number: four words of 32 bits are the hot path, bigint is for the rest. Any variant is
// taken, for Cassandra checks the version nibble alone. Pure.
import { tryWriteUuid } from './uuid-bytes.ts'

/** Words as signed 32-bit integers (small integers to V8): ticks = high * 2^32 + low, then bytes 8 to 11 and 12 to 15 as they are. */
export interface Version {
  /** The upper 28 bits of the ticks. */
  readonly high: number
  /** The lower 32 bits of the ticks, signed. */
  readonly low: number
  readonly tieHigh: number
  readonly tieLow: number
}

/** Milliseconds from the first tick (1582-10-15) to 1970. */
const EPOCH_MS = 12_219_292_800_000
const TICKS_PER_MS = 10_000
const TWO_32 = 2 ** 32
/** The first and the last whole millisecond since 1970 that timeuuids can name: 1582-10-15 and a day in the year 5236. */
export const MIN_VERSION_MS = -EPOCH_MS
export const MAX_VERSION_MS = Math.floor(Number((1n << 60n) / BigInt(TICKS_PER_MS))) - EPOCH_MS - 1
/** Flips bytes 1 to 3, so that comparing words as signed integers compares bytes as signed ones. */
const SIGNED_BYTES = 0x00808080
/** The greatest and the smallest eight bytes in that order: what the server's own bounds end with, whatever the variant. */
const GREATEST_TIE = 0x7f7f7f7f
const SMALLEST_TIE = 0x80808080 | 0

const SCRATCH = new Uint8Array(16)
const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Reads a timeuuid; upper case is taken. Throws RangeError for what is none (uuids of other versions are none). */
export function parseTimeuuid(text: string): Version {
  const version = tryParseTimeuuid(text)
  if (version === undefined) throw new RangeError('no timeuuid: a uuid of version 1 is expected')
  return version
}

/** As parseTimeuuid, undefined for what is no timeuuid, whatever its type. */
export function tryParseTimeuuid(text: unknown): Version | undefined {
  const isUuid = typeof text === 'string' && tryWriteUuid(text, SCRATCH)
  return isUuid && ((SCRATCH[6] ?? 0) & 0xf0) === 0x10 ? readTimeuuid(SCRATCH) : undefined
}

/** The uuid in lower case. */
export function formatTimeuuid({ high, low, tieHigh, tieLow }: Version): string {
  return `${word(low)}-${half(high)}-${half(0x1000 | (high >>> 16))}-${half(tieHigh >>> 16)}-${half(tieHigh)}${word(tieLow)}`
}

/** Reads 16 bytes. Throws RangeError when they are no uuid of version 1, or fewer than 16. */
export function readTimeuuid(bytes: Uint8Array, at = 0): Version {
  if (at + 16 > bytes.length) throw new RangeError('no timeuuid: 16 bytes are expected')
  const timeHigh = readWord(bytes, at + 4)
  if ((timeHigh & 0xf000) !== 0x1000) throw new RangeError('no timeuuid: a uuid of version 1 is expected')
  return {
    high: ((timeHigh & 0x0fff) << 16) | (timeHigh >>> 16),
    low: readWord(bytes, at),
    tieHigh: readWord(bytes, at + 8),
    tieLow: readWord(bytes, at + 12),
  }
}

/** Writes 16 bytes at `at`; there must be room for them. */
export function writeTimeuuid({ high, low, tieHigh, tieLow }: Version, bytes: Uint8Array, at = 0): void {
  writeWord(bytes, at, low)
  writeWord(bytes, at + 4, (high << 16) | 0x1000 | (high >>> 16))
  writeWord(bytes, at + 8, tieHigh)
  writeWord(bytes, at + 12, tieLow)
}

/** Cassandra's order of timeuuids: ticks, then each of the last eight bytes as a signed one. Negative, 0 or positive. */
export function compareVersions(a: Version, b: Version): number {
  if (a.high !== b.high) return a.high - b.high
  if (a.low !== b.low) return (a.low >>> 0) - (b.low >>> 0)
  if (a.tieHigh !== b.tieHigh) return (a.tieHigh ^ SIGNED_BYTES) - (b.tieHigh ^ SIGNED_BYTES)
  return (a.tieLow ^ SIGNED_BYTES) - (b.tieLow ^ SIGNED_BYTES)
}

/** The 60 bits of time, in ticks of 100 ns since 1582-10-15. */
export function ticksOf({ high, low }: Version): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0)
}

/** Milliseconds since 1970 (negative before), the fraction cut off downwards: what a `date` keeps of a version. */
export function msOf(version: Version): number {
  return divideTicks(version, TICKS_PER_MS).quotient - EPOCH_MS
}

/** Microseconds since 1970, the last digit of the ticks cut off downwards: the value for `USING TIMESTAMP`. */
export function microsOf(version: Version): bigint {
  const { quotient, rest } = divideTicks(version, TICKS_PER_MS)
  const [ms, micros] = [quotient - EPOCH_MS, Math.floor(rest / 10)]
  const all = ms * 1_000 + micros
  // Until the year 2255, and then with less arithmetic on bigints.
  return Number.isSafeInteger(all) ? BigInt(all) : BigInt(ms) * 1000n + BigInt(micros)
}

/** True for versions that get the same write timestamp, whose cells Cassandra would therefore mix. */
export function isSameMicrosecond(a: Version, b: Version): boolean {
  if (Math.abs(a.high - b.high) > 1) return false
  const [one, other] = [divideTicks(a, TICKS_PER_MS), divideTicks(b, TICKS_PER_MS)]
  return one.quotient === other.quotient && Math.floor(one.rest / 10) === Math.floor(other.rest / 10)
}

/**
 * The version of these ticks (0 to 2^60 - 1) and the last eight bytes of a uuid as they are. Throws RangeError for other ticks.
 */
export function versionOfTicks(ticks: bigint, tieHigh: number, tieLow: number): Version {
  if (ticks < 0n || ticks >> 60n !== 0n) throw new RangeError('ticks of a timeuuid are 0 to 2^60 - 1')
  return { high: Number(ticks >> 32n), low: Number(ticks & 0xffffffffn) | 0, tieHigh: tieHigh | 0, tieLow: tieLow | 0 }
}

/**
 * The greatest version of a millisecond (whole, since 1970) in Cassandra's order, of any variant: (begin, end] is
 * `tmstmp > maxTimeuuid(begin) AND tmstmp <= maxTimeuuid(end)`. Beyond the range of timeuuids, the first and the last of all.
 */
export function maxTimeuuid(ms: number): Version {
  if (ms < MIN_VERSION_MS) return minTimeuuid(MIN_VERSION_MS)
  if (ms > MAX_VERSION_MS) return { high: 0x0fffffff, low: -1, tieHigh: GREATEST_TIE, tieLow: GREATEST_TIE }
  return atMs(ms, TICKS_PER_MS - 1, GREATEST_TIE, GREATEST_TIE)
}

/** The smallest version of a millisecond (whole, since 1970), as maxTimeuuid gives the greatest. */
export function minTimeuuid(ms: number): Version {
  if (ms > MAX_VERSION_MS) return maxTimeuuid(ms)
  return atMs(Math.max(ms, MIN_VERSION_MS), 0, SMALLEST_TIE, SMALLEST_TIE)
}

/**
 * A version of this millisecond (whole, since 1970) out of a hash (12 bytes at least): the same for the same hash, RFC 4122 in its
 * variant, with the bit that says that the node is no address of a network card.
 * Throws RangeError for a millisecond that no timeuuid can name, or no whole one.
 */
export function deriveTimeuuid(ms: number, hash: Uint8Array): Version {
  if (!Number.isInteger(ms) || ms < MIN_VERSION_MS || ms > MAX_VERSION_MS)
    throw new RangeError('no timeuuid can name this time: it is not in the years 1582 to 5236')
  if (hash.length < 12) throw new RangeError('12 bytes of hash are expected')
  const tieHigh = (readWord(hash, 4) & 0x3fffffff) | 0x80000000 | 0x00000100
  return atMs(ms, (readWord(hash, 0) >>> 0) % TICKS_PER_MS, tieHigh | 0, readWord(hash, 8))
}

function atMs(ms: number, tick: number, tieHigh: number, tieLow: number): Version {
  if (!Number.isInteger(ms)) throw new RangeError('a whole number of milliseconds is expected')
  // ms * 10,000 + tick is beyond 2^53; in two steps of 16 bits nothing is.
  const fromStart = ms + EPOCH_MS
  const upper = Math.floor(fromStart / 0x10000)
  const lower = (fromStart % 0x10000) * TICKS_PER_MS + tick
  const middle = upper * TICKS_PER_MS + Math.floor(lower / 0x10000)
  const low = ((middle % 0x10000) * 0x10000 + (lower % 0x10000)) | 0
  return { high: Math.floor(middle / 0x10000), low, tieHigh, tieLow }
}

/** Long division by a divisor from 128, below which the quotient could pass 2^53, to 65,536. */
function divideTicks({ high, low }: Version, divisor: number): { readonly quotient: number; readonly rest: number } {
  const upper = Math.floor(high / divisor)
  const lower = (high - upper * divisor) * TWO_32 + (low >>> 0)
  // Exact, and a remainder of numbers as large as these takes ten times as long.
  const lowerQuotient = Math.floor(lower / divisor)
  return { quotient: upper * TWO_32 + lowerQuotient, rest: lower - lowerQuotient * divisor }
}

function word(value: number): string {
  return half(value >>> 16) + half(value)
}

function half(value: number): string {
  return `${HEX[(value >>> 8) & 0xff]}${HEX[value & 0xff]}`
}

function readWord(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)
}

function writeWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}
