// Which index a table is, by a pattern with `{table}` in it, and which names an index can have. Pure.
import { TableRefusedError } from '../table.ts'

const PLACE = '{table}'
const MAX_BYTES = 255
// Control characters are not forbidden by the server, and never meant.
// biome-ignore lint/suspicious/noControlCharactersInRegex: just those
const FORBIDDEN = /[\\/*?"<>|\s,#:\x00-\x1f\x7f]/

export interface IndexPattern {
  /** The pattern as it was written. */
  readonly text: string
  /** The index of a table. Throws TableRefusedError where that is no name of an index. */
  nameOf(table: string): string
  /** The table of an index; undefined for one that does not fit the pattern. */
  tableOf(index: string): string | undefined
  /** What the names of all tables match, with `*`. */
  readonly wildcard: string
}

/** Throws TypeError for a pattern that does not have `{table}` exactly once. */
export function parseIndexPattern(text: string): IndexPattern {
  const parts = text.split(PLACE)
  const [before, after] = parts
  if (before === undefined || after === undefined || parts.length !== 2)
    throw new TypeError(`the pattern of the indexes has to have ${PLACE} exactly once, for example app-${PLACE}`)
  return {
    text,
    wildcard: `${before}*${after}`,
    nameOf: (table) => {
      const name = before + table + after
      const wrong = table === '' ? 'is empty' : findFault(name)
      if (wrong !== undefined)
        throw new TableRefusedError(
          table,
          `its index would be ${JSON.stringify(name)}, and no name of an index ${wrong}`,
        )
      return name
    },
    tableOf: (index) => {
      const fits = index.startsWith(before) && index.endsWith(after) && index.length > before.length + after.length
      return fits ? index.slice(before.length, index.length - after.length) : undefined
    },
  }
}

/** What is wrong with a name; undefined for one that an index can have. */
function findFault(name: string): string | undefined {
  if (name !== name.toLowerCase()) return 'has upper case'
  if (FORBIDDEN.test(name)) return 'has blanks or any of \\ / * ? " < > | , # :'
  if (/^[-_+]/.test(name)) return 'begins with - _ or +'
  if (name === '.' || name === '..') return 'is . or ..'
  if (!name.isWellFormed()) return 'is half a character'
  return Buffer.byteLength(name) > MAX_BYTES ? `is longer than ${MAX_BYTES} bytes` : undefined
}
