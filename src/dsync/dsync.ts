// The way in: elections and locks of one process over one driver.
import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '../lib/clock.ts'
import type { CandidateOptions } from './candidate.ts'
import type { Driver } from './driver.ts'
import { Election } from './election.ts'
import { PROCESS_ID } from './environment.ts'
import { InvalidResource } from './errors.ts'
import { Lock } from './lock.ts'
import { LockMemory } from './lock-memory.ts'
import { Resource } from './resource.ts'
import { deriveTimings, type Timings } from './timings.ts'

export interface DsyncOptions extends Partial<Timings> {
  /** The service that names belong to; `unscoped` when left out. */
  readonly scope?: string | undefined
  /** The driver's when left out. */
  readonly namespace?: string | undefined
  /** For tests. */
  readonly clock?: Clock
  /** Gives [0, 1); for tests. */
  readonly random?: () => number
}

const MAX_MEMORIES = 1_000

export class Dsync {
  /** What this process is called; its identities on record begin with it. */
  readonly instance: string
  readonly timings: Timings
  readonly #driver: Driver
  readonly #options: DsyncOptions
  readonly #clock: Clock
  readonly #random: () => number
  readonly #memories = new Map<string, LockMemory>()

  /**
   * `instance`: the pod's name; an id made once in this process when left out or empty. Durations that are not given are derived
   * from `leaseDurationMs` (15,000). Throws InvalidTimings when two could lead at once, or nobody for long.
   */
  constructor(driver: Driver, instance: string = PROCESS_ID, options: DsyncOptions = {}) {
    const { scope: _scope, namespace: _namespace, clock = systemClock, random = Math.random, ...timings } = options
    this.instance = instance || PROCESS_ID
    this.timings = deriveTimings(timings)
    this.#driver = driver
    this.#options = options
    this.#clock = clock
    this.#random = random
  }

  resource(name?: string): Resource {
    return new Resource({ namespace: this.#options.namespace, scope: this.#options.scope, name })
  }

  /** A candidate that campaigns from now on until it is stopped. One whose name is invalid says so in its `error`. */
  election(name?: string): Election {
    const resource = this.resource(name)
    return new Election(resource, validate(resource), this.#candidate(resource, resource.electionName))
  }

  /** A handle of its own, which competes with all others, also of this process. One whose name is invalid says so in its `error`. */
  lock(name?: string): Lock {
    const resource = this.resource(name)
    const memory = this.#memories.get(resource.lockName) ?? this.#remember(resource.lockName)
    return new Lock(resource, validate(resource), this.#candidate(resource, resource.lockName), memory)
  }

  /** Names may be made up without end, one a job: those of which nothing is known are dropped before there are many. */
  #remember(leaseName: string): LockMemory {
    if (this.#memories.size >= MAX_MEMORIES) {
      const nowMs = this.#clock.now()
      for (const [name, memory] of this.#memories) if (memory.isForgettable(nowMs)) this.#memories.delete(name)
    }
    const memory = new LockMemory()
    this.#memories.set(leaseName, memory)
    return memory
  }

  #candidate(resource: Resource, leaseName: string): CandidateOptions {
    return {
      driver: this.#driver,
      place: { namespace: resource.namespace, name: leaseName },
      identity: `${this.instance}_${randomUUID()}`,
      timings: this.timings,
      clock: this.#clock,
      random: this.#random,
    }
  }
}

function validate(resource: Resource): InvalidResource | undefined {
  try {
    resource.validate()
    return undefined
  } catch (error) {
    if (error instanceof InvalidResource) return error
    throw error
  }
}
