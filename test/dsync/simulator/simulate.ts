// One random schedule, from its seed: candidates, clocks, faults, then fair weather in which a leader must be there in time.
import { deriveTimings, type Timings } from '../../../src/dsync/timings.ts'
import { Chance } from '../../lib/chance.ts'
import { FAIR, Network, type Weather } from './network.ts'
import { Player, type World } from './player.ts'
import { Referee } from './referee.ts'
import { Timeline } from './timeline.ts'
import { VirtualApi } from './virtual-api.ts'

export interface Played {
  readonly candidates: number
  readonly terms: number
}

const ROUNDING_MS = 600
const COLD_START_MS = 1_500
const HOUR_MS = 3_600_000
/** A wall clock that is set back while its machine sleeps hides the sleep: nobody can know. */
const APART_MS = 400

const FAULTS = [
  'errors',
  'losses',
  'delays',
  'twice',
  'events',
  'delete',
  'edit',
  'partition',
  'stall',
  'suspend',
  'jump',
  'crash',
  'stop',
  'stepDown',
] as const
type Fault = (typeof FAULTS)[number]

/** Plays the schedule of this seed. Throws Foul. */
export function simulate(seed: number): Played {
  return new Schedule(seed).play()
}

class Schedule {
  readonly #chance: Chance
  readonly #timeline = new Timeline()
  readonly #world: World
  readonly #faults: ReadonlySet<Fault>
  readonly #timings: Timings
  readonly #slowestRate: number
  readonly #hasLocks: boolean
  readonly #players: Player[] = []
  readonly #fairFrom: number
  #names = 0

