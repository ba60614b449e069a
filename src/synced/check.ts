// One check under way: asks its replicas as the pace says, and gives each caller the verdict, at the latest at the caller's deadline.
// Callers who ask the same question meanwhile join it; each keeps a deadline of its own.
import type { Dispatcher } from 'undici'
import type { Clock, Timer } from '../lib/clock.ts'
import { Asked, type Member } from './asked.ts'
import type { ProbeBudget } from './budget.ts'
import type { CheckRequest, CheckResult, ReplicaAnswer, TokenState } from './contract.ts'
import type { Outcome } from './outcome.ts'
import { beginPace, type FixedRetry, isSpent, type Pace, planAdaptive, planFixed } from './pace.ts'
import type { Replica } from './replica.ts'
import { judge, stateAt } from './verdict.ts'

/** What a check shares with all others of the process. */
export interface CheckSurroundings {
  readonly clock: Clock
  readonly budget: ProbeBudget
  readonly deadlineMs: number
  readonly silentAfterMs: number
  /** Probes a second that all checks together may spend on asking again. */
  readonly probesPerSecond: number
  /** Undefined asks adaptively. */
  readonly fixedRetry: FixedRetry | undefined
  /** Checks under way. */
  readonly waiting: () => number
  /** A probe was sent. */
  readonly sent: () => void
  /** A probe was answered or failed. */
  readonly heard: (outcome: Outcome) => void
  /** A replica was found to have the token, `ms` after the start of the check. */
  readonly arrived: (replica: Replica, ms: number) => void
  /** The verdict of one caller. */
  readonly judged: (result: CheckResult) => void
}

/** The checks that wait for tokens of the same origin: what one of them sees turn is news for all. */
export class Sharers {
  readonly checks = new Set<RunningCheck>()
  #toldAt = Number.NEGATIVE_INFINITY

  /** Lets the others ask at once; at most every 2 ms, for on a tick they all turn. */
  tell(from: RunningCheck, now: number): void {
    if (this.checks.size < 2 || now - this.#toldAt < 2) return
    this.#toldAt = now
    for (const check of this.checks) if (check !== from) check.askAll(now)
  }
}

interface Caller {
  readonly startedAt: number
  readonly deadlineAt: number
  resolve(result: CheckResult): void
}

export class RunningCheck {
  readonly request: CheckRequest
  readonly startedAt: number
  readonly #around: CheckSurroundings
  readonly #sharers: Sharers
  readonly #probe: Dispatcher.DispatchOptions
  readonly #onDone: (check: RunningCheck) => void
  #targets: Asked[]
  /** Counted replicas that do not yet say what is hoped for. */
  #missing: number
  /** In the order of their deadlines. */
  #callers: Caller[] = []
  #pace: Pace
  #stirredAt: number
  #timer: Timer | undefined
  #timerAt = Number.POSITIVE_INFINITY
  #done = false

  /** The origin is not among `members`; `probe` is shared by all probes of the check. */
  constructor(
    request: CheckRequest,
    members: readonly Member[],
    probe: Dispatcher.DispatchOptions,
    sharers: Sharers,
    around: CheckSurroundings,
    onDone: (check: RunningCheck) => void,
  ) {
    this.request = request
    this.#around = around
    this.#sharers = sharers
    this.#probe = probe
    this.#onDone = onDone
    this.startedAt = around.clock.now()
    this.#stirredAt = this.startedAt
    this.#pace = beginPace(this.startedAt)
    this.#targets = members.map((member) => new Asked(member, this.#hear))
    this.#missing = this.#countMissing()
  }

