// A store over the fake server, and rows for it.

import type { Row } from '../../../../src/db/document.ts'
import { type ElasticsearchOptions, openElasticsearchStore } from '../../../../src/db/elasticsearch/elasticsearch.ts'
import type { Outcome, ScanBatch, Store, StoreTable } from '../../../../src/db/store.ts'
import type { Table } from '../../../../src/db/table.ts'
import { deriveTimeuuid, formatTimeuuid, msOf, type Version } from '../../../../src/db/timeuuid.ts'
import type { Window } from '../../../../src/db/window.ts'
import { systemClock } from '../../../../src/lib/clock.ts'
import { FakeSearch, type FakeSearchOptions } from './fake-search.ts'

export const T0 = Date.UTC(2024, 0, 1)
export const ALL: Window = { beginMs: 0, endMs: T0 * 2 }
export const TABLE: Table = { name: 'people', kind: 'latest', columns: [{ name: 'name', type: { kind: 'text' } }] }
export const INDEX = 'app-people'

export interface Scene extends AsyncDisposable {
  readonly fake: FakeSearch
  readonly store: Store
  readonly table: StoreTable
  readonly signal: AbortSignal
}

/** Pauses take no time: whoever waits for a fault to pass tries again at once. */
export async function openScene(
  options: FakeSearchOptions & Partial<ElasticsearchOptions> = {},
  table: Table = TABLE,
): Promise<Scene> {
  const fake = await FakeSearch.start(options)
  const store = await openElasticsearchStore({
    ...{ url: fake.url, index: 'app-{table}', policy: { versionField: 'tmstmp_uuid', onUnknownField: 'fail' } },
    ...{ clock: systemClock, random: () => 0, requestTimeoutMs: 10_000, retryForMs: 10_000 },
    ...options,
  })
  const { signal } = new AbortController()
  return {
    ...{ fake, store, signal, table: store.openTable(table) },
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]()
      await fake[Symbol.asyncDispose]()
    },
  }
}

export const idOf = (at: number): string => `00000000-0000-4000-8000-${at.toString(16).padStart(12, '0')}`

/** A version of a millisecond after T0; `tie` tells apart those of one. */
export function versionAt(ms: number, tie = 0): Version {
  return deriveTimeuuid(T0 + ms, Uint8Array.of(0, 0, 0, tie, 0, 0, 0, 0, 0, 0, 0, tie))
}

export const rowOf = (at: number, version: Version, name: string | null = `name ${at}`): Row => ({
  ...{ id: idOf(at), version, values: [name] },
})

/** The document that a row is. */
export function documentOf({ id, version, values: [name] }: Row): string {
  const tmstmp = new Date(msOf(version)).toISOString()
  return JSON.stringify({ id, tmstmp, tmstmp_uuid: formatTimeuuid(version), ...(name !== null && { name }) })
}

/** What became of each row, by id. */
export async function writeRows(
  { table, signal }: Pick<Scene, 'table' | 'signal'>,
  rows: readonly Row[],
  options: { readonly dryRun?: boolean; readonly mostlyHeld?: boolean; readonly reasons?: string[] } = {},
): Promise<Record<string, Outcome>> {
  const outcomes: Record<string, Outcome> = {}
  await using writer = table.openWriter({
    ...{ dryRun: options.dryRun ?? false, mostlyHeld: options.mostlyHeld, signal },
    settle: (id, _version, outcome, reason) => {
      if (outcomes[id] !== undefined) throw new Error(`${id} was settled twice`)
      outcomes[id] = outcome
      if (reason !== undefined) options.reasons?.push(reason)
    },
  })
  await writer.write(rows)
  await writer.finish()
  return outcomes
}

/** All batches of all splits of the window together. */
export async function scanAll(
  { table, signal }: Pick<Scene, 'table' | 'signal'>,
  window: Window = ALL,
): Promise<ScanBatch> {
  const batches: ScanBatch[] = []
  for (const split of await table.plan(window, { signal }))
    for await (const batch of table.scan(split, window, signal)) batches.push(batch)
  return {
    rows: batches.flatMap(({ rows }) => rows),
    misfits: batches.flatMap(({ misfits }) => misfits),
    history: batches.reduce((sum, { history }) => sum + history, 0),
  }
}
