// Bytes of the few values that statements of our own take. Pure.
import { type Version, writeTimeuuid } from '../timeuuid.ts'
import { writeUuid } from '../uuid-bytes.ts'
import type { TokenRange } from './ring.ts'

export function int64Bytes(value: bigint): Buffer {
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigInt64BE(value)
  return bytes
}

export function int32Bytes(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32BE(value)
  return bytes
}

/** After `from`, up to and with `to`. */
export function rangeBytes({ from, to }: TokenRange): readonly Buffer[] {
  return [int64Bytes(from), int64Bytes(to)]
}

export function versionBytes(version: Version): Buffer {
  const bytes = Buffer.allocUnsafe(16)
  writeTimeuuid(version, bytes)
  return bytes
}

/** Throws ValueError for what is no uuid. */
export function uuidBytes(id: string): Buffer {
  const bytes = Buffer.allocUnsafe(16)
  writeUuid(id, bytes)
  return bytes
}

/** A list of ids, of 16 bytes each. */
export function idListBytes(ids: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.allocUnsafe(4 + 20 * ids.length)
  bytes.writeInt32BE(ids.length)
  for (const [index, id] of ids.entries()) {
    const at = 4 + 20 * index
    bytes.writeInt32BE(16, at)
    bytes.set(id, at + 4)
  }
  return bytes
}
