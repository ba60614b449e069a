// Where Cassandra's Murmur3Partitioner puts an id: 64 bits of MurmurHash3 x64 128 over the 16 bytes of a uuid, which is one block of
// it and no rest. In words of 32 bits: one a row, so no bigint. Pure.

/** The least token is no row's: whatever hashes to it gets the greatest. Ranges without their start can begin with it. */
export const MIN_TOKEN = -(2n ** 63n)
export const MAX_TOKEN = 2n ** 63n - 1n

const C1 = [0x87c37b91 | 0, 0x114253d5] as const
const C2 = [0x4cf5ad43, 0x2745937f] as const
const MIX_1 = [0xff51afd7 | 0, 0xed558ccd | 0] as const
const MIX_2 = [0xc4ceb9fe | 0, 0x1a85ec53] as const

// The result of the last step: what returns two words without an object.
let high = 0
let low = 0

/** The upper 32 bits, signed, of the token of the uuid at `at`. */
export function tokenWordOf(bytes: Uint8Array, at = 0): number {
  hash(bytes, at)
  return high
}

/** The token of the uuid at `at`. */
export function tokenOf(bytes: Uint8Array, at = 0): bigint {
  hash(bytes, at)
  return (BigInt(high) << 32n) | BigInt(low >>> 0)
}

function hash(bytes: Uint8Array, at: number): void {
  const [low1, high1, low2, high2] = [word(bytes, at), word(bytes, at + 4), word(bytes, at + 8), word(bytes, at + 12)]
  multiply(high1, low1, C1)
  rotate(high, low, 31)
  multiply(high, low, C2)
  rotate(high, low, 27)
  multiplyBy5(high, low)
  add(high, low, 0, 0x52dce729)
  const [oneHigh, oneLow] = [high, low]

  multiply(high2, low2, C2)
  // By 33: the halves change places, then by 1.
  rotate(low, high, 1)
  multiply(high, low, C1)
  rotate(high, low, 31)
  add(high, low, oneHigh, oneLow)
  multiplyBy5(high, low)
  add(high, low, 0, 0x38495ab5)

  const [twoHigh, twoLow] = [high, low ^ 16]
  add(oneHigh, oneLow ^ 16, twoHigh, twoLow)
  const [sumHigh, sumLow] = [high, low]
  add(twoHigh, twoLow, sumHigh, sumLow)
  mix(high, low)
  const [mixedHigh, mixedLow] = [high, low]
  mix(sumHigh, sumLow)
  add(high, low, mixedHigh, mixedLow)
  if (high === -0x8000_0000 && low === 0) [high, low] = [0x7fff_ffff, -1]
}

/** Sets the lower 64 bits of the product. */
function multiply(aHigh: number, aLow: number, [bHigh, bLow]: readonly [number, number]): void {
  const [a0, a1, b0, b1] = [aLow & 0xffff, aLow >>> 16, bLow & 0xffff, bLow >>> 16]
  const middle = a1 * b0 + Math.floor((a0 * b0) / 0x10000)
  // Below 2^34: exact.
  const carried = a0 * b1 + (middle % 0x10000)
  const upper = a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(carried / 0x10000)
  high = (upper + Math.imul(aHigh, bLow) + Math.imul(aLow, bHigh)) | 0
  low = Math.imul(aLow, bLow)
}

function multiplyBy5(aHigh: number, aLow: number): void {
  const product = (aLow >>> 0) * 5
  high = (Math.imul(aHigh, 5) + Math.floor(product / 0x1_0000_0000)) | 0
  low = product | 0
}

function add(aHigh: number, aLow: number, bHigh: number, bLow: number): void {
  const sum = (aLow >>> 0) + (bLow >>> 0)
  high = (aHigh + bHigh + (sum > 0xffff_ffff ? 1 : 0)) | 0
  low = sum | 0
}

/** To the left, by 1 to 31 bits. */
function rotate(aHigh: number, aLow: number, bits: number): void {
  high = (aHigh << bits) | (aLow >>> (32 - bits))
  low = (aLow << bits) | (aHigh >>> (32 - bits))
}

function mix(aHigh: number, aLow: number): void {
  multiply(aHigh, aLow ^ (aHigh >>> 1), MIX_1)
  multiply(high, low ^ (high >>> 1), MIX_2)
  low ^= high >>> 1
}

/** Little-endian. */
function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24)
}
