import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type CqlType, formatCqlType, parseCqlType } from '../../src/db/cql-types.ts'
import { createRowComparer, type Row } from '../../src/db/document.ts'
import { openSqliteStore } from '../../src/db/sqlite/sqlite.ts'
import type { Store, StoreTable, TableFacts } from '../../src/db/store.ts'
import type { Table } from '../../src/db/table.ts'
import { formatTimeuuid, MIN_VERSION_MS, msOf, parseTimeuuid, versionOfTicks } from '../../src/db/timeuuid.ts'
import {
  ALL,
  MB,
  NOTE,
  newId,
  outcomesOf,
  POLICY,
  range,
  rowAt,
  scanAll,
  T0,
  textOf,
  versionAt,
  writeAll,
} from '../conformance/db-bench.ts'
import { eventually } from '../lib/eventually.ts'
import { FakeClock } from '../lib/fake-clock.ts'
import { openFile, quote } from './sqlite-bench.ts'

const PEOPLE: Table = { name: 'people', kind: 'latest', columns: [NOTE] }
const { signal } = new AbortController()

let folder: string
let path: string
const ends: (() => unknown)[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'syncer-db-'))
  path = join(folder, 'data.db')
})
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
  rmSync(folder, { recursive: true })
})

/** The file of a user, as their own statements make it. */
function openUser(...statements: readonly string[]): DatabaseSync {
  const database = new DatabaseSync(path)
  ends.push(() => database.isOpen && database.close())
  for (const sql of statements) database.exec(sql)
  return database
}
async function open(retryForMs?: number): Promise<Store> {
  const store = await openFile(path, POLICY, retryForMs)
  ends.push(() => store[Symbol.asyncDispose]())
  return store
}
/** A table as the store itself describes it. */
async function openDescribed(name: string): Promise<StoreTable> {
  const store = await open()
  const facts = (await store.describeTables([name], signal)).get(name)
  if (facts === undefined || 'refused' in facts) return expect.unreachable(`${name} is refused`)
  return store.openTable(facts)
}
async function openMade(table: Table = PEOPLE): Promise<StoreTable> {
  const store = await open()
  await store.createTable(table, signal)
  return store.openTable(table)
}

