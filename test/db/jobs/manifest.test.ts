import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { buildJob, jobName, templateOfImage, templateOfPod } from '../../../src/db/jobs/manifest.ts'
import type { PodSpec } from '../../../src/db/jobs/objects.ts'
import { decodeOrder, type WorkOrder } from '../../../src/db/jobs/order.ts'

const ORDER: WorkOrder = {
  ...{ pair: 'shop', direction: 'left-to-right', dryRun: false, of: 256 },
  tables: [{ name: 'carts', window: { beginMs: 0, endMs: 1_000 } }],
}
const SETTINGS = { parallelism: 16, retries: 3, maxFailedShards: 5 }
const WORKER = { pair: 'shop', configPath: '/etc/syncer/syncer.yaml' }

/** A Pod of the service as Kubernetes shows it. */
const OWN: PodSpec = {
  serviceAccountName: 'syncer',
  nodeName: 'node-1',
  restartPolicy: 'Always',
  imagePullSecrets: [{ name: 'registry' }],
  nodeSelector: { pool: 'batch' },
  tolerations: [{ key: 'batch', operator: 'Exists' }],
  securityContext: { runAsNonRoot: true },
  volumes: [
    { name: 'config', configMap: { name: 'syncer' } },
    { name: 'secrets', secret: { secretName: 'syncer' } },
    { name: 'state', persistentVolumeClaim: { claimName: 'syncer' } },
    { name: 'host', hostPath: { path: '/var' } },
    { name: 'kube-api-access-x2x', projected: { sources: [] } },
  ],
  initContainers: [{ name: 'init', image: 'init:1' }],
  containers: [
    { name: 'proxy', image: 'proxy:1' },
    {
      name: 'syncer',
      image: 'registry.example/syncer:1.2.3',
      imagePullPolicy: 'IfNotPresent',
      command: ['node', '/app/bin/syncer'],
      args: ['serve', '--config', '/etc/syncer/syncer.yaml'],
      env: [
        { name: 'PORT', value: '8080' },
        { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'cassandra', key: 'password' } } },
      ],
      envFrom: [{ configMapRef: { name: 'env' } }],
      ports: [{ containerPort: 8080 }],
      livenessProbe: { httpGet: { path: '/livez', port: 8080 } },
      resources: { requests: { cpu: '1' } },
      securityContext: { readOnlyRootFilesystem: true },
      volumeMounts: [
        { name: 'config', mountPath: '/etc/syncer' },
        { name: 'secrets', mountPath: '/etc/secrets' },
        { name: 'state', mountPath: '/var/lib/syncer' },
        { name: 'kube-api-access-x2x', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
      ],
    },
  ],
}

interface Built {
  readonly metadata: { readonly name: string; readonly labels: unknown }
  readonly spec: Readonly<Record<string, unknown>> & { readonly template: { readonly spec: PodSpec } }
}

const build = (order = ORDER, settings = SETTINGS, template = templateOfImage('syncer:1', WORKER)) =>
  buildJob('syncer-db-shop-1', order, settings, template) as Built

