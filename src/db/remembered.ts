// How syncs write what they remember for the next ones: keys and JSON of values in the memory. Pure.
import { createHash } from 'node:crypto'
import type { Direction } from './contract.ts'

/** A value of the memory that cannot be read: of another version of this program, or damaged. */
export class UnreadableMemory extends Error {
  override readonly name = 'UnreadableMemory'
}

/** Changes whenever what is written means something else. */
const VERSION = 1

/** The tables of a pair that anything is remembered of. */
export const indexKey = (pairKey: string): string => `db pair ${digest(pairKey)}`

/** How far a table and direction is. */
export const markKey = (pairKey: string, table: string, direction: Direction): string =>
  `db mark ${digest(pairKey, table, direction)}`

/** The rows of a table and direction that wait to be tried again. */
export const lettersKey = (pairKey: string, table: string, direction: Direction): string =>
  `db letters ${digest(pairKey, table, direction)}`

/** A run whose rows workers carry, as it was planned and as far as it is. */
export const jobsKey = (pairKey: string): string => `db jobs ${digest(pairKey)}`

/** What the workers of its step under way have reported: apart, because it changes all the time. */
export const gatheredKey = (pairKey: string): string => `db jobs gathered ${digest(pairKey)}`

/** Stands for these texts. Keys of the memory have at most 512 characters, and names of tables can be as long as they like. */
export function digest(...texts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(texts)).digest('hex')
}

/** JSON of this version. */
export function writeJson<T extends object>(value: T): string {
  return JSON.stringify({ v: VERSION, ...value })
}

/** Reads what writeJson has written. Throws UnreadableMemory, also where `is` says that it is something else. */
export function readJson<T extends object>(
  text: string,
  is: (value: { readonly [Key in keyof T]?: unknown }) => boolean,
): T {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new UnreadableMemory('what the state holds of a sync is damaged', { cause: error })
  }
  if (typeof value === 'object' && value !== null && 'v' in value && value.v === VERSION && is(value)) return value as T
  throw new UnreadableMemory('what the state holds of a sync was written by another version of this program')
}

export const isOptional = (value: unknown, is: (value: unknown) => boolean): boolean => value === undefined || is(value)
/** Milliseconds since 1970, or a count. */
export const isMs = (value: unknown): value is number => Number.isSafeInteger(value)
export const isText = (value: unknown): value is string => typeof value === 'string'
export const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText)
