// One measurement of the benchmark in a process of its own: `node task-process.ts CALL`, a TaskCall as JSON; prints its figures.

import type { Pair } from '../../../src/db/contract.ts'
import type { Row } from '../../../src/db/document.ts'
import { SPLITS_AT_ONCE } from '../../../src/db/pipeline.ts'
import type { Store, StoreTable } from '../../../src/db/store.ts'
import { syncPair } from '../../../src/db/sync.ts'
import { verifyPair } from '../../../src/db/verify.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { forEachConcurrently } from '../../../src/lib/concurrently.ts'
import { prepareStore } from '../../../src/wiring/db-stores.ts'
import { type Figures, measure } from './measure.ts'
import { carryBack, carryThere, openDriver } from './original.ts'
import { openRawCassandra } from './raw-cassandra.ts'
import { RawSearch } from './raw-search.ts'
import { countRows, LAST_MS, POLICY, rowsOf, TABLE } from './rows.ts'
import type { Task, TaskCall } from './task.ts'

const { task, place } = JSON.parse(process.argv[2] ?? '') as TaskCall
const { parties } = place
const signal = new AbortController().signal
const surroundings = { env: {}, clock: systemClock, random: Math.random, policy: POLICY, onAway: console.error }
const limits = { requestTimeoutMs: 60_000, retryForMs: 300_000 }
/** What the stores say to a window of everything. */
const WHOLE = { beginMs: 0, endMs: LAST_MS }

const values = new Map<string, string>()
const around = {
  memory: {
    getValue: async (key: string) => values.get(key),
    putValue: async (key: string, value: string | undefined) => {
      if (value === undefined) values.delete(key)
      else values.set(key, value)
    },
  },
  ...{ clock: systemClock, signal, onProgress: () => {} },
}

process.stdout.write(JSON.stringify(await run(task)))

async function run(one: Task): Promise<Figures> {
  switch (one.do) {
    case 'raw-there':
    case 'raw-back':
      return await runRaw(one)
    case 'original-there':
    case 'original-back':
      return await runOriginal(one)
    case 'sync':
      return await runSync(one)
    case 'verify':
      return await runVerify(one)
    case 'scan-cassandra': {
      await using store = await openCassandra(one.keyspace)
      return await measureScan(store)
    }
    case 'scan-search': {
      await using store = await openSearch(one.index)
      return await measureScan(store)
    }
    case 'write-search': {
      await using store = await openSearch(one.index)
      const rows = [...rowsOf(one.rows)]
      return await measure(parties, () => write(rows, store.openTable(TABLE)))
    }
  }
}

async function runRaw({
  do: what,
  keyspace,
  index,
  rows,
}: Extract<Task, { do: 'raw-there' | 'raw-back' }>): Promise<Figures> {
  using cassandra = await openRawCassandra(place.cassandraPort)
  await using search = new RawSearch(place.searchUrl)
  const expected = countRows(rows)
  const check = (read: number) => {
    if (read !== expected) throw new Error(`${read} rows were read, not ${expected}`)
    return read
  }
  if (what === 'raw-there') {
    const bulks = search.prepareBulks(rowsOf(rows))
    return await measure(parties, async () => {
      const [read] = await Promise.all([cassandra.scan(keyspace), search.send(index, bulks)])
      return check(read)
    })
  }
  const batches = await cassandra.prepareBatches(keyspace, rowsOf(rows))
  return await measure(parties, async () => {
    const [read] = await Promise.all([search.read(index), cassandra.send(batches)])
    return check(read)
  })
}

async function runOriginal({
  do: what,
  keyspace,
  index,
  limit,
}: Extract<Task, { do: 'original-there' | 'original-back' }>): Promise<Figures> {
  const client = await openDriver(place.cassandraPort, keyspace)
  await using search = new RawSearch(place.searchUrl)
  const carry = what === 'original-there' ? carryThere : carryBack
  const figures = await measure(parties, () => carry(client, search, index, limit))
  await client.shutdown()
  if (figures.rows !== limit) throw new Error(`${figures.rows} of ${limit} rows were written`)
  return figures
}

async function runSync(one: Extract<Task, { do: 'sync' }>): Promise<Figures> {
  await using pair = await openPair(one.keyspace, one.index)
  return await measure(parties, async () => {
    const { counts } = await syncPair(
      pair,
      { direction: one.direction, ...writeSpan(one), dryRun: false },
      { ...around, onItem: async () => {}, onDeadLetters: async () => {} },
    )
    if (counts.applied !== one.applied || counts.failed > 0)
      throw new Error(`${one.applied} rows were to be applied: ${JSON.stringify(counts)}`)
    return counts.read
  })
}

async function runVerify(one: Extract<Task, { do: 'verify' }>): Promise<Figures> {
  await using pair = await openPair(one.keyspace, one.index)
  return await measure(parties, async () => {
    const { counts } = await verifyPair(
      pair,
      { maxDifferences: 10, ...writeSpan(one) },
      { ...around, resume: false, onItem: async () => {} },
    )
    if (counts.equal !== one.equal || Object.values(counts).some((count) => count > 0 && count !== one.equal))
      throw new Error(`${one.equal} rows were to be equal: ${JSON.stringify(counts)}`)
    return counts.equal
  })
}

/** Milliseconds since 1970 as users write them. */
function writeSpan({ begin, end }: { readonly begin: number; readonly end: number }) {
  return { begin: String(begin).padStart(13, '0'), end: String(end).padStart(13, '0') }
}

async function openPair(keyspace: string, index: string): Promise<Pair & AsyncDisposable> {
  const stack = new AsyncDisposableStack()
  const [left, right] = [stack.use(await openCassandra(keyspace)), stack.use(await openSearch(index))]
  return {
    ...{ key: 'bench', left, right, tables: [TABLE.name], policy: POLICY, lagMs: 0, overlapMs: 0 },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

function openCassandra(keyspace: string): Promise<Store> {
  const contactPoints = [`127.0.0.1:${place.cassandraPort}`]
  const side = { kind: 'cassandra', contactPoints, keyspace, consistency: 'LOCAL_QUORUM', ...limits } as const
  return prepareStore(side, surroundings)(signal)
}

function openSearch(index: string): Promise<Store> {
  return prepareStore({ kind: 'elasticsearch', url: place.searchUrl, index, ...limits }, surroundings)(signal)
}

async function measureScan(store: Store): Promise<Figures> {
  const table = store.openTable(TABLE)
  return await measure(parties, async () => {
    let rows = 0
    // As a sync does it.
    const splits = await table.plan(WHOLE, { atLeast: SPLITS_AT_ONCE, signal })
    await forEachConcurrently(splits, SPLITS_AT_ONCE, signal, async (split) => {
      for await (const batch of table.scan(split, WHOLE, signal)) rows += batch.rows.length
    })
    return rows
  })
}

async function write(rows: readonly Row[], table: StoreTable): Promise<number> {
  let applied = 0
  await using writer = table.openWriter({
    dryRun: false,
    signal,
    settle: (_id, _version, outcome) => {
      if (outcome === 'applied') applied++
    },
  })
  for (let at = 0; at < rows.length; at += 1_000) await writer.write(rows.slice(at, at + 1_000))
  await writer.finish()
  if (applied !== rows.length) throw new Error(`${applied} of ${rows.length} rows were written`)
  return applied
}
