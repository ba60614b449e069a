// Each right that the chart gives is needed: with one verb, or one name of an object, taken out of its Role something that Syncer does
// stops working on a real API server, and with all of them everything works. What uses a right is the service's own code.
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createJob, endJob, isJobThere, readOwnPod } from '../../src/db/jobs/api.ts'
import { followJob } from '../../src/db/jobs/follow.ts'
import { buildJob, templateOfImage } from '../../src/db/jobs/manifest.ts'
import type { WorkOrder } from '../../src/db/jobs/order.ts'
import { createKubernetesDriver, Dsync } from '../../src/dsync/index.ts'
import { createTokenReviewAuthenticator } from '../../src/http/auth/token-review.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import { createKubeClient, type KubeClient } from '../../src/lib/kube/client.ts'
import { createGivenCredentials } from '../../src/lib/kube/credentials.ts'
import { createTokenReview } from '../../src/wiring/kube.ts'
import { type Rendered, renderChart, type Values } from './lib/chart.ts'
import { type KubeCluster, type PolicyRule, startCluster } from './lib/kube-cluster.ts'
import { endpoint, follow, SLICES, slice } from './lib/kube-gateway.ts'
import { removeLease } from './lib/kube-leases.ts'
import { waitUntil } from './lib/server-process.ts'

const NAMESPACE = 'syncer'
const ACCOUNT = `system:serviceaccount:${NAMESPACE}:syncer`
/** What works takes a tenth of it. */
const PATIENCE_MS = 2_000

let cluster: KubeCluster
let client: KubeClient
let token: string

beforeAll(async () => {
  cluster = await startCluster()
  // Pods belong to these.
  await cluster.createServiceAccount('gateway', 'default')
  await cluster.createServiceAccount(NAMESPACE, 'default')
  token = await cluster.serviceAccountToken(NAMESPACE, 'syncer')
  const { server, ca } = cluster
  const credentials = createGivenCredentials({ namespace: NAMESPACE, server, ca, token: () => token })
  client = createKubeClient({ credentials, clock: systemClock })
})
afterAll(async () => {
  await client[Symbol.asyncDispose]()
  await cluster.stop()
})

/** What Syncer does with a right; throws when it cannot. */
type Use = () => Promise<void>

interface Right {
  readonly values: Values
  readonly uses: Readonly<Record<string, Use>>
  /** Which use fails without a verb of a resource, or without the name of an object. */
  readonly needed: Readonly<Record<string, string>>
}

const PROBE = { host: 'api.example', path: '/_synced' }
const PODS = '/api/v1/namespaces/gateway/pods'
const discovered = (by: object): Values => ({
  config: { gateway: { discovery: { kind: 'kubernetes', namespace: 'gateway', ...by }, probe: PROBE } },
})

/** Follows the replicas through a change that `write` makes, and looks again on demand. */
function usesOfDiscovery(path: string, write: (n: number) => Promise<void>, by: { readonly selector?: string }) {
  return {
    'follow a change': async () => {
      await write(1)
      await using followed = follow({ client, ...by })
      await waitUntil(() => isDeepStrictEqual(followed.names, ['gw-1']), PATIENCE_MS)
      await write(2)
      await waitUntil(() => isDeepStrictEqual(followed.names, ['gw-2']), PATIENCE_MS)
    },
    'look again': async () => {
      await using followed = follow({ client, ...by })
      const before = cluster.readAudit().length
      await followed.discovery.refresh(AbortSignal.timeout(PATIENCE_MS))
      const ofList = () =>
        cluster
          .readAudit()
          .slice(before)
          .find(({ verb, requestURI }) => verb === 'list' && requestURI.startsWith(path))
      await waitUntil(() => ofList() !== undefined, PATIENCE_MS)
      if (ofList()?.responseStatus?.code !== 200) throw new Error('the list was refused')
    },
  }
}

