// What values make of the chart: the objects that helm renders, what it refuses and why, that the configuration in them is one that the
// service takes, and that the Roles are those of roles/.
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/schema.ts'
import { templateOfPod } from '../../src/db/jobs/manifest.ts'
import { lockNameOf } from '../../src/runs/lock-names.ts'
import { loadText } from '../config/load-text.ts'
import {
  CHART,
  findOnly,
  parseObjects,
  type Rendered,
  renderChart,
  renderText,
  runHelm,
  type Values,
  withValues,
} from './lib/chart.ts'
import { findKubeBinaries } from './lib/kube-binaries.ts'
import { startCluster } from './lib/kube-cluster.ts'
import { schemaLocation, writeSchemas } from './lib/kube-schemas.ts'
import { runCommand } from './lib/run-command.ts'
import { createRunFolder, type RunFolder } from './lib/run-folder.ts'

const ROOT = join(import.meta.dirname, '../..')
/** Every file of values that is shipped: the examples, and the ways from originals. */
const SHIPPED = [
  ...globSync('ci/*-values.yaml', { cwd: CHART }),
  ...globSync('values-*.yaml', { cwd: CHART }),
].toSorted()

const PROBE = { host: 'api.example', path: '/_synced' }
const GATEWAY = { discovery: { kind: 'kubernetes', namespace: 'gateway', service: 'gateway' }, probe: PROBE }
const CLUSTERS = [
  { name: 'c1', url: 'http://c1:9091' },
  { name: 'c2', url: 'http://c2:9092' },
]
const TOKENS = { schedule: '*/5 * * * *', clusters: CLUSTERS }
const POSTGRES = { state: { postgres: { existingSecret: 'state' } } }
const PAIR = {
  name: 'app',
  left: { kind: 'cassandra', contactPoints: ['cassandra:9042'], keyspace: 'app' },
  right: { kind: 'elasticsearch', url: 'http://search:9200', index: 'app-{table}' },
}

/** The configuration that the chart has written, as the service reads it. */
async function configOf(objects: readonly Rendered[]): Promise<Config> {
  return (await loadText(findOnly(objects, 'ConfigMap').data?.['syncer.yaml'] ?? '')).config
}

async function refusalOf(values: Values): Promise<string> {
  const said = await renderText({ values }).then(() => 'accepted', String)
  // Without the command line.
  return said.slice(said.indexOf('ended with'))
}

const podOf = (objects: readonly Rendered[]) => findOnly(objects, 'Deployment').spec.template
const kindsOf = (objects: readonly Rendered[]) => objects.map(({ kind }) => kind).toSorted()

describe('every file of values that is shipped', () => {
  let folder: RunFolder

  beforeAll(async () => {
    folder = createRunFolder('kube-schemas')
    await using cluster = await startCluster()
    const { status, body } = await cluster.request('GET', '/openapi/v2')
    expect(status).toBe(200)
    writeSchemas(body, folder.path)
  })
  afterAll(() => folder.remove())

  /** Those kinds that are not Kubernetes' own the server of another test knows. */
  const judge = async (text: string): Promise<string> => {
    const objects = parseObjects(text).filter(({ apiVersion }) => !apiVersion.startsWith('monitoring.coreos.com/'))
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects })
    return withValues(JSON.parse(list), (path) =>
      runCommand(findKubeBinaries().kubeconform, [
        ...['-strict', '-summary', '-schema-location', schemaLocation(folder.path), path],
      ]),
    )
  }

  it.each(SHIPPED)('is linted without a word, and fits the schema of every kind: %s', async (file) => {
    const linted = await runHelm(['lint', '--strict', CHART, '--values', join(CHART, file)])
    expect(linted).toContain('0 chart(s) failed')
    const text = await renderText({ files: [file], release: 'y' })
    const summary = await judge(text)
    const count = parseObjects(text).filter(({ apiVersion }) => !apiVersion.startsWith('monitoring.')).length
    expect(summary).toContain(`${count} resources found`)
    expect(summary).toContain(`Valid: ${count}, Invalid: 0, Errors: 0, Skipped: 0`)
  })

  it('is no fit any more with a field that nobody knows', async () => {
    const text = await renderText({ values: { podSecurityContext: { runAsNonRooot: true } } })
    await expect(judge(text)).rejects.toThrow(/runAsNonRooot/)
  })

  it.each(SHIPPED)('has a configuration that the service takes: %s', async (file) => {
    const objects = await renderChart({ files: [file] })
    const config = await configOf(objects)
    expect(config.listen.host).toBe('0.0.0.0')
    expect(podOf(objects).spec.containers[0].ports[0].containerPort).toBe(config.listen.port)
  })

  it('is there for those who come from nginx-syncer with the settings of its page', async () => {
    const page = readFileSync(join(ROOT, 'docs/gateway/from-nginx-syncer.md'), 'utf8')
    const [, yaml = ''] = /## After, as close as it gets\n\n```yaml\n([\s\S]*?)```/.exec(page) ?? []
    const { config: described } = await loadText(yaml)
    const config = await configOf(await renderChart({ files: ['values-from-nginx-syncer.yaml'] }))
    const withoutCa = ({ gateway }: Config) => JSON.stringify(gateway).replaceAll(/"\/etc[^"]*"/g, 'PATH')
    expect(withoutCa(config)).toBe(withoutCa(described))
    expect(config.auth).toEqual(described.auth)
  })
})

