// What the synced capability promises to its callers: the question, the answer, and the errors it throws.

/** The four words of the header `X-Token-Status`; the spelling is the contract. */
export type TokenStatus = 'Synced' | 'Partialy' | 'NotSynced' | 'Timeout'

/** `present`: has the token arrived everywhere? `absent`: has it been forgotten everywhere? */
export type Expectation = 'present' | 'absent'

export interface CheckRequest {
  /** 1 to 8192 characters that its place on the probe can carry. */
  readonly token: string
  /** Name, else address, of the replica that stored the token; it is neither asked nor counted. */
  readonly origin: string
  readonly expect: Expectation
  /** Limits the check to these replicas, by name; all of them when undefined. */
  readonly only?: readonly string[] | undefined
}

/** What one replica is known to say of the token. */
export type TokenState = 'present' | 'absent' | 'unknown'

/** Why a replica's state is unknown. */
export type UnknownReason =
  | 'pending' // asked, no answer yet
  | 'silent' // an answer is overdue
  | 'refused' // no connection
  | 'reset' // the connection broke
  | 'tls' // the certificate does not verify
  | 'garbage' // not HTTP
  | 'redirect' // 3xx, never followed
  | 'throttled' // 429
  | 'server-error' // 5xx
  | 'unexpected-status' // anything else that is neither 200 nor 401
  | 'not-asked' // no probe could be sent in time

export interface ReplicaAnswer {
  readonly name: string
  readonly state: TokenState
  readonly reason?: UnknownReason
  /** False for a replica that is on its way out: reported, not counted. */
  readonly counted: boolean
  /** Probes sent. */
  readonly attempts: number
  /** Milliseconds from the start of the check to the answer that settled the state; null without one. */
  readonly ms: number | null
}

export interface CheckResult {
  readonly status: TokenStatus
  readonly origin: string
  readonly expect: Expectation
  /** Milliseconds from the start of the check to the verdict. */
  readonly ms: number
  /** Sorted by name, without the origin. */
  readonly replicas: readonly ReplicaAnswer[]
}

export interface Lag {
  readonly p50Ms: number
  readonly p99Ms: number
  /** How many arrivals these are computed from. */
  readonly samples: number
}

export interface ReplicaStatus {
  readonly name: string
  readonly address: string
  readonly port: number
  readonly terminating: boolean
  /** `up`: answers probes; `down`: does not, see `reason`; `unknown`: was never probed. */
  readonly state: 'up' | 'down' | 'unknown'
  readonly reason?: UnknownReason
  /** Wall-clock milliseconds at which `state` began. */
  readonly since: number
  /** Wall-clock milliseconds at which it last answered a probe with 200 or 401; left out before the first time. */
  readonly lastSeen?: number
  /** How long after the start of a check tokens arrived here; null before the first one. */
  readonly lag: Lag | null
}

export interface ReplicaListStatus {
  readonly source: 'static' | 'dns' | 'kubernetes'
  /** Milliseconds since the source confirmed the list; null without a list. */
  readonly ageMs: number | null
  /** Why the source cannot be asked right now. */
  readonly problem?: string
  readonly replicas: readonly ReplicaStatus[]
}

/** What happened in one step of the history. */
export interface HistoryStep {
  /** Wall-clock milliseconds. */
  readonly startedAt: number
  /** Verdicts given in it. */
  readonly checks: Readonly<Record<TokenStatus, number>>
  /** Of the tokens that arrived in it, wherever; at most 5 % too much. Null when none did. */
  readonly lag: Lag | null
}

export interface GatewayHistory {
  readonly stepMs: number
  /** The oldest first, without gaps; the last one is not over yet. */
  readonly steps: readonly HistoryStep[]
}

export interface Gateway extends AsyncDisposable {
  /**
   * Asks every replica but the origin, and answers at the deadline at the latest.
   * Throws InvalidToken, UnknownOrigin, UnknownReplica, NoReplicas, TooManyChecks.
   */
  check(request: CheckRequest): Promise<CheckResult>
  /** The replicas and how they do. */
  replicas(): ReplicaListStatus
  /** Whether checks can be answered; `detail` says why not. */
  readiness(): { readonly ok: boolean; readonly detail: string }
  /** Verdicts given since the start. */
  verdicts(): Readonly<Record<TokenStatus, number>>
  /** The last quarter of an hour. */
  history(): GatewayHistory
}

/** The token cannot be carried where the probe carries it. */
export class InvalidToken extends Error {
  override readonly name = 'InvalidToken'
}

/** The origin is in no list of replicas, not after a refresh either. */
export class UnknownOrigin extends Error {
  override readonly name = 'UnknownOrigin'
}

/** A check was limited to a replica that is not in the list, or to the origin alone. */
export class UnknownReplica extends Error {
  override readonly name = 'UnknownReplica'
}

/** There is no list of replicas yet, or it is empty. */
export class NoReplicas extends Error {
  override readonly name = 'NoReplicas'
}

/** As many checks as allowed are in flight. */
export class TooManyChecks extends Error {
  override readonly name = 'TooManyChecks'
}
