import { describe, expect, it } from 'vitest'
import type { CqlType } from '../../../src/db/cql-types.ts'
import type { Row } from '../../../src/db/document.ts'
import type { Misfit, StoreTable } from '../../../src/db/store.ts'
import { StoreFailed } from '../../../src/db/store.ts'
import { msOf } from '../../../src/db/timeuuid.ts'
import { FakeClock } from '../../lib/fake-clock.ts'
import {
  ALL,
  documentOf,
  INDEX,
  idOf,
  openScene,
  rowOf,
  type Scene,
  scanAll,
  T0,
  TABLE,
  versionAt,
} from './lib/scene.ts'

async function openWith(count: number, options: Parameters<typeof openScene>[0] = {}) {
  const scene = await openScene(options)
  await scene.store.createTable(TABLE, scene.signal)
  fill(scene, 0, count)
  scene.fake.requests.length = 0
  return scene
}

function fill({ fake }: Scene, from: number, to: number) {
  for (let at = from; at < to; at++) fake.put(INDEX, idOf(at), documentOf(rowOf(at, versionAt(at))))
}

const namesOf = (rows: readonly Row[]) => rows.map(({ values: [name] }) => String(name))
const all = (count: number) => Array.from({ length: count }, (_, at) => `name ${at}`)

async function scanSplit({ table, signal }: Pick<Scene, 'table' | 'signal'>, split: string, onBatch = () => {}) {
  const rows: Row[] = []
  for await (const batch of table.scan(split, ALL, signal)) {
    rows.push(...batch.rows)
    onBatch()
  }
  return rows
}

