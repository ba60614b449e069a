// Addresses: 4 or 16 bytes and their text (RFC 5952). 1.2.3.4 and ::ffff:1.2.3.4 are two, as they are to Cassandra's cells. Pure.
import { isIPv4, isIPv6 } from 'node:net'
import { describeValue, ValueError } from './values.ts'

/** The text of 4 or 16 bytes. Throws ValueError for another number of them. */
export function formatInet(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) throw new ValueError(`an address has 4 or 16 bytes, not ${bytes.length}`)
  const groups = Array.from({ length: 8 }, (_, at) => ((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0))
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return `::ffff:${bytes.slice(12).join('.')}`
  const { start, length } = findZeros(groups)
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':')
  if (length < 2) return text(groups)
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`
}

/** The bytes of an address in any notation, 4 or 16. Throws ValueError for what is none, names and zones among them. */
export function parseInet(text: string): Uint8Array {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number)
  if (!isIPv6(text) || text.includes('%')) throw new ValueError(`${describeValue(text)} is no address`)
  const [head = '', tail] = text.split('::')
  const before = readGroups(head)
  const after = readGroups(tail ?? '')
  return Uint8Array.from([...before, ...Array(16 - before.length - after.length).fill(0), ...after])
}

function readGroups(text: string): readonly number[] {
  if (text === '') return []
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number)
    const value = Number.parseInt(group, 16)
    return [value >>> 8, value & 0xff]
  })
}

/** The longest run of zeros, the first one of several. */
function findZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 }
  for (let at = 0; at < groups.length; at++) {
    let end = at
    while (groups[end] === 0) end++
    if (end - at > best.length) best = { start: at, length: end - at }
    at = Math.max(at, end - 1)
  }
  return best
}
