// What has gone wrong with stores like these before, one by one, against a real Cassandra and a real Elasticsearch.
import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { startCassandra } from './lib/cassandra.ts'
import { countData, openBench, sync, useDbServers } from './lib/db-bench.ts'
import { EXPIRED_POINT_IN_TIME, HTTP_KINDS } from './lib/db-http-proxy.ts'
import { connectTo, type DbScene } from './lib/db-scene.ts'
import { msOf, tieOf, timeuuidOf } from './lib/db-versions.ts'

const VERSIONS = '(id uuid, tmstmp timeuuid, a text, b text, PRIMARY KEY (id, tmstmp))'
const LATEST = '(id uuid PRIMARY KEY, tmstmp timeuuid, a text, b text)'
const INDEXED = `${LATEST}; CREATE INDEX ON {table} (tmstmp) USING 'sai'`
/** A time that is over. */
const THEN = Date.UTC(2024, 4, 1)

const bench = useDbServers()
const versionAt = (ms: number, tick = 0) => timeuuidOf(ms, tick, tieOf(Math.random))

async function insert(scene: DbScene, table: string, id: string, version: string, a = 'a', using = ''): Promise<void> {
  await scene.cql(`INSERT INTO ${scene.name}.${table} (id, tmstmp, a) VALUES (?, ?, ?) ${using}`, [id, version, a])
}

/** `count` rows a second apart. */
async function insertMany(scene: DbScene, table: string, count: number): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, () => randomUUID())
  for (let at = 0; at < count; at += 100)
    await Promise.all(
      ids.slice(at, at + 100).map((id, more) => insert(scene, table, id, versionAt(THEN + 1_000 * (at + more)))),
    )
  return ids
}

async function index(scene: DbScene, table: string, id: string, source: object | string): Promise<void> {
  const { status, body } = await scene.http('PUT', `/${scene.index(table)}/_doc/${id}`, source)
  expect(status, JSON.stringify(body)).toBeLessThan(300)
}

async function makeIndex(scene: DbScene, table: string): Promise<void> {
  const mappings = { properties: { id: { type: 'keyword' }, tmstmp: { type: 'date' } } }
  await scene.http('PUT', `/${scene.index(table)}`, { mappings })
}

/** The number of the last change of an index of one shard; a write that was refused is none. */
async function lastChange(scene: DbScene, table: string): Promise<number> {
  const { body } = await scene.http('GET', `/${scene.index(table)}/_stats?level=shards`)
  const { indices } = body as {
    indices: Record<string, { shards: Record<string, { seq_no: { max_seq_no: number } }[]> }>
  }
  const change = indices[scene.index(table)]?.shards['0']?.[0]?.seq_no.max_seq_no
  if (change === undefined) throw new Error(`no changes are counted of ${table}`)
  return change
}

const rowsOf = (scene: DbScene, table: string) => scene.rows(`SELECT * FROM ${scene.name}.${table}`)
const oneRow = async (scene: DbScene, table: string, id: string) =>
  (await scene.rows(`SELECT * FROM ${scene.name}.${table} WHERE id = ?`, [id]))[0]
const oneDocument = async (scene: DbScene, table: string, id: string) =>
  (await scene.documents(table)).find((document) => document.id === id)