async function runPod(n: number): Promise<void> {
  const containers = [{ name: 'nginx', image: 'nginx', ports: [{ name: 'probe', containerPort: 8443 }] }]
  const identity = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `gw-${n}`, namespace: 'gateway', labels: { app: 'gw' } },
  }
  const gone = `${PODS}?gracePeriodSeconds=0&labelSelector=app%3Dgw`
  if ((await cluster.request('DELETE', gone)).status !== 200) throw new Error('the Pods cannot be deleted')
  await cluster.apply({ ...identity, spec: { containers, nodeName: 'node', automountServiceAccountToken: false } })
  const podIP = `10.1.0.${n}`
  const conditions = [{ type: 'Ready', status: 'True' }]
  await cluster.applyStatus({ ...identity, status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions } })
}

/** Over Leases that are not there yet, with as few retries as can be. */
async function withDsync(use: (dsync: Dsync) => Promise<void>, ...leases: readonly string[]): Promise<void> {
  for (const name of leases) await removeLease(cluster, NAMESPACE, name)
  const { server, ca } = cluster
  const driver = await createKubernetesDriver({ namespace: NAMESPACE, server, ca, token: () => token })
  try {
    await use(new Dsync(driver, 'pod', { scope: 'syncer' }))
  } finally {
    await driver[Symbol.asyncDispose]()
  }
}

const lead = () =>
  withDsync(async (dsync) => {
    const election = dsync.election('schedule')
    try {
      await waitUntil(() => election.isLeader, PATIENCE_MS)
    } finally {
      await election.stop({ graceMs: 0 })
    }
  }, 'syncer.election.schedule')

const lockAs = (name: string) => () =>
  withDsync(async (dsync) => {
    const held = await dsync.lock(name).tryLock()
    if (held === undefined) throw new Error('somebody else has it')
    await held[Symbol.asyncDispose]()
  }, `syncer.lock.${name}`)

/** The leader stops: the other one is to know at once, not when the term is over. */
const handOver = () =>
  withDsync(async (first) => {
    await withDsync(async (second) => {
      const leading = first.election('schedule')
      await waitUntil(() => leading.isLeader, PATIENCE_MS)
      const following = second.election('schedule')
      try {
        await waitUntil(() => following.leader !== undefined, PATIENCE_MS)
        await leading.stop({ graceMs: 0 })
        await waitUntil(() => following.isLeader, PATIENCE_MS)
      } finally {
        await leading.stop({ graceMs: 0 })
        await following.stop({ graceMs: 0 })
      }
    })
  }, 'syncer.election.schedule')

/** Its long waits are short. */
const hasty: Clock = { ...systemClock, setTimer: (ms, run) => systemClock.setTimer(Math.min(ms, PATIENCE_MS), run) }
const jobsOptions = () => ({ client, namespace: NAMESPACE, clock: hasty, random: Math.random })
const soon = () => AbortSignal.timeout(PATIENCE_MS)
let jobs = 0

/** A Job of its own for each use, which nobody runs. */
async function makeJob(): Promise<string> {
  const name = `job-${++jobs}`
  const order: WorkOrder = { pair: 'app', direction: 'left-to-right', dryRun: false, tables: [], of: 1 }
  const template = templateOfImage('syncer:test', { pair: 'app', configPath: '/etc/syncer/syncer.yaml' })
  const manifest = buildJob(name, order, { parallelism: 1, retries: 0, maxFailedShards: 1 }, template)
  const { status, body } = await cluster.request('POST', `/apis/batch/v1/namespaces/${NAMESPACE}/jobs`, manifest)
  if (status !== 201) throw new Error(`the Job was answered ${status}: ${JSON.stringify(body)}`)
  return name
}

