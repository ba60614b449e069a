// Who we are to the Kubernetes API server and where it is: a kubeconfig, the Pod's ServiceAccount, or what the caller hands in.
// Asked for each request, because tokens and certificates change while we run. The ServiceAccount is read here, without
// @kubernetes/client-node: importing that costs 90 MB and 0.4 s, and only a kubeconfig (exec, OIDC and the like) needs it.
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Clock } from '../clock.ts'
import { WatchedFile } from '../watched-file.ts'
import { KubeError } from './error.ts'

/** What one request needs. A change of `server` or `tls` needs a new connection. */
export interface KubeAccess {
  /** `https://host[:port][/prefix]`, without a slash at the end. */
  readonly server: string
  readonly tls: KubeTls
  /** `authorization`, and headers of impersonation. */
  readonly headers: Readonly<Record<string, string>>
}

/** PEM texts. Left out, the certificate authorities of Node count. */
export interface KubeTls {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly servername?: string
  /** False only where a kubeconfig says `insecure-skip-tls-verify`. */
  readonly rejectUnauthorized?: boolean
}

export interface KubeCredentials {
  /** The own namespace: of the kubeconfig's context, or the Pod's. */
  readonly namespace: string | undefined
  /** The credentials in force now. Throws KubeError `credentials`. */
  access(): Promise<KubeAccess>
  /** The server refused these: nothing of them may be taken from a cache again. */
  reject(access: KubeAccess): void
}

/** The environment variables that say where the cluster is. */
export interface KubeEnvironment {
  readonly KUBECONFIG?: string | undefined
  readonly KUBERNETES_SERVICE_HOST?: string | undefined
  readonly KUBERNETES_SERVICE_PORT?: string | undefined
  readonly HOME?: string | undefined
}

export interface FindCredentialsOptions {
  /** Path of a kubeconfig. Left out: `KUBECONFIG`, else the Pod's ServiceAccount, else `~/.kube/config`. */
  readonly kubeConfig?: string | undefined
  /** Context of the kubeconfig; its current one when left out. */
  readonly context?: string | undefined
  readonly env: KubeEnvironment
  readonly clock: Clock
  /** Folder of `token`, `ca.crt` and `namespace`; where Kubernetes mounts it when left out. */
  readonly serviceAccountDir?: string
}

const SERVICE_ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Finds the credentials and reads them once. Throws KubeError `credentials` that says what is missing. */
export async function findKubeCredentials(options: FindCredentialsOptions): Promise<KubeCredentials> {
  const { kubeConfig, context, env, clock, serviceAccountDir = SERVICE_ACCOUNT_DIR } = options
  if (kubeConfig !== undefined) return loadKubeConfig([kubeConfig], context, clock)
  const listed = (env.KUBECONFIG ?? '').split(delimiter).filter((path) => path !== '')
  if (listed.length > 0) return loadKubeConfig(listed, context, clock)
  // A context is a thing of kubeconfigs: who names one does not mean the Pod's account.
  if (context === undefined && env.KUBERNETES_SERVICE_HOST && existsSync(join(serviceAccountDir, 'token'))) {
    return readServiceAccount(serviceAccountDir, env, clock)
  }
  const home = env.HOME === undefined ? undefined : join(env.HOME, '.kube', 'config')
  if (home !== undefined && existsSync(home)) return loadKubeConfig([home], context, clock)
  throw new KubeError(
    'credentials',
    `no credentials for Kubernetes: no kubeConfig is configured, KUBECONFIG is not set, there is no ServiceAccount in ${serviceAccountDir}${home === undefined ? '' : `, and no ${home}`}`,
  )
}

export interface GivenCredentials {
  /** `https://host[:port][/prefix]`. */
  readonly server: string
  /** PEM text of the authority that signed the server's certificate. */
  readonly ca?: string | undefined
  /** The bearer token; asked for with each request. */
  readonly token?: (() => string | Promise<string>) | undefined
  readonly namespace?: string | undefined
}

/** Credentials that the caller holds. Throws KubeError `credentials` when `server` is no https address. */
export function createGivenCredentials(given: GivenCredentials): KubeCredentials {
  const server = checkServer(given.server)
  const tls = given.ca === undefined ? {} : { ca: given.ca }
  return {
    namespace: given.namespace,
    access: async () => ({ server, tls, headers: given.token === undefined ? {} : bearer(await given.token()) }),
    reject: () => undefined,
  }
}

function readServiceAccount(dir: string, env: KubeEnvironment, clock: Clock): KubeCredentials {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = env
  const server = checkServer(`https://${host.includes(':') ? `[${host}]` : host}:${port}`)
  const open = (file: string) => {
    try {
      // Every request looks: a stat costs microseconds, and a token that was replaced is then never refused.
      return new WatchedFile({
        path: join(dir, file),
        clock,
        checkEveryMs: 0,
        refuse: (content) => (content.trim() === '' ? 'is empty' : undefined),
      })
    } catch (error) {
      throw asCredentialsError(error)
    }
  }
  const token = open('token')
  const ca = open('ca.crt')
  return {
    namespace: existsSync(join(dir, 'namespace')) ? open('namespace').read().trim() : undefined,
    access: async () => ({ server, tls: { ca: ca.read() }, headers: bearer(token.read()) }),
    reject: () => undefined,
  }
}

async function loadKubeConfig(
  paths: readonly string[],
  context: string | undefined,
  clock: Clock,
): Promise<KubeCredentials> {
  const { createKubeConfigCredentials } = await import('./kube-config.ts')
  return createKubeConfigCredentials(paths, context, clock)
}

/** The header of a bearer token. Throws KubeError `credentials`, without the token, when no header can carry it. */
export function bearer(token: string): { readonly authorization: string } {
  const trimmed = token.trim()
  if (!/^[\x21-\x7E]+$/.test(trimmed))
    throw new KubeError(
      'credentials',
      'the token for Kubernetes is empty, or has characters that a header cannot carry',
    )
  return { authorization: `Bearer ${trimmed}` }
}

/**
 * The address without a slash at its end. Throws KubeError `credentials` unless it is https, or http on loopback
 * (`kubectl proxy`): credentials do not travel in the clear.
 */
export function checkServer(server: string): string {
  if (!URL.canParse(server)) throw new KubeError('credentials', 'the address of the Kubernetes API server is not a URL')
  const { protocol, hostname, origin, pathname, username } = new URL(server)
  const isLoopback = hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname)
  if ((protocol !== 'https:' && !(protocol === 'http:' && isLoopback)) || username !== '') {
    throw new KubeError(
      'credentials',
      'the address of the Kubernetes API server must be https://host[:port][/path], without a user',
    )
  }
  return origin + pathname.replace(/\/+$/, '')
}

/** Says what is wrong with the credentials without repeating any of them. */
export function asCredentialsError(error: unknown): KubeError {
  if (error instanceof KubeError) return error
  return new KubeError(
    'credentials',
    `the credentials for Kubernetes cannot be read: ${error instanceof Error ? error.message : String(error)}`,
  )
}
