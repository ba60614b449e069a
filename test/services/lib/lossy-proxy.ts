// A TCP proxy that loses an answer: what was asked arrives and is carried out, and the connection breaks before anybody hears of it.
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export class LossyProxy implements AsyncDisposable {
  readonly #server: Server
  readonly #target: number
  readonly #sockets = new Set<Socket>()
  #loses: ((request: string) => boolean) | undefined
  /** Answers that were lost so far. */
  lost = 0

  private constructor(target: number) {
    this.#target = target
    this.#server = createServer((socket) => this.#accept(socket))
  }

  /** In front of a port of loopback. */
  static async start(target: number): Promise<LossyProxy> {
    const proxy = new LossyProxy(target)
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Loses the answer to the next request that has this text. */
  loseAnswerTo(text: string): void {
    this.#loses = (request) => request.includes(text)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #accept(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1')
    let isLost = false
    const end = () => {
      client.destroy()
      server.destroy()
    }
    client.on('data', (chunk) => {
      if (this.#loses?.(chunk.toString('latin1')) === true) {
        this.#loses = undefined
        this.lost++
        isLost = true
      }
      server.write(chunk)
    })
    // The answer is there, so the request was carried out.
    server.on('data', (chunk) => (isLost ? end() : client.write(chunk)))
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', end)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        end()
      })
    }
  }
}
