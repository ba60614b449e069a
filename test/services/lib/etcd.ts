// One real etcd of a test: the store below the API server, which can be frozen, and made to forget its history.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { installPackages } from './debian.ts'
import { findTwoFreePorts } from './free-port.ts'
import { startProcess } from './server-process.ts'

export interface EtcdOptions {
  readonly binary: string
  /** For its data and its log. */
  readonly folder: string
}

export interface Etcd {
  readonly endpoint: string
  /** It keeps its connections and says nothing more. */
  freeze(): void
  thaw(): void
  /** Forgets every revision before the present one, and resolves with that. */
  compact(): Promise<number>
  stop(): Promise<void>
}

const REQUEST_MS = 5_000

const DEBIAN_ETCD = '/usr/bin/etcd'

/** Path of the etcd that Debian 12 packages: 3.4, too old for a watch-list. Throws when it is not installed. */
export function findDebianEtcd(): string {
  if (!existsSync(DEBIAN_ETCD)) throw new Error('etcd-server is missing: `npm run test:services` installs it')
  return DEBIAN_ETCD
}

/** Installs it unless it is there. Throws when it cannot be had. */
export async function installDebianEtcd(log: (line: string) => void): Promise<void> {
  if (!existsSync(DEBIAN_ETCD)) await installPackages(['etcd-server'], log)
}

/** Starts it on loopback and resolves when it is healthy. Throws with its log when it is not. */
export async function startEtcd({ binary, folder }: EtcdOptions): Promise<Etcd> {
  const [port, peerPort] = await findTwoFreePorts()
  const endpoint = `http://127.0.0.1:${port}`
  const peers = `http://127.0.0.1:${peerPort}`
  const args = {
    name: 'etcd',
    'data-dir': join(folder, 'etcd'),
    'listen-client-urls': endpoint,
    'advertise-client-urls': endpoint,
    'listen-peer-urls': peers,
    'initial-advertise-peer-urls': peers,
    'initial-cluster': `etcd=${peers}`,
    'log-level': 'warn',
  }
  const server = await startProcess({
    name: 'etcd',
    command: binary,
    args: [...Object.entries(args).map(([key, value]) => `--${key}=${value}`), '--unsafe-no-fsync'],
    stdoutFile: join(folder, 'etcd.log'),
    ready: async () => (await fetch(`${endpoint}/health`, { signal: AbortSignal.timeout(REQUEST_MS) })).ok,
  })
  return {
    endpoint,
    freeze: () => server.signal('SIGSTOP'),
    thaw: () => server.signal('SIGCONT'),
    compact: async () => {
      const any = { key: Buffer.from([0]).toString('base64') }
      const revision = revisionOf(await call(endpoint, '/v3/kv/range', any))
      await call(endpoint, '/v3/kv/compaction', { revision, physical: true })
      return revision
    },
    stop: async () => {
      await server.stop()
    },
  }
}

async function call(endpoint: string, path: string, body: object): Promise<unknown> {
  const answer = await fetch(`${endpoint}${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(REQUEST_MS),
  })
  if (!answer.ok) throw new Error(`etcd answered ${answer.status} to ${path}: ${await answer.text()}`)
  return answer.json()
}

function revisionOf(answer: unknown): number {
  const { header } = answer as { readonly header?: { readonly revision?: string } }
  const revision = Number(header?.revision)
  if (!Number.isSafeInteger(revision)) throw new Error(`etcd did not say its revision: ${JSON.stringify(answer)}`)
  return revision
}
