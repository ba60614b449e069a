// Four clusters that want to see a secret, services over them that go on with what the last one left, and what is wrong with the clusters.
import type { RequestKind, WaiterFault } from '../../fakes/waiter.ts'
import { createRunFolder } from './run-folder.ts'
import { startTokenClusters, type TokenClusters } from './token-clusters.ts'
import { secretOf, startTokenService, type TokenService, type TokenServiceOptions } from './token-service.ts'

export interface TokenServiceScene {
  readonly clusters: TokenClusters
  /** Where services keep their state and their undo files. */
  readonly folder: string
  /** Starts one, which is stopped at the end. */
  serve(options?: Partial<TokenServiceOptions>): Promise<TokenService>
  /** Requests of these kinds are met by this on these clusters, all when left out: left without an answer unless it says otherwise. */
  hold(kinds: readonly RequestKind[], fault?: WaiterFault, ...on: readonly number[]): void
  /** All is well again. */
  letGo(): void
  /** Requests of a kind on all clusters so far. */
  count(kind: RequestKind): number
  /** Stops everything. Resolves with where one of the secrets was found; nowhere is as it should be. */
  end(): Promise<readonly string[]>
}

/** Runs that nobody lets go on are ended soon. */
const SHUTDOWN = { readinessDelayMs: 0, graceMs: 300 }

/** Starts the clusters; no service yet. */
export async function openTokenServiceScene(): Promise<TokenServiceScene> {
  const folder = createRunFolder('tokens-service')
  // Whoever does not show what he is to show may not even read.
  const clusters = await startTokenClusters(4, (name) => ({
    authenticate: (authorization) => (authorization === secretOf(name) ? { name: 'admin', isAdmin: true } : undefined),
  }))
  const services: TokenService[] = []
  return {
    clusters,
    folder: folder.path,
    serve: async ({ config, ...options } = {}) => {
      const all = { clusters: clusters.all, folder: folder.path, config: { shutdown: SHUTDOWN, ...config }, ...options }
      const service = await startTokenService(all)
      services.push(service)
      return service
    },
    hold: (kinds, fault = 'hang', ...on) => {
      const held = on.length > 0 ? on.map((n) => clusters.all[n]) : clusters.all
      for (const cluster of held) {
        if (cluster !== undefined) cluster.fault = ({ kind }) => (kinds.includes(kind) ? fault : undefined)
      }
    },
    letGo: () => {
      for (const cluster of clusters.all) cluster.fault = () => undefined
    },
    count: (kind) => clusters.all.reduce((sum, { requests }) => sum + requests[kind], 0),
    end: async () => {
      const found: string[] = []
      for (const service of services) {
        for (const { name } of clusters.all) found.push(...(await service.findSaid(secretOf(name))))
        await service[Symbol.asyncDispose]()
      }
      await clusters[Symbol.asyncDispose]()
      folder.remove()
      return found
    },
  }
}
