import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import type { SyncRequest, TokenItem } from '../../src/tokens/contract.ts'
import { writeSortedJson } from '../../src/tokens/json.ts'
import { syncTokens } from '../../src/tokens/sync.ts'
import { createWaiterCluster } from '../../src/tokens/waiter.ts'
import { startCase, type TokenSyncCase } from '../fakes/waiter-case.ts'
import { loadCases, tellExpected, tellOutcome } from './lib/cases.ts'

/** The whole run over HTTP, told by the addresses of the case. */
async function runOverHttp(one: TokenSyncCase) {
  await using servers = await startCase(one)
  await using stack = new AsyncDisposableStack()
  const clusters = servers.urls.map((url) => stack.use(createWaiterCluster({ url, clock: systemClock })))
  const items: TokenItem[] = []
  const request: SyncRequest = {
    mode: 'compat',
    dryRun: false,
    limit: one.limit,
    optOutMetadataName: one.optOutMetadataName,
    onUnreachable: 'fail',
    onConflict: 'newest',
    maxDeletes: { count: 0 },
    allowEmpty: [],
  }
  const summary = await syncTokens(request, {
    clusters,
    signal: AbortSignal.timeout(30_000),
    clock: systemClock,
    random: Math.random,
    memory: undefined,
    remember: () => Promise.reject(new Error('the original remembers nothing')),
    keepForUndo: async () => {},
    onItem: async (item) => void items.push(item),
    onProgress: () => {},
  })
  const told = items.map((item) => ({
    ...item,
    latest: { ...item.latest, cluster: servers.caseUrl(item.latest.cluster) },
    results: new Map([...item.results].map(([url, result]) => [servers.caseUrl(url), result])),
  }))
  return tellOutcome({ summary, items: told, writes: servers.writes })
}

describe('a run of the original over HTTP', () => {
  it.each(loadCases().map((one, index) => ({ index, one })))('comes to the same in case $index', async ({ one }) => {
    expect(writeSortedJson(await runOverHttp(one))).toBe(writeSortedJson(tellExpected(one)))
  })
})