  constructor(seed: number) {
    const chance = new Chance(seed)
    this.#chance = chance
    const leaseDurationMs = chance.pick([3_000, 3_000, 6_000, 15_000])
    this.#timings = deriveTimings({ leaseDurationMs, renewDeadlineMs: (leaseDurationMs * 2) / 3 })
    this.#faults = new Set(FAULTS.filter(() => chance.is(0.35)))
    this.#slowestRate = chance.is(0.6) ? 0.9 : 1
    this.#hasLocks = chance.is(0.3)
    this.#fairFrom = leaseDurationMs * chance.between(1.5, 5)
    const api = new VirtualApi()
    const network = new Network(this.#timeline, chance)
    network.fairFrom = this.#fairFrom
    const referee = new Referee(api, () => this.#timeline.now)
    this.#world = { timeline: this.#timeline, chance, api, network, referee, timings: this.#timings }
  }

  play(): Played {
    const chance = this.#chance
    const count = chance.is(0.02) ? chance.whole(7, 50) : chance.whole(2, 5)
    for (let i = 0; i < count; i++) this.#enter(i)
    if (chance.is(0.2)) this.#startCold()
    this.#world.network.weather = this.#weather()
    this.#planFault()
    this.#timeline.run(Math.max(this.#fairFrom, this.#timeline.now))
    this.#clearUp()
    this.#awaitLeader()
    // Then nothing may disturb it any more.
    this.#timeline.run(this.#timeline.now + this.#timings.leaseDurationMs)
    if (!this.#hasLocks && !this.#players.some((one) => one.isLeading))
      this.#world.referee.foul('the leader is gone in fair weather')
    return { candidates: count, terms: this.#world.referee.terms }
  }

  /** A candidate begins; one whose process ended begins again under another identity. */
  #enter(seat: number): void {
    const chance = this.#chance
    const rate = this.#slowestRate === 1 ? 1 : chance.between(this.#slowestRate, 2 - this.#slowestRate)
    const player = new Player(this.#world, `candidate-${seat}.${this.#names++}`, rate)
    this.#players[seat] = player
    const isLock = this.#hasLocks && chance.is(0.5)
    player.onElected = () => {
      if (isLock)
        player.machine.after(chance.between(0, this.#timings.leaseDurationMs), () =>
          player.resign('stop', this.#timings.leaseDurationMs),
        )
    }
    player.onClosed = () => {
      if (this.#players[seat] !== player) return
      player.machine.after(chance.between(1, isLock ? 500 : 2_000), () => {
        if (this.#players[seat] === player && player.isClosed) player.start(patience())
      })
    }
    const patience = () => (!isLock ? 'forever' : chance.is(0.2) ? 'one-try' : 'one-term')
    player.machine.after(chance.between(0, 300), () => player.start(patience()))
  }

  /** Fair weather, and no Lease: somebody leads soon. */
  #startCold(): void {
    const until = 300 / this.#slowestRate + COLD_START_MS / this.#slowestRate
    this.#timeline.run(until)
    if (this.#world.referee.terms === 0) this.#world.referee.foul('nobody leads after a cold start')
  }

  #weather(): Weather {
    const chance = this.#chance
    const share = (fault: Fault, most: number) =>
      this.#faults.has(fault) && chance.is(0.7) ? chance.between(0, most) : 0
    return {
      ...FAIR,
      serverError: share('errors', 0.6),
      throttled: share('errors', 0.4),
      refused: share('errors', 0.3),
      spuriousConflict: share('errors', 0.3),
      errorAfterWrite: share('errors', 0.5),
      lost: share('losses', 0.4),
      answerLost: share('losses', 0.5),
      slow: share('delays', 0.6),
      slowMs: this.#timings.leaseDurationMs * chance.pick([0.1, 0.4, 1.5]),
      twice: share('twice', 0.5),
      eventLost: share('events', 0.6),
      eventSlow: share('events', 0.6),
      watchBreaks: share('events', 0.4),
      watchDies: share('events', 0.4),
    }
  }

  #planFault(): void {
    const lease = this.#timings.leaseDurationMs
    this.#timeline.plan(this.#chance.between(0, lease / 3), () => {
      if (this.#timeline.now >= this.#fairFrom) return
      const [...faults] = this.#faults
      if (faults.length > 0) this.#strike(this.#chance.pick(faults))
      if (this.#chance.is(0.2)) this.#world.network.weather = this.#weather()
      this.#planFault()
    })
  }

  /** One whose turn in a fault is worth more: mostly the leader. */
  #victim(): Player {
    const leader = this.#players.find((one) => one.isLeading)
    return leader !== undefined && this.#chance.is(0.6) ? leader : this.#chance.pick(this.#players)
  }

  #strike(fault: Fault): void {
    const chance = this.#chance
    const { api, network } = this.#world
    const player = this.#victim()
    const lease = this.#timings.leaseDurationMs
    const now = this.#timeline.now
    if (fault === 'delete' && chance.is(0.3)) api.remove()
    else if (fault === 'edit') this.#edit()
    else if (fault === 'partition') {
      network.cutOff.add(player.name)
      this.#timeline.plan(chance.between(0, 2 * lease), () => network.cutOff.delete(player.name))
    } else if (fault === 'stall') player.machine.stall(chance.between(50, 1.6 * lease))
    else if (fault === 'suspend' && now - player.machine.lastJumpAt > APART_MS)
      this.#suspend(player, chance.between(50, 1.8 * lease))
    else if (fault === 'jump' && !player.machine.isFrozen && now - player.machine.lastFreezeAt > APART_MS) {
      player.machine.jump(chance.pick([HOUR_MS, -HOUR_MS, lease / 3, -lease / 3]))
      player.noticeClocks()
    } else if (fault === 'crash') this.#crash(player)
    else if (fault === 'stop') player.resign('stop', chance.pick([0, lease / 10, lease]))
    else if (fault === 'stepDown') player.resign('rejoin', 0)
  }

  #edit(): void {
    const { api } = this.#world
    const lease = this.#timings.leaseDurationMs
    api.edit(
      this.#chance.pick([
        { kept: { metadata: { labels: { touched: String(this.#timeline.now) } } } },
        { durationMs: 2 * lease },
        { transitions: 1_000 },
        { holder: 'somebody-by-hand' },
        { holder: '' },
      ]),
    )
  }

  #suspend(player: Player, ms: number): void {
    player.machine.suspend(ms)
    this.#timeline.plan(ms + 0.0001, () => player.noticeClocks())
  }

  #crash(player: Player): void {
    const seat = this.#players.indexOf(player)
    player.crash()
    this.#timeline.plan(this.#chance.between(10, this.#timings.leaseDurationMs), () => {
      if (this.#players[seat] === player && this.#timeline.now < this.#fairFrom) this.#enter(seat)
    })
  }

  /** All faults are over at once. */
  #clearUp(): void {
    this.#world.network.cutOff.clear()
    // Some stay away: those who are left have to do without fresh eyes.
    const isOneLeft = this.#players.some((player) => !player.isCrashed)
    for (const [seat, player] of this.#players.entries()) {
      player.machine.thaw()
      player.noticeClocks()
      if (player.isCrashed && (!isOneLeft || this.#chance.is(0.5))) this.#enter(seat)
    }
  }

  #awaitLeader(): void {
    const { leaseDurationMs } = this.#timings
    // Made longer by hand, or being handed over: that is no fault that is over.
    const longestMs = Math.max(leaseDurationMs, this.#world.api.longestMs)
    const resignedAt = Math.max(...this.#players.map((one) => one.resignedAt))
    const from = Math.max(this.#timeline.now, resignedAt + leaseDurationMs / 2)
    const until = from + ((longestMs * 5) / 3 + ROUNDING_MS) / this.#slowestRate
    for (let at = this.#timeline.now; at <= until; at += 50) {
      this.#timeline.run(at)
      if (this.#world.referee.valid().some((holder) => holder.token > this.#world.api.robbedAt)) return
    }
    this.#world.referee.foul(`nobody leads ${Math.round(until - this.#fairFrom)} ms after the last fault`)
  }
}
