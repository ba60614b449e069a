// About how long a row is as a document, without writing it. Pure.
import type { Row } from '../document.ts'
import type { CqlValue } from '../values.ts'

/** Id, version, date, the action before it and the names of a few fields. */
const OWN_BYTES = 250
const FIELD_BYTES = 16

/** Bytes; never far too few for what is long. */
export function estimateBytes({ values }: Row): number {
  let bytes = OWN_BYTES
  for (const value of values) if (value !== null && value !== undefined) bytes += FIELD_BYTES + sizeOf(value)
  return bytes
}

function sizeOf(value: CqlValue | readonly (CqlValue | null)[]): number {
  if (typeof value === 'string') return value.length
  if (value instanceof Uint8Array) return Math.ceil(value.length / 3) * 4
  if (!Array.isArray(value)) return FIELD_BYTES
  let bytes = 0
  for (const item of value as readonly (CqlValue | null)[]) bytes += item === null ? 4 : 4 + sizeOf(item)
  return bytes
}
