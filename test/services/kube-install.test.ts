// The chart on a real API server with its controllers: every object is taken, and two replicas that run as its Pods say, with the configuration
// that it has written and the rights that it gives, do their work, change, lose their leader, and go without a trace.
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHART, renderChart, runHelm, type Values, withValues } from './lib/chart.ts'
import { type KubeCluster, startCluster } from './lib/kube-cluster.ts'
import { startControllers } from './lib/kube-controllers.ts'
import { endpoint, slice } from './lib/kube-gateway.ts'
import { ENTRYPOINT } from './lib/kube-jobs.ts'
import { openPods, type Pods, type ServedPod } from './lib/kube-pods.ts'
import { awaitLeader, LEASE_MS } from './lib/kube-replicas.ts'
import { type Kubelet, startKubelet } from './lib/kubelet.ts'
import { type Postgres, startPostgres } from './lib/postgres.ts'
import { createRunFolder, type RunFolder } from './lib/run-folder.ts'
import { type ServerProcess, waitUntil } from './lib/server-process.ts'
import { startTokenClusters, type TokenClusters } from './lib/token-clusters.ts'

const NAMESPACE = 'prod'
const RELEASE = 'y'
const NAME = 'y-syncer'
/** Kubernetes' own part of a take-over, and a process on a busy machine. */
const SLACK_MS = 2_000
/** A lease, the silence after which a replica counts as dead, and processes on a busy machine. */
const PATIENCE_MS = 30_000

let cluster: KubeCluster
let controllers: ServerProcess

beforeAll(async () => {
  cluster = await startCluster()
  controllers = await startControllers(cluster)
  for (const [kind, plural] of [
    ['ServiceMonitor', 'servicemonitors'],
    ['PrometheusRule', 'prometheusrules'],
  ] as const)
    await cluster.apply(crdOf(kind, plural))
})
afterAll(async () => {
  await controllers.stop()
  await cluster.stop()
})

/** As little of what the Prometheus Operator brings as a server needs to know the kind. */
function crdOf(kind: string, plural: string) {
  const group = 'monitoring.coreos.com'
  const spec = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec } } }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      names: { kind, plural, singular: kind.toLowerCase() },
      scope: 'Namespaced',
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  }
}

interface Listed {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly deletionTimestamp?: string }
}

/** Every object that carries these labels, of every kind that the server can list: `kind namespace/name`. */
async function findLabelled(selector: string): Promise<readonly string[]> {
  const roots = ['/api/v1']
  const { body } = await cluster.request('GET', '/apis')
  const { groups } = body as {
    readonly groups: readonly { readonly preferredVersion: { readonly groupVersion: string } }[]
  }
  for (const { preferredVersion } of groups) roots.push(`/apis/${preferredVersion.groupVersion}`)
  const found = await Promise.all(roots.map((root) => findInGroup(root, selector)))
  return found.flat().toSorted()
}

async function findInGroup(root: string, selector: string): Promise<readonly string[]> {
  const { body } = await cluster.request('GET', root)
  const { resources = [] } = body as {
    readonly resources?: readonly { readonly name: string; readonly kind: string; readonly verbs: readonly string[] }[]
  }
  const found: string[] = []
  for (const { name, kind, verbs } of resources) {
    if (!verbs.includes('list') || kind === 'ComponentStatus' || kind === 'Event') continue
    const answer = await cluster.request('GET', `${root}/${name}?labelSelector=${encodeURIComponent(selector)}`)
    const { items = [] } = answer.body as { readonly items?: readonly Listed[] }
    for (const { metadata } of items) {
      // Who lets go of a claim that was deleted is a controller that does not run here.
      if (kind === 'PersistentVolumeClaim' && metadata.deletionTimestamp !== undefined) continue
      found.push(`${kind} ${metadata.namespace ?? ''}/${metadata.name}`)
    }
  }
  return found
}

