// Values as SQLite holds them and back. A column of SQLite turns what looks like a number into one, as far as its declared type says
// so, and a number loses the zeros of a decimal and the digits of a long one: what does not come back as it was is kept out of its
// sight, as JSON in quotes or as bytes. Pure.
//
//   type                               in SQLite
//   text                               TEXT
//   boolean                            INTEGER, 0 or 1
//   tinyint, smallint, int, bigint     INTEGER
//   varint                             INTEGER; beyond 64 bits TEXT: a JSON string of its digits
//   float, double                      REAL; NaN and -0.0 TEXT: a JSON string
//   blob                               BLOB
//   uuid, timeuuid, inet, date, time,  TEXT, as in documents (values.ts)
//   timestamp, duration
//   ascii                              TEXT; what begins as a number or a JSON string: a JSON string
//   decimal                            TEXT: a JSON string
//   json                               TEXT: JSON; a number that would lose something: BLOB, its text
//   list, set, map, tuple, vector, udt TEXT: JSON, as in documents
//
// Read is also what users write where it says the same: a decimal as a number, a timestamp in milliseconds, a text without quotes.
import type { SQLInputValue, SQLOutputValue } from 'node:sqlite'
import type { CqlType } from '../cql-types.ts'
import { createFieldReader, type DocumentOptions } from '../document.ts'
import { ExactNumber, parseExactJson } from '../exact-json.ts'
import { createJsonWriter } from '../json-write.ts'
import type { Column, Table } from '../table.ts'
import { type CqlValue, conversionError, describeValue, MAX_INT64, MIN_INT64, ValueError } from '../values.ts'

/** Gives what is bound for a value of a type. */
export type CellWriter = (value: CqlValue) => SQLInputValue
/** Gives the value of a cell, integers of which come as bigint. Throws ConversionError for what is not of the column's type. */
export type CellReader = (cell: SQLOutputValue) => CqlValue | null

/** A number, or what could be taken for one or for a JSON string. */
const MISTAKABLE = /^\s*(?:[+-]?\.?\d|")/

/** A writer for values of this type. Throws TypeError for a counter. */
export function createCellWriter(type: CqlType): CellWriter {
  const write = createJsonWriter(type)
  switch (type.kind) {
    case 'boolean':
      return (value) => (value === true ? 1 : 0)
    case 'varint':
      return (value) =>
        (value as bigint) >= MIN_INT64 && (value as bigint) <= MAX_INT64 ? (value as bigint) : `"${value}"`
    case 'float':
    case 'double':
      return (value) => (Number.isNaN(value) ? '"NaN"' : Object.is(value, -0) ? '"-0.0"' : (value as number))
    case 'ascii':
      return (value) => (MISTAKABLE.test(value as string) ? write(value) : (value as string))
    case 'tinyint':
    case 'smallint':
    case 'int':
    case 'bigint':
    case 'text':
    case 'blob':
    case 'uuid':
    case 'timeuuid':
    case 'inet':
      return (value) => value as SQLInputValue
    case 'date':
    case 'time':
    case 'duration':
    case 'timestamp':
      return (value) => {
        const json = write(value)
        return json.startsWith('"') ? json.slice(1, -1) : BigInt(json)
      }
    case 'json':
      return (value) => {
        const json = write(value)
        return MISTAKABLE.test(json) && !json.startsWith('"') && String(Number(json)) !== json
          ? Buffer.from(json)
          : json
      }
    default:
      return write
  }
}

/** A reader for the cells of a column. Throws TypeError for a counter. */
export function createCellReader(
  table: Table,
  column: Column,
  options: Pick<DocumentOptions, 'onUnknownField'>,
): CellReader {
  const read = createFieldReader(table, column, options)
  const toJson = chooseParser(column.type)
  return (cell) => {
    if (cell === null) return null
    try {
      if (column.type.kind === 'blob') return readBlob(cell)
      return read(toJson(cell))
    } catch (error) {
      throw error instanceof ValueError ? conversionError(table.name, column.name, error) : error
    }
  }
}

/** What a cell says as parseExactJson would give it. */
function chooseParser({ kind }: CqlType): (cell: NonNullable<SQLOutputValue>) => unknown {
  switch (kind) {
    case 'text':
      return (cell) => (typeof cell === 'string' ? cell : parseNumber(cell))
    case 'boolean':
      return (cell) => (cell === 0n ? false : cell === 1n ? true : parseScalar(cell))
    case 'list':
    case 'set':
    case 'map':
    case 'tuple':
    case 'vector':
    case 'udt':
    case 'json':
      return (cell) => {
        if (typeof cell === 'string') return parseJson(cell)
        if (kind !== 'json') return parseNumber(cell)
        if (cell instanceof Uint8Array) return parseJson(Buffer.from(cell).toString())
        if (typeof cell === 'number' && !Number.isFinite(cell)) throw new ValueError('a number that JSON does not have')
        return parseNumber(cell)
      }
    default:
      return parseScalar
  }
}

function parseScalar(cell: NonNullable<SQLOutputValue>): unknown {
  if (typeof cell !== 'string') return parseNumber(cell)
  if (!cell.startsWith('"')) return cell
  try {
    return JSON.parse(cell)
  } catch {
    // A text that happens to begin with a quotation mark.
    return cell
  }
}

function parseJson(text: string): unknown {
  try {
    return parseExactJson(text, { fractions: true })
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new ValueError(`${describeValue(text)} is no JSON`)
  }
}

/** Bytes stay what they are, which no reader takes. */
function parseNumber(cell: NonNullable<SQLOutputValue>): unknown {
  if (typeof cell !== 'bigint') return cell
  const number = Number(cell)
  return Number.isSafeInteger(number) ? number : new ExactNumber(String(cell))
}

function readBlob(cell: NonNullable<SQLOutputValue>): Uint8Array {
  if (cell instanceof Uint8Array) return cell
  throw new ValueError(`${describeValue(cell)} where blob is expected`)
}
