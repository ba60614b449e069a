// Rows out of pages, straight from the bytes: id, tmstmp, then the columns of the table. A row with a cell that cannot be read is a
// misfit, and those around it are not. Pure.
import { createCodec } from '../cql-codec.ts'
import type { Row } from '../document.ts'
import type { Misfit } from '../store.ts'
import type { Table } from '../table.ts'
import { compareVersions, maxTimeuuid, readTimeuuid, type Version } from '../timeuuid.ts'
import { formatUuid } from '../uuid-bytes.ts'
import type { ValueCodec } from '../value-codec.ts'
import { type CqlValue, conversionError } from '../values.ts'
import type { Window } from '../window.ts'
import type { Page } from './frames.ts'

/** One row: `found` is what can be carried of it. */
export interface Entry {
  readonly id: string
  readonly version: Version
  readonly found: Row | Misfit
}

/** Bounds of a window as versions: rows after the first, up to and with the second. */
export interface VersionBounds {
  readonly after: Version
  readonly upTo: Version
}

export function boundsOf({ beginMs, endMs }: Window): VersionBounds {
  return { after: maxTimeuuid(beginMs), upTo: maxTimeuuid(endMs) }
}

export class RowReader {
  readonly #table: Table
  readonly #codecs: readonly ValueCodec[]

  constructor(table: Table) {
    this.#table = table
    this.#codecs = table.columns.map(({ type }) => createCodec(type))
  }

  /**
   * Gives `take` the rows of a page that are within the bounds, all of them without bounds; rows without a tmstmp are in no window.
   * Throws RangeError where the page ends too early.
   */
  readPage({ body, start, rowCount }: Page, bounds: VersionBounds | undefined, take: (entry: Entry) => void): void {
    let at = start
    for (let row = 0; row < rowCount; row++) {
      const idAt = at + 4
      const timeAt = idAt + Math.max(0, body.readInt32BE(at)) + 4
      const timeLength = body.readInt32BE(timeAt - 4)
      at = timeAt + Math.max(0, timeLength)
      const version = timeLength === 16 ? readTimeuuid(body, timeAt) : undefined
      if (version === undefined || !isWithin(version, bounds)) at = this.#skipCells(body, at)
      else {
        const end = this.#skipCells(body, at)
        const id = formatUuid(body, idAt)
        take({ id, version, found: this.#readRow(id, version, body, at) })
        at = end
      }
    }
  }

  #readRow(id: string, version: Version, body: Buffer, start: number): Row | Misfit {
    const values = new Array<CqlValue | null>(this.#codecs.length)
    let at = start
    for (let column = 0; column < values.length; column++) {
      const length = body.readInt32BE(at)
      at += 4
      if (length < 0) {
        values[column] = null
        continue
      }
      try {
        values[column] = this.#codecs[column]?.decode(body, at, at + length) ?? null
      } catch (error) {
        const { name, columns } = this.#table
        return { id, reason: conversionError(name, columns[column]?.name ?? '', error).message }
      }
      at += length
    }
    return { id, version, values }
  }

  #skipCells(body: Buffer, start: number): number {
    let at = start
    for (let column = 0; column < this.#codecs.length; column++) at += 4 + Math.max(0, body.readInt32BE(at))
    if (at > body.length) throw new RangeError('the rows end too early')
    return at
  }
}

function isWithin(version: Version, bounds: VersionBounds | undefined): boolean {
  return (
    bounds === undefined || (compareVersions(version, bounds.after) > 0 && compareVersions(version, bounds.upTo) <= 0)
  )
}

export const isRow = (found: Row | Misfit): found is Row => 'values' in found
