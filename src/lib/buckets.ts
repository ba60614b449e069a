// A histogram in plain numbers, for what happens too often to look labels up; `registerHistogram` of metrics.ts shows it.

/** Counts observations by bucket. */
export class Buckets {
  readonly #bounds: readonly number[]
  /** By bucket, the last one for what was above them all; not cumulative. */
  readonly counts: Float64Array
  sum = 0

  /** `bounds` are the upper bounds, ascending, in the unit of the observations. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    let bucket = 0
    while (bucket < this.#bounds.length && value > (this.#bounds[bucket] ?? 0)) bucket++
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1
    this.sum += value
  }
}
