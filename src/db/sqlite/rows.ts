// Rows out of the cells of SQLite: the newest version of an id, or why there is none. Pure.
import type { SQLOutputValue } from 'node:sqlite'
import type { DocumentOptions, Row } from '../document.ts'
import type { Misfit } from '../store.ts'
import type { Table } from '../table.ts'
import { compareVersions, tryParseTimeuuid, type Version } from '../timeuuid.ts'
import { ConversionError, describeValue } from '../values.ts'
import { createCellReader } from './cells.ts'
import type { Cells } from './file.ts'

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/

/** What one id has. */
export interface Entry {
  readonly found: Row | Misfit
  /** Versions older than that. */
  readonly history: number
}

/** Gives what the rows of one id come to: id, tmstmp and the columns in each, in any order; undefined for no rows. */
export type EntryReader = (rows: Iterable<Cells>) => Entry | undefined

export function createEntryReader(table: Table, options: Pick<DocumentOptions, 'onUnknownField'>): EntryReader {
  const readers = table.columns.map((column) => createCellReader(table, column, options))
  const readValues = ([, , ...cells]: Cells) => readers.map((read, at) => read(cells[at] ?? null))
  return (rows) => {
    let newest: { readonly cells: Cells; readonly version: Version } | undefined
    let spoilt: Cells | undefined
    let count = 0
    for (const cells of rows) {
      count++
      const version = tryParseTimeuuid(cells[1])
      if (version === undefined) spoilt = cells
      else if (newest === undefined || compareVersions(version, newest.version) > 0) newest = { cells, version }
    }
    const history = count - 1
    if (spoilt !== undefined)
      return { found: misfitOf(spoilt, `table ${table.name}, column tmstmp: no timeuuid`), history }
    if (newest === undefined) return undefined
    const id = newest.cells[0]
    if (typeof id !== 'string' || !UUID.test(id))
      return { found: misfitOf(newest.cells, `table ${table.name}, column id: no uuid in lower case`), history }
    try {
      return { found: { id, version: newest.version, values: readValues(newest.cells) }, history }
    } catch (error) {
      if (!(error instanceof ConversionError)) throw error
      return { found: misfitOf(newest.cells, error.message), history }
    }
  }
}

/** True for what can be carried. */
export function isRow(found: Row | Misfit): found is Row {
  return 'version' in found
}

function misfitOf([id = null]: Cells, reason: string): Misfit {
  return { id: textOf(id), reason }
}

/** Not looked for again where it is no text. */
function textOf(id: SQLOutputValue): string {
  if (typeof id === 'string') return id
  return id === null || id instanceof Uint8Array ? describeValue(id) : String(id)
}

/** About so many bytes of memory. */
export function sizeOf(cells: Cells): number {
  let bytes = 0
  for (const cell of cells)
    bytes += typeof cell === 'string' ? cell.length : cell instanceof Uint8Array ? cell.length : 8
  return bytes
}
