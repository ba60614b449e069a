// The example cases through a service: a run in mode compat over clusters that serve the case comes to what the original came to.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fromPlain, type PlainJson, writeSortedJson } from '../../src/tokens/json.ts'
import { type RunningCase, startCase, type TokenSyncCase } from '../fakes/waiter-case.ts'
import { loadCases, tellExpected, tellWrites } from '../tokens/lib/cases.ts'
import { createRunFolder } from './lib/run-folder.ts'
import { type Run, startTokenService, type TokenItem, type TokenService } from './lib/token-service.ts'

/** Clusters that one configuration may have. */
const MAX_CLUSTERS = 64

interface Served {
  readonly servers: RunningCase
  /** Names of its clusters in the configuration, in the order of the case. */
  readonly names: readonly string[]
}

/** Cases in groups, so that the clusters of each fit into one configuration. */
function group(cases: readonly TokenSyncCase[]): readonly (readonly TokenSyncCase[])[] {
  const groups: TokenSyncCase[][] = []
  let room = 0
  for (const one of cases) {
    if (one.clusters.length > room) {
      groups.push([])
      room = MAX_CLUSTERS
    }
    groups.at(-1)?.push(one)
    room -= one.clusters.length
  }
  return groups
}

describe.each(group(loadCases()).map((cases, n) => ({ cases, n })))(
  'a service over the clusters of group $n',
  ({ cases }) => {
    const served = new Map<TokenSyncCase, Served>()
    const stack = new AsyncDisposableStack()
    let service: TokenService

    beforeAll(async () => {
      const folder = createRunFolder('tokens-cases')
      stack.defer(() => folder.remove())
      for (const one of cases) {
        const servers = stack.use(await startCase(one))
        served.set(one, { servers, names: servers.urls.map((_, at) => `case-${one.id}-${at}`) })
      }
      const clusters = [...served.values()].flatMap(({ servers, names }) =>
        servers.urls.map((url, at) => ({ name: names[at] ?? '', url })),
      )
      service = stack.use(await startTokenService({ clusters, folder: folder.path }))
    })
    afterAll(() => stack.disposeAsync())

    it.each(cases.map((one) => ({ id: one.id, one })))('comes to the same in case $id', async ({ one }) => {
      const { servers, names } = served.get(one) ?? fail(one)
      const { limit, optOutMetadataName } = one
      const run = await service.run({
        ...{ clusters: names, mode: 'compat', limit },
        ...(optOutMetadataName !== undefined && { optOutMetadataName }),
      })
      const items = await service.items(run.id)
      expect(writeSortedJson(tellRun(run, items, servers))).toBe(writeSortedJson(tellExpected(one)))
    })
  },
)

function fail(one: TokenSyncCase): never {
  throw new RangeError(`case ${one.id} is not served`)
}

/** What the service answered, in the form of `expected`; the exit code is that of the command line. */
function tellRun({ summary, state }: Run, items: readonly TokenItem[], { caseUrl, writes }: RunningCase) {
  const codes = ({ latest, results }: TokenItem): PlainJson => ({
    latestCluster: caseUrl(latest.cluster),
    results: new Map(Object.entries(results).map(([url, { code }]) => [caseUrl(url), code])),
  })
  return fromPlain({
    summary: { sync: { ...summary?.sync }, tokens: { ...summary?.tokens } },
    tokenCodes: new Map(items.map((item) => [item.id, codes(item)])),
    writes: tellWrites(writes),
    exitCode: { succeeded: 0, failed: 1 }[state as string],
  })
}
