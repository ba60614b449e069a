// The engine of elections and locks: a deterministic state machine without promises, timers or IO of its own. Its methods are
// events, its host does what it asks; the simulator plays this very class. One request is under way at a time, and answers to
// others (late, or twice) are passed over. Its states:
//   idle → follow (start) → lead (PUT answered in time) → follow or idle (deadline, taken, deleted, released)
//   follow → leave (resigned with a PUT unanswered) → lead, to be released, when it turns out to have been written; else idle
import type { CampaignHost, CloseReason, Failure, Patience } from './campaign-host.ts'
import { decide, holderOf, isOlder, NOTHING_OBSERVED, type Observed, observe, type Self } from './decide.ts'
import type { LeaseSight } from './driver.ts'
import { type Instant, PassedTime } from './elapsed.ts'
import { Holding, type LossReason } from './holding.ts'
import { beginTenure, continueTenure, type LeaseRecord, toMicroTime, toWholeSeconds, type Write } from './lease.ts'
import { Pauses } from './pauses.ts'
import type { Timings } from './timings.ts'

interface Request {
  readonly id: number
  readonly kind: 'get' | 'acquire' | 'renew' | 'release'
  readonly sent: Instant
  readonly mark: string
}

/** A watch that is healthy tells the state long before; then it is read, in milliseconds. */
const FIRST_SIGHT_MS = 1_000
/** Without patience it is given up after being outrun so often. */
const MAX_CONFLICTS_OF_A_TRY = 2

export class Campaign {
  readonly #identity: string
  readonly #timings: Timings
  readonly #host: CampaignHost
  readonly #pauses: Pauses
  readonly #passed = new PassedTime()
  #state: 'idle' | 'follow' | 'lead' | 'leave' = 'idle'
  #patience: Patience = 'forever'
  #observed: Observed = NOTHING_OBSERVED
  /** Seen since the start: what is older only tells since when the record is as it is. */
  #isFresh = false
  #holding: Holding | undefined
  /** Set by `resign`: what follows after the release. */
  #resigned: 'stop' | 'rejoin' | undefined
  #isSettled = false
  #request: Request | undefined
  #requests = 0
  #marks = 0
  #mustGet = false
  /** An acquiring PUT may yet be found to have been written. */
  #maybeHeld = false
  #yieldUntilMs = 0
  #spreadMs = 0
  #giveUpAtMs = 0

  constructor(identity: string, timings: Timings, host: CampaignHost) {
    this.#identity = identity
    this.#timings = timings
    this.#host = host
    this.#pauses = new Pauses(timings, () => host.random())
  }

  /** What was seen last; hand it to `start` of another campaign for the same Lease in this process. */
  get observed(): Observed {
    return this.#observed
  }

  /** False until something was seen since the start. */
  get isKnown(): boolean {
    return this.#isFresh
  }

  /** On record, and renewed: still so while it is resigned and the work goes on. */
  get isHolding(): boolean {
    return this.#holding !== undefined
  }

