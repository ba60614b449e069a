// The Waiter clusters that a command works on by itself: by address, with one Authorization for all, closed when it ends.
import type { ClusterUrl } from '../tokens/contract.ts'
import type { WaiterClient } from '../tokens/waiter.ts'
import type { CliIo } from './io.ts'
import type { TimeoutFlags } from './tokens-options.ts'

/** Opens one client for each address; their connections end with the stack. */
export async function openClusters(
  urls: readonly ClusterUrl[],
  timeouts: TimeoutFlags,
  io: CliIo,
  stack: AsyncDisposableStack,
): Promise<readonly WaiterClient[]> {
  const { connectionTimeoutMs, idleTimeoutMs } = timeouts
  // Loaded here: the command line must start without an HTTP client.
  const { createWaiterCluster } = await import('../tokens/waiter.ts')
  const header = io.env['AUTHORIZATION_HEADER'] || undefined
  const authorization = () => header
  return urls.map((url) =>
    stack.use(createWaiterCluster({ url, clock: io.clock, authorization, connectionTimeoutMs, idleTimeoutMs })),
  )
}

/** The same cluster; reads that fail are tried again. */
export async function retryReads(cluster: WaiterClient, io: CliIo) {
  const { withReadRetries } = await import('../tokens/waiter-retry.ts')
  return withReadRetries(cluster, { clock: io.clock, random: Math.random })
}
