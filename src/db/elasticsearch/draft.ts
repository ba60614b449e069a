// The rows of a batch while it fills up. They are written out as they come, for bytes are less to hold than values and nothing that a
// garbage collector has to follow; rows that will hardly be written are kept as they are until that is known. Pure.
import { ByteWriter } from '../byte-writer.ts'
import type { Row } from '../document.ts'
import type { Version } from '../timeuuid.ts'
import { createLine, replaceLine } from './bulk.ts'
import { estimateBytes } from './row-size.ts'
import type { Revision } from './search-index.ts'

export interface Item {
  readonly id: string
  readonly version: Version
  /** Of one that is not written out yet. */
  row: Row | undefined
  /** Where the lines of its `create` begin in the draft, where its document does, and where both end. */
  lineAt: number
  start: number
  end: number
  /** `unknown` has to be looked up, `absent` is created, a revision replaced. */
  state: 'unknown' | 'absent' | Revision
  /** A write of ours may have been carried out without an answer: then what is there with the same version is ours. */
  isDoubtful: boolean
  /** Answers that were an error of the server's own. */
  faults: number
  isSettled: boolean
}

const LINE_END = 10

export class Draft {
  readonly items: Item[] = []
  readonly #out: ByteWriter
  #bytes = 0

  /** `capacity`: bytes that it will probably have. Memory that has to be copied to grow is memory twice. */
  constructor(capacity = 0) {
    this.#out = new ByteWriter(capacity)
  }

  /** Bytes that were written out. */
  get length(): number {
    return this.#out.length
  }

  /** About how many bytes its documents have. */
  get bytes(): number {
    return this.#bytes
  }

  /** `text` is the document of the row, where it is written out already. */
  add(row: Row, text: string | undefined): void {
    const { id, version } = row
    const item: Item = {
      ...{ id, version, row, lineAt: 0, start: 0, end: 0 },
      ...{ state: 'unknown', isDoubtful: false, faults: 0, isSettled: false },
    }
    this.items.push(item)
    this.#bytes += measureRow(row, text)
    if (text !== undefined) this.writeOut(item, text)
  }

  /** The row is let go. */
  writeOut(item: Item, text: string): void {
    const out = this.#out
    item.lineAt = out.length
    out.writeUtf8(createLine(item.id))
    item.start = out.length
    out.writeUtf8(text)
    out.writeUint8(LINE_END)
    item.end = out.length
    item.row = undefined
  }

  /** The body of a bulk with these items, which are written out and know their state. */
  writeBody(items: readonly Item[]): Uint8Array {
    const written = this.#out.view()
    const [first] = items
    const last = items.at(-1)
    if (first === undefined || last === undefined) return written.subarray(0, 0)
    if (isOneRun(items)) return written.subarray(first.lineAt, last.end)
    const body = new ByteWriter(items.reduce((sum, { start, end }) => sum + end - start + ACTION_BYTES, 0))
    for (const { id, state, start, end } of items) {
      body.writeUtf8(typeof state === 'string' ? createLine(id) : replaceLine(id, state))
      body.writeBytes(written.subarray(start, end))
    }
    return body.view()
  }
}

/** More than an action needs, so that the body does not grow. */
const ACTION_BYTES = 200

/** About how many bytes the document of a row has. */
export function measureRow(row: Row, text: string | undefined): number {
  return text?.length ?? estimateBytes(row)
}

/** All are created, and stand in the draft one after the other. */
function isOneRun(items: readonly Item[]): boolean {
  return items.every(({ state, lineAt }, at) => state === 'absent' && (at === 0 || lineAt === items[at - 1]?.end))
}
