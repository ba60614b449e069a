// The Job of one direction, and the Pods of its workers. Pure.
//
//   a worker's end                         what Kubernetes does with its shard
//   exit 0                                 done
//   exit 1, 137 (SIGKILL, no memory), 143  tried again, `retries` times, after 10 s, 20 s, 40 s …
//   exit 2 (configuration, table refused)  failed for good
//   evicted, drained, preempted            tried again, not counted
import type { Container, EnvVar, PodSpec } from './objects.ts'
import { countIndexes, encodeOrder, type WorkOrder } from './order.ts'

/** Settings of a Job, as the configuration has them. */
export interface JobSettings {
  /** Most workers at the same time. */
  readonly parallelism: number
  /** How often a shard is tried again. */
  readonly retries: number
  readonly maxFailedShards: number
}

/** What the workers of a Job run in. */
export interface WorkerTemplate {
  /** With one container, whose arguments are those of the worker already. */
  readonly spec: PodSpec
}

/** What the workers find their order in. */
export const ORDER_VARIABLE = 'SYNCER_DB_ORDER'
export const CONTAINER = 'worker'
/** A worker that is told to end has so long to put away what it holds, in seconds. */
export const GRACE_SECONDS = 30
/** The service deletes its Jobs itself: this is for when it is gone. In seconds. */
const KEEP_FINISHED_SECONDS = 3_600
const LABELS = { 'app.kubernetes.io/name': 'syncer', 'app.kubernetes.io/component': 'db-worker' }

/** At most 47 characters, and a name of hosts: Pods add `-` and their index to it. `key` tells runs apart. */
export function jobName(pair: string, key: string, step: number, round: number): string {
  const slug = pair
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 20)
    .replace(/^-+|-+$/g, '')
  return ['syncer-db', ...(slug === '' ? [] : [slug]), key, step, round].join('-')
}

/** The manifest to be created. */
export function buildJob(name: string, order: WorkOrder, settings: JobSettings, template: WorkerTemplate): object {
  const completions = countIndexes(order)
  const { parallelism, retries, maxFailedShards } = settings
  return {
    ...{ apiVersion: 'batch/v1', kind: 'Job', metadata: { name, labels: LABELS } },
    spec: {
      completionMode: 'Indexed',
      completions,
      parallelism: Math.min(parallelism, completions),
      backoffLimitPerIndex: retries,
      maxFailedIndexes: Math.min(maxFailedShards, completions),
      // Two workers of one shard would be harmless, and a waste.
      podReplacementPolicy: 'Failed',
      ttlSecondsAfterFinished: KEEP_FINISHED_SECONDS,
      podFailurePolicy: {
        rules: [
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          { action: 'FailIndex', onExitCodes: { containerName: CONTAINER, operator: 'In', values: [2] } },
          { action: 'Count', onExitCodes: { containerName: CONTAINER, operator: 'In', values: [1, 137, 143] } },
        ],
      },
      template: {
        metadata: { labels: LABELS },
        spec: {
          ...template.spec,
          containers: template.spec.containers.map((container) => withOrder(container, order)),
          restartPolicy: 'Never',
          terminationGracePeriodSeconds: GRACE_SECONDS,
          // A worker asks nothing of Kubernetes.
          automountServiceAccountToken: false,
        },
      },
    },
  }
}

function withOrder(container: Container, order: WorkOrder): Container {
  const env = (container.env ?? []).filter(({ name }) => name !== ORDER_VARIABLE)
  return {
    ...container,
    env: [...env, { name: ORDER_VARIABLE, value: encodeOrder(order).text }],
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
  }
}

export interface WorkerSettings {
  readonly pair: string
  /** Of the configuration, in the container of the worker. */
  readonly configPath: string
  /** Its key `syncer.yaml` is the configuration. */
  readonly configMap?: string | undefined
  /** Its keys become environment variables. */
  readonly secret?: string | undefined
  readonly serviceAccountName?: string | undefined
  readonly resources?: { readonly requests?: object | undefined; readonly limits?: object | undefined } | undefined
}

