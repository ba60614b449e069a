// The application for tests: a gateway that answers what a test says, a clock turned by hand, logs kept in memory.
import type { FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import { type AppDependencies, createApp } from '../../../src/http/app.ts'
import type { Caller } from '../../../src/http/auth/authenticator.ts'
import { failure } from '../../../src/http/auth/authenticator.ts'
import { createSoleLeadership } from '../../../src/lib/leadership.ts'
import { createLogger } from '../../../src/lib/logger.ts'
import { createRegistry } from '../../../src/lib/metrics.ts'
import type {
  CheckRequest,
  CheckResult,
  Gateway,
  ReplicaListStatus,
  TokenStatus,
} from '../../../src/synced/contract.ts'
import { FakeClock } from '../../lib/fake-clock.ts'
import { expectDocumented } from './conformance.ts'

export const TOKEN = 'tok-5ec2e7-9b1c'
export const ASKING = { 'x-auth-token': TOKEN, 'x-nginx-origin': 'gw-0' }

export function verdict(status: TokenStatus, overrides: Partial<CheckResult> = {}): CheckResult {
  return {
    status,
    origin: 'gw-0',
    expect: 'present',
    ms: 12.5,
    replicas: [
      { name: 'gw-1', state: 'present', counted: true, attempts: 2, ms: 11.5 },
      { name: 'gw-2', state: 'unknown', reason: 'refused', counted: false, attempts: 4, ms: null },
    ],
    ...overrides,
  }
}

const unexpectedCheck = (_: CheckRequest): Promise<CheckResult> => Promise.reject(new Error('unexpected check'))

/** Answers what `onCheck` says; a check that no test expects fails. */
export class FakeGateway implements Gateway {
  asked: CheckRequest[] = []
  onCheck = unexpectedCheck
  list: ReplicaListStatus = { source: 'static', ageMs: 0, replicas: [] }

  /** As if it were new. */
  forget(): void {
    this.asked = []
    this.onCheck = unexpectedCheck
  }
  check(request: CheckRequest): Promise<CheckResult> {
    this.asked.push(request)
    return this.onCheck(request)
  }
  replicas(): ReplicaListStatus {
    return this.list
  }
  readiness() {
    return { ok: true, detail: 'as tests want it' }
  }
  verdicts() {
    return { Synced: 3, Partialy: 2, NotSynced: 1, Timeout: 0 }
  }
  history() {
    const checks = { Synced: 1, Partialy: 0, NotSynced: 0, Timeout: 0 }
    return { stepMs: 10_000, steps: [{ startedAt: 1_700_000_000_000, checks, lag: null }] }
  }
  async [Symbol.asyncDispose]() {}
}

export interface Asking {
  readonly method?: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string | string[]>>
  readonly payload?: string
}

export interface Harness extends AsyncDisposable {
  readonly app: FastifyInstance
  readonly gateway: FakeGateway
  readonly clock: FakeClock
  readonly registry: Registry
  readonly lifecycle: { stopping: boolean }
  readonly logs: readonly string[]
  /** The lines of the log, parsed, without their time. */
  lines(): readonly Record<string, unknown>[]
  /** Asks, and makes sure that the answer is as the document has it. */
  ask(asking: Asking): Promise<{
    readonly status: number
    readonly headers: Readonly<Record<string, unknown>>
    readonly body: string
    json(): Record<string, unknown>
  }>
}

export async function createHarness(overrides: Partial<AppDependencies> = {}): Promise<Harness> {
  const gateway = new FakeGateway()
  const clock = new FakeClock()
  const registry = createRegistry()
  const lifecycle = { stopping: false }
  const logs: string[] = []
  const app = await createApp({
    config: { auth: { mode: 'none', open: [] } },
    gateway,
    runs: undefined,
    tokens: undefined,
    db: undefined,
    leadership: createSoleLeadership('syncer-0'),
    authenticator: acceptAll({ name: 'tester', scopes: new Set(['synced', 'read']) }),
    registry,
    logger: createLogger('info', { write: (line) => void logs.push(line) }),
    clock,
    version: '1.2.3',
    instance: 'syncer-0',
    lifecycle,
    readiness: () => [{ name: 'gateway', ok: true, detail: 'static list of 2 replicas' }],
    ...overrides,
  })
  return {
    app,
    gateway,
    clock,
    registry,
    lifecycle,
    logs,
    lines: () =>
      logs.map((line) => {
        const { time: _, ...rest } = JSON.parse(line)
        return rest
      }),
    async ask({ method = 'GET', url, headers = {}, payload }) {
      const response = await app.inject({
        method: method as 'GET',
        url,
        headers: { ...headers },
        ...(payload !== undefined && { payload }),
      })
      // The line of the log is written when the response is closed, which is after it has arrived here.
      await new Promise(setImmediate)
      const { statusCode: status, headers: received, body } = response
      const sent = payload !== undefined && status < 300 ? { sent: JSON.parse(payload) } : {}
      expectDocumented({ method, url, status, headers: received, body, ...sent })
      return {
        status: response.statusCode,
        headers: response.headers,
        body: response.body,
        json: () => response.json(),
      }
    },
    [Symbol.asyncDispose]: () => app.close(),
  }
}

export function acceptAll(caller: Caller): AppDependencies['authenticator'] {
  return { mode: 'none', authenticate: () => ({ ok: true, caller }) }
}

/** Callers by bearer token; what is no token of theirs is unknown. */
export function acceptBearers(callers: Readonly<Record<string, Caller>>): AppDependencies['authenticator'] {
  return {
    mode: 'bearer',
    authenticate(authorization) {
      if (authorization === undefined) return failure('missing', 'the Authorization header is missing')
      const caller = callers[authorization.replace(/^Bearer /, '')]
      return caller === undefined ? failure('unknown', 'the bearer token is not known here') : { ok: true, caller }
    },
  }
}
