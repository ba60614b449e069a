// Pure: from the address of a PostgreSQL database, which holds a password, to what the driver takes and to what messages may say.
import { type ConnectionOptions, checkServerIdentity } from 'node:tls'
import type { ClientConfig } from 'pg'
import { parseIntoClientConfig } from 'pg-connection-string'
import { StateUnusable } from './store.ts'

/** Contents of PEM files, asked for at each new connection. */
export interface PostgresTls {
  readonly ca?: (() => string) | undefined
  readonly cert?: (() => string) | undefined
  readonly key?: (() => string) | undefined
  /** Name that the certificate must carry; the host when left out. */
  readonly servername?: string | undefined
}

export interface PostgresAddress {
  /** `postgres://HOST:PORT/DATABASE`, without user and password. */
  readonly name: string
  readonly config: ClientConfig
}

/**
 * Reads `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, with the parameters that libpq knows. `tls` wins over `sslmode` and its kind.
 * Throws StateUnusable, which never repeats the address.
 */
export function readAddress(url: string, tls: PostgresTls | undefined): PostgresAddress {
  if (!/^postgres(ql)?:\/\//i.test(url)) {
    throw new StateUnusable(
      'state in PostgreSQL: the address must be of the form postgres://USER:PASSWORD@HOST:PORT/DATABASE',
    )
  }
  let config: ClientConfig
  try {
    config = parseIntoClientConfig(url)
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? ` (${error.code})` : ''
    throw new StateUnusable(`state in PostgreSQL: the address cannot be understood${why}`)
  }
  const { host = 'localhost', port = 5432, database = '' } = config
  return {
    name: `postgres://${host.includes(':') ? `[${host}]` : host}:${port}/${database}`,
    config: tls === undefined ? config : { ...config, ssl: readTls(tls) },
  }
}

function readTls({ ca, cert, key, servername }: PostgresTls): ConnectionOptions {
  return {
    rejectUnauthorized: true,
    ...(ca && { ca: ca() }),
    ...(cert && { cert: cert() }),
    ...(key && { key: key() }),
    // The driver sets `servername` itself, to the host.
    ...(servername !== undefined && { checkServerIdentity: (_, peer) => checkServerIdentity(servername, peer) }),
  }
}
