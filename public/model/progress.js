// Pure: how far a run is, how fast it goes and how long it still takes, out of what it said of itself in the last half minute.
/** @import { RunProgress } from '../types.ts' */
/** @import { Sample } from './events.js' */

/**
 * @typedef {object} ProgressView
 * @property {number | undefined} share 0 to 1, once the whole is known
 * @property {number | undefined} perSecond parts
 * @property {number | undefined} leftMs
 */

/** Below this many milliseconds between the first and the last sample a rate would be a guess. */
const LEAST_MS = 1_000

/**
 * @param {RunProgress | null} progress
 * @param {readonly Sample[]} samples the oldest first
 * @returns {ProgressView}
 */
export function describeProgress(progress, samples) {
  if (progress === null) return { share: undefined, perSecond: undefined, leftMs: undefined }
  const { done, total } = progress
  const share = total === undefined || total <= 0 ? undefined : Math.min(1, done / total)
  const perSecond = rateOf(samples)
  const leftMs =
    total === undefined || perSecond === undefined || perSecond <= 0
      ? undefined
      : (Math.max(0, total - done) / perSecond) * 1_000
  return { share, perSecond, leftMs }
}

/** @param {readonly Sample[]} samples */
function rateOf(samples) {
  const first = samples[0]
  const last = samples.at(-1)
  if (first === undefined || last === undefined || last.at - first.at < LEAST_MS) return undefined
  return Math.max(0, ((last.done - first.done) / (last.at - first.at)) * 1_000)
}
