// Answers checks: finds the origin, joins equal questions, keeps the number under way bounded, and follows the list of replicas.

import type { Registry } from 'prom-client'
import type { Dispatcher } from 'undici'
import type { Clock } from '../lib/clock.ts'
import { createSecureContexts, type TlsFiles } from '../lib/secure-context.ts'
import type { Member } from './asked.ts'
import { createProbeBudget, unlimited } from './budget.ts'
import { type CheckSurroundings, RunningCheck, Sharers } from './check.ts'
import {
  type CheckRequest,
  type CheckResult,
  type Gateway,
  InvalidToken,
  NoReplicas,
  type ReplicaListStatus,
  type ReplicaStatus,
  TooManyChecks,
  UnknownOrigin,
} from './contract.ts'
import { History } from './history.ts'
import { LagWindow } from './lag.ts'
import { Membership } from './membership.ts'
import { createGatewayMetrics, type GatewayMetrics } from './metrics.ts'
import type { Discovery, Replica } from './replica.ts'
import { type ProbeConnection, ReplicaConnection } from './replica-connection.ts'
import { canCarry, parseTokenPlace, type TokenPlace } from './token-place.ts'

/** The settings that the gateway needs, as the configuration has them. */
export interface GatewayOptions {
  readonly probe: {
    readonly scheme: 'https' | 'http'
    readonly host: string
    readonly path: string
    readonly token: string
    readonly tls?: { readonly servername?: string } | undefined
  }
  readonly deadlineMs: number
  readonly connectTimeoutMs: number
  readonly retry:
    | { readonly mode: 'adaptive' }
    | { readonly mode: 'fixed'; readonly intervalMs: number; readonly retries: number }
  readonly maxConcurrentChecks: number
  readonly maxProbesPerSecond?: number | undefined
}

export interface GatewayDependencies {
  readonly config: GatewayOptions
  readonly discovery: Discovery
  /** PEM texts, read at each new connection. */
  readonly tls: TlsFiles
  readonly clock: Clock
  readonly registry: Registry
}

export interface RunningGateway extends Gateway {
  /** Begins to follow the list of replicas. */
  start(): void
}

/** Probes a second that asking again may take where no budget is set: about a fifth of a core. */
const REASK_PROBES_PER_SECOND = 20_000

/** Throws RangeError when `config.probe.token` is no place for a token. */
export function createGateway({ tls, ...dependencies }: GatewayDependencies): RunningGateway {
  const { config, clock } = dependencies
  const { connectTimeoutMs, deadlineMs, probe } = config
  const servername = probe.tls?.servername ?? withoutPort(probe.host)
  const secureContext = createSecureContexts(tls)
  const options = { scheme: probe.scheme, servername, secureContext, connectTimeoutMs, deadlineMs }
  return createGatewayOver((replica) => new ReplicaConnection(replica, options, clock), dependencies)
}

/** The same over any way to reach a replica. */
export function createGatewayOver(
  connect: (replica: Replica) => ProbeConnection,
  dependencies: Omit<GatewayDependencies, 'tls'>,
): RunningGateway {
  return new ProbingGateway(connect, dependencies)
}

class ProbingGateway implements RunningGateway {
  readonly #config: GatewayOptions
  readonly #discovery: Discovery
  readonly #clock: Clock
  readonly #place: TokenPlace
  readonly #membership: Membership
  readonly #metrics: GatewayMetrics
  readonly #around: CheckSurroundings
  /** Checks under way, by what they ask. */
  readonly #checks = new Map<string, RunningCheck>()
  /** Checks under way, by origin and expectation. */
  readonly #sharers = new Map<string, Sharers>()
  readonly #lags = new Map<string, LagWindow>()
  readonly #history: History
  readonly #startedAt: number

