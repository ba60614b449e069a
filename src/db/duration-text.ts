// Durations as Cassandra writes and reads them: months, days and nanoseconds, which no calendar converts into one another. Pure.
import { type Duration, describeValue, MAX_INT64, MIN_INT64, ValueError } from './values.ts'

type Part = 'months' | 'days' | 'nanoseconds'

/** Units in the order in which they have to come, each once. */
const UNITS: readonly { readonly name: string; readonly part: Part; readonly size: bigint }[] = [
  { name: 'y', part: 'months', size: 12n },
  { name: 'mo', part: 'months', size: 1n },
  { name: 'w', part: 'days', size: 7n },
  { name: 'd', part: 'days', size: 1n },
  { name: 'h', part: 'nanoseconds', size: 3_600_000_000_000n },
  { name: 'm', part: 'nanoseconds', size: 60_000_000_000n },
  { name: 's', part: 'nanoseconds', size: 1_000_000_000n },
  { name: 'ms', part: 'nanoseconds', size: 1_000_000n },
  { name: 'us', part: 'nanoseconds', size: 1_000n },
  { name: 'ns', part: 'nanoseconds', size: 1n },
]
/** Those that are written: weeks are days. */
const WRITTEN = UNITS.filter((unit) => unit.name !== 'w')

const STANDARD = /^(?:\d+(?:y|mo|w|d|h|ms|us|µs|ns|m|s))+$/i
const STANDARD_PART = /(\d+)(y|mo|w|d|h|ms|us|µs|ns|m|s)/gi
const ISO = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/
const ISO_UNITS = ['y', 'mo', 'd', 'h', 'm', 's']
const ISO_WEEKS = /^P(\d+)W$/
const ISO_ALTERNATIVE = /^P(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})$/

/** `1y2mo3d4h5m6s7ms8us9ns`, with one sign before all; `0s` for none at all (Cassandra's own text of it is empty). */
export function formatDuration({ months, days, nanoseconds }: Duration): string {
  const rest: Record<Part, bigint> = {
    months: absolute(BigInt(months)),
    days: absolute(BigInt(days)),
    nanoseconds: absolute(nanoseconds),
  }
  let text = months < 0 || days < 0 || nanoseconds < 0n ? '-' : ''
  if (rest.months === 0n && rest.days === 0n && rest.nanoseconds === 0n) return '0s'
  for (const { name, part, size } of WRITTEN) {
    const count = rest[part] / size
    if (count === 0n) continue
    text += `${count}${name}`
    rest[part] -= count * size
  }
  return text
}

/** Reads Cassandra's four notations: `1y2mo`, `P1Y2M`, `P3W`, `P0001-02-03T04:05:06`, each with a sign. Throws ValueError. */
export function parseDuration(text: string): Duration {
  const negative = text.startsWith('-')
  const counts = readCounts(negative ? text.slice(1) : text)
  if (counts === undefined) throw new ValueError(`${describeValue(text)} is no duration`)
  const total: Record<Part, bigint> = { months: 0n, days: 0n, nanoseconds: 0n }
  let last = -1
  for (const [name, count] of counts) {
    const at = UNITS.findIndex((unit) => unit.name === name)
    const unit = UNITS[at]
    if (unit === undefined || at <= last) throw new ValueError('units of a duration come in order, each once')
    total[unit.part] += BigInt(count) * unit.size
    last = at
  }
  const sign = negative ? -1n : 1n
  return checkDuration(total.months * sign, total.days * sign, total.nanoseconds * sign)
}

/** A duration of these parts. Throws ValueError outside their bits, and where their signs differ: Cassandra has no such duration. */
export function checkDuration(months: bigint, days: bigint, nanoseconds: bigint): Duration {
  for (const [name, value] of [
    ['months', months],
    ['days', days],
  ] as const)
    if (BigInt.asIntN(32, value) !== value) throw new ValueError(`the ${name} of the duration are outside 32 bits`)
  if (nanoseconds < MIN_INT64 || nanoseconds > MAX_INT64)
    throw new ValueError('the nanoseconds of the duration are outside 64 bits')
  const parts = [months, days, nanoseconds]
  if (parts.some((part) => part < 0n) && parts.some((part) => part > 0n))
    throw new ValueError('the parts of the duration have different signs')
  return { months: Number(months), days: Number(days), nanoseconds }
}

function readCounts(text: string): readonly (readonly [string, string])[] | undefined {
  if (STANDARD.test(text))
    return [...text.matchAll(STANDARD_PART)].map(([, count = '', unit = '']) => [
      unit.toLowerCase().replace('µ', 'u'),
      count,
    ])
  const weeks = ISO_WEEKS.exec(text)
  if (weeks !== null) return [['w', weeks[1] ?? '']]
  const parts = ISO.exec(text) ?? ISO_ALTERNATIVE.exec(text)
  // A bare "P" is nothing, also to Cassandra's shell, but no duration to anybody else.
  if (parts === null || text === 'P' || text === 'PT') return undefined
  return ISO_UNITS.flatMap((unit, at) => {
    const count = parts[at + 1]
    return count === undefined ? [] : [[unit, count] as const]
  })
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value
}
