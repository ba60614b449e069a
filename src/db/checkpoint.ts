// How far the syncs of a pair have come: a mark for each table and direction, that is the saved end and what a run has left half done
// beyond it. One value of the memory holds one mark, so a window closes in one write; another value lists the tables that have marks.
import { DIRECTIONS, type Direction, type Memory } from './contract.ts'
import {
  digest,
  gatheredKey,
  indexKey,
  isMs,
  isOptional,
  isText,
  isTexts,
  jobsKey,
  lettersKey,
  markKey,
  readJson,
  writeJson,
} from './remembered.ts'
import type { Window } from './window.ts'
import type { OpenWindow, Progress } from './windows.ts'

export interface Mark extends Progress {
  /**
   * Between which two stores it holds: with others it means nothing, for their rows have not been carried. Undefined for an end that
   * was set by hand, which holds wherever its user says.
   */
  readonly sides?: string | undefined
}

/** How far one table and direction is. */
export interface SavedEnd {
  readonly table: string
  readonly direction: Direction
  /** Milliseconds since 1970; undefined when the next run begins in 1970. */
  readonly endMs: number | undefined
  /** The window that a run has left half done: so many of its parts are done. */
  readonly open?: { readonly window: Window; readonly done: number; readonly total: number } | undefined
}

/** What users see and set of it: `syncer db window`. Not to be used while a run of the pair is under way. */
export interface SavedEnds {
  /** By table, left to right first. */
  list(): Promise<readonly SavedEnd[]>
  /** Where tables begin that no run has met yet, milliseconds since 1970; undefined for 1970. */
  others(): Promise<number | undefined>
  /** The next window of every table and direction begins here (milliseconds since 1970); what was half done is given up. */
  set(endMs: number): Promise<void>
  /** Forgets all of it, with the rows that wait to be tried again: the next run begins in 1970 and meets them anyway. */
  reset(): Promise<void>
}

/** The marks of one pair. */
export interface Marks {
  /** Tables that have been met before, by name. */
  readonly tables: readonly string[]
  read(table: string, direction: Direction): Promise<Mark>
  write(table: string, direction: Direction, mark: Mark): Promise<void>
  /** Lists the tables among those that have marks; to be called before anything is written for one. */
  register(tables: readonly string[]): Promise<void>
}

interface WrittenMark {
  readonly endMs?: number | undefined
  readonly sides?: string | undefined
  readonly open?: OpenWindow | undefined
}

interface Index {
  readonly tables: readonly string[]
  /** Set by hand for tables that have no mark yet. */
  readonly othersMs?: number | undefined
}

/** What a mark says of its two stores. */
export function describeSides(left: { readonly address: string }, right: { readonly address: string }): string {
  return digest(left.address, right.address)
}

/** The progress of a mark between these two stores: none, when it was made between others. */
export function progressBetween(mark: Mark, sides: string): Progress {
  return mark.sides === undefined || mark.sides === sides ? mark : {}
}

/** Undefined for a mark that says nothing. */
export function encodeMark({ endMs, sides, open }: Mark): string | undefined {
  if (endMs === undefined && open === undefined) return undefined
  return writeJson<WrittenMark>({ endMs, sides, open })
}

/** Throws UnreadableMemory. */
export function decodeMark(text: string): Mark {
  const { endMs, sides, open } = readJson<WrittenMark>(text, isMark)
  return { endMs, sides, open }
}

/** The marks of the pair with this key. */
export async function openMarks(pairKey: string, memory: Memory): Promise<Marks> {
  let index = await readIndex(pairKey, memory)
  const write = (table: string, direction: Direction, mark: Mark) =>
    memory.putValue(markKey(pairKey, table, direction), encodeMark(mark))
  return {
    get tables() {
      return index.tables
    },
    async read(table, direction) {
      const text = await memory.getValue(markKey(pairKey, table, direction))
      if (text !== undefined) return decodeMark(text)
      return index.tables.includes(table) ? {} : { endMs: index.othersMs }
    },
    write,
    async register(tables) {
      const known = new Set(index.tables)
      const added = tables.filter((table) => !known.has(table))
      if (added.length === 0) return
      // Once a table is listed, having no mark means 1970.
      if (index.othersMs !== undefined)
        for (const table of added)
          for (const direction of DIRECTIONS) await write(table, direction, { endMs: index.othersMs })
      index = { ...index, tables: [...known, ...added].sort() }
      await memory.putValue(indexKey(pairKey), writeJson(index))
    },
  }
}

/** The saved ends of the pair with this key, all tables and directions. */
export function savedEnds(pairKey: string, memory: Memory): SavedEnds {
  return {
    async list() {
      const marks = await openMarks(pairKey, memory)
      const list: SavedEnd[] = []
      for (const table of marks.tables)
        for (const direction of DIRECTIONS)
          list.push({ table, direction, ...describeMark(await marks.read(table, direction)) })
      return list
    },
    others: async () => (await readIndex(pairKey, memory)).othersMs,
    async set(endMs) {
      await forgetJobs(pairKey, memory)
      const marks = await openMarks(pairKey, memory)
      await memory.putValue(indexKey(pairKey), writeJson<Index>({ tables: marks.tables, othersMs: endMs }))
      for (const table of marks.tables)
        for (const direction of DIRECTIONS) await marks.write(table, direction, { endMs })
    },
    async reset() {
      await forgetJobs(pairKey, memory)
      const marks = await openMarks(pairKey, memory)
      for (const table of marks.tables) {
        for (const direction of DIRECTIONS) {
          await marks.write(table, direction, {})
          await memory.putValue(lettersKey(pairKey, table, direction), undefined)
        }
      }
      await memory.putValue(indexKey(pairKey), undefined)
    },
  }
}

/** What workers have done of a window would count as done in the next one that begins like it. */
async function forgetJobs(pairKey: string, memory: Memory): Promise<void> {
  await memory.putValue(jobsKey(pairKey), undefined)
  await memory.putValue(gatheredKey(pairKey), undefined)
}

function describeMark({ endMs, open }: Mark): Pick<SavedEnd, 'endMs' | 'open'> {
  if (open === undefined) return { endMs }
  const { window, todo, total } = open
  return { endMs, open: { window, done: total - todo.length, total } }
}

async function readIndex(pairKey: string, memory: Memory): Promise<Index> {
  const text = await memory.getValue(indexKey(pairKey))
  if (text === undefined) return { tables: [] }
  return readJson<Index>(text, ({ tables, othersMs }) => isTexts(tables) && isOptional(othersMs, isMs))
}

function isMark({ endMs, sides, open }: { readonly [Key in keyof WrittenMark]?: unknown }): boolean {
  return isOptional(endMs, isMs) && isOptional(sides, isText) && isOptional(open, isOpenWindow)
}

function isOpenWindow(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { window, todo, total } = value as Partial<OpenWindow>
  return isMs(window?.beginMs) && isMs(window?.endMs) && isTexts(todo) && isMs(total)
}
