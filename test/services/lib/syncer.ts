// The service itself as a process: `bin/syncer serve` with a configuration of its own, and a client that measures.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { join } from 'node:path'
import type { CheckResult, Expectation, TokenStatus } from '../../../src/synced/contract.ts'
import { findFreePort } from './free-port.ts'
import { createRunFolder } from './run-folder.ts'
import { type Exit, startProcess, waitUntil } from './server-process.ts'
import { GATEWAY_NAME, type TestTls } from './test-tls.ts'
import type { Vitals } from './vitals.ts'

const ROOT = join(import.meta.dirname, '../../..')
const REQUEST_TIMEOUT_MS = 30_000

export interface SyncerOptions {
  /** The configuration without `listen`; `files` are written beside it, and are named relative to it. */
  readonly config: Readonly<Record<string, unknown>>
  readonly files?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  /** Can tell what it holds: see `vitals()`. */
  readonly withVitals?: boolean
  /** The Node and the command that are run; those of this checkout when left out. */
  readonly program?: { readonly node: string; readonly bin: string }
  /** Path that has to answer 200 before it counts as started; `/readyz` when left out. */
  readonly readyPath?: string
}

export interface CheckOptions {
  readonly expect?: Expectation
  readonly replicas?: readonly string[]
  readonly denyStatus?: 401 | 403
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly body: string
  /** `performance.now()` when the request was sent. */
  readonly sentAt: number
  /** `performance.now()` when the head of the answer was here. */
  readonly answeredAt: number
}

export interface Verdict extends HttpAnswer {
  /** `X-Token-Status`; undefined in an answer without a verdict. */
  readonly verdict: TokenStatus | undefined
  /** The body, where there is a verdict. */
  readonly result: CheckResult
  /** Milliseconds that the caller waited. */
  readonly tookMs: number
}

export interface Syncer extends AsyncDisposable {
  readonly baseUrl: string
  /** `address:port`. */
  readonly authority: string
  readonly pid: number
  /** How it ended, or undefined while it runs. */
  readonly exit: Exit | undefined
  get(path: string, headers?: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<HttpAnswer>
  /** Asks for a verdict. An answer that is none has an undefined `verdict` and an empty `result`. */
  check(token: string, origin: string, options?: CheckOptions): Promise<Verdict>
  /** All that it has logged. */
  log(): string
  /** Open file descriptors, sockets among them. */
  openFiles(): number
  /** Collects garbage in the service and tells what is left (needs `withVitals`). */
  vitals(): Promise<Vitals>
  signal(signal: NodeJS.Signals): void
  stop(): Promise<Exit>
}

/** Starts the service on a free port of loopback and resolves when it is ready. Throws with its log when it is not. */
export async function startSyncer(options: SyncerOptions): Promise<Syncer> {
  const run = createRunFolder('syncer')
  const port = await findFreePort()
  const authority = `127.0.0.1:${port}`
  const file = (name: string) => join(run.path, name)
  // JSON is YAML too.
  const config = { listen: { host: '127.0.0.1', port }, shutdown: { readinessDelayMs: 0 }, ...options.config }
  for (const [name, text] of Object.entries(options.files ?? {})) writeFileSync(file(name), text, { mode: 0o600 })
  writeFileSync(file('syncer.yaml'), JSON.stringify(config))
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY })
  const get = (path: string, headers: Readonly<Record<string, string>> = {}, signal?: AbortSignal) =>
    send(agent, port, path, headers, signal)
  const inside = options.withVitals === true ? ['--expose-gc', '--import', join(import.meta.dirname, 'vitals.ts')] : []
  const server = await startProcess({
    name: 'syncer',
    command: options.program?.node ?? process.execPath,
    args: [...inside, options.program?.bin ?? join(ROOT, 'bin/syncer'), 'serve', '--config', file('syncer.yaml')],
    cwd: run.path,
    env: { ...options.env, SYNCER_TEST_VITALS: file('vitals.json') },
    stdoutFile: file('stdout.log'),
    stderrFile: file('stderr.log'),
    ready: async () => (await get(options.readyPath ?? '/readyz')).status === 200,
  }).catch((error: unknown) => {
    agent.destroy()
    run.remove()
    throw error
  })
  const stop = async () => {
    agent.destroy()
    const exit = await server.stop(10_000)
    run.remove()
    return exit
  }
  return {
    baseUrl: `http://${authority}`,
    authority,
    pid: server.pid,
    get exit() {
      return server.exit
    },
    get,
    check: async (token, origin, how = {}) =>
      toVerdict(await get(checkPath(how), checkHeaders(token, origin, how), how.signal)),
    log: () => readFileSync(file('stderr.log'), 'utf8') + readFileSync(file('stdout.log'), 'utf8'),
    openFiles: () => readdirSync(`/proc/${server.pid}/fd`).length,
    vitals: async () => {
      rmSync(file('vitals.json'), { force: true })
      process.kill(server.pid, 'SIGUSR2')
      let vitals: Vitals | undefined
      await waitUntil(() => {
        if (existsSync(file('vitals.json'))) vitals = JSON.parse(readFileSync(file('vitals.json'), 'utf8'))
        return vitals !== undefined
      }, 10_000)
      if (vitals === undefined) throw new Error('the service told nothing')
      return vitals
    },
    signal: (signal) => server.signal(signal),
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop()
    },
  }
}

