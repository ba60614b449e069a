// How many rows a table has in how much of the ring, by what was seen of it: what tells whether reading a range costs less than asking
// for ids one by one. Pure.
import { type TokenRange, WHOLE_RING } from './ring.ts'

/** Reading a row by range costs about a third of asking for an id that is not there, a fifth of asking for one that is. */
export const ROWS_PER_LOOKUP = 3
/** What was seen counts half as much after so much of the ring more: the table fills while it is written to. */
const MEMORY = 0.25
const RING_SIZE = lengthOf(WHOLE_RING)

export class Density {
  #rows = 0
  #share = 0

  /** `range` had so many rows. */
  learn(range: TokenRange, rows: number): void {
    if (this.#share > MEMORY) {
      this.#rows /= 2
      this.#share /= 2
    }
    this.#rows += rows
    this.#share += lengthOf(range) / RING_SIZE
  }

  /** Rows that a range may have; undefined as long as nothing was seen. */
  expect(range: TokenRange): number | undefined {
    return this.#share === 0 ? undefined : (this.#rows / this.#share) * (lengthOf(range) / RING_SIZE)
  }
}

function lengthOf({ from, to }: TokenRange): number {
  return Number(to - from)
}
