// A pair of SQLite files whose rows workers carry: real Jobs of a real API server with its controllers, whose Pods are processes
// `syncer db worker` of this machine; and what syncs it, under exactly the Role of roles/db-jobs.yaml.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { DbProgress, DbSummary, DbSyncRequest, DeadLetter, Memory, Pair } from '../../../src/db/contract.ts'
import { templateOfImage } from '../../../src/db/jobs/manifest.ts'
import type { KubeJob, KubePod } from '../../../src/db/jobs/objects.ts'
import { runPairAsJobs } from '../../../src/db/jobs/run-pair.ts'
import type { JobsPlace } from '../../../src/db/jobs/step.ts'
import { openSqliteStore } from '../../../src/db/sqlite/sqlite.ts'
import { formatTimeuuid, minTimeuuid } from '../../../src/db/timeuuid.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { createKubeClient, type KubeClient } from '../../../src/lib/kube/client.ts'
import { createGivenCredentials } from '../../../src/lib/kube/credentials.ts'
import type { KubeCluster } from './kube-cluster.ts'
import { createRunFolder } from './run-folder.ts'
import { type Syncer, startSyncer } from './syncer.ts'

/** Of the Role, and of the ServiceAccount that it is for. */
export const NAMESPACE = 'syncer'
export const ENTRYPOINT = [process.execPath, join(import.meta.dirname, '../../../bin/syncer')]
/** A worker is a process: few, for machines that have other things to do too. */
export const SHARDS = 4
export const CONFIG_MAP = 'syncer-config'
/** Why a run's signal aborts after which nobody goes on with it. */
export const CANCELLED = new Error('cancelled')

/** As few waits of the Job controller as can be. */
export const QUICK = { JOB_SYNC_BATCH_PERIOD: '50ms', JOB_POD_BACKOFF: '50ms', JOB_POD_BACKOFF_MAX: '200ms' }

export interface JobsScene extends AsyncDisposable {
  readonly client: KubeClient
  readonly left: DatabaseSync
  readonly right: DatabaseSync
  readonly letters: readonly DeadLetter[]
  /** The last word about each table and direction. */
  readonly progress: ReadonlyMap<string, DbProgress>
  /** What is remembered; another pair object over it is a service that was restarted. */
  readonly values: Map<string, string>
  /** Of the workers. */
  readonly config: object
  /** Starts the service, over a state that outlives it, and has it do what workers of this pair do. */
  serve(): Promise<Syncer>
  /** Rows of this side that the other one does not have: as many as asked for, with the time of their making. */
  put(side: 'left' | 'right', table: string, rows: number): void
  /** Ids and versions of a table, to compare. */
  dump(side: 'left' | 'right', table: string): readonly unknown[]
  sync(options?: SyncOptions): Promise<DbSummary>
  jobs(): Promise<readonly KubeJob[]>
  pods(): Promise<readonly KubePod[]>
}

export interface SyncOptions {
  readonly request?: Partial<DbSyncRequest>
  readonly place?: Partial<JobsPlace>
  readonly signal?: AbortSignal
}

/** Makes the ServiceAccount with its Role. Once a cluster. */
export async function admitJobs(cluster: KubeCluster): Promise<void> {
  await cluster.createServiceAccount(NAMESPACE, 'syncer')
  await cluster.createServiceAccount(NAMESPACE, 'default')
  await cluster.applyFile('roles/db-jobs.yaml')
}

