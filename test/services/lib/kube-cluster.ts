// A real Kubernetes API server under RBAC with its own etcd, on free ports: what tests create in it is data, nothing runs.
// kube-controllers.ts adds the controllers where a test wants Deployments, Jobs or EndpointSlices to come alive.
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { isKubeObject, type KubeObject } from '../../../src/lib/kube/object.ts'
import { makeCa } from '../../lib/certificates.ts'
import { type Etcd, startEtcd } from './etcd.ts'
import { findFreePort } from './free-port.ts'
import { findKubeBinaries } from './kube-binaries.ts'
import { type KubeAnswer, sendToKube } from './kube-request.ts'
import { createRunFolder, type RunFolder } from './run-folder.ts'
import { type ServerProcess, startProcess } from './server-process.ts'

export interface ClusterOptions {
  /** Where the API server listens; 127.0.0.1 when left out. */
  readonly address?: string
  /** More options of kube-apiserver: `--max-requests-inflight=1`. */
  readonly extraApiArgs?: readonly string[]
  /** Another etcd: an old one makes a server without watch-list. */
  readonly etcd?: string
}

/** An object to create or change, as in a YAML file. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [key: string]: unknown }
  readonly [key: string]: unknown
}

export interface PolicyRule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
  readonly resourceNames?: readonly string[]
}

export interface TokenOptions {
  readonly audiences?: readonly string[]
  /** 600 or more; an hour when left out. */
  readonly expirationSeconds?: number
}

/** One line of the audit log, as far as it is read here. */
export interface AuditEvent {
  readonly stage: 'ResponseStarted' | 'ResponseComplete' | 'Panic'
  readonly verb: string
  readonly requestURI: string
  readonly user: { readonly username: string }
  readonly userAgent?: string
  readonly responseStatus?: { readonly code: number }
}

export interface KubeCluster extends AsyncDisposable {
  /** `https://address:port`. */
  readonly server: string
  /** PEM of the authority that signed the server's certificate. */
  readonly ca: string
  /** May do everything. */
  readonly adminToken: string
  /** Path of a kubeconfig with the admin token, for helm and the like. */
  readonly kubeconfig: string
  /** Certificates, logs, data. */
  readonly folder: string
  /** One exchange, whatever its status; as the admin without a token. */
  request(method: string, path: string, body?: unknown, token?: string): Promise<KubeAnswer>
  /** Creates or changes an object (server-side apply) and resolves with what is stored. Throws when the server refuses. */
  apply(manifest: Manifest): Promise<KubeObject>
  /** Applies every document of a YAML file, in its order. */
  applyFile(path: string): Promise<void>
  /** Writes the `status` of an object that is there. */
  applyStatus(manifest: Manifest): Promise<KubeObject>
  /** Deletes an object. Throws when the server refuses, or there is none. */
  remove(manifest: Manifest): Promise<void>
  createNamespace(name: string): Promise<void>
  /** Makes a ServiceAccount, and its namespace. */
  createServiceAccount(namespace: string, name: string): Promise<void>
  /** Makes a ServiceAccount that may do this in its namespace, and resolves with a bound token of an hour. */
  serviceAccountToken(namespace: string, name: string, ...rules: readonly PolicyRule[]): Promise<string>
  /** A bound token of a ServiceAccount that is there. */
  createToken(namespace: string, name: string, options?: TokenOptions): Promise<string>
  /** What the server was asked, in order. */
  readAudit(): readonly AuditEvent[]
  freezeEtcd(): void
  thawEtcd(): void
  /** Has etcd forget its history. What the server holds in memory it still knows until it is restarted. */
  compact(): Promise<void>
  /** The API server keeps its connections and says nothing more. */
  freezeApiServer(): void
  thawApiServer(): void
  /** Kills it, with every connection; etcd stays. */
  killApiServer(): Promise<void>
  /** Starts it again where it was, and resolves when it is ready. */
  startApiServer(): Promise<void>
  /** Both. */
  restartApiServer(): Promise<void>
  /** Ends everything and removes the folder. */
  stop(): Promise<void>
}

const ADMIN_TOKEN = 'admin-token'
const ISSUER = 'https://kubernetes.default.svc'
const READY_MS = 60_000
const AUDIT_POLICY =
  'apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{ level: Metadata }]\n'