describe('Cassandra', () => {
  it.each([
    ['versions', VERSIONS],
    ['latest', LATEST],
    ['indexed', INDEXED],
  ])('has empty pages before and between pages that are not (%s)', async (_, definition) => {
    const empty = { kind: 'empty-page' } as const
    await using t = await bench.open({
      tables: { t: definition },
      cql: ({ kind, statement }) =>
        kind !== 'PREPARE' && /^\s*select/i.test(statement) && !/\bsystem/i.test(statement) ? empty : undefined,
    })
    await insertMany(t.scene, 't', 400)
    expect((await t.sync()).report.items[0]).toMatchObject({ read: 400, applied: 400 })
    expect(await t.scene.documents('t')).toHaveLength(400)
    const newer = versionAt(THEN + 10_000_000)
    for (const { id, source } of (await t.scene.documents('t')).slice(0, 150))
      await index(t.scene, 't', id, { ...source, tmstmp: msOf(newer), tmstmp_uuid: newer, a: 'theirs' })
    expect((await t.sync('-b', '2024-01-01', '--direction', 'right-to-left')).report.counts).toMatchObject({
      ...{ read: 400, applied: 150, equal: 250, failed: 0 },
    })
    expect((await rowsOf(t.scene, 't')).filter(({ a }) => a === 'theirs')).toHaveLength(150)
    expect(t.cql.emptyPages).toBeGreaterThan(5)
  })

  it('has one range of tokens, or several of which one wraps around', async () => {
    await using node = await startCassandra({ numTokens: 1 })
    const client = connectTo(node)
    try {
      const { search } = bench.servers
      for (const servers of [bench.servers, { ...bench.servers, search, cassandra: node, client }]) {
        await using t = await openBench(servers, { tables: { t: LATEST } })
        await insertMany(t.scene, 't', 1_500)
        expect((await t.sync()).report.items[0]).toMatchObject({ read: 1_500, applied: 1_500 })
        expect(await t.scene.documents('t')).toHaveLength(1_500)
        expect((await t.sync('-b', '2024-01-01')).report.counts).toMatchObject({
          read: 3_000,
          applied: 0,
          equal: 3_000,
        })
      }
    } finally {
      await client.shutdown()
    }
  })

  it.each([
    ['versions', VERSIONS],
    ['latest', LATEST],
  ])('keeps what was deleted there deleted, until something newer comes (%s)', async (_, definition) => {
    await using t = await bench.open({ tables: { t: definition } })
    const [first = '', second = '', third = '', fourth = ''] = await insertMany(t.scene, 't', 4)
    await t.sync()
    // On the other side alone one comes back; on both sides none does.
    for (const id of [third, fourth]) await t.scene.http('DELETE', `/${t.scene.index('t')}/_doc/${id}`)
    for (const id of [first, second, third]) await t.scene.cql(`DELETE FROM ${t.scene.name}.t WHERE id = ?`, [id])
    for (let again = 0; again < 2; again++) await t.sync('-b', '2024-01-01')
    expect((await rowsOf(t.scene, 't')).map(({ id }) => String(id))).toEqual([fourth])
    const left = (await t.scene.documents('t')).map(({ id }) => id)
    expect(left.toSorted()).toEqual([first, second, fourth].toSorted())
    await index(t.scene, 't', second, { id: second, tmstmp: Date.now(), a: 'newer' })
    await t.sync('-b', '2024-01-01')
    expect(await oneRow(t.scene, 't', second)).toMatchObject({ a: 'newer' })
    expect(await rowsOf(t.scene, 't')).toHaveLength(2)
  })

  it('has rows that were written later than their tmstmp says: a newer one from the other side wins all the same', async () => {
    await using t = await bench.open({ tables: { t: LATEST } })
    await makeIndex(t.scene, 't')
    const ids = await insertMany(t.scene, 't', 50)
    for (const id of ids) await index(t.scene, 't', id, { id, tmstmp: THEN + 3_600_000, a: 'theirs', b: 'theirs' })
    expect((await t.sync()).report.counts).toMatchObject({ applied: 50, older: 50 })
    for (const row of await rowsOf(t.scene, 't')) expect(row).toMatchObject({ a: 'theirs', b: 'theirs' })
    expect((await t.sync('-b', '2024-01-01')).report.counts).toMatchObject({ applied: 0, equal: 100 })
  })

  it('mixes no two versions of one microsecond, and none with what the newer one leaves out', async () => {
    await using t = await bench.open({ tables: { t: LATEST } })
    await makeIndex(t.scene, 't')
    const [left, right, gap] = [randomUUID(), randomUUID(), randomUUID()]
    const using = `USING TIMESTAMP ${THEN * 1_000}`
    const [older, newer] = [versionAt(THEN, 2), versionAt(THEN, 7)]
    const write = async (id: string, version: string, a: string, b: string) =>
      await t.scene.cql(`INSERT INTO ${t.scene.name}.t (id, tmstmp, a, b) VALUES (?, ?, ?, ?) ${using}`, [
        id,
        version,
        a,
        b,
      ])
    await write(left, older, 'aaa', 'zzz')
    await index(t.scene, 't', left, { id: left, tmstmp: THEN, tmstmp_uuid: newer, a: 'zzz', b: 'aaa' })
    await write(right, newer, 'zzz', 'aaa')
    await index(t.scene, 't', right, { id: right, tmstmp: THEN, tmstmp_uuid: older, a: 'aaa', b: 'zzz' })
    await write(gap, older, 'aaa', 'zzz')
    await index(t.scene, 't', gap, { id: gap, tmstmp: THEN, tmstmp_uuid: newer, a: 'only' })
    await t.sync()
    for (const id of [left, right]) {
      expect(await oneRow(t.scene, 't', id)).toMatchObject({ a: 'zzz', b: 'aaa' })
      expect((await oneDocument(t.scene, 't', id))?.source).toMatchObject({ a: 'zzz', b: 'aaa', tmstmp_uuid: newer })
    }
    expect(await oneRow(t.scene, 't', gap)).toMatchObject({ a: 'only', b: null })
  })

  it('has a list once, however often it was tried to write it', async () => {
    let isLosing = true
    await using t = await bench.open({
      tables: {
        t: '(id uuid, tmstmp timeuuid, list list<text>, PRIMARY KEY (id, tmstmp))',
        u: '(id uuid PRIMARY KEY, tmstmp timeuuid, list list<text>)',
      },
      cql: ({ kind, statement }) => {
        if (!isLosing || kind !== 'BATCH') return undefined
        isLosing = false
        return /insert/i.test(statement) ? { kind: 'lose-answer' } : undefined
      },
    })
    const id = randomUUID()
    for (const table of ['t', 'u']) {
      await makeIndex(t.scene, table)
      isLosing = true
      await index(t.scene, table, id, { id, tmstmp: THEN, list: ['x', 'y'] })
      await t.sync('--tables', table, '-b', '2024-01-01')
      expect(isLosing).toBe(false)
      expect(await rowsOf(t.scene, table)).toMatchObject([{ list: ['x', 'y'] }])
    }
  })
})

