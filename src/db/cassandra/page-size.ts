// How many rows to ask for at a time: as many as make a page of about so many bytes, by what the last ones were. Pure.

/** Larger pages gain nothing and take memory. */
export const PAGE_BYTES = 1_024 * 1_024
const MOST_ROWS = 5_000
const LEAST_ROWS = 1
/** Nothing is known of the first rows: they may be a megabyte each. */
const FIRST_ROWS = 10
/** Rows differ: a page is at most so many times as long as the one before. */
const GROWTH = 8

export class PageSize {
  readonly #most: number
  rows: number

  /** Rows of the first page, and of the longest one. */
  constructor(first = FIRST_ROWS, most = MOST_ROWS) {
    this.#most = most
    this.rows = Math.min(first, most)
  }

  learn(rowCount: number, bytes: number): void {
    if (rowCount === 0) return
    const fitting = Math.floor(PAGE_BYTES / (bytes / rowCount))
    this.rows = this.#clamp(Math.min(fitting, this.rows * GROWTH))
  }

  /** The server did not manage that many in its time. */
  shrink(): void {
    this.rows = this.#clamp(Math.floor(this.rows / 2))
  }

  #clamp(rows: number): number {
    return Math.max(LEAST_ROWS, Math.min(this.#most, rows))
  }
}
