// Connections to a cluster: made within a time that a clock sets, TLS included. undici's own time runs on a clock of half seconds.
import { isIP } from 'node:net'
import { checkServerIdentity, type PeerCertificate, type SecureContext } from 'node:tls'
import { buildConnector } from 'undici'
import type { Clock } from '../lib/clock.ts'

/** What TLS is made with; asked at each new connection, so that renewed files count. May throw. */
export type SecureContexts = () => SecureContext

export interface ConnectOptions {
  readonly clock: Clock
  /** A connection must stand, TLS included, within this. Milliseconds. */
  readonly connectionTimeoutMs: number
  readonly secureContext?: SecureContexts | undefined
  /** Name that the certificate must carry and that is sent as SNI; the host when left out. */
  readonly servername?: string | undefined
}

/** What undici opens its connections with. */
export function createConnect(options: ConnectOptions): buildConnector.connector {
  const { clock, connectionTimeoutMs, secureContext, servername } = options
  const settings = {
    timeout: 0,
    allowH2: false,
    ...(servername !== undefined && {
      checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
        checkServerIdentity(servername, certificate),
    }),
  }
  const usual = secureContext === undefined ? buildConnector(settings) : undefined
  // An address is no name to ask for.
  const asked = servername === undefined || isIP(servername) !== 0 ? {} : { servername }
  return (target, callback) => {
    let connect: buildConnector.connector
    try {
      connect = usual ?? buildConnector({ ...settings, secureContext: secureContext?.() })
    } catch (error) {
      // A certificate or key that cannot be read. Not before this returns: undici is still in the middle of asking.
      queueMicrotask(() => callback(error instanceof Error ? error : new Error(String(error)), null))
      return
    }
    const socket: unknown = connect({ ...target, ...asked }, (...result: Parameters<buildConnector.Callback>) => {
      timer.cancel()
      callback(...result)
    })
    const timer = clock.setTimer(connectionTimeoutMs, () => destroy(socket, connectionTimeoutMs))
  }
}

/** The connector gives the socket that it opens, though its type does not say so. */
function destroy(socket: unknown, connectionTimeoutMs: number): void {
  const late = Object.assign(new Error(`no connection in ${connectionTimeoutMs} ms`), { code: 'CONNECT_TIMEOUT' })
  if (socket !== null && typeof socket === 'object' && 'destroy' in socket && typeof socket.destroy === 'function') {
    socket.destroy(late)
  }
}