/** A folder of its own: the image, or the Pod, may have something else at /etc/syncer. */
const CONFIG_FOLDER = '/etc/syncer-worker'
const CONFIG_VOLUME = 'syncer-worker-config'

/** Workers of an image whose entry point is the command `syncer`. */
export function templateOfImage(image: string, settings: WorkerSettings): WorkerTemplate {
  return finish({ containers: [] }, { name: CONTAINER, image }, settings)
}

/** Volumes that a worker can share with the service. The others, above all what holds the state, stay the service's own. */
const SHARED_VOLUMES = ['configMap', 'secret', 'projected', 'downwardAPI', 'emptyDir', 'csi', 'image']
/** Kubernetes adds one of these to every Pod, for the token that a worker has no use for. */
const TOKEN_VOLUME = /^kube-api-access-/
const PLACEMENT = [
  'imagePullSecrets',
  'nodeSelector',
  'tolerations',
  'affinity',
  'topologySpreadConstraints',
  'securityContext',
  'priorityClassName',
  'runtimeClassName',
  'hostAliases',
  'dnsPolicy',
  'dnsConfig',
  'serviceAccountName',
] as const
const OF_CONTAINER = [
  'image',
  'imagePullPolicy',
  'command',
  'workingDir',
  'env',
  'envFrom',
  'resources',
  'securityContext',
] as const

/** Workers like the Pod that the service runs in: the container called `syncer`, or the first one, with other arguments. */
export function templateOfPod(spec: PodSpec, settings: WorkerSettings): WorkerTemplate {
  const own = spec.containers.find(({ name }) => name === 'syncer') ?? spec.containers[0]
  if (own === undefined) throw new RangeError('a Pod has at least one container')
  const volumes = (spec.volumes ?? []).filter(
    (volume) => !TOKEN_VOLUME.test(volume.name) && SHARED_VOLUMES.some((kind) => volume[kind] !== undefined),
  )
  const names = new Set(volumes.map(({ name }) => name))
  const container: Container = {
    name: CONTAINER,
    ...pick(own, OF_CONTAINER),
    volumeMounts: (own.volumeMounts ?? []).filter(({ name }) => names.has(name)),
  }
  return finish({ ...pick(spec, PLACEMENT), containers: [], volumes }, container, settings)
}

function finish(spec: PodSpec, container: Container, settings: WorkerSettings): WorkerTemplate {
  const { pair, configPath, configMap, secret, serviceAccountName, resources } = settings
  const { requests, limits } = resources ?? {}
  const mount = { name: CONFIG_VOLUME, mountPath: CONFIG_FOLDER, readOnly: true }
  const path = configMap === undefined ? configPath : `${CONFIG_FOLDER}/syncer.yaml`
  return {
    spec: {
      ...spec,
      ...(serviceAccountName !== undefined && { serviceAccountName }),
      ...(configMap !== undefined && {
        volumes: [...(spec.volumes ?? []), { name: CONFIG_VOLUME, configMap: { name: configMap } }],
      }),
      containers: [
        {
          ...container,
          args: ['db', 'worker', pair, '--config', path],
          env: (container.env ?? []).filter(isForWorkers),
          ...(secret !== undefined && { envFrom: [...(container.envFrom ?? []), { secretRef: { name: secret } }] }),
          ...(configMap !== undefined && { volumeMounts: [...(container.volumeMounts ?? []), mount] }),
          ...(resources !== undefined && { resources: { ...(requests && { requests }), ...(limits && { limits }) } }),
        },
      ],
    },
  }
}

/** Of the service alone: where it listens is nothing to a worker. */
const isForWorkers = ({ name }: EnvVar): boolean => name !== 'HOST' && name !== 'PORT'

function pick<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Pick<T, K> {
  return Object.fromEntries(
    keys.filter((key) => from[key] !== undefined).map((key) => [key, from[key]] as const),
  ) as unknown as Pick<T, K>
}
