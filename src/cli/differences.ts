// Why a token is to be written: the parameters in which a cluster's version and the latest differ, from what the sync reads anyway.
import type { ClusterUrl, Description, TokenItem, WaiterCluster } from '../tokens/contract.ts'
import { equalJson } from '../tokens/json.ts'

/** What the clusters say of themselves: it differs whenever anything does, and explains nothing. */
const OWN: readonly string[] = ['cluster', 'last-update-time', 'last-update-user', 'previous']

/** By URL of the cluster, sorted names. */
export type Differences = ReadonlyMap<ClusterUrl, readonly string[]>

export interface DifferenceRecorder {
  /** The same cluster; what is read of it is kept until its token is taken. */
  record(cluster: WaiterCluster): WaiterCluster
  /** How the clusters differ from the latest of this token, as last read; forgets it. */
  take(item: TokenItem): Differences
}

export function createDifferenceRecorder(): DifferenceRecorder {
  const read = new Map<string, Map<ClusterUrl, Description>>()
  const keep = (token: string, cluster: ClusterUrl, description: Description): void => {
    const clusters = read.get(token) ?? new Map<ClusterUrl, Description>()
    // The first reading is kept: after a write that is tried again, the next one may show no difference any more.
    if (!clusters.has(cluster)) clusters.set(cluster, description)
    read.set(token, clusters)
  }
  return {
    record: (cluster) => ({
      url: cluster.url,
      get skewMs() {
        return cluster.skewMs
      },
      list: (signal) => cluster.list(signal),
      read: async (token, signal) => {
        const answer = await cluster.read(token, signal)
        if (answer.kind === 'answered') keep(token, cluster.url, answer.description)
        return answer
      },
      store: (token, description, ifMatch, signal) => cluster.store(token, description, ifMatch, signal),
      hardDelete: (token, ifMatch, signal) => cluster.hardDelete(token, ifMatch, signal),
    }),
    take: ({ token, latest, results }) => {
      const clusters = read.get(token)
      read.delete(token)
      const newest = clusters?.get(latest.cluster)
      const differences = new Map<ClusterUrl, readonly string[]>()
      for (const cluster of results.keys()) {
        const description = clusters?.get(cluster)
        if (newest === undefined || description === undefined || description.size === 0) continue
        const names = listDifferences(description, newest)
        if (names.length > 0) differences.set(cluster, names)
      }
      return differences
    },
  }
}

/** Pure: names of the parameters in which two versions differ, sorted; what clusters say of themselves only when nothing else does. */
export function listDifferences(a: Description, b: Description): readonly string[] {
  const names = [...new Set([...a.keys(), ...b.keys()])].sort().filter((name) => {
    const [mine, other] = [a.get(name), b.get(name)]
    return mine === undefined || other === undefined || !equalJson(mine, other)
  })
  const telling = names.filter((name) => !OWN.includes(name))
  return telling.length > 0 ? telling : names
}