describe('without a value', () => {
  it('has two replicas that answer, with no right and no token', async () => {
    const objects = await renderChart()
    expect(kindsOf(objects)).toEqual(['ConfigMap', 'Deployment', 'PodDisruptionBudget', 'Service', 'ServiceAccount'])
    expect(findOnly(objects, 'Deployment').spec.replicas).toBe(2)
    expect(podOf(objects).spec.automountServiceAccountToken).toBe(false)
    expect((await configOf(objects)).dsync).toEqual({ driver: 'memory' })
  })

  it('runs the image of its own version, hardened', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    const { spec } = podOf(await renderChart())
    const [container, ...more] = spec.containers
    expect(more).toEqual([])
    expect(container).toMatchObject({
      name: 'syncer',
      image: `syncer:${version}`,
      args: ['serve', '--config', '/etc/syncer/syncer.yaml'],
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      },
      startupProbe: { httpGet: { path: '/livez', port: 'http', scheme: 'HTTP' } },
      livenessProbe: { httpGet: { path: '/livez' } },
      readinessProbe: { httpGet: { path: '/readyz' } },
    })
    expect(spec.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } })
    for (const constraint of spec.topologySpreadConstraints) {
      expect(constraint.labelSelector.matchLabels).toEqual({
        'app.kubernetes.io/name': 'syncer',
        'app.kubernetes.io/instance': 'syncer',
      })
    }
  })

  it('leaves users and groups to an OpenShift', async () => {
    const { spec } = podOf(await renderChart({ args: ['--api-versions', 'security.openshift.io/v1'] }))
    expect(spec.securityContext).not.toHaveProperty('fsGroup')
    expect(spec.securityContext).toHaveProperty('runAsNonRoot', true)
  })
})

describe('names and labels', () => {
  const LONG = 'a-release-with-a-name-of-fifty-three-characters-in-al'

  it.each([
    ['syncer', {}, 'syncer'],
    ['y', {}, 'y-syncer'],
    ['1', {}, '1-syncer'],
    ['ng-apigw-syncer', {}, 'ng-apigw-syncer'],
    ['with.dots', {}, 'with-dots-syncer'],
    ['prod', { nameOverride: 'true' }, 'prod-true'],
    ['syncer', { image: { tag: '-a_' } }, 'syncer'],
    ['prod', { fullnameOverride: '007' }, '007'],
    [LONG, {}, 'a-release-with-a-name-of-fifty-three-characters-in-a'],
  ] as const)('are text whatever the release is called: %s %j', async (release, values, fullname) => {
    const objects = await renderChart({ release, values: { ...values, commonLabels: { no: 'no' } } })
    for (const { metadata } of objects) {
      expect(metadata.name).toBe(fullname)
      const labels = Object.entries(metadata['labels'] as object)
      expect(labels).toContainEqual(['app.kubernetes.io/instance', release])
      expect(labels).toContainEqual(['no', 'no'])
      for (const [, value] of labels) expect(value).toMatch(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/)
    }
    const { selector } = findOnly(objects, 'Service').spec
    expect(podOf(objects).metadata.labels).toMatchObject(selector)
    expect(findOnly(objects, 'Deployment').spec.selector.matchLabels).toEqual(selector)
  })

  it('never select the Pods of workers', async () => {
    const { selector } = findOnly(await renderChart(), 'Service').spec
    const worker = { 'app.kubernetes.io/name': 'syncer', 'app.kubernetes.io/component': 'db-worker' }
    expect(worker).not.toMatchObject(selector)
  })
})

