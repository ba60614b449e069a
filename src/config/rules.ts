// Pure: the rules that tie settings to each other, which no schema of a single setting can express.
import { isIP } from 'node:net'
import { checkDbRules } from './db-rules.ts'
import { type At, checkClientPair, findDuplicates } from './rule-parts.ts'
import type { AuthConfig, Config, GatewayConfig, StateConfig } from './schema.ts'
import { checkTokensRules } from './tokens-rules.ts'
import type { Problem } from './validate.ts'

/** What the file itself says, before defaults. */
export interface Written {
  /** Whether `auth.mode` is written down. */
  readonly authMode: boolean
}

/** Every rule that `config` breaks, in the order of the document; empty when it breaks none. */
export function checkRules(config: Config, written: Written): readonly Problem[] {
  return [
    ...listenRules(config, written),
    ...authRules(config.auth),
    ...(config.gateway === undefined ? [] : gatewayRules(config.gateway)),
    ...(config.tokens === undefined ? [] : checkTokensRules(config.tokens)),
    ...(config.db === undefined ? [] : checkDbRules(config.db, config.state)),
    ...stateRules(config.state, config),
  ]
}

function listenRules(config: Config, written: Written): Problem[] {
  const { host } = config.listen
  if (isLoopback(host) || written.authMode) return []
  return [
    {
      at: ['auth', 'mode'],
      message: `must be written down (none, bearer, oidc or tokenReview) because listen.host ${host} is not a loopback address`,
    },
  ]
}

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase()
  if (bare === 'localhost' || bare === '::1') return true
  const v4 = bare.startsWith('::ffff:') ? bare.slice('::ffff:'.length) : bare
  return isIP(v4) === 4 && v4.startsWith('127.')
}

function authRules(auth: AuthConfig): Problem[] {
  switch (auth.mode) {
    case 'none':
      return []
    case 'bearer':
      return [
        ...findDuplicates(
          auth.callers,
          (caller) => caller.name,
          (_, index) => ['auth', 'callers', index, 'name'],
          'name',
        ),
        ...findDuplicates(
          auth.callers,
          (caller) => caller.sha256,
          (_, index) => ['auth', 'callers', index, 'sha256'],
          'hash',
        ),
      ]
    case 'oidc':
      return [
        ...urlRules(auth.issuer, ['auth', 'issuer']),
        ...(auth.jwksUri === undefined ? [] : urlRules(auth.jwksUri, ['auth', 'jwksUri'])),
      ]
    case 'tokenReview':
      return auth.grants.flatMap((grant, index) =>
        grant.users === undefined && grant.groups === undefined
          ? [{ at: ['auth', 'grants', index], message: 'needs users or groups: it is for nobody' }]
          : [],
      )
  }
}

/** Keys that decide who is let in are fetched over this address. */
function urlRules(text: string, at: At): Problem[] {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) return [{ at, message: 'is not a URL' }]
  if (url.username !== '' || url.password !== '') return [{ at, message: 'must not contain a user name or a password' }]
  if (url.hash !== '') return [{ at, message: 'must not contain a fragment' }]
  if (url.protocol !== 'https:' && !isLoopback(url.hostname)) {
    return [{ at, message: 'must be https: whoever can change the answer decides who may call' }]
  }
  return []
}

function gatewayRules(gateway: GatewayConfig): Problem[] {
  return [...discoveryRules(gateway.discovery), ...probeRules(gateway.probe)]
}

function discoveryRules(discovery: GatewayConfig['discovery']): Problem[] {
  const at: At = ['gateway', 'discovery']
  switch (discovery.kind) {
    case 'static':
      return [
        ...discovery.replicas.flatMap(({ name, address }, index) => [
          ...hostRules(name, [...at, 'replicas', index, 'name']),
          ...hostRules(address, [...at, 'replicas', index, 'address']),
        ]),
        ...findDuplicates(
          discovery.replicas,
          ({ name }) => name,
          (_, index) => [...at, 'replicas', index, 'name'],
          'name',
        ),
        ...findDuplicates(
          discovery.replicas,
          ({ address, port }) => `${address} ${port ?? ''}`,
          (_, index) => [...at, 'replicas', index, 'address'],
          'address and port',
        ),
      ]
    case 'dns':
      return (discovery.servers ?? []).flatMap((server, index) =>
        isServerAddress(server)
          ? []
          : [
              {
                at: [...at, 'servers', index],
                message: 'must be an IP address, or an address and a port: 10.0.0.10:53, [fd00::10]:53',
              },
            ],
      )
    case 'kubernetes':
      if ((discovery.service === undefined) !== (discovery.selector === undefined)) return []
      return [{ at, message: 'takes exactly one of service and selector' }]
  }
}

function probeRules(probe: GatewayConfig['probe']): Problem[] {
  const at: At = ['gateway', 'probe']
  const problems: Problem[] = []
  if (probe.scheme === 'http' && probe.tls !== undefined) {
    problems.push({ at: [...at, 'tls'], message: 'has no meaning with scheme http: remove it, or use scheme https' })
  }
  problems.push(...checkClientPair(probe.tls, [...at, 'tls']))
  const [place, name] = probe.token.split(':')
  if (place === 'header' && name !== undefined && RESERVED_HEADERS.has(name.toLowerCase())) {
    problems.push({ at: [...at, 'token'], message: `header ${name} belongs to HTTP itself and cannot carry the token` })
  }
  return problems
}

/** Headers that the probe sets itself, or that steer the connection. */
const RESERVED_HEADERS: ReadonlySet<string> = new Set(
  'host connection keep-alive proxy-connection content-length transfer-encoding te trailer upgrade expect cookie'.split(
    ' ',
  ),
)

function hostRules(text: string, at: At): Problem[] {
  if (isIP(text) !== 0 || /^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_])?$/.test(text)) return []
  return [{ at, message: 'must be a host name or an IP address, without scheme and port' }]
}

function isServerAddress(text: string): boolean {
  if (isIP(text) !== 0) return true
  const match = /^(?:\[(?<v6>[^\]]+)\]|(?<v4>[^:]+)):(?<port>\d{1,5})$/.exec(text)
  if (match === null) return false
  const port = Number(match.groups?.['port'])
  return isIP(match.groups?.['v6'] ?? match.groups?.['v4'] ?? '') !== 0 && port >= 1 && port <= 65_535
}

function stateRules(state: StateConfig, { dsync, tokens, db }: Config): Problem[] {
  if (state.kind === 'postgres') return checkClientPair(state.tls, ['state', 'tls'])
  // Whichever replica leads starts these runs, or takes them up: the next one must find them.
  const starter =
    tokens?.schedule !== undefined
      ? 'tokens.schedule'
      : tokens?.follow === true
        ? 'tokens.follow'
        : db !== undefined
          ? 'db.pairs'
          : undefined
  if (dsync.driver !== 'kubernetes' || starter === undefined) return []
  return [
    {
      at: ['state', 'kind'],
      message: `must be postgres: with dsync.driver kubernetes the replicas of the service take turns at the runs of ${starter}, and a SQLite file belongs to one of them`,
    },
  ]
}
