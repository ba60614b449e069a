// Beyond one machine: Indexed Jobs of a real API server and its real controllers, whose Pods are processes of the command line; what
// dies, vanishes or stalls meanwhile costs a shard and never a row.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { DbSummary } from '../../src/db/contract.ts'
import { eventually } from '../lib/eventually.ts'
import { type KubeCluster, startCluster } from './lib/kube-cluster.ts'
import { startControllers } from './lib/kube-controllers.ts'
import { admitJobs, CANCELLED, ENTRYPOINT, type JobsScene, NAMESPACE, openJobsScene, QUICK } from './lib/kube-jobs.ts'
import { type Kubelet, type KubeletOptions, startKubelet } from './lib/kubelet.ts'
import { type ServerProcess, waitUntil } from './lib/server-process.ts'

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
  for (const pod of await scene.pods())
    await cluster.request('DELETE', `/api/v1/namespaces/${NAMESPACE}/pods/${pod.metadata.name}?gracePeriodSeconds=0`)
})

async function runPods(options: Partial<KubeletOptions> = {}): Promise<Kubelet> {
  const kubelet = await startKubelet(cluster, { namespace: NAMESPACE, entrypoint: ENTRYPOINT, ...options })
  kubelets.push(kubelet)
  return kubelet
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
    expect(kubelet.started).toBe(16)
    expect(scene.progress.get('carts right-to-left')).toMatchObject({ done: 8, total: 8, applied: 70 })
    // The service cleans up behind itself, in the cluster and in the state.
    await waitUntil(async () => (await scene.jobs()).length === 0, PATIENCE_MS)
    await waitUntil(async () => (await scene.pods()).length === 0, PATIENCE_MS)
    expect([...scene.values.keys()].filter((key) => key.startsWith('db jobs'))).toEqual([])
    // The end is saved: another run has nothing to read.
    const second = await scene.sync()
    expect(second.counts).toMatchObject({ read: 0, applied: 0 })
  })
})
