// How far a long command is, drawn in place on a terminal; on anything else nothing is drawn.
import type { Clock } from '../lib/clock.ts'
import type { CliIo } from './io.ts'

export interface ProgressBar extends Disposable {
  /** `total` is undefined before it is known; `more` is told behind the figures. */
  show(done: number, total: number | undefined, more?: string): void
}

/** Shortest time between two drawings, in milliseconds: a terminal is slower than a sync. */
const DRAW_MS = 100
const CLEAR_LINE = '\r\u001b[K'

/** A bar on standard error; disposing of it wipes it away. */
export function createProgressBar(
  io: Pick<CliIo, 'err' | 'columns'> & { readonly clock: Clock },
  label: string,
): ProgressBar {
  const { columns, clock } = io
  if (columns === undefined) return { show: () => {}, [Symbol.dispose]: () => {} }
  let drawnAt = Number.NEGATIVE_INFINITY
  return {
    show: (done, total, more) => {
      const now = clock.now()
      if (now - drawnAt < DRAW_MS && done !== total) return
      drawnAt = now
      io.err(`${CLEAR_LINE}${progressLine(label, done, total, columns, more)}`)
    },
    [Symbol.dispose]: () => {
      if (drawnAt >= 0) io.err(CLEAR_LINE)
    },
  }
}

/** Tells something while a bar may be drawn: a line of its own, and the bar is drawn again below it. */
export function tellBeside({ err, columns }: Pick<CliIo, 'err' | 'columns'>, line: string): void {
  err(`${columns === undefined ? '' : CLEAR_LINE}${line}\n`)
}

/** Pure: one line that fits into `columns`, which is 1 or more. */
export function progressLine(
  label: string,
  done: number,
  total: number | undefined,
  columns: number,
  more?: string,
): string {
  if (total === undefined) return `${label} …`.slice(0, columns - 1)
  const share = total === 0 ? 1 : Math.min(1, done / total)
  const figures = ` ${done}/${total}${more === undefined ? '' : `, ${more}`}`
  const width = Math.min(30, columns - 1 - label.length - 3 - figures.length)
  if (width < 5) return `${label}${figures}`.slice(0, columns - 1)
  const full = Math.round(share * width)
  return `${label} [${'='.repeat(full)}${' '.repeat(width - full)}]${figures}`
}