  constructor(
    connect: (replica: Replica) => ProbeConnection,
    { config, discovery, clock, registry }: Omit<GatewayDependencies, 'tls'>,
  ) {
    this.#config = config
    this.#discovery = discovery
    this.#clock = clock
    this.#startedAt = clock.wallNow()
    this.#history = new History(clock)
    this.#place = parseTokenPlace(config.probe.token)
    this.#membership = new Membership(connect)
    this.#metrics = createGatewayMetrics(registry, {
      checksInFlight: () => this.#checks.size,
      replicas: () =>
        this.#membership.members.map(({ replica, connection }) => ({
          name: replica.name,
          state: connection.health.state,
        })),
      listAgeSeconds: () => {
        const ageMs = discovery.ageMs()
        return ageMs === undefined ? undefined : ageMs / 1000
      },
      lags: () => this.#lags,
    })
    const { maxProbesPerSecond, retry } = config
    this.#around = {
      clock,
      budget: maxProbesPerSecond === undefined ? unlimited : createProbeBudget(maxProbesPerSecond, clock.now()),
      deadlineMs: config.deadlineMs,
      silentAfterMs: config.connectTimeoutMs,
      probesPerSecond: Math.min(REASK_PROBES_PER_SECOND, (maxProbesPerSecond ?? Number.POSITIVE_INFINITY) / 2),
      fixedRetry: retry.mode === 'fixed' ? retry : undefined,
      waiting: () => this.#checks.size,
      sent: () => this.#metrics.sent(),
      heard: (outcome) => this.#metrics.heard(outcome),
      arrived: (replica, ms) => {
        this.#lags.get(replica.name)?.add(ms, clock.now())
        this.#history.arrived(ms)
      },
      judged: (result) => {
        this.#metrics.judged(result.status, result.expect, result.ms)
        this.#history.judged(result.status)
      },
    }
  }

  start(): void {
    this.#discovery.start(() => this.#follow())
    this.#follow()
  }

  async check(request: CheckRequest): Promise<CheckResult> {
    if (!canCarry(this.#place, request.token)) {
      throw new InvalidToken(`the token must be 1 to 8192 characters of ${this.#place.rule}`)
    }
    const startedAt = this.#clock.now()
    const origin = this.#membership.find(request.origin) ?? (await this.#findAfterRefresh(request.origin, startedAt))
    const key = `${request.expect}\n${request.origin}\n${request.only?.join(' ') ?? ''}\n${request.token}`
    const running = this.#checks.get(key)
    if (running !== undefined) return running.join(startedAt)
    const check = this.#create(key, request, origin)
    const verdict = check.join(startedAt)
    check.start()
    return verdict
  }

  replicas(): ReplicaListStatus {
    const { problem } = this.#discovery
    const now = this.#clock.now()
    return {
      source: this.#discovery.kind,
      ageMs: this.#discovery.ageMs() ?? null,
      ...(problem === undefined ? {} : { problem }),
      replicas: this.#membership.members.map((member) => this.#status(member, now)),
    }
  }

  readiness(): { readonly ok: boolean; readonly detail: string } {
    const { replicas, maxAgeMs, problem } = this.#discovery
    const why = problem === undefined ? '' : `: ${problem}`
    if (replicas === undefined) return { ok: false, detail: `no list of replicas yet${why}` }
    if (replicas.length === 0) return { ok: false, detail: `the list of replicas is empty${why}` }
    const ageMs = this.#discovery.ageMs() ?? 0
    if (ageMs > maxAgeMs)
      return { ok: false, detail: `the list of replicas is ${Math.round(ageMs / 1000)} s old${why}` }
    return { ok: true, detail: `${replicas.length} replicas` }
  }

  verdicts(): ReturnType<Gateway['verdicts']> {
    return this.#metrics.verdicts()
  }

  history(): ReturnType<Gateway['history']> {
    return this.#history.read()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const check of [...this.#checks.values()]) check.close()
    await this.#discovery[Symbol.asyncDispose]()
    await this.#membership[Symbol.asyncDispose]()
  }

  /** Throws TooManyChecks or UnknownReplica. */
  #create(key: string, request: CheckRequest, origin: Member): RunningCheck {
    if (this.#checks.size >= this.#config.maxConcurrentChecks) {
      this.#metrics.rejected()
      throw new TooManyChecks(`${this.#checks.size} checks are in flight, as many as allowed`)
    }
    const members = this.#membership.others(origin, request.only)
    const circle = `${request.expect}\n${origin.replica.name}`
    const sharers = this.#sharers.get(circle) ?? new Sharers()
    const check = new RunningCheck(request, members, this.#probeOf(request.token), sharers, this.#around, () => {
      this.#checks.delete(key)
      sharers.checks.delete(check)
      if (sharers.checks.size === 0) this.#sharers.delete(circle)
    })
    this.#checks.set(key, check)
    this.#sharers.set(circle, sharers)
    sharers.checks.add(check)
    return check
  }

  #probeOf(token: string): Dispatcher.DispatchOptions {
    const { path, host } = this.#config.probe
    return {
      path,
      method: 'GET',
      headers: ['host', host, this.#place.header, this.#place.prefix + token],
      blocking: false,
    }
  }

  /** Throws NoReplicas or UnknownOrigin. */
  async #findAfterRefresh(origin: string, startedAt: number): Promise<Member> {
    const expired = new AbortController()
    const timer = this.#clock.setTimer(Math.max(0, startedAt + this.#config.deadlineMs - this.#clock.now()), () =>
      expired.abort(),
    )
    try {
      await this.#discovery.refresh(expired.signal)
    } finally {
      timer.cancel()
    }
    const found = this.#membership.find(origin)
    if (found !== undefined) return found
    if (this.#membership.members.length === 0) throw new NoReplicas(this.readiness().detail)
    throw new UnknownOrigin(
      `no replica has the name or address ${JSON.stringify(origin)}; there are ${this.#membership.names()}`,
    )
  }

  /** Discovery has a new list: connections, lags and the checks under way follow it. */
  #follow(): void {
    const replicas = this.#discovery.replicas
    if (replicas === undefined) return
    this.#membership.update(replicas)
    this.#keepLags(replicas)
    // With nobody left to ask, checks under way keep those that they know: nobody to ask must not read as everybody has it.
    if (replicas.length === 0) return
    for (const check of [...this.#checks.values()]) {
      const { origin, only } = check.request
      const stored = this.#membership.find(origin)
      const members = this.#membership.members.filter(
        (member) => member !== stored && (only === undefined || only.includes(member.replica.name)),
      )
      if (members.length > 0) check.retarget(members)
    }
  }

  #keepLags(replicas: readonly Replica[]): void {
    const names = new Set(replicas.map((replica) => replica.name))
    for (const name of this.#lags.keys()) if (!names.has(name)) this.#lags.delete(name)
    for (const name of names) if (!this.#lags.has(name)) this.#lags.set(name, new LagWindow())
  }

  #status({ replica, connection }: Member, now: number): ReplicaStatus {
    const { state, reason, since, seenAt } = connection.health
    return {
      ...replica,
      state,
      ...(reason === undefined ? {} : { reason }),
      since: Math.max(since, this.#startedAt),
      ...(seenAt === undefined ? {} : { lastSeen: seenAt }),
      lag: this.#lags.get(replica.name)?.summary(now) ?? null,
    }
  }
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
}