describe('the image', () => {
  it.each([
    [{ tag: '1.2' }, 'syncer:1.2'],
    [{ repository: 'registry:5000/a/b', tag: '1.2' }, 'registry:5000/a/b:1.2'],
    [{ tag: '1.2', digest: `sha256:${'0'.repeat(64)}` }, `syncer@sha256:${'0'.repeat(64)}`],
  ])('is %j', async (image, expected) => {
    expect(podOf(await renderChart({ values: { image } })).spec.containers[0].image).toBe(expected)
  })
})

describe('the workers of database syncs', () => {
  it('are made like the Pod of the chart: its image, configuration and limits, without its volume', async () => {
    const pairs = [{ ...PAIR, execution: { kind: 'kubernetes-job' } }]
    const values = {
      replicas: 1,
      config: { db: { pairs } },
      secrets: { env: 'stores' },
      state: { persistence: { enabled: true } },
    }
    const { spec } = podOf(await renderChart({ values }))
    const worker = templateOfPod(spec, { pair: 'app', configPath: '/etc/syncer/syncer.yaml' }).spec
    const [own] = spec.containers
    const [container] = worker.containers
    expect(container).toMatchObject({
      ...{ image: own.image, resources: own.resources, securityContext: own.securityContext, envFrom: own.envFrom },
      args: ['db', 'worker', 'app', '--config', '/etc/syncer/syncer.yaml'],
      volumeMounts: [{ mountPath: '/etc/syncer' }, { mountPath: '/tmp' }],
    })
    expect(worker.volumes?.map(({ name }) => name)).toEqual(['config', 'tmp'])
    expect(worker.securityContext).toEqual(spec.securityContext)
  })
})

describe('the chart as a package', () => {
  it('renders what the folder renders, and has no examples in it', async () => {
    const folder = createRunFolder('kube-helm')
    try {
      await runHelm(['package', CHART, '--destination', folder.path])
      const [archive = ''] = globSync('syncer-*.tgz', { cwd: folder.path })
      const path = join(folder.path, archive)
      const on = ['--set', 'metrics.prometheusRule.enabled=true']
      const fromPackage = await runHelm(['template', 'syncer', path, '--namespace', 'syncer', ...on])
      expect(parseObjects(fromPackage)).toEqual(await renderChart({ args: on }))
      expect(await runCommand('tar', ['-tzf', path])).not.toContain('syncer/ci/')
    } finally {
      folder.remove()
    }
  })
})