describe('a scan', () => {
  it('asks twice where there is nothing new, and three times where there is little', async () => {
    await using scene = await openWith(30)
    expect(
      await scene.table.plan({ beginMs: T0 + 1_000, endMs: T0 + 2_000 }, { atLeast: 4, signal: scene.signal }),
    ).toEqual([])
    expect(scene.fake.requests).toEqual([`POST /${INDEX}/_refresh`, `POST /${INDEX}/_search`])
    scene.fake.requests.length = 0
    const { rows } = await scanAll(scene, { beginMs: T0 + 9, endMs: T0 + 12 })
    expect(namesOf(rows)).toEqual(['name 10', 'name 11', 'name 12'])
    expect(scene.fake.requests).toEqual([`POST /${INDEX}/_refresh`, ...Array(2).fill(`POST /${INDEX}/_search`)])
  })

  it('asks nothing of an empty window', async () => {
    await using scene = await openWith(3)
    expect(await scene.table.plan({ beginMs: 5, endMs: 5 }, { signal: scene.signal })).toEqual([])
    expect(scene.table.shard({ beginMs: 5, endMs: 5 }, 0, 4)).toEqual([])
    expect(scene.fake.requests).toEqual([])
  })

  it('takes an index that is not there for an empty one', async () => {
    await using scene = await openScene()
    expect(await scanAll(scene)).toEqual({ rows: [], misfits: [], history: 0 })
    expect(await scanSplit(scene, '0..99999999999999')).toEqual([])
    expect(await scanSplit(scene, '0..99999999999999 50000')).toEqual([])
  })

  it.each([
    ['Elasticsearch', {}],
    ['OpenSearch', { product: 'opensearch' } as const],
    ['an OpenSearch without _shard_doc', { product: 'opensearch', knowsShardDoc: false } as const],
  ])('reads every document once from %s, in a point in time that is closed at the end', async (_, options) => {
    await using scene = await openWith(4_321, options)
    const { rows } = await scanAll(scene)
    expect(namesOf(rows).toSorted()).toEqual(all(4_321).toSorted())
    expect(rows.every(({ version }, at) => at === 0 || msOf(version) >= T0)).toBe(true)
    expect(scene.fake.pits.size).toBe(0)
  })

  it('does not see what changes after it has begun', async () => {
    await using scene = await openWith(3_000)
    const [split = ''] = await scene.table.plan(ALL, { signal: scene.signal })
    const rows = await scanSplit(scene, split, () => {
      scene.fake.put(INDEX, idOf(2_999), documentOf(rowOf(2_999, versionAt(9_000), 'changed')))
      scene.fake.refresh(INDEX)
    })
    expect(namesOf(rows).toSorted()).toEqual(all(3_000).toSorted())
  })

  it('sees what nobody has refreshed yet, also by a split that another process has cut', async () => {
    await using scene = await openWith(3)
    expect(namesOf(await scanSplit(scene, `${T0 - 1}..${T0 + 10}`))).toEqual(all(3))
  })

  it('reads all of a split that has become larger than it was', async () => {
    await using scene = await openWith(100)
    const [split = ''] = await scene.table.plan(ALL, { signal: scene.signal })
    fill(scene, 100, 2_500)
    scene.fake.refresh(INDEX)
    expect(await scanSplit(scene, split)).toHaveLength(2_500)
  })

  it('takes (begin, end] by the millisecond', async () => {
    await using scene = await openWith(10)
    const window = { beginMs: T0 + 3, endMs: T0 + 6 }
    expect(namesOf((await scanAll(scene, window)).rows)).toEqual(['name 4', 'name 5', 'name 6'])
    // A split is never more than the window.
    const rows: Row[] = []
    for await (const batch of scene.table.scan(`0..${T0 * 2}`, window, scene.signal)) rows.push(...batch.rows)
    expect(namesOf(rows)).toEqual(['name 4', 'name 5', 'name 6'])
  })

  it('leaves out those of other times, and of none, where nearly all are in the window', async () => {
    await using scene = await openWith(2_000)
    scene.fake.put(INDEX, idOf(5_000), JSON.stringify({ name: 'no date' }))
    const { rows } = await scanAll(scene, { beginMs: T0 + 49, endMs: T0 + 1_949 })
    expect(namesOf(rows).toSorted()).toEqual(all(1_950).slice(50).toSorted())
  })

  it('reads every document once by shards, whatever others there are', async () => {
    await using scene = await openWith(200)
    const window = { beginMs: T0 - 86_400_000, endMs: T0 + 86_400_000 }
    const rows: Row[] = []
    for (let index = 0; index < 5; index++)
      for (const split of scene.table.shard(window, index, 5))
        for await (const batch of scene.table.scan(split, window, scene.signal)) rows.push(...batch.rows)
    expect(namesOf(rows).toSorted()).toEqual(all(200).toSorted())
  })

  it('holds back what is no row, says why without its values, and reads the others', async () => {
    await using scene = await openWith(2)
    const tmstmp = new Date(T0).toISOString()
    scene.fake.put(INDEX, 'geheim', JSON.stringify({ tmstmp, name: 'x' }))
    scene.fake.put(INDEX, idOf(7), JSON.stringify({ id: idOf(7), tmstmp, name: ['geheim'] }))
    scene.fake.put(INDEX, idOf(8), JSON.stringify({ id: idOf(8), tmstmp, name: 'x', unknown: 'geheim' }))
    scene.fake.put(INDEX, idOf(9), JSON.stringify({ id: idOf(9), tmstmp: null, name: 'x' }))
    const { rows, misfits } = await scanAll(scene, { beginMs: T0 - 1, endMs: T0 + 1 })
    expect(namesOf(rows)).toEqual(['name 0', 'name 1'])
    expect(misfits.map(({ id }) => id).toSorted()).toEqual([idOf(7), idOf(8), 'geheim'].toSorted())
    for (const { reason } of misfits) expect(reason).not.toContain('geheim')
  })

  it.each<[string, unknown, number]>([
    ['nanoseconds', '2024-01-01T00:00:00.123456789Z', 123],
    ['a fraction', T0 + 123.7, 123],
    ['several dates, of which the greatest counts', ['2020-01-01', '2024-01-01T00:00:00.123Z'], 123],
    ['a year', '2024', 0],
  ])('sees a date as the server does: %s', async (_, tmstmp, ms) => {
    await using scene = await openScene()
    await scene.store.createTable(TABLE, scene.signal)
    scene.fake.put(INDEX, idOf(0), JSON.stringify({ id: idOf(0), tmstmp }))
    expect((await scanAll(scene, { beginMs: T0 + ms - 1, endMs: T0 + ms })).rows).toHaveLength(1)
    expect((await scanAll(scene, { beginMs: T0 + ms, endMs: T0 * 2 })).rows).toHaveLength(0)
    expect((await scanAll(scene, { beginMs: 0, endMs: T0 + ms - 1 })).rows).toHaveLength(0)
    const found = (await scene.table.find([idOf(0)], scene.signal)).get(idOf(0))
    expect(found).toEqual((await scanAll(scene)).rows[0])
  })

  it('keeps all digits, where they are whole numbers and where they are not', async () => {
    const columns = (['bigint', 'decimal', 'double', 'varint'] as const).map((kind) => ({ name: kind, type: { kind } }))
    const table = { ...TABLE, columns }
    await using scene = await openScene({}, table)
    await scene.store.createTable(table, scene.signal)
    const numbers = ['9007199254740993', '1.10', '0.1', '123456789012345678901234567890']
    const fields = columns.map(({ name }, at) => `"${name}":${numbers[at]}`).join()
    for (const at of [0, 1])
      scene.fake.put(INDEX, idOf(at), `{"id":"${idOf(at)}","tmstmp":"${new Date(T0).toISOString()}",${fields}}`)
    const values = [9_007_199_254_740_993n, '1.10', 0.1, 123_456_789_012_345_678_901_234_567_890n]
    for (const row of (await scanAll(scene)).rows) expect(row.values).toEqual(values)
    expect(await scene.table.find([idOf(1)], scene.signal)).toEqual(
      new Map((await scanAll(scene)).rows.slice(1).map((row) => [row.id, row])),
    )
  })
})

