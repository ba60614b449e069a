// One candidate of the simulation: the very engine that ships, on a machine and a network that misbehave.
import { Campaign } from '../../../src/dsync/campaign.ts'
import type { CampaignHost, CloseReason, Patience } from '../../../src/dsync/campaign-host.ts'
import type { LeaseSight } from '../../../src/dsync/driver.ts'
import type { Term } from '../../../src/dsync/holding.ts'
import type { LeaseRecord } from '../../../src/dsync/lease.ts'
import type { Timings } from '../../../src/dsync/timings.ts'
import type { Chance } from '../../lib/chance.ts'
import { Machine } from './machine.ts'
import type { Network } from './network.ts'
import type { Holder, Referee } from './referee.ts'
import type { Planned, Timeline } from './timeline.ts'
import type { Outcome, VirtualApi } from './virtual-api.ts'

export interface World {
  readonly timeline: Timeline
  readonly chance: Chance
  readonly api: VirtualApi
  readonly network: Network
  readonly referee: Referee
  readonly timings: Timings
}

type Answer =
  | Outcome
  | { readonly kind: 'read'; readonly sight: LeaseSight | undefined }
  | { readonly kind: 'failed'; readonly code: 'refused' | 'unavailable'; readonly retryAfterMs?: number }

/** A signal aborts this long after the deadline at most, when nothing stands still. */
const ABORT_MS = 250

export class Player {
  readonly name: string
  readonly machine: Machine
  readonly #world: World
  readonly #campaign: Campaign
  #holder: Holder | undefined
  #isTold = false
  #isClosed = true
  #isCrashed = false
  #watch: { isOpen: boolean } | undefined
  /** Terms whose work has not ended. */
  #working = 0
  #isResigning = false
  #deadlineAt = 0
  #patience: Patience = 'forever'
  #grace: Planned | undefined
  resignedAt = Number.NEGATIVE_INFINITY
  onClosed: (reason: CloseReason) => void = () => undefined
  onElected: () => void = () => undefined

