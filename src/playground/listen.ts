// Servers of the playground: begin to listen on a port that may be another's already, and end at once.
import type { AddressInfo, Server } from 'node:net'

/** Listens on the wanted port, or on a free one when it is in use, not ours to take, or 0. Resolves with the port. */
export function listen(server: Server, address: string, wanted: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      const isTaken = error.code === 'EADDRINUSE' || error.code === 'EACCES'
      if (wanted !== 0 && isTaken) listen(server, address, 0).then(resolve, reject)
      else reject(error)
    }
    server.once('error', onError)
    server.listen(wanted, address, () => {
      server.removeListener('error', onError)
      resolve((server.address() as AddressInfo).port)
    })
  })
}

/** Ends the server and all its connections. */
export function close(server: Server & { closeAllConnections(): void }): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