describe('a scan that is disturbed', () => {
  const isPage = ({ path, body }: { path: string; body: string }) =>
    path === '/_search' && body.includes('search_after')

  it.each([
    ['Elasticsearch', {}],
    ['an OpenSearch without _shard_doc', { product: 'opensearch', knowsShardDoc: false } as const],
  ])('goes on in another point in time when one is over, and gives each document once (%s)', async (_, options) => {
    await using scene = await openWith(5_000, options)
    let expired = 0
    scene.fake.onRequest = (request) => {
      if (isPage(request) && expired < 2) {
        expired++
        scene.fake.pits.clear()
        // The order of shards is another one now.
        scene.fake.put(INDEX, idOf(expired), documentOf(rowOf(expired, versionAt(expired))))
        scene.fake.refresh(INDEX)
      }
      return undefined
    }
    const { rows } = await scanAll(scene)
    expect(expired).toBe(2)
    expect(namesOf(rows).toSorted()).toEqual(all(5_000).toSorted())
    expect(scene.fake.pits.size).toBe(0)
  })

  it('says so when points in time never last', async () => {
    await using scene = await openWith(3_000)
    scene.fake.onRequest = ({ path }) => {
      if (path === '/_search') scene.fake.pits.clear()
      return undefined
    }
    await expect(scanAll(scene)).rejects.toThrow('points in time are over before a page is read')
  })

  it('fails when the index is gone in the middle', async () => {
    await using scene = await openWith(3_000)
    scene.fake.onRequest = (request) => {
      if (isPage(request)) {
        scene.fake.pits.clear()
        scene.fake.indexes.delete(INDEX)
      }
      return undefined
    }
    await expect(scanAll(scene)).rejects.toThrow(StoreFailed)
  })

  it.each([
    [
      'a part of the shards',
      (reply: { body: unknown }) => ({ status: 200, body: String(reply.body).replace('"failed":0', '"failed":1') }),
    ],
    [
      'an answer out of time',
      (reply: { body: unknown }) => ({
        status: 200,
        body: String(reply.body).replace('"timed_out":false', '"timed_out":true'),
      }),
    ],
    ['half an answer', (reply: { body: unknown }) => String(reply.body).slice(0, 500)],
  ])('takes %s for none', async (_, fault) => {
    await using scene = await openWith(2_500)
    let faults = 0
    scene.fake.onRequest = ({ path }) => (path.endsWith('_search') && faults++ % 2 === 0 ? fault : undefined)
    expect((await scanAll(scene)).rows).toHaveLength(2_500)
    expect(faults).toBeGreaterThan(3)
  })

  it('does not take what a proxy answers with 404 for an empty index', async () => {
    await using scene = await openWith(10)
    scene.fake.onRequest = ({ path }) => (path.endsWith('_search') ? { status: 404, body: '<html>' } : undefined)
    await expect(scanAll(scene)).rejects.toThrow(`POST /${INDEX}/_search: answered 404`)
    scene.fake.onRequest = () => ({ status: 404, body: '<html>' })
    for (const call of [
      () => scanAll(scene),
      () => scene.store.describeTables('all', scene.signal),
      () => scene.table.find(['a'], scene.signal),
    ])
      await expect(call()).rejects.toThrow(StoreFailed)
  })

  it('closes its point in time when it is left early', async () => {
    await using scene = await openWith(5_000)
    const [split = ''] = await scene.table.plan(ALL, { signal: scene.signal })
    for await (const batch of scene.table.scan(split, ALL, scene.signal)) {
      expect(batch.rows.length).toBeGreaterThan(0)
      expect(scene.fake.pits.size).toBe(1)
      break
    }
    expect(scene.fake.pits.size).toBe(0)
  })

  it('rejects with the reason of its signal, and closes its point in time', async () => {
    await using scene = await openWith(5_000)
    const controller = new AbortController()
    const [split = ''] = await scene.table.plan(ALL, { signal: scene.signal })
    scene.fake.onRequest = (request) => {
      if (!isPage(request)) return undefined
      controller.abort(new Error('cancelled'))
      return 'silence'
    }
    await expect(scanSplit({ table: scene.table, signal: controller.signal }, split)).rejects.toThrow('cancelled')
    expect(scene.fake.pits.size).toBe(0)
  })

  it('asks for less at a time where documents are long', async () => {
    await using scene = await openScene()
    await scene.store.createTable(TABLE, scene.signal)
    const long = 'x'.repeat(20_000)
    for (let at = 0; at < 1_500; at++) scene.fake.put(INDEX, idOf(at), documentOf(rowOf(at, versionAt(at), long)))
    const lengths: number[] = []
    scene.fake.onRequest = ({ path }) => {
      if (path !== '/_search') return undefined
      return (reply) => {
        lengths.push(String(reply.body).length)
        return reply
      }
    }
    let count = 0
    for (const split of await scene.table.plan(ALL, { signal: scene.signal }))
      for await (const { rows } of scene.table.scan(split, ALL, scene.signal)) count += rows.length
    expect(count).toBe(1_500)
    expect(Math.max(...lengths.slice(1))).toBeLessThan(6_000_000)
  })

  it('asks for less at a time where an answer does not come in time', async () => {
    await using scene = await openWith(2_000, { requestTimeoutMs: 250 })
    scene.fake.onRequest = ({ path, body }) => {
      const { size } = path === '/_search' ? (JSON.parse(body) as { size: number }) : { size: 0 }
      return size > 100 ? 'silence' : undefined
    }
    expect((await scanAll(scene)).rows).toHaveLength(2_000)
  })
})

