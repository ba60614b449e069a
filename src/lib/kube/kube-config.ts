// Credentials of kubeconfig files, with KubeConfig of @kubernetes/client-node: it knows exec plug-ins, OIDC and the rest.
// Loaded only when a kubeconfig is used. Its config module is imported instead of the package: that leaves out the hundreds of
// generated APIs' front door, a third of the time to load.
import { existsSync, readFileSync } from 'node:fs'
import type { RequestOptions } from 'node:https'
import type { KubeConfig } from '@kubernetes/client-node/dist/config.js'
import type { Clock } from '../clock.ts'
import { asCredentialsError, checkServer, type KubeAccess, type KubeCredentials } from './credentials.ts'
import { KubeError } from './error.ts'

/** Credentials are taken from the files, and plug-ins asked, at most this often, in milliseconds; at once after a refusal. */
const FRESH_MS = 60_000

/**
 * Reads the files that exist; the first one counts where several define the current context.
 * Throws KubeError `credentials` when none exists, or none has the context.
 */
export async function createKubeConfigCredentials(
  paths: readonly string[],
  context: string | undefined,
  clock: Clock,
): Promise<KubeCredentials> {
  const { KubeConfig } = await import('@kubernetes/client-node/dist/config.js')
  let loaded: { readonly text: string; readonly config: KubeConfig } | undefined
  let cached: { readonly access: Promise<KubeAccess>; readonly at: number } | undefined
  let last: KubeAccess | undefined

  const load = (): KubeConfig => {
    const existing = paths.filter((path) => existsSync(path))
    if (existing.length === 0) throw new KubeError('credentials', `no kubeconfig at ${paths.join(', ')}`)
    const text = existing.map((path) => readFileSync(path, 'utf8')).join('\n')
    // The same object as long as the files say the same: it remembers what a plug-in gave until that expires.
    if (loaded?.text !== text) loaded = { text, config: readFiles(KubeConfig, existing, context) }
    return loaded.config
  }
  const read = async (): Promise<KubeAccess> => {
    try {
      last = await accessOf(load())
      return last
    } catch (error) {
      throw describeFailure(error, loaded?.config)
    }
  }

  let first: KubeConfig
  try {
    first = load()
    serverOf(first)
  } catch (error) {
    throw describeFailure(error, undefined)
  }
  return {
    namespace: first.getContextObject(first.getCurrentContext())?.namespace,
    access: () => {
      if (cached !== undefined && clock.now() - cached.at < FRESH_MS) return cached.access
      const one = { access: read(), at: clock.now() }
      cached = one
      // A failure is not kept: whoever asks next reads anew.
      one.access.catch(() => {
        if (cached === one) cached = undefined
      })
      return one.access
    },
    reject: (access) => {
      // Requests that were refused together read anew once.
      if (access !== last) return
      cached = undefined
      loaded = undefined
    },
  }
}

function readFiles(Config: typeof KubeConfig, paths: readonly string[], context: string | undefined): KubeConfig {
  const config = new Config()
  for (const [index, path] of paths.entries()) {
    const one = index === 0 ? config : new Config()
    one.loadFromFile(path)
    if (one !== config) config.mergeConfig(one, Boolean(config.getCurrentContext()))
  }
  if (context !== undefined) config.setCurrentContext(context)
  if (config.getCurrentCluster() === null || config.getCurrentUser() === null) {
    const known = config.getContexts().map((one) => one.name)
    const current = config.getCurrentContext()
    throw new KubeError(
      'credentials',
      `the kubeconfig ${paths.join(', ')} ${current ? `has no complete context ${JSON.stringify(current)}` : 'has no current context'}; there are: ${known.join(', ') || 'none'}`,
    )
  }
  return config
}

function serverOf(config: KubeConfig): string {
  const cluster = config.getCurrentCluster()
  if (cluster?.proxyUrl)
    throw new KubeError(
      'credentials',
      `proxy-url of cluster ${JSON.stringify(cluster.name)} is not supported; reach the API server directly`,
    )
  return checkServer(cluster?.server ?? '')
}

async function accessOf(config: KubeConfig): Promise<KubeAccess> {
  const server = serverOf(config)
  // `kubectl proxy` on loopback: it adds the credentials itself.
  if (server.startsWith('http:')) return { server, tls: {}, headers: {} }
  const options: RequestOptions = {}
  await config.applyToHTTPSOptions(options)
  return { server, tls: tlsOf(options), headers: headersOf(options) }
}

function tlsOf(options: RequestOptions): KubeAccess['tls'] {
  const text = (value: unknown): string | undefined =>
    typeof value === 'string' || Buffer.isBuffer(value) ? value.toString() : undefined
  const ca = text(options.ca)
  const cert = text(options.cert)
  const key = text(options.key)
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(options.servername === undefined ? {} : { servername: options.servername }),
    ...(options.rejectUnauthorized === false ? { rejectUnauthorized: false } : {}),
  }
}

function headersOf(options: RequestOptions): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    const text = typeof value === 'string' ? value.trim() : ''
    if (!/^[\x20-\x7E]+$/.test(text))
      throw new KubeError('credentials', `the credentials of the kubeconfig give a header ${name} that cannot be sent`)
    headers[name.toLowerCase()] = text
  }
  if (typeof options.auth === 'string')
    headers['authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`
  return headers
}

/** A plug-in's output, and the text around a YAML or JSON mistake, may hold a token: of those only the fact is told. */
function describeFailure(error: unknown, config: KubeConfig | undefined): KubeError {
  if (error instanceof KubeError) return error
  if (error instanceof Error && 'code' in error && 'path' in error) return asCredentialsError(error)
  const exec = config?.getCurrentUser()?.exec
  if (exec)
    return new KubeError(
      'credentials',
      `the exec plug-in ${JSON.stringify(exec.command)} of the kubeconfig gave no credentials`,
    )
  const name = error instanceof Error ? error.name : 'Error'
  const missing =
    error instanceof Error && /\b(is missing|Duplicate)\b/.test(error.message) ? `: ${error.message}` : ` (${name})`
  return new KubeError('credentials', `the kubeconfig cannot be used${missing}`)
}
