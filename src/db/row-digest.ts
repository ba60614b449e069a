// The values of a row in a few bytes: the same for two rows that say the same, whatever the order of their sets and maps. Pure.
import { hash } from 'node:crypto'
import type { Row } from './document.ts'
import { createJsonWriter } from './json-write.ts'
import type { Column } from './table.ts'

export const DIGEST_LENGTH = 16

export interface RowDigest {
  /** DIGEST_LENGTH bytes or more; the first ones count. */
  readonly digest: Uint8Array
  /** Characters of the values as text: about what the row needs of memory. */
  readonly length: number
}

/** Gives the digest of a row of these columns; id and version do not count. It agrees with createRowComparer() of document.ts. */
export function createRowDigester(columns: readonly Column[]): (row: Row) => RowDigest {
  const writers = columns.map(({ type }) => createJsonWriter(type, 'sorted'))
  return ({ values }) => {
    let text = ''
    for (let at = 0; at < writers.length; at++) {
      const value = values[at]
      // JSON on one line: no value can pass for two.
      if (value !== null && value !== undefined) text += writers[at]?.(value)
      text += '\n'
    }
    return { digest: hash('sha256', text, 'buffer'), length: text.length }
  }
}
