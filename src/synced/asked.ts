// One replica as one check sees it: what it last said, what is on its way, how often it was asked.
import type { Expectation, TokenState, UnknownReason } from './contract.ts'
import type { Outcome } from './outcome.ts'
import type { Target } from './pace.ts'
import type { Replica } from './replica.ts'
import type { ProbeConnection, ProbeOwner } from './replica-connection.ts'

/** A replica of the list and the connection to it, which outlives changes of the rest. */
export interface Member {
  readonly replica: Replica
  readonly connection: ProbeConnection
}

/** A replica as one check sees it. */
export class Asked implements Target, ProbeOwner {
  member: Member
  readonly #hear: (target: Asked, outcome: Outcome, sentAt: number) => void
  state: TokenState = 'unknown'
  reason: UnknownReason = 'not-asked'
  waitingSince = Number.POSITIVE_INFINITY
  sentAt = Number.NEGATIVE_INFINITY
  answeredAt = Number.NEGATIVE_INFINITY
  attempts = 0
  /** Ask again as soon as the probe under way is answered: it may have been sent too early for the news. */
  again = false
  /** No longer in the list: what it says does not matter any more. */
  isGone = false
  #answeredSentAt = Number.NEGATIVE_INFINITY
  #wasReset = false

  constructor(member: Member, hear: (target: Asked, outcome: Outcome, sentAt: number) => void) {
    this.member = member
    this.#hear = hear
  }

  get isCounted(): boolean {
    return !this.member.replica.terminating
  }

  sent(now: number): void {
    this.attempts++
    this.sentAt = now
    this.again = false
    if (this.waitingSince === Number.POSITIVE_INFINITY) this.waitingSince = now
    if (this.reason === 'not-asked') this.reason = 'pending'
  }

  /** Notes what a probe brought. False when a later probe has brought something already that this one cannot better. */
  note(outcome: Outcome, expect: Expectation, sentAt: number, now: number): boolean {
    if (sentAt < this.#answeredSentAt && outcome !== expect) return false
    this.#answeredSentAt = Math.max(sentAt, this.#answeredSentAt)
    this.waitingSince = this.sentAt > sentAt ? this.sentAt : Number.POSITIVE_INFINITY
    this.fail(outcome, now)
    return true
  }

  /** Notes an answer, or why there is none. */
  fail(outcome: Outcome, now: number): void {
    this.answeredAt = now
    if (outcome === 'present' || outcome === 'absent') {
      this.state = outcome
    } else {
      this.state = 'unknown'
      this.reason = outcome
    }
  }

  /** True once: a connection that breaks for the first time was probably just closed at rest. */
  firstReset(): boolean {
    const first = !this.#wasReset
    this.#wasReset = true
    return first
  }

  answered(outcome: Outcome, sentAt: number): void {
    this.#hear(this, outcome, sentAt)
  }
}
