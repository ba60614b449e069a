// TLS of the listener, and new certificates without a restart: the files are looked at every few seconds (fs.watch misses the symbolic
// links that Kubernetes swaps) and a pair that fits together is put into the running server. A pair that does not (one of the two is
// written already, the other is not) leaves the old one in force until it does.
import type { SecureContextOptions, TlsOptions } from 'node:tls'
import { ConfigError } from '../config/error.ts'
import type { Config, FileRef } from '../config/schema.ts'
import { openFile, type PemFile } from '../config/secrets.ts'
import type { Clock } from '../lib/clock.ts'
import { findKeyPairFault } from '../lib/key-pair.ts'
import { every } from '../lib/watched-file.ts'

export type ListenTls = NonNullable<Config['listen']['tls']>

export interface ListenTlsOptions {
  readonly clock: Clock
  /** How often the files are looked at, in milliseconds; 5000 when left out. */
  readonly pollEveryMs?: number
  /** New files are in force. */
  readonly onReload?: () => void
  /** The files cannot be used as they are now; called once for each new reason. */
  readonly onProblem?: (detail: string) => void
}

/** As much of a server of node:https as is needed here. */
interface SecureServer {
  setSecureContext(options: SecureContextOptions): void
}

export interface OpenListenTls extends Disposable {
  /** For node:https, or Fastify's `https`. */
  readonly options: TlsOptions
  /** Why the files as they are now are not in force; undefined when they are. */
  readonly problem: string | undefined
  /** Keeps the server up to date until disposed of. */
  follow(server: SecureServer): void
}

interface Material {
  readonly cert: string
  readonly key: string
  readonly clientCa: string | undefined
}

/** Reads the files. Throws ConfigError when one of them cannot be used, or certificate and key do not belong together. */
export function openListenTls(tls: ListenTls, options: ListenTlsOptions): OpenListenTls {
  const { clock, pollEveryMs = 5_000, onReload, onProblem } = options
  const open = (ref: FileRef): PemFile => openFile(ref, { clock })
  const cert = open(tls.cert)
  const key = open(tls.key)
  const clientCa = tls.clientCa === undefined ? undefined : open(tls.clientCa)
  const read = (): Material => ({ cert: cert.read(), key: key.read(), clientCa: clientCa?.read() })

  let inForce = read()
  const wrong = findFault(inForce)
  if (wrong !== undefined) throw new ConfigError(tls.cert.file, [`listen.tls: ${wrong}`])
  let problem: string | undefined
  let polling: Disposable | undefined

  const look = (server: SecureServer): void => {
    const next = read()
    const isSame = next.cert === inForce.cert && next.key === inForce.key && next.clientCa === inForce.clientCa
    const before = problem
    problem = cert.problem ?? key.problem ?? clientCa?.problem ?? (isSame ? undefined : findFault(next))
    if (problem !== undefined) {
      if (problem !== before) onProblem?.(problem)
    } else if (!isSame) {
      server.setSecureContext(contextOf(next))
      inForce = next
      onReload?.()
    }
  }

  return {
    options: {
      ...contextOf(inForce),
      ...(clientCa !== undefined && { requestCert: true, rejectUnauthorized: true }),
    },
    get problem() {
      return problem
    },
    follow(server) {
      polling?.[Symbol.dispose]()
      polling = every(clock, pollEveryMs, () => look(server))
    },
    [Symbol.dispose]: () => polling?.[Symbol.dispose](),
  }
}

const findFault = ({ cert, key, clientCa }: Material): string | undefined =>
  findKeyPairFault({ cert, key, ca: clientCa })

const contextOf = ({ cert, key, clientCa }: Material): SecureContextOptions => ({
  cert,
  key,
  minVersion: 'TLSv1.2',
  ...(clientCa !== undefined && { ca: clientCa }),
})
