// Mistakes that dsync must not make, each as a change of its source. Each is caught by the simulator, or by a test.

export interface Mutation {
  readonly name: string
  readonly caughtBy: 'simulator' | 'tests'
  readonly changes: readonly {
    readonly file: string
    /** Occurs exactly once. */
    readonly from: string
    readonly to: string
  }[]
}

const campaign = 'src/dsync/campaign.ts'
const decide = 'src/dsync/decide.ts'
const holding = 'src/dsync/holding.ts'
const elapsed = 'src/dsync/elapsed.ts'

const change = (file: string, from: string, to: string) => ({ file, from, to })

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'the deadline is counted from the answer',
    caughtBy: 'simulator',
    changes: [
      change(campaign, 'renewed(sight, request.sent)', 'renewed(sight, this.#instant())'),
      change(
        campaign,
        'new Holding(sight, request.sent, this.#timings)',
        'new Holding(sight, this.#instant(), this.#timings)',
      ),
    ],
  },
  {
    name: 'expiry compares the renewTime of another with the own wall clock',
    caughtBy: 'simulator',
    changes: [
      change(
        campaign,
        'decide(this.#isFresh ? this.#observed : NOTHING_OBSERVED, nowMs, this.#self())',
        `decide(
          !this.#isFresh ? NOTHING_OBSERVED : typeof this.#observed.sight !== 'object' ? this.#observed : {
            ...this.#observed,
            changedAtMs: Date.parse(this.#observed.sight.record.renewTime ?? '') - this.#host.now().wallMs + nowMs,
          },
          nowMs,
          this.#self(),
        )`,
      ),
    ],
  },
  {
    name: 'a Lease is taken without its resourceVersion',
    caughtBy: 'simulator',
    changes: [
      change(campaign, "decision.kind === 'take' && typeof sight === 'object' ? sight : undefined", 'undefined'),
    ],
  },
  {
    name: 'the Lease is released before the work has ended',
    caughtBy: 'simulator',
    changes: [change(campaign, 'this.#resigned !== undefined && this.#isSettled', 'this.#resigned !== undefined')],
  },
  {
    name: 'a leader looks at the monotonic clock only',
    caughtBy: 'simulator',
    changes: [
      change(
        elapsed,
        'return Math.max(to.passedMs - from.passedMs, to.monotonicMs - from.monotonicMs, to.wallMs - from.wallMs)',
        'return to.monotonicMs - from.monotonicMs',
      ),
    ],
  },
  {
    name: 'a leader looks at the wall clock only',
    caughtBy: 'simulator',
    changes: [
      change(
        elapsed,
        'return Math.max(to.passedMs - from.passedMs, to.monotonicMs - from.monotonicMs, to.wallMs - from.wallMs)',
        'return to.wallMs - from.wallMs',
      ),
    ],
  },
  {
    name: 'a wall clock that is set back hides that the machine was suspended',
    caughtBy: 'simulator',
    changes: [
      change(
        elapsed,
        'return Math.max(to.passedMs - from.passedMs, to.monotonicMs - from.monotonicMs, to.wallMs - from.wallMs)',
        'return Math.max(to.monotonicMs - from.monotonicMs, to.wallMs - from.wallMs)',
      ),
    ],
  },
  {
    name: 'a renewal that was not written is credited',
    caughtBy: 'simulator',
    changes: [
      change(
        holding,
        'this.#doubtful.find((attempt) => attempt.renewTime === sight.record.renewTime)',
        'this.#doubtful.at(-1)',
      ),
    ],
  },
  {
    name: 'a Lease that another holds is adopted',
    caughtBy: 'simulator',
    changes: [
      change(
        holding,
        'sight.record.holder !== record.holder || sight.record.acquireTime !== record.acquireTime',
        'false',
      ),
    ],
  },
  {
    name: 'a follower does not wait for the whole lease',
    caughtBy: 'simulator',
    changes: [
      change(
        decide,
        'changedAtMs + durationOf(sight, self) + self.spreadMs',
        'changedAtMs + durationOf(sight, self) * 0.6',
      ),
    ],
  },
  {
    name: 'a follower takes its own lease for that of the record',
    caughtBy: 'simulator',
    changes: [
      change(
        decide,
        'return sight.record.durationMs > 0 ? sight.record.durationMs : self.leaseDurationMs',
        'return self.leaseDurationMs / 2',
      ),
    ],
  },
  {
    name: 'a candidate that has lost does not campaign again',
    caughtBy: 'simulator',
    changes: [
      change(
        campaign,
        "else if (this.#patience !== 'forever') this.#close(reason)",
        'else if (true) this.#close(reason)',
      ),
    ],
  },
  {
    name: 'silence of the watch is not questioned',
    caughtBy: 'tests',
    changes: [change(decide, 'if (observed.isConfirmed) return', 'if (observed.changes > 0) return')],
  },
  {
    name: 'a conflict is not followed by a look',
    caughtBy: 'simulator',
    changes: [
      change(
        campaign,
        "if (code === 'conflict' || code === 'timeout') this.#mustGet = true",
        "if (code === 'timeout') this.#mustGet = true",
      ),
    ],
  },
  {
    name: 'a leader does not look at the clocks between renewals',
    caughtBy: 'simulator',
    changes: [change(campaign, 'Math.min(leftMs, this.#timings.tickMs)', 'leftMs')],
  },
  {
    name: 'the signal does not abort when the term was lost',
    caughtBy: 'simulator',
    changes: [
      change(
        campaign,
        'if (resigned === undefined) this.#host.lost(reason)',
        "if (resigned === undefined && reason !== 'taken') this.#host.lost(reason)",
      ),
    ],
  },
  {
    name: 'a Lease that was deleted while held is made anew at once',
    caughtBy: 'tests',
    changes: [change(decide, 'nowMs + durationOf(known, self) : before.heldUntilMs', 'nowMs : before.heldUntilMs')],
  },
  {
    name: 'who stepped down does not let others go first',
    caughtBy: 'tests',
    changes: [
      change(
        campaign,
        'this.#yieldUntilMs = this.#now() + toWholeSeconds(this.#timings.leaseDurationMs) * 1_000',
        'this.#yieldUntilMs = 0',
      ),
    ],
  },
  {
    name: 'all handles of a process have one identity',
    caughtBy: 'tests',
    changes: [change('src/dsync/dsync.ts', 'randomUUID()', "'one'")],
  },
  {
    name: 'stop does not wait for the work',
    caughtBy: 'tests',
    changes: [
      change('src/dsync/election.ts', 'void this.#settled().then(() => candidate.settle())', 'candidate.settle()'),
    ],
  },
  {
    name: 'isLeader stays true after the signal aborted',
    caughtBy: 'tests',
    changes: [
      change(
        'src/dsync/election.ts',
        'return this.#tenure?.signal.aborted === false ? this.#tenure : undefined',
        'return this.#tenure',
      ),
    ],
  },
  {
    name: 'check() does not look at the clocks',
    caughtBy: 'tests',
    changes: [
      change(
        'src/dsync/tenure.ts',
        'if (!this.signal.aborted && this.#candidate.remainingMs > 0) return',
        'if (!this.signal.aborted) return',
      ),
    ],
  },
  {
    name: 'a lock without a duration',
    caughtBy: 'tests',
    changes: [change('src/dsync/lease.ts', 'return Math.max(1, Math.ceil(durationMs / 1_000))', 'return 0')],
  },
]
