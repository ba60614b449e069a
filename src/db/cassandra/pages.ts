// The pages of one range of tokens, one after the other until the server says that there are no more: pages without rows in between are
// no end. The next page can be asked for while this one is being read.
import type { Answer } from './connection.ts'
import { isTooMuch } from './failure.ts'
import { createExecute, type Page, readPage } from './frames.ts'
import type { PageSize } from './page-size.ts'
import type { Retry } from './retry.ts'
import type { Prepared, Session } from './session.ts'

export interface PagesOptions {
  readonly session: Session
  readonly statement: Prepared
  readonly values: readonly Uint8Array[]
  readonly pageSize: PageSize
  /** Ask for the next page before anybody wants it. */
  readonly ahead: boolean
  readonly retry: Retry
  readonly signal: AbortSignal
}

/** So many times a page is asked for again, with fewer rows, before the range is given up as too long. */
const TRIES = 3

export class Pages {
  readonly #options: PagesOptions
  #pagingState: Buffer | undefined
  #coming: Promise<Page> | undefined
  #isAtEnd = false

  constructor(options: PagesOptions) {
    this.#options = options
  }

  /**
   * The next page; undefined after the last one. `too-much` when the server has not managed even few rows in its time: a shorter range
   * may do. Throws what Session.retry says.
   */
  async next(): Promise<Page | 'too-much' | undefined> {
    if (this.#isAtEnd) return undefined
    const { retry, pageSize, ahead } = this.#options
    let page: Page | undefined
    for (let failed = 0; page === undefined; ) {
      try {
        page = await (this.#coming ?? this.#ask())
      } catch (error) {
        this.#coming = undefined
        if (isTooMuch(error)) {
          pageSize.shrink()
          if (++failed === TRIES) return 'too-much'
        }
        await retry.pause(error)
      }
    }
    this.#coming = undefined
    retry.reset()
    pageSize.learn(page.rowCount, page.body.length)
    this.#pagingState = page.pagingState
    if (page.pagingState === undefined) this.#isAtEnd = true
    else if (ahead) {
      this.#coming = this.#ask()
      // Whoever leaves early never looks at it.
      this.#coming.catch(() => undefined)
    }
    return page
  }

  async #ask(): Promise<Page> {
    const { session, statement, values, pageSize, signal } = this.#options
    const { consistency } = session.options
    const pagingState = this.#pagingState
    const frame = createExecute(statement.id, { consistency, values, pageSize: pageSize.rows, pagingState })
    return readPage((await session.send(frame, signal, statement)).body)
  }
}

/**
 * All pages of a small result: `ask` is called with where the page before ended until there are no more. Pages without rows come in
 * between even where nobody has asked for pages.
 */
export async function readAllPages(
  ask: (pagingState: Buffer | undefined) => Promise<Answer>,
): Promise<readonly Page[]> {
  const pages: Page[] = []
  let pagingState: Buffer | undefined
  do {
    const page = readPage((await ask(pagingState)).body)
    pages.push(page)
    pagingState = page.pagingState
  } while (pagingState !== undefined)
  return pages
}

/** Of a page of tokens alone, with one row at least: the last one. */
export function lastTokenOf({ body, start, rowCount }: Page): bigint {
  // A length and eight bytes each.
  return body.readBigInt64BE(start + 12 * (rowCount - 1) + 4)
}
