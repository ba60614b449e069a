import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { OPT_OUT_METADATA_NAME, startTokenClusters, type TokenClusters } from '../../src/playground/token-clusters.ts'
import { syncTokens } from '../../src/tokens/sync.ts'
import { createWaiterCluster } from '../../src/tokens/waiter.ts'

const sync = async ({ east, west }: TokenClusters) => {
  await using stack = new AsyncDisposableStack()
  const clusters = [east, west].map(({ url }) => stack.use(createWaiterCluster({ url, clock: systemClock })))
  return await syncTokens(
    {
      mode: 'safe',
      dryRun: false,
      limit: 1_000,
      optOutMetadataName: OPT_OUT_METADATA_NAME,
      onUnreachable: 'fail',
      onConflict: 'newest',
      maxDeletes: { percent: 20, atLeast: 5 },
      allowEmpty: [],
    },
    {
      clusters,
      signal: AbortSignal.timeout(10_000),
      clock: systemClock,
      random: Math.random,
      memory: undefined,
      remember: async () => {},
      keepForUndo: async () => {},
      onItem: async () => {},
      onProgress: () => {},
    },
  )
}

describe("the playground's Waiter clusters", () => {
  it('hold a dozen tokens that differ in every way, and come into step', async () => {
    await using clusters = await startTokenClusters({ clock: systemClock, anyPorts: true })
    const first = await sync(clusters)
    expect(first.tokens.total).toHaveLength(12)
    expect(first.tokens.previouslySynced).toEqual(['billing', 'mail', 'search'])
    expect(first.sync.failed).toEqual([])
    expect(first.counts).toEqual({ create: 2, update: 4, softDelete: 1, hardDelete: 2, skip: 1, conflict: 0 })
    const second = await sync(clusters)
    expect(second.counts).toEqual({ create: 0, update: 0, softDelete: 0, hardDelete: 2, skip: 1, conflict: 0 })
    const { counts, tokens } = await sync(clusters)
    expect(counts).toEqual({ create: 0, update: 0, softDelete: 0, hardDelete: 0, skip: 1, conflict: 0 })
    expect(tokens.pending).toEqual(['debug-shell'])
  })

  it('take other ports when the usual ones are taken', async () => {
    await using first = await startTokenClusters({ clock: systemClock, anyPorts: false })
    await using second = await startTokenClusters({ clock: systemClock, anyPorts: false })
    const ports = [first.east, first.west, second.east, second.west].map(({ port }) => port)
    expect(new Set(ports).size).toBe(4)
  })
})