const usesOfJobs: Readonly<Record<string, Use>> = {
  'make a Job': async () => {
    const name = await makeJob()
    const path = `/apis/batch/v1/namespaces/${NAMESPACE}/jobs`
    const { body } = await cluster.request('GET', `${path}/${name}`)
    const { spec } = body as { readonly spec: { readonly selector?: object; readonly template: { metadata?: object } } }
    const { selector: _, ...own } = spec
    const manifest = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: `${name}-own` } }
    const template = { ...spec.template, metadata: {} }
    await createJob(jobsOptions(), `${name}-own`, { ...manifest, spec: { ...own, template } }, soon())
  },
  'find a Job again': async () => {
    expect(await isJobThere(jobsOptions(), await makeJob(), soon())).toBe(true)
  },
  'follow a Job to its end': async () => {
    const around = {
      ...jobsOptions(),
      order: { pair: 'app', direction: 'left-to-right', dryRun: false, tables: [], of: 1 } as const,
      quietMs: 60_000,
    }
    const end = await followJob({ ...around, name: 'gone', signal: soon(), onReports: () => {}, onWait: () => {} })
    expect(end.state).toBe('gone')
  },
  'end a Job with its Pods': async () => endJob(jobsOptions(), await makeJob()),
  'find the own Pod': async () => {
    const spec = { containers: [{ name: 'syncer', image: 'syncer' }], automountServiceAccountToken: false }
    await cluster.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'own', namespace: NAMESPACE }, spec })
    expect((await readOwnPod(jobsOptions(), 'own', soon())).containers[0]?.name).toBe('syncer')
  },
}

const RIGHTS: Readonly<Record<string, Right>> = {
  'gateway-service': {
    values: discovered({ service: 'gw' }),
    uses: usesOfDiscovery(SLICES, async (n) => void (await cluster.apply(slice('a', [endpoint(n)]))), {}),
    needed: { 'list endpointslices': 'look again', 'watch endpointslices': 'follow a change' },
  },
  'gateway-selector': {
    values: discovered({ selector: 'app=gw' }),
    uses: usesOfDiscovery(PODS, runPod, { selector: 'app=gw' }),
    needed: { 'list pods': 'look again', 'watch pods': 'follow a change' },
  },
  dsync: {
    values: {
      config: {
        tokens: {
          clusters: [
            { name: 'c1', url: 'http://c1' },
            { name: 'c2', url: 'http://c2' },
          ],
        },
      },
      state: { postgres: { existingSecret: 'state' } },
    },
    uses: { lead, 'hand over': handOver, 'lock c1': lockAs('tokens-c1'), 'lock c2': lockAs('tokens-c2') },
    needed: {
      'get leases': 'lock c1',
      'update leases': 'lead',
      'watch leases': 'hand over',
      'create leases': 'lead',
      'syncer.election.schedule': 'lead',
      'syncer.lock.tokens-c1': 'lock c1',
      'syncer.lock.tokens-c2': 'lock c2',
    },
  },
  'token-review': {
    values: { config: { auth: { mode: 'tokenReview', grants: [{ users: [ACCOUNT], scopes: ['synced'] }] } } },
    uses: {
      'know a caller': async () => {
        await using authenticator = createTokenReviewAuthenticator(
          {
            mode: 'tokenReview',
            open: [],
            audiences: [],
            cacheMs: 0,
            grants: [{ users: [ACCOUNT], scopes: ['synced'] }],
          },
          { clock: systemClock, review: createTokenReview(client) },
        )
        const outcome = await authenticator.authenticate(`Bearer ${token}`)
        if (!outcome.ok) throw new Error(outcome.reason)
      },
    },
    needed: { 'create tokenreviews': 'know a caller' },
  },
  'db-jobs': {
    values: {
      replicas: 1,
      config: {
        db: {
          pairs: [
            {
              name: 'app',
              left: { kind: 'cassandra', contactPoints: ['c'], keyspace: 'app' },
              right: { kind: 'elasticsearch', url: 'http://e', index: 'app-{table}' },
              execution: { kind: 'kubernetes-job' },
            },
          ],
        },
      },
    },
    uses: usesOfJobs,
    needed: {
      'create jobs': 'make a Job',
      'get jobs': 'find a Job again',
      'watch jobs': 'follow a Job to its end',
      'delete jobs': 'end a Job with its Pods',
      'list pods': 'find the own Pod',
      'watch pods': 'end a Job with its Pods',
    },
  },
}