  constructor(world: World, name: string, rate: number) {
    this.#world = world
    this.name = name
    this.machine = new Machine(world.timeline, world.chance, rate)
    this.#campaign = new Campaign(name, world.timings, this.#host())
    this.machine.onWake = () => this.#event(() => this.#campaign.wake())
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  get isCrashed(): boolean {
    return this.#isCrashed
  }

  get isLeading(): boolean {
    return this.#isTold
  }

  start(patience: Patience): void {
    this.#isClosed = false
    this.#patience = patience
    this.machine.do(() => this.#event(() => this.#campaign.start(patience)))
  }

  /** Gives up what is held, once the work has ended; without end after the grace. */
  resign(then: 'stop' | 'rejoin', graceMs: number): void {
    this.machine.do(() => {
      if (this.#isClosed) return
      this.#isResigning = this.#campaign.isHolding || then === 'stop'
      this.resignedAt = this.#world.timeline.now
      this.#event(() => this.#campaign.resign(then))
      this.#settleIfDone()
      if (then === 'rejoin' || this.#isClosed) return
      this.#grace?.cancel()
      this.#grace = this.machine.after(graceMs, () => this.#event(() => this.#campaign.abandon()))
    })
  }

  crash(): void {
    this.#isCrashed = true
    this.machine.switchOff()
    if (this.#watch !== undefined) this.#watch.isOpen = false
    if (this.#holder !== undefined) this.#world.referee.gone(this.#holder)
    this.#holder = undefined
    this.#isTold = false
    this.#isClosed = true
  }

  /** After the clocks or the machine changed. */
  noticeClocks(): void {
    this.#noteDeadline(true)
    if (!this.machine.isSuspended) this.#world.referee.check()
  }

  #event(fn: () => void): void {
    if (this.#isClosed) return
    fn()
    this.#noteDeadline(false)
    this.#world.referee.check()
    const holder = this.#holder
    if (holder !== undefined && this.#world.chance.is(0.1)) this.#world.referee.write(holder)
  }

  #noteDeadline(onlyEarlier: boolean): void {
    if (!this.#isTold || this.machine.isSuspended) return
    const at = this.#world.timeline.now + Math.max(0, this.#campaign.remainingMs) / this.machine.rate
    if (!onlyEarlier || at < this.#deadlineAt) this.#deadlineAt = at
  }

  #host(): CampaignHost {
    const { referee, chance, timings } = this.#world
    return {
      now: () => this.machine.read(),
      random: chance.next,
      put: (id, record, base, timeoutMs) => {
        if (timeoutMs > timings.leaseDurationMs / 3 + 0.01 || timeoutMs <= 0)
          referee.foul(`a time-out of ${timeoutMs} ms`)
        this.#judgePut(record, base)
        this.#request(id, 'put', timeoutMs, () => this.#world.api.put(record, base))
      },
      get: (id, timeoutMs) => {
        if (timeoutMs > timings.leaseDurationMs / 3 + 0.01 || timeoutMs <= 0)
          referee.foul(`a time-out of ${timeoutMs} ms`)
        this.#request(id, 'get', timeoutMs, () => ({ kind: 'read', sight: this.#world.api.lease }))
      },
      openWatch: () => {
        if (this.#watch !== undefined) return
        this.#watch = { isOpen: true }
        this.#follow(this.#watch)
      },
      closeWatch: () => {
        if (this.#watch !== undefined) this.#watch.isOpen = false
        this.#watch = undefined
      },
      setWake: (atMs) => this.machine.setWake(atMs),
      elected: (term) => this.#elected(term),
      lost: (reason) => this.#lost(reason),
      closed: (reason) => {
        if (this.#patience === 'forever' && reason !== 'stopped' && reason !== 'released')
          referee.foul(`${this.name} leaves the race for good: ${reason}`)
        this.#isClosed = true
        this.#isResigning = false
        this.#grace?.cancel()
        this.onClosed(reason)
      },
    }
  }

  #judgePut(record: LeaseRecord, base: LeaseSight | undefined): void {
    const { referee } = this.#world
    if (base === undefined && this.#campaign.observed.sight !== 'absent')
      referee.foul(`${this.name} puts without a resourceVersion, but did not see that there is no Lease`)
    if (base !== undefined && (base.uid === '' || base.version === '')) referee.foul(`${this.name} puts without a uid`)
    if (record.holder === '' && this.#working > 0) referee.foul(`${this.name} releases while its work goes on`)
  }

  #elected(term: Term): void {
    const { referee, chance, timings } = this.#world
    if (this.#isTold) referee.foul(`${this.name} is elected, but its signal has not aborted`)
    this.#isTold = true
    this.#isResigning = false
    const holder: Holder = {
      name: this.name,
      token: term.token,
      isValid: () => this.#holder === holder && !this.machine.isSuspended && this.#campaign.remainingMs > 0,
    }
    if (this.#holder !== undefined) referee.gone(this.#holder)
    this.#holder = holder
    this.#working++
    this.#noteDeadline(false)
    referee.elected(holder)
    const until = chance.between(0, timings.leaseDurationMs / 4)
    this.#endWork = () => this.machine.after(until, () => this.#workEnded())
    this.onElected()
  }

  #endWork: () => void = () => undefined

  #lost(reason: string): void {
    const { referee, timeline, network, api } = this.#world
    if (!this.#isTold) referee.foul(`${this.name} loses what it did not have: ${reason}`)
    this.#isTold = false
    // While the machine stood still nothing could be noticed.
    const lateMs = timeline.now - Math.max(this.#deadlineAt, this.machine.lastFreezeAt)
    if (reason === 'deadline' && lateMs > ABORT_MS / this.machine.rate)
      referee.foul(`${this.name} aborts ${Math.round(lateMs)} ms after its deadline`)
    if (reason === 'deleted' || reason === 'taken') {
      const token = this.#holder?.token ?? 0n
      if (token > api.robbedAt && network.isFair)
        referee.foul(`${this.name} loses its Lease (${reason}) though all is fair`)
    }
    if (this.#holder !== undefined) referee.gone(this.#holder)
    this.#holder = undefined
    this.#endWork()
  }

  #workEnded(): void {
    this.#working--
    this.#settleIfDone()
  }

  #settleIfDone(): void {
    if (this.#working > 0 || !this.#isResigning) return
    this.#event(() => this.#campaign.settle())
  }

  #request(id: number, kind: 'put' | 'get', timeoutMs: number, act: () => Answer): void {
    const { network } = this.#world
    const timeout = this.machine.after(timeoutMs, () => this.#fail(id, kind, { code: 'timeout' }))
    if (network.is('lost')) return
    network.carry(this.name, () => {
      const answer = this.#fate(kind, act)
      if (network.is('answerLost')) return
      const deliver = () => this.machine.do(() => this.#deliver(id, kind, answer, timeout))
      network.carry(this.name, deliver)
      if (network.is('twice')) network.carry(this.name, deliver)
    })
  }

  #fate(kind: 'put' | 'get', act: () => Answer): Answer {
    const { network, timings, chance } = this.#world
    if (network.is('serverError')) return { kind: 'failed', code: 'unavailable' }
    if (network.is('throttled'))
      return { kind: 'failed', code: 'refused', retryAfterMs: chance.between(0, timings.leaseDurationMs) }
    if (network.is('refused')) return { kind: 'failed', code: 'refused' }
    if (kind === 'put' && network.is('spuriousConflict')) return { kind: 'conflict' }
    const answer = act()
    return network.is('errorAfterWrite') ? { kind: 'failed', code: 'unavailable' } : answer
  }

  #deliver(id: number, kind: 'put' | 'get', answer: Answer, timeout: Planned): void {
    timeout.cancel()
    if (answer.kind === 'failed') this.#fail(id, kind, answer)
    else if (answer.kind === 'conflict') this.#fail(id, kind, { code: 'conflict' })
    else if (answer.kind === 'written') this.#event(() => this.#campaign.putAnswered(id, answer.sight))
    else this.#event(() => this.#campaign.getAnswered(id, answer.sight))
  }

  #fail(
    id: number,
    kind: 'put' | 'get',
    failure: { code: 'conflict' | 'refused' | 'unavailable' | 'timeout'; retryAfterMs?: number },
  ): void {
    this.#event(() => (kind === 'put' ? this.#campaign.putFailed(id, failure) : this.#campaign.getFailed(id, failure)))
  }

  /** As the supervised watch does: the whole state at the beginning, then changes, again after every break. */
  #follow(watch: { isOpen: boolean }): void {
    const { network, api, chance, timings } = this.#world
    let isBroken = false
    let isHeard = false
    let isDead = false
    let close = () => {}
    let arrivesAt = 0
    const again = () => {
      close()
      if (isBroken || !watch.isOpen) return
      isBroken = true
      this.#event(() => this.#campaign.watchFailed())
      this.machine.after(chance.between(0, timings.retryCapMs), () => {
        if (watch.isOpen) this.#follow(watch)
      })
    }
    this.machine.after(timings.retryCapMs, () => {
      if (!isHeard) again()
    })
    const tell = (sight: LeaseSight | undefined) => {
      if (!watch.isOpen || isBroken || isDead) return close()
      isDead = network.is('watchDies')
      if (network.is('eventLost')) return
      if (network.is('watchBreaks')) {
        arrivesAt = network.carry(this.name, () => this.machine.do(again), 'slow', arrivesAt)
        return
      }
      const hear = () => {
        isHeard = true
        if (!watch.isOpen || isBroken) return
        this.#event(() => this.#campaign.watched(sight))
      }
      // A stream keeps its order.
      arrivesAt = network.carry(this.name, () => this.machine.do(hear), 'eventSlow', arrivesAt)
    }
    network.carry(this.name, () => {
      if (!watch.isOpen) return
      close = api.watch(tell)
      tell(api.lease)
    })
  }
}
