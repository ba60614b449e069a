// The last quarter of an hour of the gateway, in steps of ten seconds: verdicts by their word, and how long tokens took to arrive.
// Bounded, whatever the traffic: a step keeps counts alone, those of arrivals by a grid that is 5 % wide.
import type { Clock } from '../lib/clock.ts'
import type { GatewayHistory, HistoryStep, Lag, TokenStatus } from './contract.ts'

export const STEP_MS = 10_000
/** A quarter of an hour, and the step that is not over yet. */
export const STEPS = 91

const GRID = Math.log(1.05)
/** The last cell holds whatever took longer than a minute. */
const CELLS = Math.ceil(Math.log(60_000) / GRID) + 1

interface Step {
  /** Steps since the history began; tells whether a place in the ring is still this step's. */
  number: number
  readonly checks: Record<TokenStatus, number>
  readonly cells: Uint32Array
  arrivals: number
}

/** A ring of steps that is written as things happen and read when somebody looks. */
export class History {
  readonly #clock: Clock
  readonly #beganAt: number
  readonly #ring: (Step | undefined)[] = new Array(STEPS)

  constructor(clock: Clock) {
    this.#clock = clock
    this.#beganAt = clock.now()
  }

  /** A verdict was given. */
  judged(status: TokenStatus): void {
    this.#step().checks[status]++
  }

  /** A token arrived at a replica `ms` milliseconds after its check began. */
  arrived(ms: number): void {
    const step = this.#step()
    const cell = cellOf(ms)
    step.cells[cell] = (step.cells[cell] ?? 0) + 1
    step.arrivals++
  }

  /** Every step of the last quarter of an hour since the start, the oldest first; those in which nothing happened too. */
  read(): GatewayHistory {
    const last = this.#number()
    const first = Math.max(0, last - STEPS + 1)
    // What is measured is told by the wall clock only here: it may be set meanwhile.
    const beganAt = this.#clock.wallNow() - (this.#clock.now() - this.#beganAt)
    const steps = Array.from({ length: last - first + 1 }, (_, index): HistoryStep => {
      const number = first + index
      const step = this.#ring[number % STEPS]
      const known = step?.number === number ? step : undefined
      return {
        startedAt: Math.round(beganAt + number * STEP_MS),
        checks: known === undefined ? noChecks() : { ...known.checks },
        lag: known === undefined ? null : summarize(known),
      }
    })
    return { stepMs: STEP_MS, steps }
  }

  #number(): number {
    return Math.floor((this.#clock.now() - this.#beganAt) / STEP_MS)
  }

  #step(): Step {
    const number = this.#number()
    const place = number % STEPS
    const known = this.#ring[place]
    if (known?.number === number) return known
    const step = { number, checks: noChecks(), cells: new Uint32Array(CELLS), arrivals: 0 }
    this.#ring[place] = step
    return step
  }
}

const noChecks = (): Record<TokenStatus, number> => ({ Synced: 0, Partialy: 0, NotSynced: 0, Timeout: 0 })

const cellOf = (ms: number): number => (ms <= 1 ? 0 : Math.min(CELLS - 1, Math.ceil(Math.log(ms) / GRID)))

function summarize({ cells, arrivals }: Step): Lag | null {
  if (arrivals === 0) return null
  return { p50Ms: quantile(cells, arrivals, 0.5), p99Ms: quantile(cells, arrivals, 0.99), samples: arrivals }
}

/** Nearest rank, as the upper edge of its cell: 5 % too much at most, never too little. */
function quantile(cells: Uint32Array, arrivals: number, q: number): number {
  const rank = Math.max(1, Math.ceil(q * arrivals))
  let below = 0
  const cell = cells.findIndex((count) => {
    below += count
    return below >= rank
  })
  return Math.round(Math.exp(cell * GRID) * 100) / 100
}
