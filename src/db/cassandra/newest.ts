// The newest version of each id out of rows that come in the order of their tokens, where those of one id are next to each other: the
// last id of a page may go on in the next one. Pure.
import type { Row } from '../document.ts'
import type { Misfit, ScanBatch } from '../store.ts'
import { compareVersions } from '../timeuuid.ts'
import { type Entry, isRow } from './row-reader.ts'

export class Newest {
  #rows: Row[] = []
  #misfits: Misfit[] = []
  #history = 0
  /** The newest one so far of the id that came last. */
  #open: Entry | undefined
  #openHistory = 0
  /** The last id that was complete: a scan can go on after it. */
  lastClosed: string | undefined

  add(entry: Entry): void {
    const open = this.#open
    if (open === undefined || open.id !== entry.id) {
      this.close()
      this.#open = entry
    } else {
      this.#openHistory++
      if (compareVersions(entry.version, open.version) > 0) this.#open = entry
    }
  }

  /** The id that came last has no more versions. */
  close(): void {
    const { found } = this.#open ?? {}
    this.#history += this.#openHistory
    this.#openHistory = 0
    this.#open = undefined
    if (found === undefined) return
    this.lastClosed = found.id
    if (isRow(found)) this.#rows.push(found)
    else this.#misfits.push(found)
  }

  /** Forgets what it has of the id that came last: it will come again, from its first version on. */
  reopen(): void {
    this.#open = undefined
    this.#openHistory = 0
  }

  /** All ids that are complete, once; undefined where there are none. */
  take(): ScanBatch | undefined {
    if (this.#rows.length === 0 && this.#misfits.length === 0) return undefined
    const batch = { rows: this.#rows, history: this.#history, misfits: this.#misfits }
    this.#rows = []
    this.#misfits = []
    this.#history = 0
    return batch
  }
}
