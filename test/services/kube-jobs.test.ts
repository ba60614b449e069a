// Beyond one machine: Indexed Jobs of a real API server and its real controllers, whose Pods are processes of the command line; what
// dies, vanishes or stalls meanwhile costs a shard and never a row.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { DbSummary } from '../../src/db/contract.ts'
import type { KubePod } from '../../src/db/jobs/objects.ts'
import { isAlive } from '../../src/db/jobs/verdict.ts'
import { eventually } from '../lib/eventually.ts'
import { type KubeCluster, startCluster } from './lib/kube-cluster.ts'
import { startControllers } from './lib/kube-controllers.ts'
import {
  admitJobs,
  CANCELLED,
  ENTRYPOINT,
  type JobsScene,
  NAMESPACE,
  openJobsScene,
  QUICK,
  SHARDS,
} from './lib/kube-jobs.ts'
import { type Kubelet, type KubeletOptions, startKubelet } from './lib/kubelet.ts'
import { type ServerProcess, waitUntil } from './lib/server-process.ts'
import type { Syncer } from './lib/syncer.ts'

/** Processes on a busy machine. */
const PATIENCE_MS = 90_000

let cluster: KubeCluster
let controllers: ServerProcess
let scene: JobsScene
const kubelets: Kubelet[] = []

beforeAll(async () => {
  cluster = await startCluster()
  controllers = await startControllers(cluster, { env: QUICK })
  await admitJobs(cluster)
})
afterAll(async () => {
  await controllers.stop()
  await cluster.stop()
})
beforeEach(async () => {
  scene = await openJobsScene(cluster)
})
afterEach(async () => {
  await scene[Symbol.asyncDispose]()
  for (const kubelet of kubelets.splice(0)) await kubelet[Symbol.asyncDispose]()
  for (const pod of await scene.pods()) await removePod(pod.metadata.name)
})

const removePod = (name: string) =>
  cluster.request('DELETE', `/api/v1/namespaces/${NAMESPACE}/pods/${name}?gracePeriodSeconds=0`)

async function runPods(options: Partial<KubeletOptions> = {}): Promise<Kubelet> {
  const kubelet = await startKubelet(cluster, { namespace: NAMESPACE, entrypoint: ENTRYPOINT, ...options })
  kubelets.push(kubelet)
  return kubelet
}

