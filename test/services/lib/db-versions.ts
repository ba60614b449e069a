// Timeuuids as their standard has them, on bigints and bytes: written for the checker alone, which believes nothing of what it checks.

/** Ticks of 100 ns from 1582-10-15 to 1970. */
const EPOCH_TICKS = 0x01b21dd213814000n

/** A timeuuid of this millisecond since 1970 and tick (0 to 9999) within it; `tie` is its last eight bytes. */
export function timeuuidOf(ms: number, tick: number, tie: bigint): string {
  const ticks = (BigInt(ms) * 10_000n + BigInt(tick) + EPOCH_TICKS).toString(16).padStart(15, '0')
  const last = tie.toString(16).padStart(16, '0')
  return `${ticks.slice(7)}-${ticks.slice(3, 7)}-1${ticks.slice(0, 3)}-${last.slice(0, 4)}-${last.slice(4)}`
}

/** A tie as RFC 4122 wants it, out of 62 random bits. */
export function tieOf(random: () => number): bigint {
  const word = () => BigInt(Math.floor(random() * 0x1_0000_0000))
  return (((word() << 32n) | word()) & 0x3fff_ffff_ffff_ffffn) | 0x8000_0000_0000_0000n
}

/** Its 60 bits of time. */
export function ticksOf(timeuuid: string): bigint {
  const [low = '', middle = '', high = ''] = timeuuid.split('-')
  return BigInt(`0x${high.slice(1)}${middle}${low}`)
}

/** Milliseconds since 1970, the rest cut off. */
export function msOf(timeuuid: string): number {
  const ticks = ticksOf(timeuuid) - EPOCH_TICKS
  return Number((ticks - (((ticks % 10_000n) + 10_000n) % 10_000n)) / 10_000n)
}

/** The order of Cassandra: the time, then the last eight bytes, each with its sign. Negative, 0 or positive. */
export function compareTimeuuids(a: string, b: string): number {
  const time = ticksOf(a) - ticksOf(b)
  if (time !== 0n) return time < 0n ? -1 : 1
  const [one, other] = [signedTail(a), signedTail(b)]
  for (const [at, byte] of one.entries()) if (byte !== other[at]) return byte - (other[at] ?? 0)
  return 0
}

function signedTail(timeuuid: string): Int8Array {
  return Int8Array.from(Buffer.from(timeuuid.slice(19).replaceAll('-', ''), 'hex'))
}
