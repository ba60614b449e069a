// A kubelet of tests: it binds the Pods of one namespace (there is no scheduler), runs the first container of each as a process of this
// machine, and tells the API server what became of it: termination messages, exit codes, deletion with its grace. ConfigMaps and Secrets
// are mounted as folders, whose paths stand in the arguments in place of the mount paths. No images and limits; probes are the caller's.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Container, KubePod } from '../../../src/db/jobs/objects.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { createKubeClient, type KubeClient } from '../../../src/lib/kube/client.ts'
import { createGivenCredentials } from '../../../src/lib/kube/credentials.ts'
import { createKubeWatch, type KubeWatch } from '../../../src/lib/kube/watch.ts'
import type { KubeCluster } from './kube-cluster.ts'
import { sendToKube } from './kube-request.ts'
import { createRunFolder, type RunFolder } from './run-folder.ts'
import { tieToParent } from './server-process.ts'
import { guardGroup, signalGroup } from './watchdog.ts'

export interface KubeletOptions {
  readonly namespace: string
  /** What stands for the entry point of the image. */
  readonly entrypoint: readonly string[]
  readonly nodeName?: string
  /** Most Pods at the same time. */
  readonly capacity?: number
  /** Decides, Pod by Pod, whether its process is killed, and how many milliseconds after its start. */
  readonly killAfterMs?: (pod: string) => number | undefined
  /** Whether the termination message of a Pod that has succeeded is lost. */
  readonly losesMessage?: (pod: string) => boolean
  /** For Pods that serve; without it they are never told to be ready. */
  readonly serving?: Serving
}

/** What a Pod that serves is given, and asked. */
export interface Serving {
  /** More environment variables of a Pod, which win; files may be put into its home. */
  environment(pod: KubePod, home: string): Promise<Readonly<Record<string, string>>>
  /** Its address, as the cluster is to know it. */
  addressOf(pod: KubePod): string
  /** Its readiness probe, asked until it says yes once. */
  isReady(pod: KubePod): Promise<boolean>
}

export interface EndedPod {
  readonly pod: string
  readonly index: string | undefined
  readonly exitCode: number
  readonly log: string
}

export interface Kubelet extends AsyncDisposable {
  /** Every process that has ended, in order. */
  readonly ended: readonly EndedPod[]
  readonly started: number
  /** Names of the Pods whose processes run. */
  readonly running: readonly string[]
  /** Sends SIGKILL to the process of a Pod. */
  kill(pod: string): void
  /**
   * The node is lost: from now on nothing is told, and the processes go on. Call `lost` of the Pods to the API server by hand.
   */
  isolate(): void
}

interface Life {
  readonly pod: KubePod
  readonly name: string
  child: ChildProcess | undefined
  isStopping: boolean
}

const GRACE_SECONDS = 30
const PROBE_MS = 50
/** The Job controller waits after failures from when they were: dated back, no test waits. */
const DATED_BACK_MS = 3_600_000

/** Starts it, as the admin of the cluster. */
export async function startKubelet(cluster: KubeCluster, options: KubeletOptions): Promise<Kubelet> {
  const { nodeName = 'test-node' } = options
  await cluster.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName } })
  return new TestKubelet(cluster, options, nodeName)
}

class TestKubelet implements Kubelet {
  readonly ended: EndedPod[] = []
  started = 0
  readonly #cluster: KubeCluster
  readonly #options: KubeletOptions
  readonly #nodeName: string
  readonly #folder: RunFolder = createRunFolder('kubelet')
  readonly #client: KubeClient
  readonly #watch: KubeWatch<KubePod>
  readonly #lives = new Map<string, Life>()
  readonly #seen = new Set<string>()
  readonly #work = new Set<Promise<void>>()
  #isIsolated = false
  #isStopped = false

  constructor(cluster: KubeCluster, options: KubeletOptions, nodeName: string) {
    this.#cluster = cluster
    this.#options = options
    this.#nodeName = nodeName
    const { server, ca, adminToken } = cluster
    const credentials = createGivenCredentials({ server, ca, token: () => adminToken })
    this.#client = createKubeClient({ credentials, clock: systemClock })
    const target = { path: `/api/v1/namespaces/${options.namespace}/pods` }
    this.#watch = createKubeWatch({ client: this.#client, clock: systemClock, random: Math.random, target })
    this.#watch.start((pods) => this.#look(pods))
  }

