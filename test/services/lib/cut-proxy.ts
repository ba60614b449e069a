// A TCP proxy that can be cut: connections stay open and carry nothing, new ones are accepted and go nowhere, as when packets are dropped.
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export class CutProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #target: number
  readonly #address: string
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  #isCut = false

  private constructor(target: number, address: string) {
    this.#target = target
    this.#address = address
    this.#server = createServer((socket) => this.#accept(socket))
  }

  /** In front of a port of loopback. */
  static async start(target: number, address = '127.0.0.1'): Promise<CutProxy> {
    const proxy = new CutProxy(target, address)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  cut(): void {
    this.#isCut = true
    for (const pair of this.#pairs) for (const socket of pair) socket.pause()
  }

  /** Carries again. `reset`: what was open is gone; else what was held back is delivered now. */
  heal(reset: boolean): void {
    this.#isCut = false
    for (const pair of this.#pairs) {
      for (const socket of pair) {
        if (reset) socket.destroy()
        else socket.resume()
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.heal(true)
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #accept(client: Socket): void {
    const server = connect(this.#target, this.#address)
    const pair = [client, server] as const
    this.#pairs.add(pair)
    const end = () => {
      this.#pairs.delete(pair)
      client.destroy()
      server.destroy()
    }
    for (const [from, to] of [pair, [server, client] as const]) {
      from.on('data', (chunk) => to.write(chunk))
      from.on('error', end)
      from.on('close', end)
      if (this.#isCut) from.pause()
    }
  }
}