  /** Asks everybody for the first time. Callers must have joined before. */
  start(): void {
    const now = this.startedAt
    for (const target of this.#targets) this.#ask(target, now)
    if (this.#missing === 0) this.#finish(now)
    else this.#arm(Math.min(this.#pace.sentinelAt, this.#timerAt), now)
  }

  /** Answers at the latest `deadlineMs` from now, or from `startedAt` if the caller has waited already. */
  join(startedAt: number): Promise<CheckResult> {
    return new Promise((resolve) => {
      const last = this.#callers.at(-1)
      this.#callers.push({ startedAt, deadlineAt: startedAt + this.#around.deadlineMs, resolve })
      if (last !== undefined && startedAt < last.startedAt) this.#callers.sort((a, b) => a.deadlineAt - b.deadlineAt)
    })
  }

  /** The gateway closes: whoever still waits gets the verdict as it stands now. */
  close(): void {
    this.#finish(this.#around.clock.now())
  }

  /** Something has turned elsewhere: asks everybody who is missing, now. */
  askAll(now: number): void {
    for (const target of this.#targets) {
      if (target.state === this.request.expect) continue
      if (target.waitingSince === Number.POSITIVE_INFINITY) this.#ask(target, now)
      else target.again = true
    }
  }

  /** Takes up replicas that came and lets go of those that went; what is known of the others stays. */
  retarget(members: readonly Member[]): void {
    if (this.#done) return
    const now = this.#around.clock.now()
    const known = new Map(this.#targets.map((target) => [target.member.connection, target]))
    this.#targets = members.map((member) => {
      const target = known.get(member.connection) ?? new Asked(member, this.#hear)
      target.member = member
      known.delete(member.connection)
      return target
    })
    for (const target of known.values()) target.isGone = true
    this.#missing = this.#countMissing()
    for (const target of this.#targets) if (target.attempts === 0) this.#ask(target, now)
    if (this.#missing === 0) this.#finish(now)
    else this.#arm(Math.min(now + 1, this.#timerAt), now)
  }

  /** A probe of `target` was answered or failed. */
  readonly #hear = (target: Asked, outcome: Outcome, sentAt: number): void => {
    this.#around.heard(outcome)
    if (this.#done || target.isGone || target.state === this.request.expect) return
    const now = this.#around.clock.now()
    const before = target.state
    if (!target.note(outcome, this.request.expect, sentAt, now)) return
    if (outcome === this.request.expect) this.#reach(target, before, now)
    else if (target.again || (outcome === 'reset' && target.firstReset())) this.#ask(target, now)
    if (this.#around.fixedRetry !== undefined) this.#look()
  }

  #reach(target: Asked, before: TokenState, now: number): void {
    if (this.request.expect === 'present') this.#around.arrived(target.member.replica, now - this.startedAt)
    if (target.isCounted && --this.#missing === 0) this.#finish(now)
    if (before === 'unknown' || this.#around.fixedRetry !== undefined) return
    // It turned while we watched: the others are likely to follow within milliseconds.
    this.#stirredAt = now
    if (!this.#done) {
      this.askAll(now)
      this.#pace = { ...this.#pace, sentinelAt: Math.min(this.#pace.sentinelAt, beginPace(now).sentinelAt) }
      this.#arm(Math.min(this.#timerAt, this.#pace.sentinelAt), now)
    }
    this.#sharers.tell(this, now)
  }

  #ask(target: Asked, now: number): void {
    if (!this.#around.budget.take(now, target.attempts === 0)) {
      if (target.attempts === 0)
        this.#arm(Math.min(this.#timerAt, now + Math.max(1, this.#around.budget.pauseMs(now))), now)
      return
    }
    const refusal = target.member.connection.probe(this.#probe, target, now)
    if (refusal === undefined) {
      target.sent(now)
      this.#around.sent()
    } else {
      target.fail(refusal, now)
    }
  }

  readonly #look = (): void => {
    if (this.#done) return
    const now = this.#around.clock.now()
    this.#timerAt = Number.POSITIVE_INFINITY
    this.#dismiss(now)
    if (this.#callers.length === 0) {
      this.#end()
      return
    }
    if (this.#isSpent()) {
      this.#finish(now)
      return
    }
    const { fixedRetry } = this.#around
    const situation = {
      targets: this.#targets,
      expect: this.request.expect,
      deadlineAt: this.#callers[0]?.deadlineAt ?? now,
      stirredAt: this.#stirredAt,
      sharers: this.#sharers.checks.size,
      waiting: this.#around.waiting(),
      probesPerSecond: this.#around.probesPerSecond,
      silentAfterMs: this.#around.silentAfterMs,
    }
    const plan =
      fixedRetry === undefined
        ? planAdaptive(situation, this.#pace, now)
        : planFixed(situation, this.#pace, now, fixedRetry)
    this.#pace = plan.pace
    for (const index of plan.ask) {
      const target = this.#targets[index]
      if (target !== undefined) this.#ask(target, now)
    }
    this.#arm(Math.min(plan.wakeAt, this.#timerAt), now)
  }

  /** With a fixed number of tries: nothing more will be asked, so nothing more will be learned. */
  #isSpent(): boolean {
    const { fixedRetry } = this.#around
    if (fixedRetry === undefined) return false
    return this.#targets.every((target) => target.state === this.request.expect || isSpent(target, fixedRetry))
  }

  /** Wakes at `at` or at the next caller's deadline, whichever is first. */
  #arm(at: number, now: number): void {
    const first = this.#callers[0]
    const wakeAt = first === undefined ? at : Math.min(at, first.deadlineAt)
    this.#timer?.cancel()
    this.#timerAt = wakeAt
    this.#timer = this.#around.clock.setTimer(Math.max(0, wakeAt - now), this.#look)
  }

  /** Gives the verdict to the callers whose deadline has come. */
  #dismiss(now: number): void {
    const due = this.#callers.filter((caller) => now >= caller.deadlineAt)
    if (due.length === 0) return
    this.#callers = this.#callers.slice(due.length)
    this.#answer(due, now)
  }

  /** All is known: everybody is answered. */
  #finish(now: number): void {
    if (this.#done) return
    const callers = this.#callers
    this.#callers = []
    this.#end()
    this.#answer(callers, now)
  }

  #end(): void {
    this.#done = true
    this.#timer?.cancel()
    this.#onDone(this)
  }

  #answer(callers: readonly Caller[], now: number): void {
    const { expect, origin } = this.request
    const replicas: ReplicaAnswer[] = []
    const counted: TokenState[] = []
    for (const target of this.#targets) {
      const { state, reason } = stateAt(target, expect, now, this.#around.silentAfterMs)
      if (target.isCounted) counted.push(state)
      const ms = state === 'unknown' ? null : round(target.answeredAt - this.startedAt)
      const answer = {
        name: target.member.replica.name,
        state,
        counted: target.isCounted,
        attempts: target.attempts,
        ms,
      }
      replicas.push(reason === undefined ? answer : { ...answer, reason })
    }
    const status = judge(counted, expect)
    for (const caller of callers) {
      const result: CheckResult = { status, origin, expect, ms: round(now - caller.startedAt), replicas }
      this.#around.judged(result)
      caller.resolve(result)
    }
  }

  #countMissing(): number {
    let missing = 0
    for (const target of this.#targets) if (target.isCounted && target.state !== this.request.expect) missing++
    return missing
  }
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10
}