describe('the Job of a direction', () => {
  it('has an index for each shard, tried again by itself, and none in place of one that still runs', () => {
    expect(build().spec).toMatchObject({
      completionMode: 'Indexed',
      completions: 256,
      parallelism: 16,
      backoffLimitPerIndex: 3,
      maxFailedIndexes: 5,
      podReplacementPolicy: 'Failed',
      ttlSecondsAfterFinished: 3_600,
    })
    expect(build().spec.template.spec).toMatchObject({ restartPolicy: 'Never', automountServiceAccountToken: false })
  })

  it('counts what a worker did, not what befell its node, and gives up at once what no try mends', () => {
    expect(build().spec['podFailurePolicy']).toEqual({
      rules: [
        { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
        { action: 'FailIndex', onExitCodes: { containerName: 'worker', operator: 'In', values: [2] } },
        { action: 'Count', onExitCodes: { containerName: 'worker', operator: 'In', values: [1, 137, 143] } },
      ],
    })
  })

  it('of few shards asks for no more workers and failures than that', () => {
    const { spec } = build({ ...ORDER, shards: [3, 200] })
    expect(spec).toMatchObject({ completions: 2, parallelism: 2, maxFailedIndexes: 2 })
  })

  it('tells its workers what to do, and where to say what they did', () => {
    const [container] = build().spec.template.spec.containers
    expect(container).toMatchObject({
      name: 'worker',
      image: 'syncer:1',
      args: ['db', 'worker', 'shop', '--config', '/etc/syncer/syncer.yaml'],
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
    })
    const order = container?.env?.find(({ name }) => name === 'SYNCER_DB_ORDER')?.value
    expect(decodeOrder(order ?? '')).toEqual(ORDER)
  })
})

describe('the name of a Job', () => {
  it('tells the pair, the run, the step and the round', () => {
    expect(jobName('Shop.EU_1', '0a1b2c3d', 1, 2)).toBe('syncer-db-shop-eu-1-0a1b2c3d-1-2')
    expect(jobName('___', '0a1b2c3d', 0, 1)).toBe('syncer-db-0a1b2c3d-0-1')
  })

  it('leaves room for the index behind it in the name of a host', () => {
    fc.assert(
      fc.property(
        fc.string({ minLength: 1, maxLength: 128 }),
        fc.nat({ max: 99 }),
        fc.nat({ max: 999 }),
        (pair, step, round) => {
          const name = jobName(pair, '0a1b2c3d', step, round)
          expect(name).toMatch(/^[a-z]([-a-z0-9]*[a-z0-9])?$/)
          expect(`${name}-1999`.length).toBeLessThanOrEqual(63)
        },
      ),
    )
  })
})

describe('workers like the Pod of the service', () => {
  const { spec } = templateOfPod(OWN, WORKER)
  const [container] = spec.containers

  it('run its image where it may run, with its environment', () => {
    expect(spec.containers).toHaveLength(1)
    expect(spec).toMatchObject({
      serviceAccountName: 'syncer',
      imagePullSecrets: [{ name: 'registry' }],
      nodeSelector: { pool: 'batch' },
      tolerations: [{ key: 'batch', operator: 'Exists' }],
      securityContext: { runAsNonRoot: true },
    })
    expect(container).toMatchObject({
      name: 'worker',
      image: 'registry.example/syncer:1.2.3',
      command: ['node', '/app/bin/syncer'],
      args: ['db', 'worker', 'shop', '--config', '/etc/syncer/syncer.yaml'],
      env: [{ name: 'PASSWORD' }],
      envFrom: [{ configMapRef: { name: 'env' } }],
      resources: { requests: { cpu: '1' } },
    })
  })

  it('mount its configuration and its secrets, and neither its state nor a token', () => {
    expect(spec.volumes?.map(({ name }) => name)).toEqual(['config', 'secrets'])
    expect(container?.volumeMounts?.map(({ name }) => name)).toEqual(['config', 'secrets'])
  })

  it('take nothing that makes it a service', () => {
    expect(Object.keys(spec).sort()).toEqual([
      ...['containers', 'imagePullSecrets', 'nodeSelector', 'securityContext', 'serviceAccountName', 'tolerations'],
      'volumes',
    ])
    expect(container).not.toHaveProperty('livenessProbe')
    expect(container).not.toHaveProperty('ports')
  })

  it('are of the first container where none is called syncer', () => {
    const first = templateOfPod({ containers: [{ name: 'app', image: 'a:1' }] }, WORKER)
    expect(first.spec.containers[0]).toMatchObject({ name: 'worker', image: 'a:1' })
  })
})

describe('settings of workers', () => {
  const settings = {
    ...WORKER,
    configMap: 'db-config',
    secret: 'db-secrets',
    serviceAccountName: 'workers',
    resources: { requests: { cpu: '500m' }, limits: { memory: '512Mi' } },
  }

  it.each([
    ['of an image', templateOfImage('syncer:1', settings)],
    ['like the Pod of the service', templateOfPod(OWN, settings)],
  ])('win over what they would have: %s', (_, { spec }) => {
    expect(spec.serviceAccountName).toBe('workers')
    const [container] = spec.containers
    expect(container).toMatchObject({
      args: ['db', 'worker', 'shop', '--config', '/etc/syncer-worker/syncer.yaml'],
      resources: { requests: { cpu: '500m' }, limits: { memory: '512Mi' } },
    })
    expect(container?.envFrom?.at(-1)).toEqual({ secretRef: { name: 'db-secrets' } })
    const mount = container?.volumeMounts?.at(-1)
    expect(mount).toMatchObject({ mountPath: '/etc/syncer-worker', readOnly: true })
    expect(spec.volumes?.find(({ name }) => name === mount?.name)).toMatchObject({ configMap: { name: 'db-config' } })
  })
})