  get running(): readonly string[] {
    return [...this.#lives.values()].filter(({ child }) => child !== undefined).map(({ name }) => name)
  }

  kill(pod: string): void {
    for (const life of this.#lives.values()) if (life.name === pod) signal(life, 'SIGKILL')
  }

  isolate(): void {
    this.#isIsolated = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopped = true
    for (const life of this.#lives.values()) signal(life, 'SIGKILL')
    await Promise.all(this.#work)
    await this.#watch.stop()
    await this.#client[Symbol.asyncDispose]()
    this.#folder.remove()
  }

  #look(pods: readonly KubePod[]): void {
    if (this.#isStopped || this.#isIsolated) return
    const there = new Set(pods.map(({ metadata }) => metadata.uid ?? ''))
    for (const [uid, life] of this.#lives) if (!there.has(uid)) void this.#end(life, 0)
    for (const pod of pods) this.#meet(pod)
  }

  #meet(pod: KubePod): void {
    const { uid = '', deletionTimestamp, name } = pod.metadata
    if (pod.spec?.['nodeName'] !== undefined && pod.spec['nodeName'] !== this.#nodeName) return
    const life = this.#lives.get(uid)
    if (deletionTimestamp !== undefined) {
      if (life !== undefined) void this.#end(life, GRACE_SECONDS * 1_000)
      else this.#track(this.#remove(name))
      return
    }
    const isNew = !this.#seen.has(uid) && (pod.status?.phase ?? 'Pending') === 'Pending'
    if (!isNew || this.#lives.size >= (this.#options.capacity ?? 4)) return
    this.#seen.add(uid)
    const begun: Life = { pod, name, child: undefined, isStopping: false }
    this.#lives.set(uid, begun)
    this.#track(this.#live(begun, uid))
  }

  #track(work: Promise<void>): void {
    const tracked = work.catch((error: unknown) => {
      if (!this.#isStopped) console.error('kubelet:', error)
    })
    this.#work.add(tracked)
    void tracked.finally(() => this.#work.delete(tracked))
  }

  /** One life of a Pod, from its binding to its last status. */
  async #live(life: Life, uid: string): Promise<void> {
    const home = join(this.#folder.path, uid)
    mkdirSync(home)
    try {
      const { nodeName, spec } = { nodeName: this.#nodeName, spec: life.pod.spec }
      const [container] = spec?.containers ?? []
      if (container === undefined) throw new Error(`the Pod ${life.name} has no container`)
      if (spec?.['nodeName'] === undefined) {
        const metadata = { name: life.name, uid }
        const target = { apiVersion: 'v1', kind: 'Node', name: nodeName }
        await this.#tell('POST', `${life.name}/binding`, { apiVersion: 'v1', kind: 'Binding', metadata, target })
      }
      await this.#report(life, uid, container, { phase: 'Running' }, { running: { startedAt: iso(0) } })
      const probing = new AbortController()
      this.#track(this.#probe(life, uid, container, probing.signal))
      const exitCode = await this.#run(life, container, home).finally(() => probing.abort())
      const log = readFileSync(join(home, 'log'), 'utf8')
      this.ended.push({ pod: life.name, index: indexOf(life.pod), exitCode, log })
      if (this.#isStopped || this.#isIsolated) return
      const isLost = exitCode === 0 && this.#options.losesMessage?.(life.name) === true
      const message = isLost ? '' : readFileSync(join(home, 'termination-log')).subarray(-4_096).toString()
      const finishedAt = iso(exitCode === 0 ? 0 : DATED_BACK_MS)
      const terminated = { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', message, finishedAt }
      const phase = exitCode === 0 ? 'Succeeded' : 'Failed'
      await this.#report(life, uid, container, { phase }, { terminated })
      if (life.isStopping) await this.#remove(life.name)
    } finally {
      this.#lives.delete(uid)
      rmSync(home, { recursive: true, force: true })
      // There is room for another one.
      if (!this.#isStopped) this.#look(this.#watch.items ?? [])
    }
  }

  async #run(life: Life, container: Container, home: string): Promise<number> {
    const message = join(home, 'termination-log')
    writeFileSync(message, '')
    writeFileSync(join(home, 'log'), '')
    const env = {
      ...(await this.#environment(life.pod, container)),
      ...(await this.#options.serving?.environment(life.pod, home)),
      TERMINATION_LOG: message,
    }
    const mounts = await this.#mount(life.pod, container, home)
    const argv = [...(container.command ?? this.#options.entrypoint), ...(container.args ?? [])].map((text) =>
      mounts.reduce((so, [from, to]) => (so.startsWith(`${from}/`) ? to + so.slice(from.length) : so), text),
    )
    if (life.isStopping) return 137
    const log = openSync(join(home, 'log'), 'a')
    const [command, args] = tieToParent(argv[0] ?? '', argv.slice(1))
    const child = spawn(command, args, {
      cwd: home,
      detached: true,
      stdio: ['ignore', log, log],
      env: { PATH: process.env['PATH'], HOME: home, ...env },
    })
    closeSync(log)
    this.started++
    life.child = child
    const release = child.pid === undefined ? () => {} : guardGroup(child.pid)
    const killAfterMs = this.#options.killAfterMs?.(life.name)
    const timer = killAfterMs === undefined ? undefined : setTimeout(() => signal(life, 'SIGKILL'), killAfterMs)
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (exit, by) => resolve(by === null ? (exit ?? 1) : 128 + constants.signals[by]))
    })
    clearTimeout(timer)
    release()
    life.child = undefined
    return code
  }

  async #environment(pod: KubePod, container: Container): Promise<Record<string, string>> {
    const env: Record<string, string> = {}
    for (const source of container.envFrom ?? []) {
      const { secretRef, configMapRef } = source as Partial<Record<'secretRef' | 'configMapRef', { name: string }>>
      if (secretRef) Object.assign(env, await this.#data('secrets', secretRef.name))
      if (configMapRef) Object.assign(env, await this.#data('configmaps', configMapRef.name))
    }
    for (const { name, value, valueFrom } of container.env ?? []) {
      const { fieldRef } = (valueFrom ?? {}) as { readonly fieldRef?: { readonly fieldPath: string } }
      env[name] = fieldRef === undefined ? (value ?? '') : fieldOf(pod, fieldRef.fieldPath)
    }
    return env
  }

  async #mount(pod: KubePod, container: Container, home: string): Promise<readonly (readonly [string, string])[]> {
    const mounts: (readonly [string, string])[] = []
    for (const { name, mountPath } of container.volumeMounts ?? []) {
      const volume = pod.spec?.volumes?.find((one) => one.name === name)
      const sources = sourcesOf(volume)
      if (sources.length === 0) continue
      const folder = join(home, `volume-${name}`)
      mkdirSync(folder)
      for (const { kind, object, items } of sources) {
        const data = await this.#data(kind, object)
        const files = items?.map(({ key, path }) => [path, data[key] ?? ''] as const) ?? Object.entries(data)
        for (const [file, text] of files) writeFileSync(join(folder, file), text, { mode: 0o600 })
      }
      mounts.push([String(mountPath), folder])
    }
    return mounts
  }

  /** Tells that a Pod that serves is ready, once it is. */
  async #probe(life: Life, uid: string, container: Container, signal: AbortSignal): Promise<void> {
    const { serving } = this.#options
    if (serving === undefined) return
    while (!(await serving.isReady(life.pod).catch(() => false))) {
      await sleep(PROBE_MS)
      if (signal.aborted) return
    }
    const ip = serving.addressOf(life.pod)
    const conditions = [{ type: 'Ready', status: 'True' }]
    const status = { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions }
    if (!signal.aborted) await this.#report(life, uid, container, status, { running: { startedAt: iso(0) } })
  }

  async #data(kind: 'secrets' | 'configmaps', name: string): Promise<Record<string, string>> {
    const path = `/api/v1/namespaces/${this.#options.namespace}/${kind}/${name}`
    const { data = {} } = (await this.#client.request({ method: 'GET', path, timeoutMs: 10_000 })) as {
      readonly data?: Readonly<Record<string, string>>
    }
    const decode = (text: string) => (kind === 'secrets' ? Buffer.from(text, 'base64').toString() : text)
    return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, decode(text)]))
  }

  async #end(life: Life, graceMs: number): Promise<void> {
    if (life.isStopping) return
    life.isStopping = true
    signal(life, 'SIGTERM')
    await sleep(graceMs, undefined, { ref: false })
    signal(life, 'SIGKILL')
  }

  async #report(
    life: Life,
    uid: string,
    container: Container,
    status: { readonly phase: string },
    state: object,
  ): Promise<void> {
    const ready = status.phase === 'Running'
    const { name, image = '' } = container
    const containerStatuses = [{ name, image, imageID: image, restartCount: 0, ready, started: ready, state }]
    // Strategic: conditions that others have set stay.
    await this.#tell('PATCH', `${life.name}/status`, { metadata: { uid }, status: { ...status, containerStatuses } })
  }

  /** In the query: Node sends the body of a DELETE without its length, and the server does not read it. */
  async #remove(name: string): Promise<void> {
    await this.#tell('DELETE', `${name}?gracePeriodSeconds=0`)
  }

  /** Again and again while the server is away; a Pod that is gone, or another one of the name, is fine. */
  async #tell(method: string, path: string, body?: unknown): Promise<void> {
    for (let attempt = 0; !this.#isStopped; attempt++) {
      const answer = await sendToKube(this.#cluster, {
        ...{ method, body, token: this.#cluster.adminToken },
        path: `/api/v1/namespaces/${this.#options.namespace}/pods/${path}`,
        contentType: method === 'PATCH' ? 'application/strategic-merge-patch+json' : 'application/json',
      }).catch(() => undefined)
      const status = answer?.status ?? 0
      if ((status >= 200 && status <= 299) || status === 404 || status === 409) return
      if (status >= 400 && status < 429) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(answer?.body)}`)
      await sleep(Math.min(1_000, 20 * 2 ** attempt))
    }
  }
}

interface Source {
  readonly kind: 'secrets' | 'configmaps'
  readonly object: string
  readonly items?: readonly { readonly key: string; readonly path: string }[] | undefined
}

/** The ConfigMaps and Secrets whose keys are files of the volume; others stay what the machine has at their paths. */
function sourcesOf(volume: Readonly<Record<string, unknown>> | undefined): readonly Source[] {
  const { configMap, secret, projected } = (volume ?? {}) as {
    readonly configMap?: { readonly name: string; readonly items?: Source['items'] }
    readonly secret?: { readonly name?: string; readonly secretName?: string; readonly items?: Source['items'] }
    readonly projected?: { readonly sources: readonly Readonly<Record<string, unknown>>[] }
  }
  return [
    ...(configMap ? [{ kind: 'configmaps', object: configMap.name, items: configMap.items } as const] : []),
    ...(secret
      ? [{ kind: 'secrets', object: secret.secretName ?? secret.name ?? '', items: secret.items } as const]
      : []),
    ...(projected?.sources.flatMap(sourcesOf) ?? []),
  ]
}

const INDEX = 'batch.kubernetes.io/job-completion-index'
const indexOf = ({ metadata }: KubePod): string | undefined => metadata.annotations?.[INDEX] ?? metadata.labels?.[INDEX]

function fieldOf({ metadata }: KubePod, path: string): string {
  const [, kind, key = ''] = /^metadata\.(annotations|labels)\['(.+)'\]$/.exec(path) ?? []
  if (kind === 'annotations' || kind === 'labels') return metadata[kind]?.[key] ?? ''
  return path === 'metadata.name' ? metadata.name : ''
}

function signal({ child }: Life, name: NodeJS.Signals): void {
  if (child?.pid !== undefined) signalGroup(child.pid, name)
}

/** As Kubernetes writes times: without fractions. */
const iso = (backMs: number): string => new Date(Date.now() - backMs).toISOString().replace(/\.\d+Z$/, 'Z')