describe('the configuration', () => {
  it('keeps numbers and words as they are written', async () => {
    const gateway = { ...GATEWAY, maxProbesPerSecond: 10_000_000, probe: { ...PROBE, host: 'on', path: '/~' } }
    const auth = { mode: 'bearer', callers: [{ name: 'yes', sha256: '1'.repeat(64), scopes: ['read'] }] }
    const config = await configOf(await renderChart({ values: { config: { gateway, auth } } }))
    expect(config.gateway?.maxProbesPerSecond).toBe(10_000_000)
    expect(config.gateway?.probe).toMatchObject({ host: 'on', path: '/~' })
    expect(config.auth).toMatchObject(auth)
  })

  it('makes another Pod when it changes, and when a file beside it does', async () => {
    const checksum = async (values: Values) =>
      podOf(await renderChart({ values })).metadata.annotations['checksum/config']
    const before = await checksum({})
    expect(await checksum({})).toBe(before)
    expect(await checksum({ config: { log: { level: 'debug' } } })).not.toBe(before)
    expect(await checksum({ files: { 'ca.pem': 'x' } })).not.toBe(before)
    expect(await checksum({ replicas: 3 })).toBe(before)
  })

  it('has the files and Secrets that are named beside it', async () => {
    const values = {
      config: { tokens: TOKENS },
      files: { 'ca.pem': 'authority' },
      secrets: { files: 'some-files', env: 'some-env' },
      ...POSTGRES,
    }
    const objects = await renderChart({ values })
    expect(findOnly(objects, 'ConfigMap').data?.['ca.pem']).toBe('authority')
    expect((await configOf(objects)).state).toMatchObject({ kind: 'postgres', url: { file: '/etc/syncer/state-url' } })
    const { spec } = podOf(objects)
    const [volume] = spec.volumes
    expect(volume.projected.sources).toEqual([
      { configMap: { name: 'syncer' } },
      { secret: { name: 'some-files' } },
      { secret: { name: 'state', items: [{ key: 'url', path: 'state-url' }] } },
    ])
    expect(spec.containers[0].envFrom).toEqual([{ secretRef: { name: 'some-env' } }])
  })

  it('gives Pods as long to stop as its settings say', async () => {
    const secondsOf = async (values: Values) =>
      podOf(await renderChart({ values })).spec.terminationGracePeriodSeconds as number
    expect(await secondsOf({ config: { shutdown: { readinessDelayMs: 0, graceMs: 0 } } })).toBe(24)
    expect(await secondsOf({ config: { shutdown: { readinessDelayMs: 1_500, graceMs: 10_000 } } })).toBe(56)
    expect(await secondsOf({ config: { shutdown: { readinessDelayMs: 60_000, graceMs: 600_000 } } })).toBe(1_884)
    expect(await secondsOf({ terminationGracePeriodSeconds: 7 })).toBe(7)
  })

  it('is asked over TLS where it says so, and by its port alone where clients need certificates', async () => {
    const file = { file: 'x.pem' }
    const probesOf = async (tls: object) =>
      podOf(await renderChart({ values: { config: { listen: { tls } } } })).spec.containers[0]
    expect((await probesOf({ cert: file, key: file })).readinessProbe.httpGet.scheme).toBe('HTTPS')
    const closed = await probesOf({ cert: file, key: file, clientCa: file })
    for (const name of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
      expect(closed[name]).toHaveProperty('tcpSocket')
      expect(closed[name]).not.toHaveProperty('httpGet')
    }
  })
})

describe('replicas, state and leaders', () => {
  it('one replica keeps its state in the Pod, and is gone before the next one comes', async () => {
    const objects = await renderChart({ values: { replicas: 1, config: { tokens: TOKENS } } })
    const { state, dsync, tokens } = await configOf(objects)
    expect(state).toMatchObject({ kind: 'sqlite', path: '/var/lib/syncer/state.db' })
    expect(dsync.driver).toBe('memory')
    expect(tokens?.undoFolder).toBe('/var/lib/syncer/undo')
    expect(findOnly(objects, 'Deployment').spec.strategy).toEqual({ type: 'Recreate' })
    expect(podOf(objects).spec.volumes).toContainEqual({ name: 'state', emptyDir: { sizeLimit: '1Gi' } })
    expect(kindsOf(objects)).not.toContain('PodDisruptionBudget')
    expect(kindsOf(objects)).not.toContain('PersistentVolumeClaim')
  })

  it('one replica keeps it in a volume where that is asked for', async () => {
    const values = { replicas: 1, config: { tokens: TOKENS }, state: { persistence: { enabled: true } } }
    const objects = await renderChart({ values })
    expect(findOnly(objects, 'PersistentVolumeClaim').spec).toEqual({
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
    })
    expect(podOf(objects).spec.volumes).toContainEqual({
      name: 'state',
      persistentVolumeClaim: { claimName: 'syncer' },
    })
  })

  it('several elect a leader in the scope of the release, share PostgreSQL, and change without a gap', async () => {
    const objects = await renderChart({ release: 'prod', values: { config: { tokens: TOKENS }, ...POSTGRES } })
    expect((await configOf(objects)).dsync).toMatchObject({ driver: 'kubernetes', scope: 'prod-syncer' })
    expect(findOnly(objects, 'Deployment').spec.strategy).toEqual({
      type: 'RollingUpdate',
      rollingUpdate: { maxUnavailable: 0, maxSurge: 1 },
    })
    expect(findOnly(objects, 'PodDisruptionBudget').spec.maxUnavailable).toBe(1)
  })

  it('what is written stays', async () => {
    const config = {
      tokens: { ...TOKENS, undoFolder: '/undo' },
      dsync: { driver: 'kubernetes', scope: 'mine', namespace: 'leases' },
      state: { kind: 'postgres', url: { env: 'STATE_URL' } },
    }
    const objects = await renderChart({ values: { config } })
    const { dsync, tokens } = await configOf(objects)
    expect(dsync).toMatchObject(config.dsync)
    expect(tokens?.undoFolder).toBe('/undo')
    expect(findOnly(objects, 'ConfigMap').data?.['syncer.yaml']).toContain('env: STATE_URL')
    expect(findOnly(objects, 'Role').metadata).toMatchObject({ name: 'syncer-syncer-dsync', namespace: 'leases' })
  })

  it.each([
    [
      'several with SQLite',
      { config: { tokens: TOKENS } },
      /2 replicas .* SQLite is a file of one of them: set state\.postgres/,
    ],
    ['several with pairs and SQLite', { config: { db: { pairs: [PAIR] } } }, /SQLite is a file of one of them/],
    [
      'several that all lead',
      { config: { tokens: TOKENS, dsync: { driver: 'memory' } }, ...POSTGRES },
      /config\.dsync\.driver is memory with 2 replicas: each would think that it leads/,
    ],
    [
      'a leader by Lease over SQLite',
      { replicas: 1, config: { tokens: TOKENS, dsync: { driver: 'kubernetes' } } },
      /config\.dsync\.driver is kubernetes, and SQLite/,
    ],
    [
      'several on a volume of one node',
      { config: { tokens: TOKENS }, state: { ...POSTGRES.state, persistence: { enabled: true } } },
      /needs accessModes \[ReadWriteMany\]/,
    ],
    ['an address that nobody reaches', { config: { listen: { host: '127.0.0.1' } } }, /neither probes nor callers/],
    ['no word on who may call', { config: { auth: null } }, /config\.auth\.mode must be written down/],
  ])('are refused with the reason: %s', async (_, values, reason) => {
    expect(await refusalOf(values)).toMatch(reason)
  })
})