describe('what is known of tables', () => {
  const columnsOf = (...names: string[]) => names.map((name) => ({ name, type: { kind: 'json' } as CqlType }))

  it('is asked for by one request, and is what the mappings say', async () => {
    await using scene = await openScene()
    const properties = {
      id: { type: 'keyword' },
      tmstmp: { type: 'date' },
      tmstmp_uuid: { type: 'keyword' },
      b: {},
      a: { properties: {} },
    }
    scene.fake.create('app-people', { mappings: { properties } })
    scene.fake.create('app-places', {})
    scene.fake.create('other', {})
    const described = await scene.store.describeTables(['people', 'places', 'missing'], scene.signal)
    expect([...described.keys()]).toEqual(['people', 'places'])
    expect(described.get('people')).toEqual({
      name: 'people',
      open: true,
      kind: 'latest',
      columns: columnsOf('a', 'b'),
    })
    expect(scene.fake.requests).toHaveLength(1)
    expect([...(await scene.store.describeTables('all', scene.signal)).keys()]).toEqual(['people', 'places'])
  })

  it('has an index by its alias, and not by its own name, too', async () => {
    await using scene = await openScene()
    scene.fake.create('app-people-v3', { aliases: { 'app-people': {}, unrelated: {} } })
    scene.fake.create('.app-hidden', {})
    expect([...(await scene.store.describeTables('all', scene.signal)).keys()]).toEqual(['people'])
    expect([...(await scene.store.describeTables(['people'], scene.signal)).keys()]).toEqual(['people'])
  })

  it.each<[string, Record<string, unknown>, string]>([
    ['tmstmp is no date', { mappings: { properties: { tmstmp: { type: 'keyword' } } } }, 'has tmstmp as keyword'],
    ['tmstmp is an object', { mappings: { properties: { tmstmp: { properties: {} } } } }, 'has tmstmp as an object'],
    [
      'tmstmp has no doc values',
      { mappings: { properties: { tmstmp: { type: 'date', doc_values: false } } } },
      'without doc values',
    ],
    [
      'there is no tmstmp, nor ever will be',
      { mappings: { dynamic: 'strict', properties: {} } },
      'has no field tmstmp',
    ],
    ['dates are not detected', { mappings: { date_detection: false } }, 'has no field tmstmp'],
    ['there is no _source', { mappings: { _source: { enabled: false } } }, 'keeps no _source'],
    ['a routing is wanted', { mappings: { _routing: { required: true } } }, 'wants a routing'],
    ['it is a data stream', { data_stream: 'app-people' }, 'is a data stream'],
    ['it is a part of the index', { aliases: { 'app-people': { filter: {} } } }, 'is an alias with a filter'],
  ])('is that a table is refused where %s', async (_, index, why) => {
    await using scene = await openScene()
    scene.fake.create(index['aliases'] === undefined ? INDEX : 'app-x', index)
    const facts = (await scene.store.describeTables(['people'], scene.signal)).get('people')
    expect(facts).toMatchObject({ name: 'people', refused: { message: expect.stringContaining(why), table: 'people' } })
  })

  it('is that a name is refused that no index can have, before anything is asked', async () => {
    await using scene = await openScene()
    const described = await scene.store.describeTables(['People'], scene.signal)
    expect(described.get('People')).toMatchObject({ refused: { name: 'TableRefusedError' } })
    expect(scene.fake.requests).toEqual([])
  })

  it('is had of many tables by one request, too', async () => {
    await using scene = await openScene()
    const names = Array.from({ length: 500 }, (_, at) => `table_number_${at}`)
    for (const name of names.slice(0, 3)) scene.fake.create(`app-${name}`, {})
    expect([...(await scene.store.describeTables(names, scene.signal)).keys()]).toEqual(names.slice(0, 3))
    expect(scene.fake.requests).toHaveLength(1)
  })
})