/** Starts etcd and an API server, and resolves when it is ready. Throws with what they said when it is not. */
export async function startCluster(options: ClusterOptions = {}): Promise<KubeCluster> {
  const { address = '127.0.0.1', extraApiArgs = [] } = options
  const binaries = findKubeBinaries()
  const folder = createRunFolder('kube')
  let etcd: Etcd | undefined
  try {
    const [started, ca] = await Promise.all([
      startEtcd({ binary: options.etcd ?? binaries.etcd, folder: folder.path }),
      writeFiles(folder.path, address),
    ])
    etcd = started
    const port = await findFreePort([address])
    const args = [...apiServerArgs(folder.path, address, port, etcd.endpoint), ...extraApiArgs]
    const cluster = new Cluster({
      folder,
      etcd,
      ca,
      server: `https://${address}:${port}`,
      launch: [binaries.apiServer, args],
    })
    writeKubeconfig(cluster)
    await cluster.startApiServer()
    return cluster
  } catch (error) {
    await etcd?.stop()
    folder.remove()
    throw error
  }
}

interface ClusterParts {
  readonly folder: RunFolder
  readonly etcd: Etcd
  readonly ca: string
  readonly server: string
  /** The API server's command. */
  readonly launch: readonly [command: string, args: readonly string[]]
}

class Cluster implements KubeCluster {
  readonly server: string
  readonly ca: string
  readonly adminToken = ADMIN_TOKEN
  readonly folder: string
  readonly kubeconfig: string
  readonly freezeEtcd: () => void
  readonly thawEtcd: () => void
  readonly #parts: ClusterParts
  #api: ServerProcess | undefined
  /** Path of a kind's collection, with `{namespace}` where it has one. */
  readonly #collections = new Map<string, string>()

  constructor(parts: ClusterParts) {
    this.#parts = parts
    this.server = parts.server
    this.ca = parts.ca
    this.folder = parts.folder.path
    this.kubeconfig = join(this.folder, 'admin.kubeconfig')
    this.freezeEtcd = parts.etcd.freeze
    this.thawEtcd = parts.etcd.thaw
  }

  request(method: string, path: string, body?: unknown, token = ADMIN_TOKEN): Promise<KubeAnswer> {
    return sendToKube(this, { method, path, body, token })
  }

  async apply(manifest: Manifest): Promise<KubeObject> {
    return this.#apply(await this.#pathOf(manifest), manifest)
  }

  async applyStatus(manifest: Manifest): Promise<KubeObject> {
    return this.#apply(`${await this.#pathOf(manifest)}/status`, manifest)
  }

  async applyFile(path: string): Promise<void> {
    for (const document of parseAllDocuments(readFileSync(path, 'utf8'))) {
      if (document.errors[0] !== undefined) throw document.errors[0]
      await this.apply(document.toJS() as Manifest)
    }
  }

  async remove(manifest: Manifest): Promise<void> {
    const path = await this.#pathOf(manifest)
    checkStatus(`DELETE ${path}`, await this.request('DELETE', path))
  }

  async createNamespace(name: string): Promise<void> {
    await this.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  }

