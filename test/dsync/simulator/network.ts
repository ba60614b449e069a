// What lies between candidates and the API: delays, losses, refusals, partitions.
import type { Chance } from '../../lib/chance.ts'
import type { Timeline } from './timeline.ts'

/** Shares of requests, or events, that meet this fate; milliseconds. */
export interface Weather {
  serverError: number
  throttled: number
  refused: number
  spuriousConflict: number
  /** The request does not arrive. */
  lost: number
  /** The answer does not. */
  answerLost: number
  /** 5xx though it was written. */
  errorAfterWrite: number
  twice: number
  slow: number
  slowMs: number
  eventLost: number
  eventSlow: number
  watchBreaks: number
  /** From then on a watch is silent, and nobody is told. */
  watchDies: number
}

export const FAIR: Weather = {
  serverError: 0,
  throttled: 0,
  refused: 0,
  spuriousConflict: 0,
  lost: 0,
  answerLost: 0,
  errorAfterWrite: 0,
  twice: 0,
  slow: 0,
  slowMs: 0,
  eventLost: 0,
  eventSlow: 0,
  watchBreaks: 0,
  watchDies: 0,
}

export class Network {
  readonly #timeline: Timeline
  readonly #chance: Chance
  /** Names of candidates that reach nothing. */
  readonly cutOff = new Set<string>()
  weather: Weather = FAIR
  /** True time when all faults are over: what is still under way arrives. */
  fairFrom = Number.POSITIVE_INFINITY

  constructor(timeline: Timeline, chance: Chance) {
    this.#timeline = timeline
    this.#chance = chance
  }

  get isFair(): boolean {
    return this.#timeline.now >= this.fairFrom
  }

  is(fate: Exclude<keyof Weather, 'slowMs'>): boolean {
    return !this.isFair && this.#chance.is(this.weather[fate])
  }

  /** Carries something over, not before `notBefore`, or not at all when its sender is cut off. Gives the moment of its arrival. */
  carry(name: string, fn: () => void, fate: 'slow' | 'eventSlow' = 'slow', notBefore = 0): number {
    const slowMs = this.is(fate) ? this.#chance.between(0, this.weather.slowMs) : 0
    const delayMs = this.#chance.between(0.5, 12) + slowMs
    const untilFair = Math.max(0, this.fairFrom - this.#timeline.now)
    const inMs = Math.max(Math.min(delayMs, untilFair + 15), notBefore - this.#timeline.now)
    this.#timeline.plan(inMs, () => {
      if (!this.cutOff.has(name)) fn()
    })
    return this.#timeline.now + inMs
  }
}
