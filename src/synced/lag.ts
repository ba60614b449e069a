// How long after the start of a check tokens arrived at one replica: a bounded window for quantiles, buckets for the metric.
import { Buckets } from '../lib/buckets.ts'
import type { Lag } from './contract.ts'

/** Upper bounds of the metric's buckets, in seconds. */
export const LAG_BUCKETS = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2.5, 5, 10] as const

const WINDOW_SAMPLES = 1024
const WINDOW_MS = 15 * 60_000

/** Arrivals of the last quarter of an hour, the newest 1024 of them. */
export class LagWindow {
  readonly #ms = new Float64Array(WINDOW_SAMPLES)
  readonly #at = new Float64Array(WINDOW_SAMPLES)
  #next = 0
  #used = 0
  /** All arrivals since the start, in seconds. */
  readonly arrivals = new Buckets(LAG_BUCKETS)

  /** Notes an arrival `ms` milliseconds after its check began. */
  add(ms: number, now: number): void {
    this.#ms[this.#next] = ms
    this.#at[this.#next] = now
    this.#next = (this.#next + 1) % WINDOW_SAMPLES
    if (this.#used < WINDOW_SAMPLES) this.#used++
    this.arrivals.observe(ms / 1000)
  }

  /** Quantiles of the window; null when nothing arrived in it. */
  summary(now: number): Lag | null {
    const recent: number[] = []
    for (let i = 0; i < this.#used; i++) {
      if (now - (this.#at[i] ?? 0) <= WINDOW_MS) recent.push(this.#ms[i] ?? 0)
    }
    if (recent.length === 0) return null
    recent.sort((a, b) => a - b)
    return { p50Ms: quantile(recent, 0.5), p99Ms: quantile(recent, 0.99), samples: recent.length }
  }
}

/** The smallest value that at least the share `q` of all is not above (nearest rank). */
function quantile(sorted: readonly number[], q: number): number {
  const value = sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0
  return Math.round(value * 100) / 100
}
