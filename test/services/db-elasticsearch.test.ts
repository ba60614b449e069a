// What only real search servers do to the store: what they make of dates and mappings, how they refuse, freeze and die. One at a time.
import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createRowComparer, type Row } from '../../src/db/document.ts'
import { openElasticsearchStore } from '../../src/db/elasticsearch/elasticsearch.ts'
import type { Outcome, Store, StoreTable } from '../../src/db/store.ts'
import type { Table } from '../../src/db/table.ts'
import { deriveTimeuuid, formatTimeuuid, type Version } from '../../src/db/timeuuid.ts'
import type { Window } from '../../src/db/window.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { SEARCH_RELEASES } from './lib/search-releases.ts'
import { type SearchServer, startSearch } from './lib/search-server.ts'

const T0 = Date.UTC(2024, 0, 1)
const ALL: Window = { beginMs: 0, endMs: T0 * 2 }
const POLICY = { versionField: 'tmstmp_uuid', onUnknownField: 'fail' } as const
const NOTE = { name: 'note', type: { kind: 'text' } } as const
/** A bulk of a few megabytes is more than such a server has room for. */
const LITTLE_ROOM = { 'indexing_pressure.memory.limit': '1mb' }

const versionAt = (ms: number, tie = 0): Version =>
  deriveTimeuuid(T0 + ms, Uint8Array.of(0, 0, 0, tie, 0, 0, 0, 0, 0, 0, 0, tie))
const rowAt = (ms: number, note = 'note'): Row => ({ id: randomUUID(), version: versionAt(ms), values: [note] })
const rowsOf = (count: number, note?: string) => Array.from({ length: count }, (_, at) => rowAt(at, note))