/** Everything that can be taken out of the rules, one thing at a time: what it is called, and the rules without it. */
function listRemovals(rules: readonly PolicyRule[]): ReadonlyMap<string, readonly PolicyRule[]> {
  const removals = new Map<string, readonly PolicyRule[]>()
  rules.forEach((rule, at) => {
    const put = (name: string, change: Partial<PolicyRule>) =>
      removals.set(name, rules.with(at, { ...rule, ...change }))
    const without = (all: readonly string[], one: string) => all.filter((other) => other !== one)
    for (const verb of rule.verbs) put(`${verb} ${rule.resources.join()}`, { verbs: without(rule.verbs, verb) })
    const { resourceNames = [] } = rule
    for (const name of resourceNames) put(name, { resourceNames: without(resourceNames, name) })
  })
  return removals
}

/** The server learns of a Role a moment after it was stored: asked until it answers by these rules. */
async function awaitRules(namespace: string | undefined, all: readonly PolicyRule[], now: readonly PolicyRule[]) {
  const has = (verb: string, resource: string, name: string | undefined) =>
    now.some(
      ({ verbs, resources, resourceNames }) =>
        verbs.includes(verb) && resources.includes(resource) && (name === undefined || resourceNames?.includes(name)),
    )
  for (const { apiGroups, resources, verbs, resourceNames = [undefined] } of all) {
    for (const [resource, verb, name] of resources.flatMap((one) =>
      verbs.flatMap((verb) => resourceNames.map((name) => [one, verb, name] as const)),
    )) {
      await waitUntil(async () => {
        const { body } = await cluster.request('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SubjectAccessReview',
          spec: { user: ACCOUNT, resourceAttributes: { group: apiGroups[0], resource, verb, namespace, name } },
        })
        const { allowed } = (body as { readonly status: { readonly allowed: boolean } }).status
        return allowed === has(verb, resource, name)
      }, PATIENCE_MS)
    }
  }
}

const isRole = ({ kind }: Rendered) => kind === 'Role' || kind === 'ClusterRole'

describe.each(Object.entries(RIGHTS))('the right %s', (_, { values, uses, needed }) => {
  let role: Rendered
  let rights: readonly Rendered[]
  const rules = () => role.rules ?? []

  beforeAll(async () => {
    const objects = await renderChart({ values, namespace: NAMESPACE })
    rights = objects.filter(({ apiVersion }) => apiVersion.startsWith('rbac.'))
    const [only, ...more] = rights.filter(isRole)
    if (only === undefined || more.length > 0) throw new Error('there is to be one Role')
    role = only
    for (const object of rights) await cluster.apply(object)
  })
  afterAll(async () => {
    for (const object of rights) await cluster.remove(object)
  })

  /** Gives these rules alone, and tells which of the uses fail. */
  async function findFailing(now: readonly PolicyRule[], tried = Object.keys(uses)): Promise<readonly string[]> {
    // A rule without a verb, or for nothing, is none.
    await cluster.apply({ ...role, rules: now.filter(({ verbs }) => verbs.length > 0) })
    await awaitRules(role.metadata.namespace, rules(), now)
    const failing: string[] = []
    for (const name of tried) await uses[name]?.().catch(() => failing.push(name))
    return failing
  }

  it('is enough', async () => {
    expect(await findFailing(rules())).toEqual([])
  })

  it('has a reason for each part', () => {
    expect([...listRemovals(rules()).keys()].toSorted()).toEqual(Object.keys(needed).toSorted())
  })

  it.each(Object.entries(needed))('is needed: without %s it cannot %s', async (part, use) => {
    const less = listRemovals(rules()).get(part)
    if (less === undefined) throw new Error(`the Role has no ${part}`)
    expect(await findFailing(less, [use])).toEqual([use])
  })
})