  async createServiceAccount(namespace: string, name: string): Promise<void> {
    await this.createNamespace(namespace)
    await this.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } })
  }

  async serviceAccountToken(namespace: string, name: string, ...rules: readonly PolicyRule[]): Promise<string> {
    await this.createServiceAccount(namespace, name)
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name, namespace } }
    if (rules.length > 0) {
      await this.apply({ ...rbac, kind: 'Role', rules })
      await this.apply({
        ...rbac,
        kind: 'RoleBinding',
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
        subjects: [{ kind: 'ServiceAccount', name, namespace }],
      })
    }
    return this.createToken(namespace, name)
  }

  async createToken(namespace: string, name: string, options: TokenOptions = {}): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`
    const spec = { expirationSeconds: 3_600, ...options }
    const answer = await this.request('POST', path, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec,
    })
    checkStatus(`POST ${path}`, answer)
    const { status } = answer.body as { readonly status?: { readonly token?: string } }
    if (status?.token === undefined) throw new Error(`${path} gave no token`)
    return status.token
  }

  readAudit(): readonly AuditEvent[] {
    const path = join(this.folder, 'audit.log')
    const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
    // The last line may not have been written to its end.
    const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
    return lines.filter((line) => line !== '').map((line): AuditEvent => JSON.parse(line))
  }

  async compact(): Promise<void> {
    await this.#parts.etcd.compact()
  }

  freezeApiServer(): void {
    this.#api?.signal('SIGSTOP')
  }

  thawApiServer(): void {
    this.#api?.signal('SIGCONT')
  }

  async killApiServer(): Promise<void> {
    // SIGTERM would wait a minute for the watches that are open.
    this.#api?.signal('SIGKILL')
    await this.#api?.stop()
    this.#api = undefined
  }

  async startApiServer(): Promise<void> {
    if (this.#api !== undefined) throw new Error('the API server runs already')
    const [command, args] = this.#parts.launch
    this.#api = await startProcess({
      name: 'kube-apiserver',
      command,
      args,
      cwd: this.folder,
      stdoutFile: join(this.folder, 'api-server.log'),
      ready: async () => (await this.request('GET', '/readyz')).status === 200,
      readyTimeoutMs: READY_MS,
    })
  }

  async restartApiServer(): Promise<void> {
    await this.killApiServer()
    await this.startApiServer()
  }

  async stop(): Promise<void> {
    await this.killApiServer()
    await this.#parts.etcd.stop()
    this.#parts.folder.remove()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #apply(path: string, manifest: Manifest): Promise<KubeObject> {
    const answer = await sendToKube(this, {
      method: 'PATCH',
      path: `${path}?fieldManager=test&force=true`,
      body: manifest,
      token: ADMIN_TOKEN,
      contentType: 'application/apply-patch+yaml', // JSON is YAML
    })
    checkStatus(`apply ${path}`, answer)
    if (!isKubeObject(answer.body)) throw new Error(`apply ${path} was not answered with an object`)
    return answer.body
  }

  async #pathOf({ apiVersion, kind, metadata }: Manifest): Promise<string> {
    const key = `${apiVersion} ${kind}`
    const collection = this.#collections.get(key) ?? (await this.#findCollection(apiVersion, kind))
    this.#collections.set(key, collection)
    return `${collection.replace('{namespace}', metadata.namespace ?? 'default')}/${metadata.name}`
  }

  async #findCollection(apiVersion: string, kind: string): Promise<string> {
    const root = `${apiVersion.includes('/') ? '/apis' : '/api'}/${apiVersion}`
    const answer = await this.request('GET', root)
    checkStatus(`GET ${root}`, answer)
    const { resources = [] } = answer.body as {
      readonly resources?: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[]
    }
    const resource = resources.find((one) => one.kind === kind && !one.name.includes('/'))
    if (resource === undefined) throw new Error(`the API server knows no ${kind} of ${apiVersion}`)
    return `${root}${resource.namespaced ? '/namespaces/{namespace}' : ''}/${resource.name}`
  }
}

function checkStatus(what: string, { status, body }: KubeAnswer): void {
  if (status < 200 || status > 299) throw new Error(`${what} was answered ${status}: ${JSON.stringify(body)}`)
}

/** Certificates, keys and what else the API server reads. Resolves with the PEM of the authority. */
async function writeFiles(folder: string, address: string): Promise<string> {
  const ca = await makeCa('Kubernetes CA')
  const tls = await ca.issue({ names: ['localhost', 'kubernetes.default.svc'], ips: [address, '127.0.0.1'] })
  const signing = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const files = {
    'ca.crt': ca.cert,
    'tls.crt': tls.cert,
    'tls.key': tls.key,
    'tokens.csv': `${ADMIN_TOKEN},admin,admin,"system:masters"\n`,
    'accounts.key': String(signing.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    'accounts.pub': String(signing.publicKey.export({ type: 'spki', format: 'pem' })),
    'audit.yaml': AUDIT_POLICY,
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text, { mode: 0o600 })
  return ca.cert
}

function apiServerArgs(folder: string, address: string, port: number, etcd: string): readonly string[] {
  const file = (name: string) => join(folder, name)
  const args = {
    'etcd-servers': etcd,
    'bind-address': address,
    'advertise-address': address,
    'secure-port': port,
    'endpoint-reconciler-type': 'none', // or it would write an endpoint of its own address
    'tls-cert-file': file('tls.crt'),
    'tls-private-key-file': file('tls.key'),
    'cert-dir': folder,
    'token-auth-file': file('tokens.csv'),
    'authorization-mode': 'RBAC',
    'service-account-issuer': ISSUER,
    'service-account-signing-key-file': file('accounts.key'),
    'service-account-key-file': file('accounts.pub'),
    'api-audiences': ISSUER,
    'service-cluster-ip-range': '10.0.0.0/24',
    'allow-privileged': true,
    'audit-policy-file': file('audit.yaml'),
    'audit-log-path': file('audit.log'),
    profiling: false,
  }
  return Object.entries(args).map(([key, value]) => `--${key}=${value}`)
}

/** JSON, which is YAML. */
function writeKubeconfig({ server, folder, kubeconfig }: KubeCluster): void {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority': join(folder, 'ca.crt') } }],
    users: [{ name: 'admin', user: { token: ADMIN_TOKEN } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  }
  writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 })
}
