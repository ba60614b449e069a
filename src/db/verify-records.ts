// What a verify keeps of every row that it has read, and how those of both sides meet. Pure.
//
//   a row                         flags, id (16 bytes), version (16), digest of the values (16)
//   one that cannot be converted  flags, id (16); or flags and the text of an id that is no uuid
import type { Row } from './document.ts'
import { DIGEST_LENGTH } from './row-digest.ts'
import { compareVersions, readTimeuuid, type Version, writeTimeuuid } from './timeuuid.ts'
import { formatUuid, writeUuid } from './uuid-bytes.ts'

export type Side = 'left' | 'right'

/** An id that is not known to be equal from what was read. */
export interface Candidate {
  readonly id: string
  /** The newest versions that were read. */
  readonly left: Version | undefined
  readonly right: Version | undefined
}

/** Documents that no row can be: nobody can look for their id on the other side. */
export interface Stray {
  readonly id: string
  readonly left: number
  readonly right: number
}

export interface Joined {
  readonly equal: number
  /** By id, as strays are. */
  readonly candidates: readonly Candidate[]
  readonly strays: readonly Stray[]
}

const RIGHT = 1
const MISFIT = 2
const STRAY = 4
const ID_END = 17
const VERSION_END = 33
const ROW_LENGTH = VERSION_END + DIGEST_LENGTH
const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/

/** The record of a row; `into` has room for it and is written over. */
export function writeRowRecord(side: Side, { id, version }: Row, digest: Uint8Array, into: Buffer): Buffer {
  into[0] = side === 'right' ? RIGHT : 0
  writeUuid(id, into, 1)
  writeTimeuuid(version, into, ID_END)
  into.set(digest.subarray(0, DIGEST_LENGTH), VERSION_END)
  return into.subarray(0, ROW_LENGTH)
}

export function writeMisfitRecord(side: Side, id: string): Buffer {
  const flags = side === 'right' ? RIGHT | MISFIT : MISFIT
  if (!UUID.test(id)) return Buffer.concat([Uint8Array.of(flags | STRAY), Buffer.from(id)])
  const record = Buffer.alloc(ID_END, flags)
  writeUuid(id, record, 1)
  return record
}

/** Which of so many partitions a record belongs to: all of one id to the same, whatever part of ids is random. */
export function partitionOf(record: Uint8Array, partitions: number): number {
  const end = isStray(record) ? record.length : ID_END
  let mixed = 0x811c9dc5
  for (let at = 1; at < end; at++) mixed = Math.imul(mixed ^ (record[at] ?? 0), 0x01000193)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d)
  return ((mixed ^ (mixed >>> 13)) >>> 0) % partitions
}

interface Met {
  readonly key: string
  left: Buffer | undefined
  right: Buffer | undefined
}

/** Brings together the records of one partition. An id that a side was read with twice, because it moved meanwhile, counts once. */
export function joinRecords(records: readonly Buffer[]): Joined {
  const met = new Map<string, Met>()
  const strays = new Map<string, { left: number; right: number }>()
  for (const record of records) {
    if (isStray(record)) countStray(strays, record)
    else meet(met, record)
  }
  let equal = 0
  const candidates: Candidate[] = []
  for (const { key, left, right } of met.values()) {
    if (left !== undefined && right !== undefined && isSameRow(left, right)) equal++
    else candidates.push({ id: formatUuid(Buffer.from(key, 'latin1')), left: versionOf(left), right: versionOf(right) })
  }
  return {
    equal,
    candidates: candidates.sort(compareIds),
    strays: [...strays].map(([id, { left, right }]) => ({ id, left, right })).sort(compareIds),
  }
}

export function compareIds(a: { readonly id: string }, b: { readonly id: string }): number {
  if (a.id === b.id) return 0
  return a.id < b.id ? -1 : 1
}

function countStray(strays: Map<string, { left: number; right: number }>, record: Buffer): void {
  const id = record.toString('utf8', 1)
  const found = strays.get(id) ?? { left: 0, right: 0 }
  found[sideOf(record)]++
  strays.set(id, found)
}

function meet(met: Map<string, Met>, record: Buffer): void {
  const key = record.toString('latin1', 1, ID_END)
  let found = met.get(key)
  if (found === undefined) {
    found = { key, left: undefined, right: undefined }
    met.set(key, found)
  }
  const side = sideOf(record)
  const other = found[side]
  if (other === undefined || isNewerRecord(record, other)) found[side] = record
}

function isNewerRecord(record: Buffer, than: Buffer): boolean {
  const [version, other] = [versionOf(record), versionOf(than)]
  return version === undefined || (other !== undefined && compareVersions(version, other) > 0)
}

/** Version and digest are those of both; one that cannot be converted has neither. */
function isSameRow(left: Buffer, right: Buffer): boolean {
  return (
    left.length === ROW_LENGTH && right.length === ROW_LENGTH && left.compare(right, ID_END, ROW_LENGTH, ID_END) === 0
  )
}

function versionOf(record: Buffer | undefined): Version | undefined {
  return record === undefined || record.length < VERSION_END ? undefined : readTimeuuid(record, ID_END)
}

function sideOf(record: Uint8Array): Side {
  return ((record[0] ?? 0) & RIGHT) === 0 ? 'left' : 'right'
}

function isStray(record: Uint8Array): boolean {
  return ((record[0] ?? 0) & STRAY) !== 0
}