const helm = (command: string, values: Values, ...args: readonly string[]) =>
  withValues(values, (path) =>
    runHelm([command, RELEASE, CHART, '--namespace', NAMESPACE, '--values', path, ...args], cluster),
  )

describe('every file of values that is shipped', () => {
  const files = [
    ...globSync('ci/*-values.yaml', { cwd: CHART }),
    ...globSync('values-*.yaml', { cwd: CHART }),
  ].toSorted()
  const namespace = 'shipped'

  beforeAll(async () => {
    for (const name of [namespace, 'gateway', 'apigw', 'batch']) await cluster.createNamespace(name)
  })

  it.each(files)('is installed whole, and uninstalled whole: %s', async (file) => {
    const rendered = await renderChart({ files: [file], release: RELEASE, namespace })
    await runHelm(['install', RELEASE, CHART, '--namespace', namespace, '--values', join(CHART, file)], cluster)
    const found = await findLabelled(`app.kubernetes.io/instance=${RELEASE},app.kubernetes.io/managed-by=Helm`)
    const expected = rendered.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''}/${metadata.name}`)
    expect(found).toEqual(expect.arrayContaining(expected))
    await runHelm(['uninstall', RELEASE, '--namespace', namespace], cluster)
    // A claim that is to be kept is.
    const kept = expected.filter((one) => one.startsWith('PersistentVolumeClaim') && file.includes('one-replica'))
    await waitUntil(
      async () => (await findLabelled(`app.kubernetes.io/instance=${RELEASE}`)).join() === kept.join(),
      PATIENCE_MS,
    )
    for (const one of kept) {
      await cluster.request('DELETE', `/api/v1/namespaces/${namespace}/persistentvolumeclaims/${one.split('/')[1]}`)
    }
  })
})

describe('a release of two replicas', () => {
  let postgres: Postgres
  let clusters: TokenClusters
  let folder: RunFolder
  let pods: Pods
  let kubelet: Kubelet
  let values: Values
  let token: string

  beforeAll(async () => {
    ;[postgres, clusters] = await Promise.all([startPostgres(), startTokenClusters(2)])
    folder = createRunFolder('kube-install')
    for (const name of ['nginx', 'stranger']) await cluster.createServiceAccount('gateway', name)
    token = await cluster.createToken('gateway', 'nginx', { audiences: ['syncer'] })
    // Where a Pod that asks for more than it has to is not let in.
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' }
    await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels } })
    await cluster.apply({
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'syncer-state', namespace: NAMESPACE } },
      stringData: { url: await postgres.createDatabase() },
    })
    await cluster.apply(slice('a', [endpoint(1), endpoint(2)]))
    pods = await openPods(cluster, NAMESPACE, () => token)
    kubelet = await startKubelet(cluster, {
      ...{ namespace: NAMESPACE, entrypoint: ENTRYPOINT, capacity: 8, serving: pods.serving },
    })
    values = {
      config: {
        listen: { port: pods.port },
        auth: {
          ...{ mode: 'tokenReview', audiences: ['syncer'] },
          grants: [{ users: ['system:serviceaccount:gateway:nginx'], scopes: ['synced', 'read', 'tokens'] }],
        },
        gateway: {
          discovery: { kind: 'kubernetes', namespace: 'gateway', service: 'gw', portName: 'probe' },
          probe: { scheme: 'http', host: 'api.example', path: '/_synced' },
        },
        tokens: {
          ...{ schedule: '* * * * * *', undoFolder: join(folder.path, 'undo') },
          clusters: clusters.urls.map((url, at) => ({ name: `c${at}`, url })),
        },
        dsync: { driver: 'kubernetes', leaseDurationMs: LEASE_MS },
        shutdown: { readinessDelayMs: 100, graceMs: 1_000 },
      },
      state: { postgres: { existingSecret: 'syncer-state' } },
      podLabels: { checked: 'yes' },
    }
    await helm('install', values, '--wait', '--timeout', '90s')
  })
  afterAll(async () => {
    await kubelet[Symbol.asyncDispose]()
    await clusters[Symbol.asyncDispose]()
    await postgres[Symbol.asyncDispose]()
    folder.remove()
  })

  const levels = ['trace', 'debug']

  async function listPods(count: number): Promise<readonly ServedPod[]> {
    let found: readonly ServedPod[] = []
    await waitUntil(async () => {
      found = await pods.list()
      return found.length === count
    }, PATIENCE_MS)
    return found
  }

  async function countAvailable(): Promise<number> {
    const { body } = await cluster.request('GET', `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${NAME}`)
    return (body as { readonly status: { readonly availableReplicas?: number } }).status.availableReplicas ?? 0
  }

  const replicasOf = async (pod: ServedPod) => {
    const { items } = JSON.parse((await pod.get('/v1/replicas')).body)
    return (items as readonly { readonly name: string }[]).map(({ name }) => name).toSorted()
  }

  /** Somebody changes a token on the first cluster: the schedule carries it to the other one. */
  async function expectScheduleToRun(name: string): Promise<void> {
    clusters.edit(0, name, 'new')
    await waitUntil(() => clusters.shown().includes(`${name}: new new`), PATIENCE_MS)
  }

  it('is behind its Service with both of them', async () => {
    await listPods(2)
    const ready = async () => {
      const path = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`
      const { body } = await cluster.request('GET', `${path}?labelSelector=kubernetes.io%2Fservice-name%3D${NAME}`)
      const { items } = body as {
        readonly items: readonly {
          readonly ports: readonly { readonly name: string; readonly port: number }[]
          readonly endpoints: readonly { readonly conditions: { readonly ready: boolean } }[]
        }[]
      }
      return items.flatMap(({ ports, endpoints }) =>
        endpoints.filter(({ conditions }) => conditions.ready).map(() => `${ports[0]?.name} ${ports[0]?.port}`),
      )
    }
    await expect.poll(ready, { timeout: 10_000 }).toEqual([`http ${pods.port}`, `http ${pods.port}`])
  })

  it('lets in who has a token for it and a grant, by TokenReview', async () => {
    const stranger = await cluster.createToken('gateway', 'stranger', { audiences: ['syncer'] })
    const elsewhere = await cluster.createToken('gateway', 'nginx')
    for (const pod of await listPods(2)) {
      expect((await pod.get('/v1/status')).status).toBe(200)
      expect((await pod.get('/v1/status', '')).status).toBe(401)
      expect((await pod.get('/v1/status', elsewhere)).status).toBe(401)
      expect((await pod.get('/v1/status', stranger)).status).toBe(403)
    }
  })

  it('follows the EndpointSlices of the gateway in each of them', async () => {
    for (const names of [
      ['gw-1', 'gw-2'],
      ['gw-2', 'gw-3', 'gw-4'],
      ['gw-1', 'gw-2'],
    ]) {
      await cluster.apply(
        slice(
          'a',
          names.map((name) => endpoint(Number(name.slice(-1)))),
        ),
      )
      for (const pod of await listPods(2)) {
        await expect.poll(() => replicasOf(pod), { timeout: 5_000, interval: 20 }).toEqual(names)
      }
    }
  })

  it('has one leader, which alone runs the schedule', async () => {
    const both = await listPods(2)
    const leader = await awaitLeader(both, PATIENCE_MS)
    await expectScheduleToRun('one')
    const nextOf = async (pod: ServedPod) => JSON.parse((await pod.get('/v1/status')).body).schedules[0].nextAt
    for (const pod of both) expect((await nextOf(pod)) !== null, pod.name).toBe(pod === leader)
  })

  it('has the schedule move within the bound of a lease when the leader is killed, and gets another Pod', async () => {
    const both = await listPods(2)
    const leader = await awaitLeader(both, PATIENCE_MS)
    const others = both.filter((pod) => pod !== leader)
    kubelet.kill(leader.name)
    await awaitLeader(others, LEASE_MS + SLACK_MS)
    await expectScheduleToRun('two')
    await awaitLeader(await listPods(2), PATIENCE_MS)
  })

  it('changes its Pods when its configuration does, with two that are ready at any time', async () => {
    const before = new Set((await listPods(2)).map(({ name }) => name))
    // The one that came for the one that was killed may be starting yet.
    await waitUntil(async () => (await countAvailable()) === 2, PATIENCE_MS)
    // Another one each time that this is tried.
    const config = { ...(values['config'] as object), log: { level: levels.pop() } }
    let isOver = false
    const upgrading = helm('upgrade', { ...values, config }, '--wait', '--timeout', '90s').finally(() => {
      isOver = true
    })
    const available: number[] = []
    await waitUntil(async () => {
      available.push(await countAvailable())
      return isOver
    }, PATIENCE_MS)
    await upgrading
    expect(Math.min(...available)).toBeGreaterThanOrEqual(2)
    await waitUntil(async () => {
      const now = await pods.list()
      return now.length === 2 && now.every(({ name }) => !before.has(name))
    }, PATIENCE_MS)
    await awaitLeader(await listPods(2), PATIENCE_MS)
    await expectScheduleToRun('three')
    await waitUntil(() => [...before].every((name) => kubelet.ended.some(({ pod }) => pod === name)), PATIENCE_MS)
    const ends = kubelet.ended.filter(({ pod }) => before.has(pod)).map(({ exitCode }) => exitCode)
    expect(ends).toEqual([0, 0])
  })

  it('keeps its Pods when the service refuses a configuration that only it can judge, and goes back', async () => {
    const before = (await listPods(2)).map(({ name }) => name).toSorted()
    const { auth, ...config } = values['config'] as { readonly auth: object }
    const forNobody = { ...auth, grants: [{ scopes: ['read'] }] }
    await helm('upgrade', { ...values, config: { ...config, auth: forNobody } })
    const refused = () => kubelet.ended.filter(({ pod, exitCode }) => !before.includes(pod) && exitCode === 2)
    await waitUntil(() => refused().some(({ log }) => log.includes('it is for nobody')), PATIENCE_MS)
    for (const pod of (await pods.list()).filter(({ name }) => before.includes(name))) {
      expect((await pod.get('/readyz')).status).toBe(200)
    }
    await runHelm(['rollback', RELEASE, '--namespace', NAMESPACE, '--wait', '--timeout', '90s'], cluster)
    expect((await listPods(2)).map(({ name }) => name).toSorted()).toEqual(before)
    await expectScheduleToRun('four')
  })

  it('was never refused anything', () => {
    const refused = cluster
      .readAudit()
      .filter(
        ({ user, responseStatus }) =>
          user.username === `system:serviceaccount:${NAMESPACE}:${NAME}` && responseStatus?.code === 403,
      )
    expect(refused.map(({ verb, requestURI }) => `${verb} ${requestURI}`)).toEqual([])
  })

  it('leaves nothing but the Leases when it is uninstalled', async () => {
    await runHelm(['uninstall', RELEASE, '--namespace', NAMESPACE, '--wait', '--ignore-not-found'], cluster)
    await waitUntil(async () => (await findLabelled(`app.kubernetes.io/instance=${RELEASE}`)).length === 0, PATIENCE_MS)
    await waitUntil(async () => (await pods.list()).length === 0 && kubelet.running.length === 0, PATIENCE_MS)
    expect(await findLabelled('owner=helm')).toEqual([])
    const { body } = await cluster.request('GET', '/apis/coordination.k8s.io/v1/leases')
    const { items } = body as { readonly items: readonly Listed[] }
    const names = items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)
    expect(names.filter((name) => !name.startsWith('kube-')).toSorted()).toEqual(
      ['election.schedule', 'lock.tokens-c0', 'lock.tokens-c1'].map((name) => `${NAMESPACE}/${NAME}.${name}`),
    )
  })
})