/** Two SQLite files with the tables `carts` and `users`, and the configuration of the workers in a ConfigMap. */
export async function openJobsScene(cluster: KubeCluster): Promise<JobsScene> {
  const folder = createRunFolder('kube-jobs')
  const paths = { left: join(folder.path, 'left.db'), right: join(folder.path, 'right.db') }
  const [left, right] = [makeFile(paths.left), makeFile(paths.right)]
  const token = await cluster.createToken(NAMESPACE, 'syncer')
  const { server, ca } = cluster
  const credentials = createGivenCredentials({ namespace: NAMESPACE, server, ca, token: () => token })
  const client = createKubeClient({ credentials, clock: systemClock })
  const config = {
    db: {
      pairs: [
        {
          name: 'shop',
          left: { kind: 'sqlite', path: paths.left },
          right: { kind: 'sqlite', path: paths.right },
        },
      ],
    },
  }
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: CONFIG_MAP, namespace: NAMESPACE },
    data: { 'syncer.yaml': JSON.stringify(config) },
  })
  const letters: DeadLetter[] = []
  const progress = new Map<string, DbProgress>()
  const values = new Map<string, string>()
  const list = async <T>(path: string) =>
    ((await cluster.request('GET', path)).body as { readonly items?: readonly T[] }).items ?? []
  return {
    ...{ client, left, right, letters, progress, values, config },
    put: (side, table, rows) => putRows(side === 'left' ? left : right, table, rows),
    dump: (side, table) =>
      (side === 'left' ? left : right).prepare(`SELECT id, tmstmp, text FROM ${table} ORDER BY id`).all(),
    serve: () =>
      startSyncer({
        config: {
          ...{
            kubernetes: { kubeConfig: 'kubeconfig' },
            state: { kind: 'sqlite', path: join(folder.path, 'state.db') },
          },
          db: { pairs: config.db.pairs.map((pair) => ({ ...pair, execution: EXECUTION })) },
        },
        files: { kubeconfig: kubeconfigOf(cluster, token), 'kube-ca.pem': ca },
      }),
    async sync({ request, place, signal = new AbortController().signal } = {}) {
      await using pair = await openPair(paths)
      const around = {
        ...{ memory: memoryOf(values), clock: systemClock, signal },
        onProgress: (one: DbProgress) => void progress.set(`${one.table} ${one.direction}`, one),
        onItem: async () => {},
        onDeadLetters: async (all: readonly DeadLetter[]) => void letters.splice(0, Number.POSITIVE_INFINITY, ...all),
      }
      const asked = { direction: 'both', dryRun: false, ...request } as const
      return await runPairAsJobs(pair, asked, around, { ...placeOver(client), ...place })
    },
    jobs: () => list<KubeJob>(`/apis/batch/v1/namespaces/${NAMESPACE}/jobs`),
    pods: () => list<KubePod>(`/api/v1/namespaces/${NAMESPACE}/pods`),
    async [Symbol.asyncDispose]() {
      await cluster.request('DELETE', `/apis/batch/v1/namespaces/${NAMESPACE}/jobs?propagationPolicy=Background`)
      await client[Symbol.asyncDispose]()
      left.close()
      right.close()
      folder.remove()
    },
  }
}

const EXECUTION = {
  ...{ kind: 'kubernetes-job', image: 'syncer:test', configMap: CONFIG_MAP, shards: SHARDS, parallelism: 2 },
}

function kubeconfigOf({ server }: KubeCluster, token: string): string {
  return JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'test' },
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority': 'kube-ca.pem' } }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test', namespace: NAMESPACE } }],
  })
}

function placeOver(client: KubeClient): JobsPlace {
  return {
    ...{ client, namespace: NAMESPACE, clock: systemClock, random: Math.random },
    ...{ pairName: 'shop', shards: SHARDS, quietMs: 60_000 },
    settings: { parallelism: 4, retries: 20, maxFailedShards: 5 },
    template: templateOfImage('syncer:test', { pair: 'shop', configPath: '', configMap: CONFIG_MAP }),
    isFinal: (reason) => reason === CANCELLED,
  }
}

async function openPair(paths: Readonly<Record<'left' | 'right', string>>): Promise<Pair & AsyncDisposable> {
  const policy = { versionField: 'tmstmp_uuid', onUnknownField: 'fail' } as const
  const open = (path: string) =>
    openSqliteStore({ path, policy, clock: systemClock, random: Math.random, retryForMs: 30_000 })
  const [left, right] = [await open(paths.left), await open(paths.right)]
  return {
    ...{ key: 'shop', left, right, tables: 'all', policy, lagMs: 0, overlapMs: 0 },
    async [Symbol.asyncDispose]() {
      await left[Symbol.asyncDispose]()
      await right[Symbol.asyncDispose]()
    },
  }
}

function memoryOf(values: Map<string, string>): Memory {
  return {
    getValue: async (key) => values.get(key),
    async putValue(key, value) {
      if (value === undefined) values.delete(key)
      else values.set(key, value)
    },
  }
}

function makeFile(path: string): DatabaseSync {
  const file = new DatabaseSync(path, { timeout: 10_000 })
  file.exec('PRAGMA journal_mode = WAL')
  for (const table of ['carts', 'users'])
    file.exec(`CREATE TABLE ${table} (id TEXT PRIMARY KEY, tmstmp TEXT NOT NULL, text TEXT)`)
  return file
}

function putRows(file: DatabaseSync, table: string, rows: number): void {
  const insert = file.prepare(`INSERT INTO ${table} (id, tmstmp, text) VALUES (?, ?, ?)`)
  const now = Date.now()
  file.exec('BEGIN IMMEDIATE')
  for (let at = 0; at < rows; at++)
    insert.run(randomUUID(), formatTimeuuid(minTimeuuid(now - (at % 1_000) - 1)), `row ${at}`)
  file.exec('COMMIT')
}
