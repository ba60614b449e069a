// What the status page shows, for tests of it: a gateway, two Waiter clusters that can be slow, a pair of databases, and the service over
// them, which can be stopped and started again where it was.
import { createHash, randomUUID } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { request } from 'undici'
import { configYaml } from '../../../src/config/describe.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { systemClock as clock } from '../../../src/lib/clock.ts'
import { createLogger } from '../../../src/lib/logger.ts'
import { type RunningService, startService } from '../../../src/main.ts'
import { createCertificateAuthority } from '../../../src/playground/certificates.ts'
import { makeDatabases } from '../../../src/playground/databases.ts'
import { describeGateway, type PlaygroundGateway, startPlaygroundGateway } from '../../../src/playground/gateway.ts'
import { type FakeWaiter, startFakeWaiter } from '../../fakes/waiter.ts'
import { findFreePort } from './free-port.ts'
import { createRunFolder } from './run-folder.ts'

const SERVER_NAME = 'gateway.test'

/** Bearer tokens, by who has them. */
export const BEARERS = { operator: 'operator-7c1f0b', reader: 'reader-2e9d44', asker: 'asker-901acc' } as const
const SCOPES = { operator: ['synced', 'read', 'tokens', 'db'], reader: ['read'], asker: ['synced'] } as const

export interface StatusScene extends AsyncDisposable {
  /** Of the service, without a slash at its end. */
  readonly url: string
  readonly gateway: PlaygroundGateway
  readonly east: FakeWaiter
  readonly west: FakeWaiter
  /** All that the service has logged. */
  readonly log: readonly string[]
  stop(): Promise<void>
  /** Again, on the same port and with the same state. */
  start(): Promise<void>
  /** Asks the service as somebody may; resolves with the answer's JSON. */
  ask(path: string, body?: object, as?: keyof typeof BEARERS): Promise<unknown>
  /** A token that somebody gets at the first replica. */
  logIn(): string
}

/** Starts all of it. `sections` are more of the configuration, or others in place of what it has. */
export async function startStatusScene(sections: Readonly<Record<string, unknown>> = {}): Promise<StatusScene> {
  await using starting = new AsyncDisposableStack()
  const folder = createRunFolder('status-page')
  starting.defer(() => folder.remove())
  const authority = await createCertificateAuthority('status page test', clock.wallNow())
  const caFile = join(folder.path, 'ca.pem')
  await writeFile(caFile, authority.cert)
  const tls = await authority.issue({ commonName: SERVER_NAME, hostNames: [SERVER_NAME], addresses: ['127.0.0.1'] })
  const gateway = starting.use(
    await startPlaygroundGateway({
      clock,
      tls,
      tickMs: 50,
      replicas: ['gw-0', 'gw-1', 'gw-2'].map((name) => ({ name, port: 0 })),
    }),
  )
  const east = starting.use(await startFakeWaiter({ name: 'east' }))
  const west = starting.use(await startFakeWaiter({ name: 'west' }))
  const databases = makeDatabases(folder.path, clock.wallNow())
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}`
  const configFile = join(folder.path, 'syncer.yaml')
  await writeFile(
    configFile,
    configYaml({
      listen: { host: '127.0.0.1', port },
      auth: { mode: 'bearer', open: ['ui'], callers: callers() },
      shutdown: { readinessDelayMs: 0, graceMs: 500 },
      gateway: describeGateway(gateway, { serverName: SERVER_NAME, caFile, deadlineMs: 1_000 }),
      tokens: {
        clusters: [east, west].map(({ name, url: own }) => ({ name, url: own })),
        undoFolder: 'undo',
        schedule: '0 0 1 1 *',
      },
      db: {
        pairs: [
          {
            name: 'notes',
            left: { kind: 'sqlite', path: databases.desk },
            right: { kind: 'sqlite', path: databases.pocket },
          },
        ],
      },
      state: { kind: 'sqlite', path: 'state.db' },
      ...sections,
    }),
  )

  const log: string[] = []
  let service: RunningService | undefined
  const start = async () => {
    const loaded = await loadConfig({
      path: configFile,
      env: {},
      cwd: folder.path,
      readFile: (file) => readFile(file, 'utf8'),
    })
    service = await startService(loaded, {
      env: {},
      clock,
      logger: createLogger('info', { write: (line) => void log.push(line) }),
    })
  }
  const stop = async () => {
    await service?.stop()
    service = undefined
  }
  starting.defer(stop)
  await start()

  const running = starting.move()
  return {
    ...{ url, gateway, east, west, log, start, stop },
    async ask(path, body, as = 'operator') {
      const headers = { authorization: `Bearer ${BEARERS[as]}`, ...(body && { 'content-type': 'application/json' }) }
      const answer = await request(url + path, {
        method: body ? 'POST' : 'GET',
        headers,
        ...(body && { body: JSON.stringify(body) }),
      })
      return answer.body.json()
    },
    logIn() {
      const token = `login-${randomUUID()}`
      gateway.zone.put('gw-0', token)
      return token
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

function callers() {
  return (Object.keys(BEARERS) as (keyof typeof BEARERS)[]).map((name) => ({
    name,
    sha256: createHash('sha256').update(BEARERS[name]).digest('hex'),
    scopes: [...SCOPES[name]],
  }))
}