/** What the controllers of Kubernetes do with a Pod whose node is gone. */
async function losePod({ metadata: { name } }: KubePod): Promise<void> {
  const conditions = [{ type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC' }]
  const metadata = { name, namespace: NAMESPACE }
  await cluster.applyStatus({ apiVersion: 'v1', kind: 'Pod', metadata, status: { phase: 'Failed', conditions } })
  await removePod(name)
}

/** Both sides have the same rows, so many of them. */
function expectEqual(table: string, rows: number): void {
  const left = scene.dump('left', table)
  expect(left).toHaveLength(rows)
  expect(scene.dump('right', table)).toEqual(left)
}

/** What each table has come to, in each direction. */
const appliedOf = ({ items }: DbSummary) =>
  Object.fromEntries(items.map(({ table, direction, applied }) => [`${table} ${direction}`, applied]))

describe('a pair whose rows workers carry', () => {
  it('is in step after one Job for each direction, whose figures add up', async () => {
    const kubelet = await runPods()
    scene.put('left', 'carts', 300)
    scene.put('left', 'users', 50)
    scene.put('right', 'carts', 70)
    const summary = await scene.sync()
    expectEqual('carts', 370)
    expectEqual('users', 50)
    expect(appliedOf(summary)).toEqual({
      'carts left-to-right': 300,
      'carts right-to-left': 70,
      'users left-to-right': 50,
      'users right-to-left': 0,
    })
    const { read, applied, older, equal, echoed, failed } = summary.counts
    expect({ read, applied, equal, failed }).toEqual({ read: 770, applied: 420, equal: 350, failed: 0 })
    expect(read).toBe(applied + older + equal + echoed + failed)
    expect(kubelet.started).toBe(2 * SHARDS)
    expect(scene.progress.get('carts right-to-left')).toMatchObject({ done: SHARDS, total: SHARDS, applied: 70 })
    // The service cleans up behind itself, in the cluster and in the state.
    await waitUntil(async () => (await scene.jobs()).length === 0, PATIENCE_MS)
    await waitUntil(async () => (await scene.pods()).length === 0, PATIENCE_MS)
    expect([...scene.values.keys()].filter((key) => key.startsWith('db jobs'))).toEqual([])
    // The end is saved: another run has nothing to read.
    const second = await scene.sync()
    expect(second.counts).toMatchObject({ read: 0, applied: 0 })
  })

  it('writes nothing in a dry run, and says what it would write', async () => {
    await runPods()
    scene.put('left', 'carts', 40)
    const summary = await scene.sync({ request: { dryRun: true, tables: ['carts'] } })
    expect(appliedOf(summary)).toEqual({ 'carts left-to-right': 40, 'carts right-to-left': 0 })
    expect(scene.dump('right', 'carts')).toEqual([])
    expect([...scene.values.keys()]).toEqual([])
  })

  it('tells the rows that no worker could carry, and tries them again with the next run', async () => {
    await runPods()
    scene.put('left', 'carts', 20)
    const row = { id: '00000000-0000-4000-8000-000000000001', text: Buffer.from([1, 2]) }
    const tmstmp = String((scene.dump('left', 'carts')[0] as { readonly tmstmp: string }).tmstmp)
    scene.left.prepare('INSERT INTO carts (id, tmstmp, text) VALUES (?, ?, ?)').run(row.id, tmstmp, row.text)
    const summary = await scene.sync({ request: { tables: ['carts'], direction: 'left-to-right' } })
    expect(summary.counts).toMatchObject({ read: 21, applied: 20, failed: 1 })
    expect(summary.deadLetters).toBe(1)
    expect(scene.letters).toMatchObject([{ table: 'carts', direction: 'left-to-right', id: row.id }])
    // The window is closed all the same: the next run reads this row alone, and now it goes through.
    scene.left.prepare('UPDATE carts SET text = ? WHERE id = ?').run('mended', row.id)
    const next = await scene.sync({ request: { tables: ['carts'], direction: 'left-to-right' } })
    expect(next.counts).toMatchObject({ read: 1, applied: 1, failed: 0 })
    expect(scene.letters).toEqual([])
    expectEqual('carts', 21)
  })
})

describe('what befalls workers', () => {
  it('costs a shard and no row: killed at random, and words that are lost', async () => {
    // Every other Pod is killed, at some moment of its life; of those that live, the first three say nothing.
    const dies = new Map<string, boolean>()
    const lost: string[] = []
    const kubelet = await runPods({
      killAfterMs(pod) {
        dies.set(pod, dies.size % 2 === 0)
        return dies.get(pod) === true ? Math.random() * 800 : undefined
      },
      losesMessage(pod) {
        if (lost.length >= 3) return false
        lost.push(pod)
        return true
      },
    })
    scene.put('left', 'carts', 400)
    scene.put('right', 'users', 100)
    const summary = await scene.sync()
    expectEqual('carts', 400)
    expectEqual('users', 100)
    const killed = kubelet.ended.filter(({ exitCode }) => exitCode === 137).length
    console.log(`${kubelet.started} workers, ${killed} killed, ${lost.length} unheard`)
    expect(killed).toBeGreaterThan(2)
    // What a worker wrote before it died the next one finds there: each row is read once for the figures all the same.
    const { read, applied, equal, failed } = summary.counts
    expect({ read, failed }).toEqual({ read: 400 + 400 + 100, failed: 0 })
    expect(applied + equal).toBe(read)
  })

  it('a Pod that somebody deletes, and a node that is lost with workers that go on', async () => {
    const first = await runPods({ nodeName: 'node-1', capacity: 2 })
    scene.put('left', 'carts', 300)
    const syncing = scene.sync({ request: { tables: ['carts'] } })
    await eventually(() => first.running.length === 2, PATIENCE_MS)
    const [deleted] = first.running
    await cluster.request('DELETE', `/api/v1/namespaces/${NAMESPACE}/pods/${deleted}`)
    await eventually(() => first.ended.some(({ pod }) => pod === deleted), PATIENCE_MS)
    expect(first.ended.find(({ pod }) => pod === deleted)?.exitCode).not.toBe(0)
    await eventually(() => first.running.length > 0, PATIENCE_MS)
    first.isolate()
    const orphans = first.running
    const second = await runPods({ nodeName: 'node-2' })
    // Some may only now be known to run there.
    let isOver = false
    const removing = waitUntil(async () => {
      for (const pod of await scene.pods()) if (pod.spec?.['nodeName'] === 'node-1' && isAlive(pod)) await losePod(pod)
      return isOver
    }, PATIENCE_MS)
    const summary = await syncing
    isOver = true
    await removing
    expect(orphans.length).toBeGreaterThan(0)
    expect(second.started).toBeGreaterThan(0)
    expectEqual('carts', 300)
    expect(summary.counts).toMatchObject({ read: 600, failed: 0 })
  })

  it('an API server that goes away and comes back', async () => {
    const kubelet = await runPods({ capacity: 2 })
    scene.put('left', 'carts', 200)
    const syncing = scene.sync({ request: { tables: ['carts'] } })
    await eventually(() => kubelet.ended.length >= 1, PATIENCE_MS)
    await cluster.killApiServer()
    // Workers need it for nothing: those that run end meanwhile.
    await eventually(() => kubelet.running.length === 0, PATIENCE_MS)
    await cluster.startApiServer()
    const summary = await syncing
    expectEqual('carts', 200)
    expect(summary.counts).toMatchObject({ read: 400, applied: 200, equal: 200 })
  })
})

describe('a service that is restarted', () => {
  it('goes on with the Job that runs, and does no shard again that has told what it did', async () => {
    const kubelet = await runPods({ capacity: 2 })
    scene.put('left', 'carts', 200)
    const stop = new AbortController()
    const request = { tables: ['carts'] }
    const first = scene.sync({ request, signal: stop.signal }).catch((error: unknown) => error)
    await waitUntil(() => (scene.progress.get('carts left-to-right')?.done ?? 0) >= 1, PATIENCE_MS)
    const [job] = await scene.jobs()
    const stopping = new Error('the service stops')
    stop.abort(stopping)
    expect(await first).toBe(stopping)
    expect((await scene.jobs()).map(({ metadata }) => metadata.uid)).toEqual([job?.metadata.uid])
    // Workers go on meanwhile, and more rows come.
    scene.put('left', 'carts', 50)
    const summary = await scene.sync({ request })
    expectEqual('carts', 250)
    // The shards of the first Job, once each; then those of the other direction, and of the window since.
    const names = kubelet.ended.map(({ pod }) => pod.replace(/-[a-z0-9]+$/, ''))
    const ofFirst = names.filter((name) => name.startsWith(`${job?.metadata.name}-`))
    expect(ofFirst.sort()).toEqual(Array.from({ length: SHARDS }, (_, at) => `${job?.metadata.name}-${at}`))
    expect(summary.items).toHaveLength(2)
    expect(appliedOf(summary)).toEqual({ 'carts left-to-right': 250, 'carts right-to-left': 0 })
  })

  it('goes on with what is left when the Job and its Pods are gone', async () => {
    const kubelet = await runPods({ capacity: 2 })
    scene.put('left', 'carts', 200)
    const stop = new AbortController()
    const request = { tables: ['carts'], direction: 'left-to-right' } as const
    const first = scene.sync({ request, signal: stop.signal }).catch((error: unknown) => error)
    await waitUntil(() => (scene.progress.get('carts left-to-right')?.done ?? 0) >= 1, PATIENCE_MS)
    stop.abort(new Error('the service stops'))
    await first
    const done = scene.progress.get('carts left-to-right')?.done ?? 0
    await cluster.request('DELETE', `/apis/batch/v1/namespaces/${NAMESPACE}/jobs?propagationPolicy=Background`)
    await waitUntil(async () => (await scene.pods()).length === 0, PATIENCE_MS)
    const before = kubelet.started
    const summary = await scene.sync({ request })
    expectEqual('carts', 200)
    expect(summary.counts.read).toBe(200)
    // Those that were left, and the window since.
    expect(kubelet.started - before).toBeLessThanOrEqual(SHARDS - done + SHARDS)
  })
})

describe('the service as a process', () => {
  const start = async ({ baseUrl }: Syncer): Promise<string> => {
    const body = JSON.stringify({ pair: 'shop', tables: ['carts'] })
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${baseUrl}/v1/db/sync`, { method: 'POST', headers, body })
    expect(answer.status).toBe(202)
    return ((await answer.json()) as { readonly id: string }).id
  }
  const runs = async (service: Syncer) =>
    (JSON.parse((await service.get('/v1/runs')).body) as { readonly items: readonly RunShown[] }).items

  interface RunShown {
    readonly id: string
    readonly state: string
    readonly takesUp?: string
    readonly summary?: { readonly counts: object }
  }

  it('is killed with kill -9 and started again: the run is taken up, and the Job that runs with it', async () => {
    const kubelet = await runPods({ capacity: 1 })
    scene.put('left', 'carts', 150)
    const first = await scene.serve()
    const id = await start(first)
    await waitUntil(() => kubelet.ended.length >= 1, PATIENCE_MS)
    const [job] = await scene.jobs()
    first.signal('SIGKILL')
    await first.stop()
    await using second = await scene.serve()
    await waitUntil(async () => (await runs(second)).some(({ state }) => state === 'succeeded'), PATIENCE_MS)
    const [done] = await runs(second)
    expect(done).toMatchObject({ takesUp: id, state: 'succeeded', summary: { counts: { failed: 0 } } })
    expectEqual('carts', 150)
    const ofFirst = kubelet.ended.filter(({ pod }) => pod.startsWith(`${job?.metadata.name}-`))
    expect(ofFirst.map(({ index }) => index).sort()).toEqual(Array.from({ length: SHARDS }, (_, at) => String(at)))
  })

  it('cancels a run with its workers', async () => {
    const kubelet = await runPods({ capacity: 2 })
    scene.put('left', 'carts', 150)
    await using service = await scene.serve()
    const id = await start(service)
    await eventually(() => kubelet.running.length > 0, PATIENCE_MS)
    expect((await fetch(`${service.baseUrl}/v1/runs/${id}/cancel`, { method: 'POST' })).ok).toBe(true)
    await waitUntil(async () => (await runs(service))[0]?.state === 'cancelled', PATIENCE_MS)
    expect(kubelet.running).toEqual([])
    expect(await scene.jobs()).toEqual([])
  })
})

describe('a run that is cancelled', () => {
  it('leaves no worker behind, and what is done is not done again', async () => {
    const kubelet = await runPods({ capacity: 2 })
    scene.put('left', 'carts', 200)
    const stop = new AbortController()
    const request = { tables: ['carts'] }
    const run = scene.sync({ request, signal: stop.signal }).catch((error: unknown) => error)
    await waitUntil(
      () => (scene.progress.get('carts left-to-right')?.done ?? 0) >= 1 && kubelet.running.length > 0,
      PATIENCE_MS,
    )
    stop.abort(CANCELLED)
    expect(await run).toBe(CANCELLED)
    expect(kubelet.running).toEqual([])
    expect(await scene.jobs()).toEqual([])
    expect((await scene.pods()).filter(({ status }) => status?.phase === 'Running')).toEqual([])
    const summary = await scene.sync({ request })
    expectEqual('carts', 200)
    expect(summary.counts).toMatchObject({ read: 400, failed: 0 })
  })
})

describe('a Job that cannot do its work', () => {
  const QUOTA = { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'none', namespace: NAMESPACE } }

  it('says what it waits for when nothing moves, and goes on when it can', async () => {
    await cluster.apply({ ...QUOTA, spec: { hard: { pods: '0' } } })
    await cluster.applyStatus({ ...QUOTA, status: { hard: { pods: '0' }, used: { pods: '0' } } })
    await runPods()
    scene.put('left', 'carts', 20)
    const request = { tables: ['carts'], direction: 'left-to-right' } as const
    const run = scene.sync({ request, place: { quietMs: 1_000 } })
    await waitUntil(() => scene.progress.get('carts left-to-right')?.note !== undefined, PATIENCE_MS)
    const note = scene.progress.get('carts left-to-right')?.note
    expect(note).toMatch(/^no progress for \d+ s: none of its Pods is there: /)
    expect(note).toMatch(/kubectl -n syncer describe job syncer-db-shop-/)
    await cluster.remove(QUOTA)
    await run
    expect(scene.progress.get('carts left-to-right')?.note).toBeUndefined()
    expectEqual('carts', 20)
  })

  it('fails the run with the words of its workers, closes no window, and is done by the next run', async () => {
    await runPods()
    scene.put('left', 'carts', 20)
    const request = { tables: ['carts'], direction: 'left-to-right' } as const
    const config = await readConfig()
    await putConfig('{ "db": { "pairs": [] } }')
    const failure = await scene.sync({ request }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ name: 'DbSyncFailed' })
    expect(String(failure)).toMatch(/shards .* failed; shard \d: .*syncer\.yaml.*; it stays for an hour/)
    expect([...scene.values.keys()].filter((key) => key.startsWith('db mark'))).toEqual([])
    await putConfig(config)
    const summary = await scene.sync({ request })
    expect(summary.counts).toMatchObject({ read: 20, applied: 20 })
    expectEqual('carts', 20)
  })

  const readConfig = async (): Promise<string> => JSON.stringify(scene.config)
  const putConfig = (text: string) =>
    cluster.apply({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'syncer-config', namespace: NAMESPACE },
      data: { 'syncer.yaml': text },
    })
})