function checkPath({ expect, replicas = [], denyStatus }: CheckOptions): string {
  const query = new URLSearchParams()
  if (expect !== undefined) query.set('expect', expect)
  for (const name of replicas) query.append('replica', name)
  if (denyStatus !== undefined) query.set('denyStatus', String(denyStatus))
  return query.size === 0 ? '/v1/synced' : `/v1/synced?${query}`
}

function checkHeaders(token: string, origin: string, { headers }: CheckOptions): Record<string, string> {
  return { 'X-Auth-Token': token, 'X-Nginx-Origin': origin, ...headers }
}

function toVerdict(answer: HttpAnswer): Verdict {
  const verdict = answer.headers['x-token-status'] as TokenStatus | undefined
  const result = verdict === undefined ? ({} as CheckResult) : (JSON.parse(answer.body) as CheckResult)
  return { ...answer, verdict, result, tookMs: answer.answeredAt - answer.sentAt }
}

function send(
  agent: Agent,
  port: number,
  path: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal | undefined,
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const timeout = REQUEST_TIMEOUT_MS
    const options = {
      agent,
      host: '127.0.0.1',
      port,
      path,
      headers,
      timeout,
      ...(signal === undefined ? {} : { signal }),
    }
    const call = request(options, (response) => {
      const answeredAt = performance.now()
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        body += chunk
      })
      response.on('error', reject)
      response.on('end', () => {
        const { statusCode: status = 0, headers: received, rawHeaders } = response
        resolve({ status, headers: received, rawHeaders, body, sentAt, answeredAt })
      })
    })
    const sentAt = performance.now()
    call.once('timeout', () => call.destroy(new Error(`GET ${path} took ${timeout} ms`)))
    call.once('error', reject)
    call.end()
  })
}

/** A replica as `static` discovery lists it. */
export interface ListedReplica {
  readonly name: string
  readonly address: string
  readonly port: number
}

/** The section `gateway` for these replicas; the authority is in the file `ca.pem` (see `caFile`). */
export function gatewaySection(
  replicas: readonly ListedReplica[],
  tls: TestTls | false | undefined,
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const listed = replicas.map(({ name, address, port }) => ({ name, address, port }))
  return { discovery: { kind: 'static', replicas: listed }, probe: probeSection(tls), ...more }
}

/** What is asked of a test replica. */
export function probeSection(tls: TestTls | false | undefined): Record<string, unknown> {
  const common = { host: GATEWAY_NAME, path: '/_synced', token: 'cookie:auth_token' }
  return tls ? { scheme: 'https', ...common, tls: { ca: { file: 'ca.pem' } } } : { scheme: 'http', ...common }
}

/** The file that `gatewaySection` names. */
export function caFile(tls: TestTls | false | undefined): Record<string, string> {
  return tls ? { 'ca.pem': tls.ca } : {}
}
