// Rows that could not be carried: kept in the memory with the reason, by table and direction, and tried again at the start of every
// next run until they go through. There is room for so many of a pair; a row that finds none keeps the saved end where it is.
import { openMarks } from './checkpoint.ts'
import { type DeadLetter, DIRECTIONS, type Direction, type Memory } from './contract.ts'
import { isMs, isText, lettersKey, readJson, writeJson } from './remembered.ts'

/** Of all tables and directions of a pair. */
export const MAX_DEAD_LETTERS = 10_000
/** Characters of a reason and of an id that are kept: an id of a document has at most 512 bytes. */
const MAX_TEXT = 512

interface Written {
  readonly letters: readonly (readonly [id: string, reason: string, at: number])[]
}

/** Those of one table and direction. */
export interface LetterBox {
  readonly size: number
  ids(): readonly string[]
  has(id: string): boolean
  /** `at`: milliseconds since 1970. False when there is no room, so that the row must not be taken for accounted for. */
  add(id: string, reason: string, at: number): boolean
  /** The row has gone through, or is not there any more. */
  forget(id: string): void
  /** Resolves when the memory holds them as they were at the call. */
  save(): Promise<void>
}

export interface LetterBoxes {
  /** All of the pair. */
  readonly size: number
  of(table: string, direction: Direction): LetterBox
  /** By table, left to right first, then by id. */
  list(): readonly DeadLetter[]
}

/** All dead letters of the pair with this key, by table, left to right first, then by id. */
export async function readDeadLetters(pairKey: string, memory: Memory): Promise<readonly DeadLetter[]> {
  const { tables } = await openMarks(pairKey, memory)
  return (await openLetterBoxes(pairKey, memory, tables)).list()
}

/** Reads those of the tables; `memory` undefined keeps what this run meets, and nothing of it after its end. */
export async function openLetterBoxes(
  pairKey: string,
  memory: Memory | undefined,
  tables: readonly string[],
  max: number = MAX_DEAD_LETTERS,
): Promise<LetterBoxes> {
  const boxes = new Map<string, Box>()
  const room = { left: max }
  const open = (table: string, direction: Direction, text: string | undefined): Box => {
    const box = new Box({ table, direction, room, memory, key: lettersKey(pairKey, table, direction) }, text)
    boxes.set(JSON.stringify([table, direction]), box)
    return box
  }
  if (memory !== undefined)
    for (const table of tables)
      for (const direction of DIRECTIONS)
        open(table, direction, await memory.getValue(lettersKey(pairKey, table, direction)))
  return {
    get size() {
      return max - room.left
    },
    of: (table, direction) => boxes.get(JSON.stringify([table, direction])) ?? open(table, direction, undefined),
    list: () => [...boxes.values()].sort(compareBoxes).flatMap((box) => box.list()),
  }
}

interface BoxOptions {
  readonly table: string
  readonly direction: Direction
  readonly key: string
  readonly memory: Memory | undefined
  /** Shared by all boxes of the pair. */
  readonly room: { left: number }
}

class Box implements LetterBox {
  readonly #options: BoxOptions
  readonly #letters: Map<string, { readonly reason: string; readonly at: number }>
  #isSaved = true

  /** `text`: as save() has written it. */
  constructor(options: BoxOptions, text: string | undefined) {
    this.#options = options
    const { letters } = text === undefined ? { letters: [] } : readJson<Written>(text, isWritten)
    this.#letters = new Map(letters.map(([id, reason, at]) => [id, { reason, at }]))
    options.room.left -= this.#letters.size
  }

  get table(): string {
    return this.#options.table
  }

  get direction(): Direction {
    return this.#options.direction
  }

  get size(): number {
    return this.#letters.size
  }

  ids(): readonly string[] {
    return [...this.#letters.keys()]
  }

  has(id: string): boolean {
    return this.#letters.has(id.slice(0, MAX_TEXT))
  }

  add(id: string, reason: string, at: number): boolean {
    const { room } = this.#options
    const key = id.slice(0, MAX_TEXT)
    if (!this.#letters.has(key)) {
      if (room.left <= 0) return false
      room.left--
    }
    this.#letters.set(key, { reason: reason.slice(0, MAX_TEXT), at })
    this.#isSaved = false
    return true
  }

  forget(id: string): void {
    if (!this.#letters.delete(id.slice(0, MAX_TEXT))) return
    this.#options.room.left++
    this.#isSaved = false
  }

  async save(): Promise<void> {
    const { memory, key } = this.#options
    if (memory === undefined || this.#isSaved) return
    const letters = Array.from(this.#letters, ([id, { reason, at }]) => [id, reason, at] as const)
    this.#isSaved = true
    try {
      await memory.putValue(key, letters.length === 0 ? undefined : writeJson<Written>({ letters }))
    } catch (error) {
      this.#isSaved = false
      throw error
    }
  }

  list(): readonly DeadLetter[] {
    const { table, direction } = this.#options
    const letters = Array.from(this.#letters, ([id, letter]) => ({ table, direction, id, ...letter }))
    return letters.sort((a, b) => (a.id < b.id ? -1 : 1))
  }
}

function compareBoxes(a: Box, b: Box): number {
  if (a.table !== b.table) return a.table < b.table ? -1 : 1
  return DIRECTIONS.indexOf(a.direction) - DIRECTIONS.indexOf(b.direction)
}

function isWritten({ letters }: { readonly letters?: unknown }): boolean {
  return (
    Array.isArray(letters) &&
    letters.every(([id, reason, at]: readonly unknown[]) => isText(id) && isText(reason) && isMs(at))
  )
}
