// What all clusters say of one token, asked at once.
import type { ClusterUrl, TokenRead, WaiterCluster } from './contract.ts'

export type Reads = ReadonlyMap<ClusterUrl, TokenRead>

/** Asks every cluster at once. `unlisted` are not asked: they did not even give their list. Throws the reason of `signal` only. */
export async function readEverywhere(
  token: string,
  clusters: readonly WaiterCluster[],
  unlisted: ReadonlySet<ClusterUrl>,
  signal: AbortSignal,
): Promise<Reads> {
  const reads = await Promise.all(
    clusters.map((cluster) => (unlisted.has(cluster.url) ? DID_NOT_LIST : cluster.read(token, signal))),
  )
  return new Map(clusters.map((cluster, index) => [cluster.url, reads[index] ?? DID_NOT_LIST]))
}

const DID_NOT_LIST: TokenRead = { kind: 'broken', message: 'the cluster did not give its list of tokens' }