describe('Elasticsearch', () => {
  it('has dates in every way to write them', async () => {
    await using t = await bench.open({ tables: { t: LATEST } })
    await makeIndex(t.scene, 't')
    const ways: readonly (readonly [unknown, number | undefined])[] = [
      ['2023', Date.UTC(2023)],
      ['2023-05', Date.UTC(2023, 4)],
      [1_700_000_000_123.7, 1_700_000_000_123],
      [1_700_000_000_124, 1_700_000_000_124],
      ['1700000000125', 1_700_000_000_125],
      ['2024-05-01T12:00:00.123456789Z', Date.UTC(2024, 4, 1, 12, 0, 0, 123)],
      ['2024-05-01T12:00:00+02:00', Date.UTC(2024, 4, 1, 10)],
      [['2020-01-01', '2021-01-01'], Date.UTC(2021)],
      [null, undefined],
      [undefined, undefined],
    ]
    const ids = ways.map(() => randomUUID())
    for (const [at, [tmstmp]] of ways.entries())
      await index(t.scene, 't', ids[at] ?? '', { id: ids[at], tmstmp, a: 'a' })
    const { code, report } = await t.sync()
    expect([code, report.items[1]?.applied]).toEqual([0, 8])
    const rows = new Map((await rowsOf(t.scene, 't')).map((row) => [String(row['id']), msOf(String(row['tmstmp']))]))
    expect(ids.map((id) => rows.get(id))).toEqual(ways.map(([, ms]) => ms))
    // A timeuuid made of the document is the same one each time, also when the row goes back.
    expect((await t.sync('-b', '2000-01-01')).report.counts).toMatchObject({ applied: 0, equal: 16 })
  })

  it('forgets points in time in the middle of a long read', async () => {
    let pages = 0
    let expired = 0
    await using t = await bench.open({
      tables: { t: LATEST },
      http: ({ kind, body }) => {
        if (kind !== 'search' || !body.includes('"pit"') || ++pages % 3 !== 2 || expired > 5) return undefined
        expired++
        return EXPIRED_POINT_IN_TIME
      },
    })
    await makeIndex(t.scene, 't')
    const lines = Array.from({ length: 15_000 }, (_, at) => {
      const id = randomUUID()
      return `${JSON.stringify({ index: { _id: id } })}\n${JSON.stringify({ id, tmstmp: THEN + at, a: 'a'.repeat(40) })}\n`
    })
    await t.scene.http('POST', `/${t.scene.index('t')}/_bulk`, lines.join(''))
    const { report } = await t.sync()
    expect(report.items[1]).toMatchObject({ read: 15_000, applied: 15_000 })
    expect(await rowsOf(t.scene, 't')).toHaveLength(15_000)
    expect(expired).toBeGreaterThan(0)
  })

  it('has no room, or is away, whatever it is asked', async () => {
    const refused = new Map<string, number>()
    await using t = await bench.open({
      tables: { t: LATEST },
      http: ({ kind, method }) => {
        const times = refused.get(`${method} ${kind}`) ?? 0
        refused.set(`${method} ${kind}`, times + 1)
        return times < 2 ? { kind: 'status', status: times === 0 ? 429 : 503 } : undefined
      },
    })
    const ids = await insertMany(t.scene, 't', 300)
    const { code, report } = await t.sync()
    expect([code, report.counts.applied]).toEqual([0, 300])
    await index(t.scene, 't', ids[0] ?? '', { id: ids[0], tmstmp: Date.now() - 1, a: 'newer' })
    refused.clear()
    expect((await t.sync()).report.items[1]).toMatchObject({ applied: 1 })
    expect(
      HTTP_KINDS.filter((kind) => [...refused.keys()].some((key) => key.endsWith(` ${kind}`))).length,
    ).toBeGreaterThan(1)
  })

  it('rejects single documents of a bulk, and whole ones after they were written', async () => {
    let bulks = 0
    await using t = await bench.open({
      tables: { t: LATEST },
      http: ({ kind }) => {
        if (kind !== 'bulk') return undefined
        bulks++
        if (bulks % 3 === 1) return { kind: 'reject-item', at: bulks * 7 }
        return bulks % 3 === 2 && bulks < 9 ? { kind: 'lose-answer' } : undefined
      },
    })
    await insertMany(t.scene, 't', 300)
    const { code, report } = await t.sync()
    expect([code, report.items[0]?.read, await t.scene.documents('t').then((all) => all.length)]).toEqual([0, 300, 300])
    expect(bulks).toBeGreaterThan(1)
  })

  it('keeps what users write between a comparison and a write', async () => {
    const ids: string[] = []
    let scene: DbScene | undefined
    let isDone = false
    await using t = await bench.open({
      tables: { t: LATEST },
      http: ({ kind }) => (kind === 'bulk' && !isDone ? { kind: 'late', ms: 1_500 } : undefined),
    })
    scene = t.scene
    await makeIndex(scene, 't')
    ids.push(...(await insertMany(scene, 't', 20)))
    const running = t.sync()
    while (t.http.count('bulk') === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    for (const id of ids) await index(scene, 't', id, { id, tmstmp: THEN + 3_600_000, a: 'theirs' })
    isDone = true
    await running
    for (const { source } of await scene.documents('t')) expect(source['a']).toBe('theirs')
    await t.sync('-b', '2024-01-01')
    for (const row of await rowsOf(scene, 't')) expect(row['a']).toBe('theirs')
  })
})

describe('requests', () => {
  it.each([
    ['with an index on tmstmp', INDEXED],
    ['in an empty table', LATEST],
  ])('are at most five a side for a window with nothing new %s', async (_, definition) => {
    await using t = await bench.open({ tables: { t: definition } })
    if (definition === INDEXED) await insertMany(t.scene, 't', 500)
    await t.sync()
    t.http.forget()
    t.cql.forget()
    expect((await t.sync()).report.counts.read).toBe(0)
    expect(t.http.count()).toBeLessThanOrEqual(5)
    expect(countData(t.cql)).toBeLessThanOrEqual(5)
  })

  it('write nothing the second time', async () => {
    await using t = await bench.open({ tables: { t: VERSIONS, u: LATEST } })
    for (const table of ['t', 'u']) {
      const [id = ''] = await insertMany(t.scene, table, 300)
      await insert(t.scene, table, id, versionAt(THEN + 1_000_000), 'newer')
    }
    await t.sync()
    for (const { id } of (await t.scene.documents('u')).slice(0, 20))
      await index(t.scene, 'u', id, { id, tmstmp: Date.now() - 1, a: 'theirs' })
    await t.sync()
    const before = await Promise.all(['t', 'u'].map((table) => lastChange(t.scene, table)))
    t.cql.forget()
    const { report } = await t.sync('-b', '2024-01-01')
    expect(report.counts).toMatchObject({ applied: 0, echoed: 0, failed: 0 })
    expect(await Promise.all(['t', 'u'].map((table) => lastChange(t.scene, table)))).toEqual(before)
    expect(
      t.cql.seen.filter(({ kind, statement }) => kind === 'BATCH' || /^\s*(insert|update|delete)/i.test(statement)),
    ).toEqual([])
  })

  it('are those of the contact point and of the address alone', async () => {
    await using t = await bench.open({ tables: { t: LATEST } })
    const [id] = await insertMany(t.scene, 't', 10)
    const args = [
      '-k',
      t.scene.name,
      '-i',
      t.scene.name,
      '--cassandra',
      t.scene.contactPoint,
      '--elasticsearch',
      t.scene.url,
    ]
    expect((await sync(t.scene, args)).report.counts).toMatchObject({ applied: 10, echoed: 10 })
    expect(await oneDocument(t.scene, 't', id ?? '')).toMatchObject({ source: { id, a: 'a' } })
    expect(countData(t.cql)).toBeGreaterThan(1)
    expect(t.http.count('bulk')).toBeGreaterThan(0)
  })
})
