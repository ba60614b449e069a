// Ports that nobody listens on, below the range that the kernel takes for outgoing connections, so that none is taken in between.
import { createServer } from 'node:net'

const LOWEST = 18_000
const HIGHEST = 32_000
const TRIES = 200

/** Finds a port that is free on every one of these addresses. Throws when there is none. */
export async function findFreePort(addresses: readonly string[] = ['127.0.0.1']): Promise<number> {
  for (let i = 0; i < TRIES; i++) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST))
    const free = await Promise.all(addresses.map((address) => isFree(address, port)))
    if (free.every(Boolean)) return port
  }
  throw new Error(`no port between ${LOWEST} and ${HIGHEST} is free on ${addresses.join(', ')}`)
}

/** Finds two of them on 127.0.0.1. Throws when there are none. */
export async function findTwoFreePorts(): Promise<readonly [number, number]> {
  const first = await findFreePort()
  for (;;) {
    const second = await findFreePort()
    if (second !== first) return [first, second]
  }
}

function isFree(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