describe('values that nobody knows, or that cannot be', () => {
  it.each([
    [{ replicaCount: 2 }, "additional properties 'replicaCount' not allowed"],
    [{ image: { tagg: '1' } }, "additional properties 'tagg' not allowed"],
    [{ config: { gatway: GATEWAY } }, "additional properties 'gatway' not allowed"],
    [
      { config: { gateway: { ...GATEWAY, deadlineMs: 5 } } },
      "at '/config/gateway/deadlineMs': minimum: got 5, want 10",
    ],
    [{ config: { auth: { mode: 'nobody' } } }, "at '/config/auth"],
    [{ replicas: 0 }, 'minimum: got 0, want 1'],
    [{ replicas: '2' }, 'got string, want integer'],
    [{ env: { PORT: '1' } }, "invalid propertyName 'PORT'"],
    [{ files: { 'syncer.yaml': '' } }, "invalid propertyName 'syncer.yaml'"],
    [{ image: { digest: 'latest' } }, "at '/image/digest'"],
  ])('are refused by helm: %j', async (values, said) => {
    expect(await refusalOf(values)).toContain(said)
  })
})

describe('rights', () => {
  const rolesOf = (objects: readonly Rendered[]) =>
    objects.filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole')
  const JOB = { execution: { kind: 'kubernetes-job' } }
  const CASES: readonly (readonly [file: string, values: Values])[] = [
    ['gateway-service', { config: { gateway: GATEWAY } }],
    [
      'gateway-selector',
      {
        config: {
          gateway: { ...GATEWAY, discovery: { kind: 'kubernetes', namespace: 'gateway', selector: 'app=gw' } },
        },
      },
    ],
    ['dsync', { config: { tokens: TOKENS }, ...POSTGRES }],
    ['token-review', { config: { auth: { mode: 'tokenReview', grants: [{ groups: ['g'], scopes: ['read'] }] } } }],
    ['db-jobs', { replicas: 1, config: { db: { pairs: [{ ...PAIR, ...JOB }] }, dsync: { driver: 'memory' } } }],
  ]

  it('there is a case for every file of roles/', () => {
    const files = globSync('roles/*.yaml', { cwd: ROOT }).map((path) => basename(path, '.yaml'))
    expect(CASES.map(([file]) => file).toSorted()).toEqual(files.toSorted())
  })

  it.each(CASES)(
    'are to the rule those of roles/%s.yaml, for the same namespaces and account',
    async (file, values) => {
      const plain = parseObjects(readFileSync(join(ROOT, 'roles', `${file}.yaml`), 'utf8'))
      const objects = await renderChart({ values })
      const isOfRights = ({ apiVersion }: Rendered) => apiVersion.startsWith('rbac.')
      const shape = ({ kind, metadata, rules, ...rest }: Rendered) => ({
        ...{ kind, namespace: metadata.namespace, rules },
        ...{ subjects: rest['subjects'], role: (rest['roleRef'] as { readonly kind: string } | undefined)?.kind },
      })
      expect(objects.filter(isOfRights).map(shape)).toEqual(plain.map(shape))
      expect(podOf(objects).spec.automountServiceAccountToken).toBe(true)
      for (const binding of objects.filter(({ kind }) => kind.endsWith('Binding'))) {
        expect(binding['roleRef']).toMatchObject({ name: binding.metadata.name })
      }
    },
  )

  it('have the name of every Lease that is used, as the service makes it', async () => {
    const names = [
      'c1',
      'Cluster.Two',
      'a_b',
      '-'.padStart(2, 'a'),
      'x'.repeat(100),
      'x'.repeat(101),
      'UPPER',
      'a--b',
      '0',
    ]
    const clusters = names.map((name, at) => ({ name, url: `http://c${at}:9091` }))
    const pairs = ['app', 'Orders.2'].map((name) => ({ ...PAIR, name }))
    const objects = await renderChart({ values: { config: { tokens: { clusters }, db: { pairs } }, ...POSTGRES } })
    const [rule] = findOnly(objects, 'Role').rules ?? []
    const locks = [...names.map((name) => `cluster:${name}`), ...pairs.map(({ name }) => `pair:${name}`)]
    expect(rule?.resourceNames).toEqual([
      'syncer.election.schedule',
      ...locks.map((resource) => `syncer.lock.${lockNameOf(resource)}`),
    ])
  })

  it('of Jobs are for each of their namespaces, and for the own Pod where workers are to be like it', async () => {
    const pairs = [
      { ...PAIR, execution: { kind: 'kubernetes-job', namespace: 'batch' } },
      { ...PAIR, name: 'b', execution: { kind: 'kubernetes-job', namespace: 'other', image: 'syncer:1' } },
      { ...PAIR, name: 'c', execution: { kind: 'kubernetes-job', namespace: 'batch' } },
    ]
    const roles = rolesOf(await renderChart({ values: { replicas: 1, config: { db: { pairs } } } }))
    expect(roles.map(({ metadata, rules }) => [metadata.namespace, rules?.length])).toEqual(
      expect.arrayContaining([
        ['batch', 2],
        ['other', 2],
        ['syncer', 1],
      ]),
    )
    expect(roles).toHaveLength(3)
    expect(roles.find(({ metadata }) => metadata.namespace === 'syncer')?.rules).toEqual([
      { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
    ])
  })

  it('are none where somebody else gives them, or another cluster is meant', async () => {
    const elsewhere = await renderChart({ values: { config: { gateway: GATEWAY, kubernetes: { kubeConfig: 'k' } } } })
    expect(rolesOf(elsewhere)).toEqual([])
    expect(podOf(elsewhere).spec.automountServiceAccountToken).toBe(false)
    const byHand = await renderChart({ values: { config: { gateway: GATEWAY }, rbac: { create: false } } })
    expect(rolesOf(byHand)).toEqual([])
    expect(podOf(byHand).spec.automountServiceAccountToken).toBe(true)
  })

  it('go to the ServiceAccount that is named', async () => {
    const accountOf = async (serviceAccount: object) => {
      const objects = await renderChart({ values: { config: { gateway: GATEWAY }, serviceAccount } })
      const [subject] = findOnly(objects, 'RoleBinding')['subjects'] as readonly { readonly name: string }[]
      expect(podOf(objects).spec.serviceAccountName).toBe(subject?.name)
      return [subject?.name, kindsOf(objects).includes('ServiceAccount')]
    }
    expect(await accountOf({})).toEqual(['syncer', true])
    expect(await accountOf({ name: 'keeper' })).toEqual(['keeper', true])
    expect(await accountOf({ create: false, name: 'keeper' })).toEqual(['keeper', false])
    expect(await accountOf({ create: false })).toEqual(['default', false])
  })
})

describe('the NetworkPolicy', () => {
  const policyOf = async (values: Values) =>
    findOnly(await renderChart({ values: { networkPolicy: { enabled: true }, ...values } }), 'NetworkPolicy').spec
  const portsOf = (spec: Rendered['spec']): readonly number[] =>
    // The first rule is for names.
    spec.egress.slice(1).flatMap(({ ports = [] }) => ports.map(({ port }: { readonly port: number }) => port))

  it('lets Pods of the namespace in, and nothing out but names, where nothing is configured', async () => {
    const spec = await policyOf({})
    expect(spec.ingress).toEqual([{ ports: [{ port: 'http', protocol: 'TCP' }], from: [{ podSelector: {} }] }])
    expect(spec.egress).toHaveLength(1)
  })

  it.each([
    [{ gateway: { ...GATEWAY } }, [443, 6443]],
    [{ gateway: { discovery: { kind: 'dns', name: 'gw' }, probe: PROBE } }, [8443]],
    [{ gateway: { discovery: { kind: 'dns', name: 'gw', port: 9 }, probe: PROBE } }, [9]],
    [{ auth: { mode: 'oidc', issuer: 'https://idp.example/realm', audience: 'a' } }, [443]],
    [
      {
        tokens: {
          clusters: [
            { name: 'a', url: 'HTTPS://a/b' },
            { name: 'b', url: 'http://[::1]/x' },
          ],
        },
      },
      [443, 80],
    ],
    [{ tokens: { clusters: CLUSTERS } }, [9091, 9092]],
    [{ db: { pairs: [PAIR] } }, [9042, 9200]],
  ])('lets out to %j', async (config, ports) => {
    expect(portsOf(await policyOf({ replicas: 1, config }))).toEqual(ports)
  })

  it('leaves the way out alone where that is asked for', async () => {
    const spec = await policyOf({ networkPolicy: { enabled: true, egress: { enabled: false } } })
    expect(spec.policyTypes).toEqual(['Ingress'])
    expect(spec).not.toHaveProperty('egress')
  })
})

describe('what Prometheus is told', () => {
  it('is where the metrics are, and which alerts there are', async () => {
    const metrics = {
      serviceMonitor: { enabled: true, bearerTokenSecret: { name: 'scraper', key: 'token' } },
      prometheusRule: { enabled: true, alertLabels: { team: 'x', severity: 'page' } },
    }
    const objects = await renderChart({ values: { metrics } })
    const { endpoints, selector } = findOnly(objects, 'ServiceMonitor').spec
    expect(endpoints).toEqual([
      {
        ...{ port: 'http', path: '/metrics', scheme: 'http', interval: '30s', scrapeTimeout: '10s' },
        authorization: { type: 'Bearer', credentials: { name: 'scraper', key: 'token' } },
      },
    ])
    expect(findOnly(objects, 'Service').metadata['labels']).toMatchObject(selector.matchLabels)
    const [source] = parseObjects(readFileSync(join(ROOT, 'docs/alerts.yaml'), 'utf8'))
    const groups = structuredClone(source?.['groups']) as { rules: { labels?: object }[] }[]
    for (const rule of groups.flatMap(({ rules }) => rules))
      rule.labels = { ...rule.labels, team: 'x', severity: 'page' }
    expect(findOnly(objects, 'PrometheusRule').spec.groups).toEqual(groups)
  })
})

describe('what is said after an install', () => {
  const notesOf = async (values: Values) =>
    withValues(values, (path) =>
      runHelm(['install', 'y', CHART, '--namespace', 'prod', '--dry-run=client', '--values', path]),
    )

  it('are the next commands, and what is not safe yet', async () => {
    const notes = await notesOf({})
    expect(notes).toContain('kubectl -n prod rollout status deployment/y-syncer')
    expect(notes).toContain('nothing is configured yet')
    expect(notes).toContain('config.auth.mode is none')
  })

  it('is no warning where all is said', async () => {
    const grants = [{ groups: ['g'], scopes: ['read'] }]
    const config = { gateway: GATEWAY, tokens: TOKENS, auth: { mode: 'tokenReview', grants } }
    expect(await notesOf({ config, ...POSTGRES })).not.toContain('NOTE:')
    expect(await notesOf({ config, replicas: 1 })).toContain('the history of runs goes with the Pod')
  })
})