describe.each(SEARCH_RELEASES)('$kind $major', (release) => {
  let server: SearchServer
  let store: Store
  let tables = 0
  const { signal } = new AbortController()

  beforeAll(async () => {
    server = await startSearch({ ...release, settings: LITTLE_ROOM })
  })
  afterAll(() => server[Symbol.asyncDispose]())
  beforeEach(async () => {
    store = await open()
  })
  afterEach(() => store[Symbol.asyncDispose]())

  const open = (requestTimeoutMs = 60_000) =>
    openElasticsearchStore({
      ...{ url: server.url, index: 'app-{table}', policy: POLICY, clock: systemClock, random: Math.random },
      ...{ requestTimeoutMs, retryForMs: 120_000 },
    })
  const newTable = (columns: Table['columns'] = [NOTE]): Table => ({ name: `t${++tables}`, kind: 'latest', columns })

  async function ask(method: string, path: string, body?: unknown) {
    const response = await fetch(`${server.url}/${path}`, {
      ...{ method, headers: { 'content-type': 'application/json' }, signal: AbortSignal.timeout(60_000) },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return JSON.parse(text)
  }

  async function makeTable(columns?: Table['columns']): Promise<StoreTable> {
    const table = newTable(columns)
    await store.createTable(table, signal)
    return store.openTable(table)
  }

  async function openIndex(body: unknown): Promise<StoreTable> {
    const table = newTable()
    await ask('PUT', `app-${table.name}`, body)
    const facts = (await store.describeTables([table.name], signal)).get(table.name)
    expect(facts).toMatchObject({ name: table.name, open: true })
    return store.openTable(table)
  }

  const mappingOf = async ({ table: { name } }: StoreTable) =>
    (await ask('GET', `app-${name}/_mapping`))[`app-${name}`].mappings

  async function write(
    table: StoreTable,
    rows: readonly Row[],
    dryRun = false,
  ): Promise<readonly (Outcome | undefined)[]> {
    const outcomes = new Map<string, Outcome>()
    const settle = (id: string, _: Version, outcome: Outcome, reason?: string) => {
      if (outcomes.has(id) || reason !== undefined) throw new Error(`${id}: ${reason ?? 'settled twice'}`)
      outcomes.set(id, outcome)
    }
    await using writer = table.openWriter({ dryRun, signal, settle })
    await writer.write(rows)
    await writer.finish()
    return rows.map(({ id }) => outcomes.get(id))
  }

  async function scan(table: StoreTable, window = ALL, onBatch = async () => {}) {
    const rows = new Map<string, Row>()
    const misfits: string[] = []
    for (const split of await table.plan(window, { signal }))
      for await (const batch of table.scan(split, window, signal)) {
        for (const row of batch.rows) {
          if (rows.has(row.id)) throw new Error(`${row.id} twice`)
          rows.set(row.id, row)
        }
        misfits.push(...batch.misfits.map(({ id }) => id))
        await onBatch()
      }
    return { rows, misfits }
  }

  const expectAll = ({ rows }: { readonly rows: ReadonlyMap<string, Row> }, expected: readonly Row[]) => {
    expect(rows.size).toBe(expected.length)
    for (const row of expected) expect(rows.get(row.id)).toEqual(row)
  }

  describe('an index that is made', () => {
    const columns = [
      { name: 'any', type: { kind: 'json' } },
      { name: 'decimal', type: { kind: 'decimal' } },
      { name: 'double', type: { kind: 'double' } },
      { name: 'map', type: { kind: 'map', frozen: true, key: { kind: 'text' }, value: { kind: 'int' } } },
      { name: 'tags', type: { kind: 'set', frozen: true, of: { kind: 'text' } } },
      { name: 'when', type: { kind: 'timestamp' } },
    ] as const

    it('finds by what columns are, and has no more fields for what they hold', async () => {
      const table = await makeTable(columns)
      const before = await mappingOf(table)
      expect(before.properties).toMatchObject({ id: { type: 'keyword' }, tmstmp: { type: 'date' } })
      const map = (...keys: string[]) => keys.map((key, at) => [key, at] as const)
      const values: Row['values'][] = [
        ['{"a":1,"":{".":[]},"__proto__":2,"a.b":3}', '1.10', 1.5, map('a', 'b'), ['red', 'blue'], T0],
        [
          '"text"',
          '-1E+2147483647',
          Number.NaN,
          map('', '.', 'a.b', '__proto__'),
          ['x'.repeat(54_000)],
          2n ** 63n - 1n,
        ],
        ['[[1],[{"b":null}]]', '0E-2147483647', -0, map(), [], -62_167_219_200_001],
        ['18446744073709551616', '9'.repeat(200), Number.NEGATIVE_INFINITY, map('x y'), [''], -(2n ** 63n)],
      ]
      const rows = values.map((each, at): Row => ({ ...rowAt(at), values: each }))
      expect(new Set(await write(table, rows))).toEqual(new Set(['applied']))
      const { rows: found } = await scan(table)
      const isSame = createRowComparer(table.table)
      for (const row of rows) expect(isSame(found.get(row.id) ?? rowAt(0), row)).toBe(true)
      expect(await mappingOf(table)).toEqual(before)
      const hits = async (query: object) =>
        (await ask('POST', `app-${table.table.name}/_search`, { query })).hits.hits.map(
          (hit: { _id: string }) => hit._id,
        )
      expect(await hits({ range: { decimal: { gt: 1, lt: 2 } } })).toEqual([rows[0]?.id])
      expect(await hits({ term: { tags: 'blue' } })).toEqual([rows[0]?.id])
      expect(await hits({ range: { double: { gte: 1.5 } } })).toEqual([rows[0]?.id])
    })

    it('is the one that somebody else made at the same moment', async () => {
      const table = newTable()
      await ask('PUT', `app-${table.name}`, {
        mappings: { properties: { tmstmp: { type: 'date' }, note: { type: 'keyword' } } },
      })
      await store.createTable(table, signal)
      expect((await mappingOf(store.openTable(table))).properties.note).toEqual({ type: 'keyword' })
    })

    it('goes by an alias, too', async () => {
      const table = newTable()
      await ask('PUT', `app-v2-of-${table.name}`, { aliases: { [`app-${table.name}`]: {} } })
      const facts = await store.describeTables('all', signal)
      expect(facts.has(table.name)).toBe(true)
      expect(facts.has(`v2-of-${table.name}`)).toBe(false)
      const rows = rowsOf(3)
      expect(new Set(await write(store.openTable(table), rows))).toEqual(new Set(['applied']))
      expectAll(await scan(store.openTable(table)), rows)
      await store.createTable(table, signal)
    })

    it('is read and written where it had no mapping before', async () => {
      const table = await openIndex({ settings: { number_of_shards: 3 } })
      const rows = rowsOf(2_500)
      expect(new Set(await write(table, rows))).toEqual(new Set(['applied']))
      expect(new Set(await write(table, rows))).toEqual(new Set(['equal']))
      expectAll(await scan(table), rows)
    })
  })

  describe('a date', () => {
    const NOTATIONS: readonly (readonly [unknown, number])[] = [
      ['2024-01-01T00:00:00.123456789Z', 123],
      ['2024-01-01T02:00:00.123+02:00', 123],
      [T0 + 123.7, 123],
      [String(T0 + 123), 123],
      [T0 + 123, 123],
      [['2020-01-01', '2024-01-01T00:00:00.123Z'], 123],
      ['2024', 0],
      ['2024-01-01', 0],
    ]

    it('is what the server takes it for, to a scan, to a look and to a writer', async () => {
      const table = await makeTable()
      for (const isRefreshed of [false, true])
        for (const [tmstmp, ms] of NOTATIONS) {
          const id = randomUUID()
          const version = versionAt(ms, 5)
          const path = `app-${table.table.name}/_doc/${id}?refresh=${isRefreshed}`
          await ask('PUT', path, { id, tmstmp, tmstmp_uuid: formatTimeuuid(version), note: 'user' })
          const row = { id, version, values: ['user'] }
          const outcomeOf = async (other: Version) => (await write(table, [{ ...row, version: other }], true))[0]
          expect((await table.find([id], signal)).get(id), JSON.stringify(tmstmp)).toEqual(row)
          expect(await write(table, [{ ...row, version: versionAt(ms, 4) }])).toEqual(['older'])
          expect(await outcomeOf(version)).toBe('equal')
          expect(await outcomeOf(versionAt(ms, 6))).toBe('applied')
          expect((await scan(table, { beginMs: T0 + ms - 1, endMs: T0 + ms })).rows.get(id)).toEqual(row)
          expect((await scan(table, { beginMs: T0 + ms, endMs: ALL.endMs })).rows.has(id)).toBe(false)
          expect(await write(table, [{ ...row, version: versionAt(ms, 7) }])).toEqual(['applied'])
        }
    })

    it('that is none is in no window, and gives way to any row', async () => {
      const table = await makeTable()
      for (const tmstmp of [null, [], undefined]) {
        const row = rowAt(5)
        await ask('PUT', `app-${table.table.name}/_doc/${row.id}?refresh=true`, { id: row.id, tmstmp, note: 'user' })
        expect((await scan(table)).rows.has(row.id)).toBe(false)
        expect((await table.find([row.id], signal)).get(row.id)).toMatchObject({
          reason: expect.stringContaining('no date'),
        })
        expect(await write(table, [row])).toEqual(['applied'])
        expect((await scan(table)).rows.get(row.id)).toEqual(row)
      }
    })

    it('of nanoseconds, or in seconds, is one as any other', async () => {
      for (const tmstmp of [
        { type: 'date_nanos' },
        { type: 'date', format: 'strict_date_optional_time||epoch_second' },
      ]) {
        const table = await openIndex({ settings: { number_of_shards: 2 }, mappings: { properties: { tmstmp } } })
        const rows = rowsOf(2_000)
        expect(new Set(await write(table, rows))).toEqual(new Set(['applied']))
        expect(new Set(await write(table, rows))).toEqual(new Set(['equal']))
        expectAll(await scan(table), rows)
        expectAll(await scan(table, { beginMs: T0 + 9, endMs: T0 + 19 }), rows.slice(10, 20))
        expectAll(await scan(table, { beginMs: T0 - 1, endMs: T0 }), rows.slice(0, 1))
        const written = tmstmp.type === 'date_nanos' ? '2024-01-01T00:00:30.000999999Z' : T0 / 1_000 + 30
        const id = randomUUID()
        await ask('PUT', `app-${table.table.name}/_doc/${id}`, { id, tmstmp: written })
        expectAll(await scan(table, { beginMs: T0 + 29_999, endMs: T0 + 30_000 }), [
          (await table.find([id], signal)).get(id) as Row,
        ])
      }
    })
  })

  describe('a server that', () => {
    it('has little room gets smaller bulks, and every row', async () => {
      const table = await makeTable()
      const rows = rowsOf(6_000, 'x'.repeat(2_000))
      expect(new Set(await write(table, rows))).toEqual(new Set(['applied']))
      expect((await scan(table)).rows.size).toBe(rows.length)
    })

    it('users write to as well keeps what is newest of everything', async () => {
      const table = await makeTable()
      const rows = rowsOf(3_000)
      const users = rows
        .filter((_, at) => at % 3 === 0)
        .map((row, at) => ({ ...row, version: versionAt(at % 2 === 0 ? 90_000 : -5), values: ['user'] }))
      let isDone = false
      const writing = write(table, rows).finally(() => {
        isDone = true
      })
      // Users write what they want over whatever is there, and refresh now and then.
      const written = new Map<string, Row>()
      for (const [at, user] of users.entries()) {
        if (isDone) break
        const tmstmp = new Date(T0 + (at % 2 === 0 ? 90_000 : -5)).toISOString()
        const body = { id: user.id, tmstmp, tmstmp_uuid: formatTimeuuid(user.version), note: 'user' }
        await ask('PUT', `app-${table.table.name}/_doc/${user.id}?refresh=${at % 10 === 0}`, body)
        written.set(user.id, user)
      }
      await writing
      expect(written.size).toBeGreaterThan(0)
      const found = await table.find(
        rows.map(({ id }) => id),
        signal,
      )
      for (const row of rows) {
        const user = written.get(row.id)
        // An older document that came after the row is there; a newer one is never written over.
        if (user === undefined) expect(found.get(row.id)).toEqual(row)
        else if (user.version === versionAt(90_000)) expect(found.get(row.id)).toEqual(user)
        else expect([row, user]).toContainEqual(found.get(row.id))
      }
      await write(table, rows)
      const after = await table.find(
        rows.map(({ id }) => id),
        signal,
      )
      for (const [at, row] of rows.entries()) {
        const isNewer = written.has(row.id) && (at / 3) % 2 === 0
        expect(after.get(row.id)).toEqual(isNewer ? written.get(row.id) : row)
      }
    })

    it('says nothing for a while gets everything once it speaks again', async () => {
      await using impatient = await open(1_000)
      const table = impatient.openTable((await makeTable()).table)
      const rows = rowsOf(8_000)
      const writing = write(table, rows)
      server.freeze()
      try {
        await new Promise((resolve) => setTimeout(resolve, 3_000))
      } finally {
        server.thaw()
      }
      expect(new Set(await writing)).toEqual(new Set(['applied']))
      expect((await scan(table)).rows.size).toBe(rows.length)
    })

    it('dies in the middle of writes and scans loses no row, and gives none twice', async () => {
      const table = await makeTable()
      const rows = rowsOf(12_000, 'x'.repeat(500))
      const writing = write(table, rows)
      await server.kill()
      await server.restart()
      const outcomes = await writing
      expect(new Set(outcomes)).toEqual(new Set(['applied']))
      let batches = 0
      const { rows: found } = await scan(table, ALL, async () => {
        if (++batches === 3) await server.restart()
      })
      expect(batches).toBeGreaterThan(3)
      expectAll({ rows: found }, rows)
      // Two starts of a server on a busy machine.
    }, 400_000)
  })
})
