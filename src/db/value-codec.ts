// What a codec of one type is, and cells: values with their length in front. Pure.
import type { ByteWriter } from './byte-writer.ts'
import { type CqlValue, describeValue, ValueError } from './values.ts'

export interface ValueCodec {
  /** Bytes of every value of the type, where vectors leave out the lengths for it; undefined where they do not. */
  readonly fixedLength: number | undefined
  /**
   * The value of the bytes from `start` to `end`; null where there are none and the type has no empty value. A blob is a view into
   * the bytes. Throws ValueError for bytes that are no value of the type.
   */
  decode(bytes: Buffer, start: number, end: number): CqlValue | null
  /** Appends the bytes of a value. Throws ValueError for what is no value of the type; what was written by then stays. */
  encode(out: ByteWriter, value: CqlValue): void
}

/** Lengths that are none, in the native protocol. */
const NULL_LENGTH = -1
const UNSET_LENGTH = -2

/** Appends length and bytes. null is a null (it deletes); undefined leaves a column of a statement as it is. */
export function writeCell(out: ByteWriter, codec: ValueCodec, value: CqlValue | null | undefined): void {
  if (value === null) out.writeInt32(NULL_LENGTH)
  else if (value === undefined) out.writeInt32(UNSET_LENGTH)
  else {
    const start = out.beginLength()
    codec.encode(out, value)
    out.endLength(start)
  }
}

/**
 * The length of the cell at `at` (its bytes begin 4 later), -1 for null. Throws ValueError when the cell would end after `end`.
 */
export function readCellLength(bytes: Buffer, at: number, end: number): number {
  if (at + 4 > end) throw new ValueError('the bytes end too early')
  const length = bytes.readInt32BE(at)
  if (length > end - at - 4) throw new ValueError('the bytes end too early')
  return length < 0 ? NULL_LENGTH : length
}

/** The ValueError for a value that is not what the type has. */
export function unexpectedValue(value: unknown, kind: string): ValueError {
  return new ValueError(`${describeValue(value)} where ${kind} is expected`)
}