describe('the file', () => {
  it('may be missing: then it has no tables, and nothing makes it but a table', async () => {
    const store = await open()
    const table = store.openTable(PEOPLE)
    expect(await store.describeTables('all', signal)).toEqual(new Map())
    expect(await table.plan(ALL, { signal })).toEqual([])
    expect((await scanAll(table)).rows.size).toBe(0)
    expect(await table.find([newId()], signal)).toEqual(new Map())
    expect(await outcomesOf(table, [rowAt(newId(), versionAt(T0))], true)).toEqual(['applied'])
    await expect(writeAll(table, [rowAt(newId(), versionAt(T0))])).rejects.toMatchObject({
      name: 'StoreFailed',
      message: `sqlite ${path}: the file is not there`,
    })
    expect(existsSync(path)).toBe(false)
    await store.createTable(PEOPLE, signal)
    expect(await outcomesOf(table, [rowAt(newId(), versionAt(T0))])).toEqual(['applied'])
  })

  it('is seen when somebody else makes it', async () => {
    const store = await open()
    openUser('CREATE TABLE people (id TEXT PRIMARY KEY, tmstmp TEXT, note TEXT)')
    expect([...(await store.describeTables('all', signal)).keys()]).toEqual(['people'])
  })

  it.each([
    ['a folder that is missing', () => join(folder, 'nowhere/data.db'), /: the folder \/\S+\/nowhere is not there$/],
    ['a file in place of a folder', () => writeText('x').concat('/data.db'), /: the folder \S+ is not there$/],
    ['a folder', () => folder, /: cannot be opened$/],
    ['a file that is no database', () => writeText('no database at all '.repeat(100)), /: is no SQLite database$/],
    ['a file that is damaged', damageFile, /: is damaged$/],
  ])('is refused when it is %s', async (_, makePath, message) => {
    const at = makePath()
    const refused = expect(openFile(at).then((store) => store.describeTables('all', signal))).rejects
    await refused.toMatchObject({ name: 'StoreFailed', message: expect.stringMatching(message) })
    await expect(openFile(at).then((store) => store.describeTables('all', signal))).rejects.toThrow(`sqlite ${at}: `)
  })

  it('that may not be written is read, and says so when it is to be written', ({ skip }) => {
    // Nothing is read-only to the user who may do everything.
    const someone = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
    const script = join(import.meta.dirname, 'sqlite-read-only.ts')
    const isReadable = spawnSync(process.execPath, ['--check', script], someone).status === 0
    if (!isReadable) return skip()
    openUser(
      'CREATE TABLE people (id TEXT PRIMARY KEY, tmstmp TEXT, note TEXT)',
      `INSERT INTO people VALUES ('${newId()}', '${textOf(versionAt(T0))}', 'x')`,
    ).close()
    chmodSync(folder, 0o755)
    chmodSync(path, 0o444)
    const { stdout, stderr } = spawnSync(process.execPath, [script, path], { ...someone, encoding: 'utf8' })
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual({ rows: 1, error: `StoreFailed: sqlite ${path}: may not be written` })
  })

  it('keeps the journal that it has, and gets one that lets others read when it is new', async () => {
    const modeOf = (database: DatabaseSync) => database.prepare('PRAGMA journal_mode').get()?.['journal_mode']
    await openMade()
    expect(modeOf(openUser())).toBe('wal')
    path = join(folder, 'other.db')
    const user = openUser('CREATE TABLE mine (x TEXT)')
    await openMade()
    user.close()
    expect(modeOf(openUser())).toBe('delete')
  })

  it('can be closed while nobody uses it, and is closed then', async () => {
    const store = await openFile(path)
    await store[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
    await expect(store.describeTables('all', signal)).rejects.toThrow(`sqlite ${path}: is closed`)
  })

  function writeText(text: string): string {
    writeFileSync(path, text)
    return path
  }
  function damageFile(): string {
    const user = openUser('CREATE TABLE people (id TEXT PRIMARY KEY, tmstmp TEXT)')
    user.close()
    const bytes = readFileSync(path)
    // Behind the head of the file, where its schema begins.
    writeFileSync(path, bytes.fill(0xff, 100, 200))
    return path
  }
})

describe('a file that others have locked', () => {
  it('is tried again until it is free, for writing and for reading', async () => {
    const user = openUser('CREATE TABLE people (id TEXT PRIMARY KEY, tmstmp TEXT, note TEXT)')
    const table = await openDescribed('people')
    const row = rowAt(newId(), versionAt(T0))
    user.exec('BEGIN EXCLUSIVE')
    let isDone = false
    const working = Promise.all([outcomesOf(table, [row]), scanAll(table), table.find([row.id], signal)]).finally(
      () => {
        isDone = true
      },
    )
    for (const _ of range(20)) await nextTurn()
    expect(isDone).toBe(false)
    user.exec('COMMIT')
    const [outcomes] = await working
    expect(outcomes).toEqual(['applied'])
  })

  it('is given up after a while, and says why', async () => {
    const user = openUser('CREATE TABLE people (id TEXT PRIMARY KEY, tmstmp TEXT, note TEXT)')
    const clock = new FakeClock()
    const told: string[] = []
    const onAway = (message: string) => told.push(message)
    const store = await openSqliteStore({ path, policy: POLICY, clock, random: () => 1, retryForMs: 4_000, onAway })
    ends.push(() => store[Symbol.asyncDispose]())
    user.exec('BEGIN IMMEDIATE')
    const table = store.openTable(PEOPLE)
    let error: unknown
    const writing = writeAll(table, [rowAt(newId(), versionAt(T0))]).catch((reason: unknown) => {
      error = reason
    })
    await eventually(() => clock.pending > 0)
    await clock.advance(3_900)
    expect(error).toBeUndefined()
    await clock.advance(1_000)
    await writing
    expect(error).toMatchObject({
      name: 'StoreFailed',
      message: `sqlite ${path}: another process has kept it locked for 4 s`,
    })
    expect(clock.pending).toBe(0)
    user.exec('ROLLBACK')
    expect(await outcomesOf(table, [rowAt(newId(), versionAt(T0))])).toEqual(['applied'])
    expect(told).toEqual([
      `sqlite ${path}: another process keeps it locked; each request is tried again for 4 s`,
      `sqlite ${path}: answers again, after 5 s`,
    ])
  })

  it('is left alone when the signal says so', async () => {
    const user = openUser('CREATE TABLE people (id TEXT PRIMARY KEY, tmstmp TEXT, note TEXT)')
    const table = await openDescribed('people')
    user.exec('BEGIN IMMEDIATE')
    const controller = new AbortController()
    const writing = writeAll(table, [rowAt(newId(), versionAt(T0))], { signal: controller.signal })
    await nextTurn()
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(writing).rejects.toBe(reason)
  })
})

describe('tables of users', () => {
  const describeOne = async (sql: string): Promise<TableFacts | undefined> => {
    openUser(sql).close()
    return (await (await open()).describeTables(['people'], signal)).get('people')
  }

  it.each([
    ['TEXT', 'text'],
    ['VARCHAR(20)', 'text'],
    ['nvarchar (20)', 'text'],
    ['CLOB', 'text'],
    ['INTEGER', 'bigint'],
    ['INT', 'int'],
    ['bigint', 'bigint'],
    ['REAL', 'double'],
    ['DOUBLE PRECISION', 'double'],
    ['FLOAT', 'float'],
    ['BLOB', 'blob'],
    ['BOOLEAN', 'boolean'],
    ['bool', 'boolean'],
    ['TIMESTAMP', 'timestamp'],
    ['decimal', 'decimal'],
    ['uuid', 'uuid'],
    ['JSON', 'json'],
    ['"map<text, frozen<list<int>>>"', 'map<text, frozen<list<int>>>'],
    ['"vector<float, 3>"', 'vector<float, 3>'],
  ])('may have a column of the type %s', async (declared, type) => {
    const facts = await describeOne(`CREATE TABLE people (id TEXT PRIMARY KEY, tmstmp TEXT, c ${declared})`)
    if (facts === undefined || 'refused' in facts) throw facts?.refused ?? new Error('not there')
    expect(facts).toMatchObject({ name: 'people', open: false, kind: 'latest' })
    expect(facts.columns.map((column) => formatCqlType(column.type))).toEqual([type])
  })

  it.each([
    ['(tmstmp TEXT PRIMARY KEY)', 'it has no column id'],
    ['(id TEXT PRIMARY KEY)', 'it has no column tmstmp'],
    ['(id INTEGER PRIMARY KEY, tmstmp TEXT)', 'column id is bigint; it has to be uuid'],
    ['(id TEXT PRIMARY KEY, tmstmp TIMESTAMP)', 'column tmstmp is timestamp; it has to be timeuuid'],
    ['(id TEXT, tmstmp TEXT)', 'its primary key has to be (id, tmstmp) or (id)'],
    ['(id TEXT, tmstmp TEXT, PRIMARY KEY (tmstmp, id))', 'its primary key has to be (id, tmstmp) or (id)'],
    ['(id TEXT, tmstmp TEXT, n INT, PRIMARY KEY (id, n))', 'its primary key has to be (id, tmstmp) or (id)'],
    ['(id TEXT, tmstmp TEXT, n INT, PRIMARY KEY (id, tmstmp, n))', 'its primary key has to be (id, tmstmp) or (id)'],
    ['(id TEXT PRIMARY KEY, tmstmp TEXT, c)', 'column c has no type'],
    [
      '(id TEXT PRIMARY KEY, tmstmp TEXT, c NUMERIC)',
      'column c: type "NUMERIC" has "numeric", which is no type of the keyspace',
    ],
    ['(id TEXT PRIMARY KEY, tmstmp TEXT, c counter)', 'column c is a counter, which can be counted up but not written'],
    [
      '(id TEXT PRIMARY KEY, tmstmp TEXT, tmstmp_uuid TEXT)',
      'column tmstmp_uuid has the name of the field for the version of documents',
    ],
    [
      '(id TEXT PRIMARY KEY, tmstmp TEXT, tmstmp_uuid JSON)',
      'column tmstmp_uuid has the name of the field for the version of documents',
    ],
  ])('%s are refused by name', async (columns, why) => {
    const facts = await describeOne(`CREATE TABLE people ${columns}`)
    expect(facts).toMatchObject({ name: 'people', refused: { message: `table people cannot be synced: ${why}` } })
  })

  it('are no views and no virtual ones, nor what belongs to SQLite or to a sync', async () => {
    const type = parseCqlType('point', new Map([['point', { fieldNames: ['x'], fieldTypes: ['int'] }]]))
    await openMade({ ...PEOPLE, columns: [{ name: 'at', type }] })
    openUser(
      'CREATE VIEW seen AS SELECT * FROM people',
      'CREATE VIRTUAL TABLE words USING fts5(x)',
      'CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT)',
    )
    const store = await open()
    expect([...(await store.describeTables('all', signal)).keys()].sort()).toEqual(['counted', 'people'])
    const named = await store.describeTables(['seen', 'words', 'syncer_types', 'syncer_now', 'sqlite_sequence'], signal)
    expect([...named.values()].map((facts) => 'refused' in facts && facts.refused.message).sort()).toEqual([
      'table seen cannot be synced: it is a view',
      'table words cannot be synced: it is a virtual',
    ])
  })

  it('may hold what users write for a value', async () => {
    const id = newId()
    const tmstmp = textOf(versionAt(T0)).toUpperCase()
    openUser(
      `CREATE TABLE people (id TEXT PRIMARY KEY, tmstmp TEXT, a decimal, b timestamp, c BOOLEAN, d date, e "list<int>", f JSON,
        g varint, h REAL, i inet, j uuid, k JSON, l ascii, m int)`,
      `INSERT INTO people VALUES ('${id}', '${tmstmp}', 1.5, 1748736000000, 1, '2025-06-01', '[1, 2]', ' {"b":1, "a":2.50} ',
        12, 3, '::1', '${id.toUpperCase()}', 9007199254740993, '"quoted', '12')`,
    )
    const table = await openDescribed('people')
    expect((await scanAll(table)).rows.get(id)).toEqual({
      id,
      version: parseTimeuuid(tmstmp),
      values: [
        '1.5',
        1_748_736_000_000,
        true,
        20_240,
        [1, 2],
        '{"b":1,"a":2.50}',
        12n,
        3,
        '::1',
        id,
        '9007199254740993',
        '"quoted',
        12,
      ],
    })
  })

  it.each([
    ['a INT', "'twelve'", 'a text of 6 characters where int is expected'],
    ['a INT', '1.5', 'a number where int is expected'],
    ['a tinyint', '128', 'a number outside tinyint'],
    ['a BOOLEAN', '2', 'a number where boolean is expected'],
    ['a BLOB', "'text'", 'a text of 4 characters where blob is expected'],
    ['a "list<int>"', "'[1, null]'", '[1]: null, which has no place inside a collection'],
    ['a "list<int>"', "'[1'", 'a text of 2 characters is no JSON'],
    ['a JSON', "'{'", 'a text of 1 characters is no JSON'],
    ['a JSON', '9e999', 'a number that JSON does not have'],
    ['a TEXT', "x'00'", '1 bytes where text is expected'],
    ['a date', '20240', 'a number where date is expected'],
  ])('have misfits: %s with %s', async (column, value, why) => {
    const id = newId()
    openUser(
      `CREATE TABLE people (id TEXT PRIMARY KEY, tmstmp TEXT, ${column})`,
      `INSERT INTO people VALUES ('${id}', '${textOf(versionAt(T0))}', ${value})`,
    )
    const { rows, misfits } = await scanAll(await openDescribed('people'))
    expect(rows.size).toBe(0)
    expect(misfits).toEqual([{ id, reason: expect.stringMatching(/^table people, column a: /) }])
    expect(misfits[0]?.reason).toContain(why.replace(/^a number where/, ''))
  })

  it('have misfits where a row has no time, in every window, and they are never written over', async () => {
    const [good, ...bad] = range(5).map(newId)
    const user = openUser('CREATE TABLE people (id TEXT PRIMARY KEY, tmstmp TEXT, note TEXT)')
    const insert = user.prepare('INSERT INTO people VALUES (?, ?, NULL)')
    for (const [at, tmstmp] of ['2025-06-01T00:00:00Z', null, newId(), Buffer.from('x')].entries())
      insert.run(bad[at] ?? '', tmstmp)
    insert.run(good ?? '', textOf(versionAt(T0)))
    const table = await openDescribed('people')
    for (const window of [ALL, { beginMs: T0 - 1, endMs: T0 }]) {
      const { rows, misfits } = await scanAll(table, window)
      expect([...rows.keys()]).toEqual([good])
      expect(misfits.map((misfit) => misfit.id).sort()).toEqual(bad.sort())
      for (const { reason } of misfits) expect(reason).toBe('table people, column tmstmp: no timeuuid')
    }
    const written = await writeAll(
      table,
      bad.map((id) => rowAt(id, versionAt(T0))),
    )
    for (const id of bad)
      expect(written.get(id)).toEqual({
        outcome: 'failed',
        reason: 'table people, column tmstmp: no timeuuid in the row that is there',
      })
    const removed = await table.remove(
      bad.map((id) => ({ id, version: versionAt(T0) })),
      signal,
    )
    expect(removed).toEqual(new Set())
  })

  it('have none of these in a window without length', async () => {
    const user = openUser('CREATE TABLE people (id TEXT PRIMARY KEY, tmstmp TEXT, note TEXT)')
    user.prepare('INSERT INTO people VALUES (?, NULL, NULL)').run(newId())
    const table = await openDescribed('people')
    const window = { beginMs: T0, endMs: T0 }
    expect(table.shard(window, 0, 1)).toEqual([])
    const [split = ''] = table.shard(ALL, 0, 1)
    for await (const _ of table.scan(split, window, signal)) expect.unreachable()
  })

  it('may have the first version of all, which is before every window that ends earlier', async () => {
    const first = rowAt(newId(), versionOfTicks(0n, 0x80000000, 0))
    openUser(
      'CREATE TABLE people (id TEXT PRIMARY KEY, tmstmp TEXT, note TEXT)',
      `INSERT INTO people VALUES ('${first.id}', '${textOf(first.version)}', 'note')`,
    )
    const table = await openDescribed('people')
    const sizeOf = async (beginMs: number, endMs: number) => (await scanAll(table, { beginMs, endMs })).rows.size
    expect(await sizeOf(MIN_VERSION_MS - 1, MIN_VERSION_MS)).toBe(1)
    expect(await sizeOf(MIN_VERSION_MS - 2, MIN_VERSION_MS - 1)).toBe(0)
    expect(await sizeOf(MIN_VERSION_MS, MIN_VERSION_MS + 1)).toBe(0)
  })

  it('are not locked between the batches of a scan', async () => {
    const user = openUser('CREATE TABLE people (id TEXT PRIMARY KEY, tmstmp TEXT, note TEXT)')
    const insert = user.prepare('INSERT INTO people VALUES (?, ?, ?)')
    for (const n of range(6)) insert.run(newId(), textOf(versionAt(T0 + n)), 'x'.repeat(MB))
    const table = await openDescribed('people')
    let batches = 0
    for await (const _ of table.scan(table.shard(ALL, 0, 1)[0] ?? '', ALL, signal)) {
      user.exec('BEGIN EXCLUSIVE; COMMIT')
      batches++
    }
    expect(batches).toBeGreaterThan(2)
  })

  it('have misfits where an id is none, and each of them once', async () => {
    const upper = newId().toUpperCase()
    const tmstmp = textOf(versionAt(T0))
    const user = openUser('CREATE TABLE people (id uuid PRIMARY KEY, tmstmp TEXT, note TEXT)')
    const insert = user.prepare('INSERT INTO people VALUES (?, ?, NULL)')
    const odd = [null, null, 12n, 1.5, Buffer.from('x'), upper, '', 'zzz', 'ä']
    for (const id of odd) insert.run(id, tmstmp)
    const table = await openDescribed('people')
    for (const splits of [
      await table.plan(ALL, { atLeast: 3, signal }),
      range(4).flatMap((at) => table.shard(ALL, at, 4)),
    ]) {
      const ids: string[] = []
      for (const split of splits)
        for await (const { rows, misfits } of table.scan(split, ALL, signal)) {
          expect(rows).toEqual([])
          ids.push(...misfits.map((misfit) => misfit.id))
          for (const { reason } of misfits) expect(reason).toBe('table people, column id: no uuid in lower case')
        }
      expect(ids.sort()).toEqual(['', '1 bytes', '1.5', '12', 'null', 'null', upper, 'zzz', 'ä'].sort())
    }
    expect((await table.find([upper], signal)).get(upper)).toMatchObject({ id: upper, reason: expect.anything() })
  })

  it('may have columns that a sync leaves alone', async () => {
    const id = newId()
    const user = openUser(
      'CREATE TABLE people (id TEXT PRIMARY KEY, tmstmp TEXT, note TEXT, mine TEXT DEFAULT 12)',
      `INSERT INTO people VALUES ('${id}', '${textOf(versionAt(T0))}', 'old', 'keep')`,
    )
    const table = (await open()).openTable(PEOPLE)
    const other = newId()
    await writeAll(table, [rowAt(id, versionAt(T0 + 1), 'new'), rowAt(other, versionAt(T0))])
    const select = user.prepare('SELECT note, mine FROM people WHERE id = ?')
    expect({ ...select.get(id) }).toEqual({ note: 'new', mine: 'keep' })
    expect({ ...select.get(other) }).toEqual({ note: 'note', mine: '12' })
  })

  it('may refer to rows that come later', async () => {
    openUser('CREATE TABLE people (id TEXT PRIMARY KEY, tmstmp TEXT, note TEXT REFERENCES people (id))')
    const table = (await open()).openTable(PEOPLE)
    expect(await outcomesOf(table, [rowAt(newId(), versionAt(T0), newId())])).toEqual(['applied'])
  })

  it('may refuse a row, which stops no other', async () => {
    const user = openUser(
      'CREATE TABLE people (id TEXT PRIMARY KEY, tmstmp TEXT, note TEXT NOT NULL UNIQUE CHECK (length(note) < 9), parent TEXT REFERENCES people (id))',
    )
    const table = (await open()).openTable(PEOPLE)
    const rows = ['a', 'a', null, 'far too long', 'b'].map((note, n) => rowAt(newId(), versionAt(T0 + n), note))
    const written = await writeAll(table, rows)
    expect(rows.map((row) => written.get(row.id))).toEqual([
      { outcome: 'applied' },
      { outcome: 'failed', reason: 'table people: UNIQUE constraint failed: people.note' },
      { outcome: 'failed', reason: 'table people: NOT NULL constraint failed: people.note' },
      { outcome: 'failed', reason: 'table people: CHECK constraint failed: length(note) < 9' },
      { outcome: 'applied' },
    ])
    expect(user.prepare('SELECT count(*) AS count FROM people').get()?.['count']).toBe(2)
  })
})

describe('a writer', () => {
  it('that is disposed does not write the rest, and nobody has to look at what becomes of that', async () => {
    const table = await openMade()
    const rows = range(20_000).map((n) => rowAt(newId(), versionAt(T0 + n)))
    let settled = 0
    {
      await using writer = table.openWriter({ dryRun: false, signal, settle: () => settled++ })
      void writer.write(rows)
      void writer.write(rows.slice(0, 10))
      await nextTurn()
    }
    expect(settled).toBeLessThan(rows.length)
    expect((await scanAll(table)).rows.size).toBe(settled)
  })
})

describe('a table that a sync makes', () => {
  it('takes rows of users, with a timeuuid of the moment, and no others', async () => {
    const table = await openMade()
    const user = openUser()
    const id = newId()
    const before = Date.now()
    user.exec(`INSERT INTO people VALUES ('${id}', (SELECT timeuuid FROM syncer_now), 'by hand')`)
    const row = (await scanAll(table)).rows.get(id)
    expect(row).toMatchObject({ id, values: ['by hand'] })
    expect(row && msOf(row.version)).toBeGreaterThanOrEqual(before - 1)
    expect(row && msOf(row.version)).toBeLessThanOrEqual(Date.now() + 1)
    const first = user.prepare('SELECT timeuuid FROM syncer_now').get()?.['timeuuid']
    expect(formatTimeuuid(parseTimeuuid(String(first)))).toBe(first)
    expect(String(first)[19]).toMatch(/[89ab]/)
    const [good, time] = [newId(), textOf(versionAt(T0))]
    for (const [odd, tmstmp] of [
      [good, '2025-06-01T00:00:00Z'],
      [good, newId()],
      [good, null],
      [good, time.toUpperCase()],
      [good.toUpperCase(), time],
      ['12', time],
      [null, time],
    ] as const)
      expect(() => user.prepare('INSERT INTO people VALUES (?, ?, NULL)').run(odd, tmstmp)).toThrow(/constraint/)
  })

  it('keeps JSON of any shape, to the digit', async () => {
    const table = await openMade({ ...PEOPLE, columns: [{ name: 'any', type: { kind: 'json' } }] })
    const isSame = createRowComparer(table.table)
    const anyJson = fc.oneof(
      fc.json(),
      fc.constantFrom(
        '1.10',
        '-0',
        '1e400',
        '9007199254740993',
        '123456789012345678901234567890',
        '"12"',
        '"\\""',
        '1e21',
      ),
      fc.constantFrom(
        '[]',
        '{}',
        '""',
        'true',
        '{"a":1.10,"__proto__":[9007199254740993]}',
        '0.1',
        '100000000000000000000',
      ),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(anyJson.filter((json) => json.trim() !== 'null')), async (texts) => {
        const rows = texts.map((text): Row => ({ id: newId(), version: versionAt(T0), values: [text] }))
        await writeAll(table, rows)
        const found = await table.find(
          rows.map((row) => row.id),
          signal,
        )
        for (const row of rows) {
          const there = found.get(row.id)
          if (there === undefined || !('values' in there)) return expect.unreachable()
          expect(isSame(there, row), `${there.values[0]} for ${row.values[0]}`).toBe(true)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('is read by what has changed, and to its end where that is much', async () => {
    const table = await openMade()
    const rows = range(10_500).map((n) => rowAt(newId(), versionAt(T0 + n)))
    await writeAll(table, rows)
    expect(await table.plan({ beginMs: T0 + 10_500, endMs: T0 + 20_000 }, { atLeast: 8, signal })).toEqual([])
    expect(await table.plan({ beginMs: T0, endMs: T0 + 1 }, { atLeast: 8, signal })).toHaveLength(1)
    for (const count of [9_999, 10_001, 10_499]) {
      const window = { beginMs: T0, endMs: T0 + count }
      expect((await scanAll(table, window)).rows.size).toBe(count)
      expect((await scanAll(table, window, 5)).rows.size).toBe(count)
    }
  })

  it('lets the event loop turn while it is read and written', async () => {
    const table = await openMade()
    let turns = 0
    let isDone = false
    const turning = (async () => {
      while (!isDone) {
        await nextTurn()
        turns++
      }
    })()
    const rows = range(8_000).map((n) => rowAt(newId(), versionAt(T0 + n)))
    await writeAll(table, rows, { at: 8_000 })
    const written = turns
    expect(written).toBeGreaterThanOrEqual(30)
    await scanAll(table)
    isDone = true
    await turning
    expect(turns - written).toBeGreaterThanOrEqual(7)
  })

  it.each([
    ['sqlite_people', [NOTE], /object name reserved for internal use/],
    ['seen', [NOTE], /already/],
    ['people', [NOTE, { name: 'Note', type: { kind: 'text' } }], /duplicate column name/],
  ] as const)('is refused where SQLite has none like it: %s', async (name, columns, message) => {
    openUser('CREATE VIEW seen AS SELECT 1')
    const store = await open()
    const refused = expect(store.createTable({ name, kind: 'latest', columns }, signal)).rejects
    await refused.toMatchObject({ name: 'TableRefusedError', table: name, message: expect.stringMatching(message) })
    expect(await store.describeTables('all', signal)).toEqual(new Map())
  })

  it('keeps the types that users of Cassandra have defined', async () => {
    const udts = new Map([
      ['point', { fieldNames: ['2', '1', 'x'], fieldTypes: ['int', 'text', 'frozen<list<double>>'] }],
      ['Odd "name"', { fieldNames: ['at'], fieldTypes: ['frozen<point>'] }],
    ])
    const column = (text: string) => ({ name: 'c', type: parseCqlType(text, udts) })
    const table: Table = { ...PEOPLE, columns: [column('map<text, frozen<"Odd ""name""">>')] }
    await openMade(table)
    expect((await openDescribed('people')).table).toMatchObject(table)
    const store = await open()
    await store.createTable({ ...table, name: 'others' }, signal)
    const other: CqlType = { kind: 'udt', frozen: true, name: 'point', fields: [] }
    const clash: Table = { ...PEOPLE, name: 'more', columns: [{ name: 'c', type: other }] }
    await expect(store.createTable(clash, signal)).rejects.toThrow(
      'table more cannot be synced: type point has other fields in syncer_types',
    )
    openUser("UPDATE syncer_types SET fields = 'spoilt'")
    expect([...(await store.describeTables('all', signal)).values()].every((facts) => !('refused' in facts))).toBe(true)
  })

  it('may have any name, and columns of any name', async () => {
    const name = 'a "quoted" nàme; --'
    const table = await openMade({ name, kind: 'versions', columns: [{ ...NOTE, name: 'select "x"' }] })
    const rows = range(20).map((n) => rowAt(newId(), versionAt(T0 + n)))
    await writeAll(table, rows)
    expect((await scanAll(table, { beginMs: T0, endMs: T0 + 10 })).rows.size).toBe(10)
    expect((await openDescribed(name)).table).toMatchObject({ name, kind: 'versions' })
    expect(
      openUser()
        .prepare(`SELECT count(*) AS count FROM ${quote(name)}`)
        .get()?.['count'],
    ).toBe(20)
  })
})

it('the folder of a file is never made', async () => {
  mkdirSync(join(folder, 'there'))
  path = join(folder, 'there', 'data.db')
  await openMade()
  expect(existsSync(path)).toBe(true)
})