describe('a table that is made', () => {
  it('is left as it is where somebody has made it at the same moment', async () => {
    await using scene = await openScene()
    scene.fake.create(INDEX, { mappings: { properties: { tmstmp: { type: 'date', format: 'epoch_second' } } } })
    await scene.store.createTable(TABLE, scene.signal)
    expect(scene.fake.indexes.get(INDEX)?.body).toEqual({
      mappings: { properties: { tmstmp: { type: 'date', format: 'epoch_second' } } },
    })
  })

  it('is made once where the answer to its making is lost', async () => {
    await using scene = await openScene()
    let times = 0
    scene.fake.onRequest = ({ method }) => (method === 'PUT' && times++ === 0 ? 'reset-after' : undefined)
    await scene.store.createTable(TABLE, scene.signal)
    expect(scene.fake.indexes.has(INDEX)).toBe(true)
  })

  it('is refused by name where the server makes none', async () => {
    await using scene = await openScene()
    scene.fake.onRequest = ({ method }) =>
      method === 'PUT'
        ? { status: 400, body: { error: { type: 'validation_exception', reason: 'too many shards' } } }
        : undefined
    await expect(scene.store.createTable(TABLE, scene.signal)).rejects.toMatchObject({
      name: 'TableRefusedError',
      table: 'people',
      message: expect.stringContaining('validation_exception'),
    })
  })
})