  /** The holder on record. */
  get leader(): string | undefined {
    return holderOf(this.#observed)
  }

  /** Milliseconds until the term ends by itself; 0 or less when there is none, when it is over or was resigned. Reads both clocks. */
  get remainingMs(): number {
    if (this.#holding === undefined || this.#resigned !== undefined) return 0
    return this.#holding.leftMs(this.#instant())
  }

  /** Begins. `yieldUntilMs`: others go first until then. Only when idle. */
  start(patience: Patience, remembered: Observed = this.#observed, yieldUntilMs = 0): void {
    if (this.#state !== 'idle') throw new Error('a campaign is started only when it is idle')
    this.#state = 'follow'
    this.#patience = patience
    this.#observed = remembered
    this.#isFresh = false
    this.#resigned = undefined
    this.#isSettled = false
    this.#mustGet = patience === 'one-try'
    this.#maybeHeld = false
    this.#pauses.reset()
    this.#yieldUntilMs = yieldUntilMs
    this.#giveUpAtMs = this.#now() + Math.min(FIRST_SIGHT_MS, this.#timings.requestTimeoutMs)
    this.#step()
  }

  /** The moment set by `setWake` has come; harmless at any other. */
  wake(): void {
    this.#step()
  }

  /** Aborts the term; it is renewed until `settle` releases it. Then `rejoin` campaigns again, after others had their chance. */
  resign(then: 'stop' | 'rejoin'): void {
    if (this.#state === 'lead') {
      const isFirst = this.#resigned === undefined
      if (this.#resigned !== 'stop') this.#resigned = then
      if (isFirst) this.#host.lost('resigned')
    } else if (this.#state === 'follow' && then === 'stop') {
      this.#resigned = 'stop'
      if (this.#maybeHeld || this.#request?.kind === 'acquire') this.#leave()
      else this.#close('stopped')
    }
    this.#step()
  }

  /** The work of all terms has ended: what was resigned may be released. */
  settle(): void {
    if (this.#resigned === undefined) return
    this.#isSettled = true
    this.#step()
  }

  /** Ends at once. What is held is neither renewed nor released: it expires. */
  abandon(): void {
    if (this.#state === 'idle') return
    const isUntold = this.#state === 'lead' && this.#resigned === undefined
    this.#resigned = 'stop'
    if (isUntold) this.#host.lost('resigned')
    this.#close('stopped')
  }

  putAnswered(id: number, sight: LeaseSight): void {
    const request = this.#answerTo(id)
    if (request === undefined) return
    this.#pauses.reset()
    this.#see(sight, true)
    if (request.kind === 'acquire') {
      const holding = new Holding(sight, request.sent, this.#timings)
      // Else too late: others may already count it as expired. It is ours on record, and taken anew as another term.
      if (holding.leftMs(this.#instant()) > 0) this.#lead(holding)
    } else if (request.kind === 'renew') this.#holding?.renewed(sight, request.sent)
    else if (this.#holding !== undefined) this.#end('resigned')
    this.#step()
  }

  putFailed(id: number, { code, retryAfterMs = 0 }: Failure): void {
    const request = this.#answerTo(id)
    if (request === undefined) return
    const isSecondDoubt = this.#maybeHeld
    if (code === 'timeout' || code === 'unavailable') {
      if (request.kind === 'acquire') this.#maybeHeld = true
      this.#holding?.doubt(request.mark, request.sent)
    }
    if (code === 'conflict') this.#pauses.addConflict(this.#now(), this.#state === 'lead')
    else if (code !== 'timeout') this.#pauses.add(this.#now(), retryAfterMs, this.#state === 'lead')
    // A look at the Lease tells what has become of it; where the server may not have heard us at all, another try does as well.
    if (code === 'conflict' || code === 'timeout') this.#mustGet = true
    if (this.#isOneTry()) this.#reconsiderTry(code, isSecondDoubt)
    this.#step()
  }

  /** Without patience there is one look at what became of a PUT, and no pause. */
  #reconsiderTry(code: Failure['code'], isSecondDoubt: boolean): void {
    this.#mustGet = true
    this.#pauses.lift()
    if (code === 'refused' || (code !== 'conflict' && isSecondDoubt)) this.#close('failed')
    else if (this.#pauses.conflicts > MAX_CONFLICTS_OF_A_TRY) this.#close('held')
  }

  getAnswered(id: number, sight: LeaseSight | undefined): void {
    if (this.#answerTo(id) === undefined) return
    this.#mustGet = false
    this.#see(sight, true)
    if (this.#state === 'lead') this.#checkHolding(sight)
    else if (this.#state === 'leave') {
      if (sight?.record.holder === this.#identity) this.#lead(new Holding(sight, this.#instant(), this.#timings))
      else this.#close('stopped')
    }
    this.#step()
  }

  getFailed(id: number, { retryAfterMs = 0 }: Failure): void {
    if (this.#answerTo(id) === undefined) return
    this.#mustGet = true
    this.#pauses.add(this.#now(), retryAfterMs, this.#state === 'lead')
    if (this.#isOneTry()) this.#close('failed')
    this.#step()
  }

  /** The watch tells the Lease as it is; undefined: there is none. */
  watched(sight: LeaseSight | undefined): void {
    if (this.#state !== 'follow') return
    if (sight !== undefined && isOlder(sight, this.#observed.sight)) return
    // News means that the server is back: what it was spared from may be tried.
    if (this.#see(sight, false)) this.#pauses.lift()
    this.#step()
  }

  /** The watch tells nothing at the moment. */
  watchFailed(): void {
    if (this.#state !== 'follow' || this.#isFresh) return
    this.#mustGet = true
    this.#step()
  }

  #now(): number {
    return this.#host.now().monotonicMs
  }

  #instant(): Instant {
    return this.#passed.at(this.#host.now())
  }

  #isOneTry(): boolean {
    return this.#patience === 'one-try' && this.#state === 'follow'
  }

  #self(): Self {
    return {
      identity: this.#identity,
      leaseDurationMs: this.#timings.leaseDurationMs,
      spreadMs: this.#patience === 'one-try' ? 0 : this.#spreadMs,
      yieldUntilMs: this.#yieldUntilMs,
    }
  }

  /** The request that this is the answer to; undefined when nobody waits for it any more. */
  #answerTo(id: number): Request | undefined {
    const request = this.#request
    if (request?.id !== id) return undefined
    this.#request = undefined
    return request
  }

  /** Takes a sight in. True when the record has changed. */
  #see(sight: LeaseSight | undefined, confirms: boolean): boolean {
    const { changes } = this.#observed
    this.#observed = observe(this.#observed, sight, this.#now(), this.#self(), confirms)
    this.#isFresh = true
    const holder = sight?.record.holder ?? ''
    if (holder !== '' && holder !== this.#identity) {
      this.#yieldUntilMs = 0
      this.#maybeHeld = false
      if (confirms) this.#pauses.reset()
    }
    const isChanged = this.#observed.changes !== changes
    if (isChanged) this.#spreadMs = this.#host.random() * this.#timings.jitterMs
    return isChanged
  }

  #step(): void {
    if (this.#state === 'lead') this.#keep()
    else if (this.#state === 'follow') this.#follow()
    else if (this.#state === 'leave') this.#resolve()
  }

  #follow(): void {
    const nowMs = this.#now()
    if (this.#request !== undefined) this.#host.setWake(undefined)
    else if (nowMs < this.#pauses.untilMs) this.#host.setWake(this.#pauses.untilMs)
    else if (this.#mustGet) this.#sendGet(this.#timings.requestTimeoutMs)
    else this.#carryOut(nowMs)
  }

  #carryOut(nowMs: number): void {
    const decision = decide(this.#isFresh ? this.#observed : NOTHING_OBSERVED, nowMs, this.#self())
    if (decision.kind === 'take' || decision.kind === 'create') {
      const { sight } = this.#observed
      const base = decision.kind === 'take' && typeof sight === 'object' ? sight : undefined
      const write = this.#write(this.#identity)
      this.#sendPut('acquire', base, this.#timings.requestTimeoutMs, beginTenure(base?.record, write))
    } else if (this.#patience === 'one-try') {
      this.#close('held')
    } else {
      this.#host.openWatch()
      if (decision.kind === 'wait') this.#host.setWake(decision.untilMs)
      else if (decision.reason === 'silent' || nowMs >= this.#giveUpAtMs) this.#sendGet(this.#timings.requestTimeoutMs)
      else this.#host.setWake(this.#giveUpAtMs)
    }
  }

  #lead(holding: Holding): void {
    this.#holding = holding
    this.#state = 'lead'
    this.#mustGet = false
    this.#maybeHeld = false
    this.#host.closeWatch()
    if (this.#resigned === undefined) this.#host.elected(holding.term)
  }

  /** What a leader does, between its requests too. */
  #keep(): void {
    const holding = this.#holding
    if (holding === undefined) return
    const now = this.#instant()
    const leftMs = holding.leftMs(now)
    if (leftMs <= 0) {
      this.#end('deadline')
      return
    }
    const isReleasing = this.#resigned !== undefined && this.#isSettled
    const dueAtMs = Math.max(this.#pauses.untilMs, isReleasing || this.#mustGet ? 0 : holding.renewAtMs)
    const isDue = this.#request === undefined && now.monotonicMs >= dueAtMs
    const nextMs = isDue || this.#request !== undefined ? Number.POSITIVE_INFINITY : dueAtMs
    this.#host.setWake(Math.min(nextMs, now.monotonicMs + Math.min(leftMs, this.#timings.tickMs)))
    if (!isDue) return
    // Half of the time that is left: what does not answer gets a second chance.
    const timeoutMs = Math.min(this.#timings.requestTimeoutMs, Math.max(leftMs / 2, Math.min(leftMs, 500)))
    if (this.#mustGet) this.#sendGet(timeoutMs)
    else {
      const write = this.#write(isReleasing ? '' : this.#identity)
      const record = continueTenure(holding.sight.record, write)
      this.#sendPut(isReleasing ? 'release' : 'renew', holding.sight, timeoutMs, record)
    }
  }

  /** A look at the Lease while it is, or was, held. */
  #checkHolding(sight: LeaseSight | undefined): void {
    if (this.#holding === undefined) return
    if (sight === undefined) this.#end('deleted')
    else if (!this.#holding.adopt(sight)) this.#end(this.#resigned === undefined ? 'taken' : 'resigned')
  }

  #leave(): void {
    this.#state = 'leave'
    this.#giveUpAtMs = this.#now() + this.#timings.renewDeadlineMs
    this.#host.closeWatch()
  }

  /** Finds out whether the last PUT was written, so that it can be released. */
  #resolve(): void {
    const nowMs = this.#now()
    if (nowMs >= this.#giveUpAtMs) this.#close('stopped')
    else if (this.#request !== undefined) this.#host.setWake(this.#giveUpAtMs)
    else if (nowMs < this.#pauses.untilMs) this.#host.setWake(Math.min(this.#pauses.untilMs, this.#giveUpAtMs))
    else this.#sendGet(this.#timings.requestTimeoutMs)
  }

  #end(reason: LossReason): void {
    const resigned = this.#resigned
    this.#holding = undefined
    this.#mustGet = false
    this.#state = 'follow'
    if (resigned === 'rejoin') {
      this.#yieldUntilMs = this.#now() + toWholeSeconds(this.#timings.leaseDurationMs) * 1_000
      this.#resigned = undefined
      this.#isSettled = false
    }
    if (resigned === undefined) this.#host.lost(reason)
    // Whoever was told may have stopped it.
    if (this.#state !== 'follow') return
    if (resigned === 'stop') this.#close('released')
    else if (this.#patience !== 'forever') this.#close(reason)
    else this.#step()
  }

  #close(reason: CloseReason): void {
    this.#state = 'idle'
    this.#holding = undefined
    this.#request = undefined
    this.#host.closeWatch()
    this.#host.setWake(undefined)
    this.#host.closed(reason)
  }

  #sendGet(timeoutMs: number): void {
    this.#host.get(this.#begin('get', ''), timeoutMs)
  }

  #sendPut(kind: Request['kind'], base: LeaseSight | undefined, timeoutMs: number, record: LeaseRecord): void {
    this.#host.put(this.#begin(kind, record.renewTime ?? ''), record, base, timeoutMs)
  }

  /** Notes the time before anything is sent: what the answer grants is counted from here. */
  #begin(kind: Request['kind'], mark: string): number {
    this.#request = { id: ++this.#requests, kind, sent: this.#instant(), mark }
    if (this.#state === 'follow') this.#host.setWake(undefined)
    return this.#request.id
  }

  /** With a mark that no other write of this candidate has. */
  #write(holder: string): Write {
    this.#marks = (this.#marks + 1) % 1_000
    const mark = toMicroTime(this.#host.now().wallMs, this.#marks)
    return { holder, leaseDurationMs: this.#timings.leaseDurationMs, mark }
  }
}
