// Opens sockets to one replica, TLS included, within a time of our own: undici's time-outs below a second fire late.
import net from 'node:net'
import tls from 'node:tls'
import type { Clock } from '../lib/clock.ts'
import { SILENT } from './outcome.ts'
import type { Replica } from './replica.ts'

export interface DialOptions {
  readonly scheme: 'https' | 'http'
  /** Name that the certificate must carry: a host name or an address. */
  readonly servername: string
  /** Asked at each new connection, so that renewed files count; may throw. */
  readonly secureContext: () => tls.SecureContext
  /** A connection must stand, TLS included, within this; and an answer is overdue after it. Milliseconds. */
  readonly connectTimeoutMs: number
}

/** Told once: an error, or a socket that is ready for a request. */
export type DialCallback = (...args: [error: Error, socket: null] | [error: null, socket: net.Socket]) => void

export class Dialer {
  readonly #replica: Pick<Replica, 'address' | 'port'>
  readonly #options: DialOptions
  readonly #clock: Clock
  /** To resume; only with the context that it was made with, which is what has verified the certificate. */
  #session: { readonly context: tls.SecureContext; readonly data: Buffer } | undefined
  /** A connection at rest that nobody has asked for yet. */
  #spare: net.Socket | undefined
  /** Gives up a connection that does not stand yet. */
  readonly #opening = new Set<() => void>()
  #isClosed = false

  constructor(replica: Pick<Replica, 'address' | 'port'>, options: DialOptions, clock: Clock) {
    this.#replica = replica
    this.#options = options
    this.#clock = clock
  }

  /** Connects now and keeps the connection for the next `dial`. A failure is nobody's business: whoever asks will see it. */
  warm(): void {
    this.#open((_error, socket) => {
      if (socket === null) return
      if (this.#isClosed || this.#spare !== undefined) {
        socket.destroy()
        return
      }
      this.#spare = socket
      // A failure at rest is an end like any other.
      socket.once('error', () => {})
      socket.once('close', () => {
        if (this.#spare === socket) this.#spare = undefined
      })
    })
  }

  dial(callback: DialCallback): void {
    const spare = this.#spare
    this.#spare = undefined
    if (spare === undefined || spare.destroyed) this.#open(callback)
    // Not before this returns: undici is still in the middle of asking.
    else queueMicrotask(() => callback(null, spare))
  }

  /** Ends what nobody has taken yet; sockets that were handed over are their taker's. */
  close(): void {
    this.#isClosed = true
    for (const giveUp of [...this.#opening]) giveUp()
    this.#spare?.destroy()
    this.#spare = undefined
  }

  #open(callback: DialCallback): void {
    const { connectTimeoutMs, scheme } = this.#options
    let socket: net.Socket | undefined
    let isSettled = false
    const settle = (error?: Error) => {
      if (isSettled) return
      isSettled = true
      timer.cancel()
      this.#opening.delete(giveUp)
      if (error === undefined && socket !== undefined) {
        callback(null, socket)
        return
      }
      socket?.destroy()
      callback(error ?? silent('no connection'), null)
    }
    const timer = this.#clock.setTimer(connectTimeoutMs, () =>
      settle(silent(`no connection within ${connectTimeoutMs} ms`)),
    )
    const giveUp = () => settle(silent('the connection was given up'))
    this.#opening.add(giveUp)
    try {
      socket = scheme === 'http' ? this.#connect(settle) : this.#connectSecurely(settle)
    } catch (error) {
      // A certificate or key that cannot be read.
      settle(error instanceof Error ? error : new Error(String(error)))
      return
    }
    socket.once('error', (error) => {
      this.#session = undefined
      settle(error)
    })
    socket.once('close', () => settle(Object.assign(new Error('closed while connecting'), { code: 'ECONNRESET' })))
  }

  #connect(settle: () => void): net.Socket {
    const { address, port } = this.#replica
    const socket = net.connect({ host: address, port, noDelay: true })
    socket.once('connect', () => settle())
    return socket
  }

  #connectSecurely(settle: () => void): net.Socket {
    const { address, port } = this.#replica
    const { servername } = this.#options
    const context = this.#options.secureContext()
    const socket = tls.connect({
      host: address,
      port,
      ALPNProtocols: ['http/1.1'],
      ...(net.isIP(servername) === 0 ? { servername } : {}),
      checkServerIdentity: (_host, certificate) => tls.checkServerIdentity(servername, certificate),
      secureContext: context,
      ...(this.#session?.context === context ? { session: this.#session.data } : {}),
    })
    socket.setNoDelay(true)
    socket.on('session', (data) => {
      this.#session = { context, data }
    })
    socket.once('secureConnect', () => settle())
    return socket
  }
}

/** An error of ours about a peer that says nothing. */
export function silent(message: string): Error {
  return Object.assign(new Error(message), { code: SILENT })
}