describe('rows that are looked for', () => {
  it('are found as they are now, with what is no row, and without those that are not there', async () => {
    await using scene = await openWith(3)
    scene.fake.put(INDEX, idOf(5), '{"tmstmp":null}')
    const ids = [idOf(1), idOf(5), idOf(99), '', 'x'.repeat(600), '\ud800', idOf(1)]
    const found = await scene.table.find(ids, scene.signal)
    expect([...found.keys()]).toEqual([idOf(1), idOf(5)])
    expect(found.get(idOf(1))).toEqual(rowOf(1, versionAt(1)))
    expect((found.get(idOf(5)) as Misfit).reason).toContain('has no date')
  })

  it('are found however many and however long they are', async () => {
    await using scene = await openScene()
    await scene.store.createTable(TABLE, scene.signal)
    const long = 'x'.repeat(150_000)
    for (let at = 0; at < 460; at++) scene.fake.put(INDEX, idOf(at), documentOf(rowOf(at, versionAt(at), long)))
    const found = await scene.table.find(
      Array.from({ length: 460 }, (_, at) => idOf(at)),
      scene.signal,
    )
    expect(found.size).toBe(460)
  })

  it('are none where there is no index', async () => {
    await using scene = await openScene()
    expect(await scene.table.find([idOf(1)], scene.signal)).toEqual(new Map())
  })
})

describe('rows that are removed', () => {
  const remove = (table: StoreTable, { signal }: Scene, ...rows: Row[]) => table.remove(rows, signal)

  it('are gone, unless they have become newer', async () => {
    await using scene = await openWith(3)
    const { fake, table } = scene
    fake.put(INDEX, idOf(1), documentOf(rowOf(1, versionAt(50), 'newer')))
    fake.put(INDEX, idOf(2), '{"name":"no date"}')
    const gone = await remove(
      table,
      scene,
      rowOf(0, versionAt(0)),
      rowOf(1, versionAt(1)),
      rowOf(2, versionAt(2)),
      rowOf(9, versionAt(0)),
    )
    expect([...gone].toSorted()).toEqual([idOf(0), idOf(9)])
    expect(fake.get(INDEX, idOf(0))).toBeUndefined()
    expect(fake.get(INDEX, idOf(1))?.['name']).toBe('newer')
    expect(fake.get(INDEX, idOf(2))?.['name']).toBe('no date')
  })

  it('are not gone where they become newer just before', async () => {
    await using scene = await openWith(1)
    const { fake } = scene
    fake.onRequest = ({ path }) => {
      if (path.endsWith('_bulk') && fake.get(INDEX, idOf(0))?.['name'] !== 'newer')
        fake.put(INDEX, idOf(0), documentOf(rowOf(0, versionAt(50), 'newer')))
      return undefined
    }
    expect([...(await remove(scene.table, scene, rowOf(0, versionAt(0))))]).toEqual([])
    expect(fake.get(INDEX, idOf(0))?.['name']).toBe('newer')
  })

  it('are gone by a version that was derived of them, too', async () => {
    await using scene = await openScene()
    await scene.store.createTable(TABLE, scene.signal)
    scene.fake.put(INDEX, idOf(0), JSON.stringify({ id: idOf(0), tmstmp: '2024', name: 'user' }))
    const [row] = (await scanAll(scene)).rows
    expect(row).toBeDefined()
    expect([...(await remove(scene.table, scene, ...(row === undefined ? [] : [row])))]).toEqual([idOf(0)])
  })

  it('are gone once, where the answer is lost or the server is busy', async () => {
    const clock = new FakeClock()
    for (const fault of ['reset-after', { status: 429, body: {} }] as const) {
      await using scene = await openWith(5, { clock })
      let times = 0
      scene.fake.onRequest = ({ path }) => (path.endsWith('_bulk') && times++ === 0 ? fault : undefined)
      const removing = remove(scene.table, scene, ...Array.from({ length: 5 }, (_, at) => rowOf(at, versionAt(at))))
      const ticking = setInterval(() => void clock.advance(100), 1)
      try {
        expect((await removing).size).toBe(5)
      } finally {
        clearInterval(ticking)
      }
      expect(scene.fake.indexes.get(INDEX)?.documents.size).toBe(0)
    }
  })
})
