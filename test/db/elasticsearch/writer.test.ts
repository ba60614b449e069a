import { describe, expect, it } from 'vitest'
import { StoreFailed } from '../../../src/db/store.ts'
import { TableRefusedError } from '../../../src/db/table.ts'
import { formatTimeuuid } from '../../../src/db/timeuuid.ts'
import { eventually } from '../../lib/eventually.ts'
import { FakeClock } from '../../lib/fake-clock.ts'
import type { FakeReply, Fault } from './lib/fake-search.ts'
import { documentOf, INDEX, idOf, openScene, rowOf, scanAll, T0, TABLE, versionAt, writeRows } from './lib/scene.ts'

const rows = (count: number, ms = 0) => Array.from({ length: count }, (_, at) => rowOf(at, versionAt(ms + at)))
const only = (fault: Fault, times = 1, path = '/_bulk') => {
  let left = times
  return (request: { path: string }) => (request.path.endsWith(path) && left-- > 0 ? fault : undefined)
}
const counts = (outcomes: Record<string, string>) => {
  const counted: Record<string, number> = {}
  for (const outcome of Object.values(outcomes)) counted[outcome] = (counted[outcome] ?? 0) + 1
  return counted
}
const busy: FakeReply = { status: 429, body: { error: { type: 'es_rejected_execution_exception' } } }

async function openWithIndex(options: Parameters<typeof openScene>[0] = {}) {
  const scene = await openScene(options)
  await scene.store.createTable(TABLE, scene.signal)
  return scene
}

describe('a writer', () => {
  it('creates what is not there by one request', async () => {
    await using scene = await openWithIndex()
    scene.fake.requests.length = 0
    expect(counts(await writeRows(scene, rows(50)))).toEqual({ applied: 50 })
    expect(scene.fake.requests).toEqual([`POST /${INDEX}/_bulk`])
    expect(scene.fake.get(INDEX, idOf(7))).toEqual(JSON.parse(documentOf(rowOf(7, versionAt(7)))))
  })

  it('writes what is newer, and leaves what is newer or the same there', async () => {
    await using scene = await openWithIndex()
    const { fake } = scene
    fake.put(INDEX, idOf(0), documentOf(rowOf(0, versionAt(5), 'older')))
    fake.put(INDEX, idOf(1), documentOf(rowOf(1, versionAt(15), 'newer')))
    fake.put(INDEX, idOf(2), documentOf(rowOf(2, versionAt(10, 1), 'same')))
    fake.put(INDEX, idOf(3), documentOf(rowOf(3, versionAt(10, 0), 'same millisecond, older')))
    fake.put(INDEX, idOf(4), documentOf(rowOf(4, versionAt(10, 9), 'same millisecond, newer')))
    const outcomes = await writeRows(
      scene,
      [0, 1, 2, 3, 4].map((at) => rowOf(at, versionAt(10, 1), 'row')),
    )
    expect(outcomes).toEqual({
      ...{ [idOf(0)]: 'applied', [idOf(1)]: 'older', [idOf(2)]: 'equal', [idOf(3)]: 'applied', [idOf(4)]: 'older' },
    })
    expect(fake.get(INDEX, idOf(1))?.['name']).toBe('newer')
    expect(fake.get(INDEX, idOf(3))?.['name']).toBe('row')
    expect(fake.get(INDEX, idOf(4))?.['name']).toBe('same millisecond, newer')
  })

  it('knows the version of a document that has none of its own by the whole of it', async () => {
    await using scene = await openWithIndex()
    const { fake } = scene
    for (const at of [0, 1])
      fake.put(INDEX, idOf(at), `{"id":"${idOf(at)}","tmstmp":"${new Date(T0).toISOString()}","name":"user"}`)
    const { rows: found } = await scanAll(scene)
    expect(found).toHaveLength(2)
    // The same version comes back to it: nothing is written.
    expect(counts(await writeRows(scene, found))).toEqual({ equal: 2 })
    const later = found.map((row) => ({ ...row, version: versionAt(1) }))
    expect(counts(await writeRows(scene, later))).toEqual({ applied: 2 })
  })

  it.each<[string, unknown]>([
    ['text with nanoseconds', '2024-01-01T00:00:00.123456789Z'],
    ['a number with a fraction', T0 + 123.7],
    ['a list', ['2020-01-01', '2024-01-01T00:00:00.123Z']],
    ['another zone', '2024-01-01T02:00:00.123+02:00'],
    ['a number', T0 + 123],
  ])('sees a date as the server does that is %s', async (_, tmstmp) => {
    await using scene = await openWithIndex()
    const { fake } = scene
    for (const at of [0, 1, 2])
      fake.put(INDEX, idOf(at), JSON.stringify({ id: idOf(at), tmstmp, tmstmp_uuid: formatTimeuuid(versionAt(123)) }))
    const versions = [versionAt(122), versionAt(123), versionAt(124)]
    // Seen by searches and not: the second time nothing was refreshed in between.
    for (const isSeen of [false, true]) {
      if (isSeen) fake.refresh(INDEX)
      const outcomes = await writeRows(
        scene,
        versions.map((version, at) => rowOf(at, version)),
        { dryRun: true },
      )
      expect(Object.values(outcomes)).toEqual(['older', 'equal', 'applied'])
    }
    const outcomes = await writeRows(
      scene,
      versions.map((version, at) => rowOf(at, version)),
    )
    expect(Object.values(outcomes)).toEqual(['older', 'equal', 'applied'])
  })

  it('writes over what has no date: a version wins against none', async () => {
    await using scene = await openWithIndex()
    scene.fake.put(INDEX, idOf(0), '{"tmstmp":null,"name":"lost"}')
    scene.fake.put(INDEX, idOf(1), '{"name":"lost"}')
    expect(counts(await writeRows(scene, rows(2)))).toEqual({ applied: 2 })
    expect(scene.fake.get(INDEX, idOf(0))?.['name']).toBe('name 0')
  })

  it('looks first where most rows are there, and sends none of them then', async () => {
    await using scene = await openWithIndex()
    await writeRows(scene, rows(10))
    for (let at = 0; at < 3; at++) await writeRows(scene, rows(10))
    scene.fake.requests.length = 0
    expect(counts(await writeRows(scene, rows(10)))).toEqual({ equal: 10 })
    expect(scene.fake.requests).toEqual([`POST /${INDEX}/_mget`])
    // And back again, when that is no longer so.
    for (let at = 1; at < 5; at++)
      await writeRows(
        scene,
        Array.from({ length: 10 }, (_, i) => rowOf(at * 100 + i, versionAt(1))),
      )
    scene.fake.requests.length = 0
    await writeRows(scene, [rowOf(1_000, versionAt(1))])
    expect(scene.fake.requests).toEqual([`POST /${INDEX}/_bulk`])
  })

  it('goes by the guess of who opens it until it knows', async () => {
    await using scene = await openWithIndex()
    expect(counts(await writeRows(scene, rows(10), { mostlyHeld: true }))).toEqual({ applied: 10 })
    expect(scene.fake.requests.slice(-2)).toEqual([`POST /${INDEX}/_mget`, `POST /${INDEX}/_bulk`])
    const fresh = (at: number) => Array.from({ length: 10 }, (_, nth) => rowOf(at * 100 + nth, versionAt(1)))
    for (let at = 1; at < 4; at++) await writeRows(scene, fresh(at), { mostlyHeld: true })
    scene.fake.requests.length = 0
    await writeRows(scene, fresh(4), { mostlyHeld: true })
    expect(scene.fake.requests).toEqual([`POST /${INDEX}/_bulk`])
  })

  it('refreshes once where there are several batches, and looks by searches then', async () => {
    await using scene = await openWithIndex()
    await writeRows(scene, rows(4_100))
    for (let at = 0; at < 3; at++) await writeRows(scene, rows(10))
    scene.fake.requests.length = 0
    expect(counts(await writeRows(scene, rows(4_100)))).toEqual({ equal: 4_100 })
    expect(scene.fake.requests.map((request) => request.split('/').at(-1)).toSorted()).toEqual([
      '_mget',
      '_refresh',
      '_search',
      '_search',
    ])
  })

  it('writes nothing in a dry run, and needs no index for one', async () => {
    await using scene = await openScene()
    expect(counts(await writeRows(scene, rows(3), { dryRun: true }))).toEqual({ applied: 3 })
    expect([...scene.fake.indexes]).toEqual([])
    await scene.store.createTable(TABLE, scene.signal)
    await writeRows(scene, rows(3, 10))
    expect(counts(await writeRows(scene, [...rows(3), rowOf(9, versionAt(0))], { dryRun: true }))).toEqual({
      older: 3,
      applied: 1,
    })
    expect(scene.fake.indexes.get(INDEX)?.documents.size).toBe(3)
  })

  it('holds a row back that the server refuses, says nothing of what it holds, and writes the others', async () => {
    await using scene = await openWithIndex()
    const reasons: string[] = []
    const outcomes = await writeRows(scene, [...rows(5), rowOf(7, versionAt(0), 'refuse me')], { reasons })
    expect(counts(outcomes)).toEqual({ applied: 5, failed: 1 })
    expect(reasons).toEqual([
      'the server refuses the document: document_parsing_exception, field name, which its index has as date',
    ])
  })

  it('says so where the server refuses all documents', async () => {
    await using scene = await openWithIndex()
    scene.fake.onRequest = only((reply) => ({
      ...reply,
      body: { items: [{ create: { _id: idOf(0), status: 403, error: { type: 'cluster_block_exception' } } }] },
    }))
    await expect(writeRows(scene, rows(1))).rejects.toThrow(
      `index ${INDEX} refuses all documents (cluster_block_exception)`,
    )
  })

  it('has several batches under way, never more at once than it may, and waits for room', async () => {
    await using scene = await openWithIndex()
    let [running, most] = [0, 0]
    scene.fake.onRequest = async ({ path }) => {
      if (!path.endsWith('_bulk')) return undefined
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      return undefined
    }
    expect(counts(await writeRows(scene, rows(30_000)))).toEqual({ applied: 30_000 })
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(8)
  })

  it('sends long documents a few at a time', async () => {
    await using scene = await openWithIndex()
    const lengths: number[] = []
    scene.fake.onRequest = ({ path, body }) => void (path.endsWith('_bulk') && lengths.push(body.length))
    const long = Array.from({ length: 30 }, (_, at) => rowOf(at, versionAt(0), 'x'.repeat(500_000)))
    expect(counts(await writeRows(scene, long))).toEqual({ applied: 30 })
    expect(Math.max(...lengths)).toBeLessThan(6_000_000)
  })
})

describe('a writer, while users write', () => {
  it('never writes over what has become newer since it looked', async () => {
    await using scene = await openWithIndex()
    const { fake } = scene
    for (let at = 0; at < 3; at++) fake.put(INDEX, idOf(at), documentOf(rowOf(at, versionAt(1), 'old')))
    let looks = 0
    fake.onRequest = ({ path, body }) => {
      if (path.endsWith('_mget')) looks++
      // Between the look and the write, three times: one becomes newer, the others change and stay older.
      if (body.includes('if_seq_no'))
        for (let at = looks - 1; at < 3; at++) {
          const isNewer = at === looks - 1
          fake.put(INDEX, idOf(at), documentOf(rowOf(at, versionAt(isNewer ? 100 : 2), isNewer ? 'newer' : 'old')))
        }
      return undefined
    }
    const outcomes = await writeRows(
      scene,
      [0, 1, 2].map((at) => rowOf(at, versionAt(50), 'row')),
    )
    expect(counts(outcomes)).toEqual({ older: 3 })
    for (let at = 0; at < 3; at++) expect(fake.get(INDEX, idOf(at))?.['name']).toBe('newer')
  })

  it('creates what was deleted since it looked', async () => {
    await using scene = await openWithIndex()
    const { fake } = scene
    fake.put(INDEX, idOf(0), documentOf(rowOf(0, versionAt(1), 'old')))
    let isDeleted = false
    fake.onRequest = ({ body }) => {
      if (body.includes('if_seq_no') && !isDeleted) {
        isDeleted = true
        fake.delete(INDEX, idOf(0))
      }
      return undefined
    }
    expect(await writeRows(scene, [rowOf(0, versionAt(50), 'row')])).toEqual({ [idOf(0)]: 'applied' })
    expect(fake.get(INDEX, idOf(0))?.['name']).toBe('row')
  })

  it('goes on until its row is there, however often the older document is changed', async () => {
    await using scene = await openWithIndex()
    const { fake } = scene
    fake.put(INDEX, idOf(0), documentOf(rowOf(0, versionAt(1), 'old')))
    let changes = 0
    fake.onRequest = ({ body }) => {
      if (body.includes('if_seq_no') && changes++ < 20)
        fake.put(INDEX, idOf(0), documentOf(rowOf(0, versionAt(2), 'old')))
      return undefined
    }
    expect(await writeRows(scene, [rowOf(0, versionAt(50), 'row')])).toEqual({ [idOf(0)]: 'applied' })
    expect(changes).toBeGreaterThan(20)
  })

  it('gives up a document that others change all the time', async () => {
    const clock = new FakeClock()
    await using scene = await openWithIndex({ clock, retryForMs: 5_000 })
    const { fake } = scene
    fake.put(INDEX, idOf(0), documentOf(rowOf(0, versionAt(1), 'old')))
    fake.onRequest = ({ body }) => {
      if (body.includes('if_seq_no')) fake.put(INDEX, idOf(0), documentOf(rowOf(0, versionAt(2), 'old')))
      return undefined
    }
    const writing = writeRows(scene, [rowOf(0, versionAt(50))]).catch((error: unknown) => error)
    const ticking = setInterval(() => void clock.advance(100), 1)
    try {
      expect(await writing).toMatchObject({
        name: 'StoreFailed',
        message: expect.stringContaining('is changed by others'),
      })
    } finally {
      clearInterval(ticking)
    }
  })
})

describe('a writer, when the server fails', () => {
  it.each<[string, Fault]>([
    ['429', busy],
    ['503', { status: 503, body: {} }],
    ['502 of a proxy', { status: 502, body: '<html>' }],
    ['504', { status: 504, body: '' }],
    ['500', { status: 500, body: { error: { type: 'node_closed_exception' } } }],
    ['a reset before it was carried out', 'reset'],
    ['a reset after it was carried out', 'reset-after'],
    ['half an answer', (reply) => JSON.stringify(reply.body).slice(0, 30)],
    ['an answer that is none', (reply) => ({ ...reply, body: 'hello' })],
    ['an answer to another bulk', (reply) => ({ ...reply, body: { items: [] } })],
  ])('tries again after %s', async (_, fault) => {
    await using scene = await openWithIndex()
    scene.fake.onRequest = only(fault, 3)
    expect(counts(await writeRows(scene, rows(20)))).toEqual({ applied: 20 })
    expect(scene.fake.indexes.get(INDEX)?.documents.size).toBe(20)
    // And when documents are replaced.
    scene.fake.onRequest = ({ path, body }) =>
      path.endsWith('_bulk') && body.includes('if_seq_no') ? again(scene.fake) : undefined
    const again = (fake: typeof scene.fake) => {
      fake.onRequest = () => undefined
      return fault
    }
    expect(counts(await writeRows(scene, rows(20, 1)))).toEqual({ applied: 20 })
  })

  it('waits as long as it is told to, and a little longer', async () => {
    const clock = new FakeClock()
    await using scene = await openWithIndex({ clock, random: () => 0.5 })
    scene.fake.onRequest = only({ ...busy, headers: { 'retry-after': '3' } })
    scene.fake.requests.length = 0
    const writing = writeRows(scene, rows(1))
    await eventually(() => clock.pending > 0 && clock.nextAt !== 10_000)
    await clock.advance(3_000)
    expect(scene.fake.requests).toHaveLength(1)
    await clock.advance(200)
    expect(counts(await writing)).toEqual({ applied: 1 })
  })

  it('tries documents again one by one that a bulk refuses for the moment', async () => {
    await using scene = await openWithIndex()
    let bulks = 0
    scene.fake.onRequest = ({ path }) => {
      if (!path.endsWith('_bulk') || bulks++ > 3) return undefined
      // The server takes every third one only.
      return (reply) => {
        const { items } = reply.body as { items: { create: { _id: string; status: number; error?: unknown } }[] }
        for (const [at, { create }] of items.entries())
          if (at % 3 !== 0) {
            scene.fake.delete(INDEX, create._id)
            Object.assign(create, { status: at % 2 === 0 ? 429 : 503, error: { type: 'rejected', reason: 'x' } })
          }
        return reply
      }
    }
    expect(counts(await writeRows(scene, rows(100)))).toEqual({ applied: 100 })
    expect(scene.fake.indexes.get(INDEX)?.documents.size).toBe(100)
  })

  it('waits for a shard that is away, as long as it takes', async () => {
    await using scene = await openWithIndex()
    let bulks = 0
    scene.fake.onRequest = ({ path, body }) => {
      if (!path.endsWith('_bulk') || ++bulks > 12) return undefined
      const ids = body.split('\n').flatMap((line) => /"_id":"([^"]+)"/.exec(line)?.[1] ?? [])
      const item = { status: 503, error: { type: 'unavailable_shards_exception', reason: 'x' } }
      return { status: 200, body: { errors: true, items: ids.map((_id) => ({ create: { _id, ...item } })) } }
    }
    expect(counts(await writeRows(scene, rows(5)))).toEqual({ applied: 5 })
    expect(bulks).toBe(13)
  })

  it('gives a document up that the server cannot get over, and writes the others', async () => {
    await using scene = await openWithIndex()
    const reasons: string[] = []
    scene.fake.onRequest = ({ path }) =>
      path.endsWith('_bulk')
        ? (reply) => {
            const { items } = reply.body as { items: { create: { _id: string } }[] }
            const item = items.find(({ create }) => create._id === idOf(1))?.create
            if (item !== undefined) Object.assign(item, { status: 500, error: { type: 'null_pointer_exception' } })
            return reply
          }
        : undefined
    const outcomes = await writeRows(scene, rows(3), { reasons })
    expect(outcomes).toMatchObject({ [idOf(0)]: 'applied', [idOf(1)]: 'failed', [idOf(2)]: 'applied' })
    expect(reasons).toEqual(['the server fails when it gets the document'])
  })

  it('says of a row that it was applied where an answer was lost, and not that it was there already', async () => {
    await using scene = await openWithIndex()
    scene.fake.onRequest = only('reset-after')
    expect(counts(await writeRows(scene, rows(3)))).toEqual({ applied: 3 })
  })

  it('halves a batch that is too large for the server, down to the one document that is', async () => {
    await using scene = await openWithIndex()
    scene.fake.onRequest = ({ path, body }) =>
      path.endsWith('_bulk') && body.length > 2_000 ? { status: 413, body: '' } : undefined
    const reasons: string[] = []
    const outcomes = await writeRows(scene, [...rows(40), rowOf(99, versionAt(0), 'x'.repeat(3_000))], { reasons })
    expect(counts(outcomes)).toEqual({ applied: 40, failed: 1 })
    expect(reasons).toEqual(['the document is larger than the server takes'])
  })

  it('halves a batch that is not answered in time, and loses none of it', async () => {
    await using scene = await openWithIndex({ requestTimeoutMs: 250 })
    scene.fake.onRequest = ({ path, body }) =>
      path.endsWith('_bulk') && body.split('\n').length > 25 ? 'silence' : undefined
    expect(counts(await writeRows(scene, rows(40)))).toEqual({ applied: 40 })
  })

  it('sends less at a time where the server has no room for more, and knows what was there before', async () => {
    await using scene = await openWithIndex()
    await writeRows(scene, rows(40).slice(20))
    scene.fake.onRequest = ({ path, body }) =>
      path.endsWith('_bulk') && body.split('\n').length > 25 ? busy : undefined
    expect(counts(await writeRows(scene, rows(40)))).toEqual({ applied: 20, equal: 20 })
  })

  it('gives up after as long as it may try, and says what the server said', async () => {
    const clock = new FakeClock()
    await using scene = await openWithIndex({ clock, random: () => 0.9, retryForMs: 60_000 })
    scene.fake.onRequest = only(busy, 1_000_000)
    const writing = writeRows(scene, rows(1)).catch((error: unknown) => error)
    const ticking = setInterval(() => void clock.advance(1_000), 1)
    try {
      const error = await writing
      expect(error).toBeInstanceOf(StoreFailed)
      expect((error as Error).message).toBe(
        `elasticsearch ${scene.fake.url}: POST /${INDEX}/_bulk: answered 429 (es_rejected_execution_exception)`,
      )
    } finally {
      clearInterval(ticking)
    }
  })

  it.each([401, 403])('does not try again what is answered %i, and tells no credentials', async (status) => {
    const authorization = async () => 'Basic Z2VoZWlt'
    await using scene = await openScene({ authorization })
    scene.fake.onRequest = ({ headers }) => {
      expect(headers.authorization).toBe('Basic Z2VoZWlt')
      return { status, body: { error: { type: 'security_exception', reason: 'unable to authenticate with Z2VoZWlt' } } }
    }
    const error = (await scene.store.createTable(TABLE, scene.signal).catch((thrown: unknown) => thrown)) as Error
    expect(error).toBeInstanceOf(StoreFailed)
    expect(error.message).toContain(`answered ${status} (security_exception)`)
    expect(`${error.message} ${error.stack} ${String(error.cause)}`).not.toContain('Z2VoZWlt')
    expect(scene.fake.requests).toHaveLength(1)
  })

  it('refuses credentials that no header can carry, without telling them', async () => {
    await using scene = await openScene({ authorization: async () => 'Basic geheim\n' })
    const error = (await scene.store.createTable(TABLE, scene.signal).catch((thrown: unknown) => thrown)) as Error
    expect(error).toBeInstanceOf(StoreFailed)
    expect(error.message).not.toContain('geheim')
  })
})

describe('a writer that is ended', () => {
  it('rejects with the reason of its signal, at once', async () => {
    await using scene = await openWithIndex()
    scene.fake.onRequest = only('silence', 100)
    const controller = new AbortController()
    const writing = writeRows({ ...scene, signal: controller.signal }, rows(3))
    await eventually(() => scene.fake.requests.at(-1)?.endsWith('_bulk') === true)
    controller.abort(new Error('cancelled'))
    await expect(writing).rejects.toThrow('cancelled')
  })

  it('ends soon when it is disposed, with batches under way and others waiting', async () => {
    await using scene = await openWithIndex()
    scene.fake.onRequest = only('silence', 100)
    const writer = scene.table.openWriter({ dryRun: false, signal: scene.signal, settle: () => {} })
    const writing = writer.write(rows(20_000)).catch((error: unknown) => error)
    await eventually(() => scene.fake.requests.filter((one) => one.endsWith('_bulk')).length >= 4)
    await writer[Symbol.asyncDispose]()
    expect(await writing).toBeInstanceOf(Error)
    // Its turns are free again.
    scene.fake.onRequest = () => undefined
    expect(counts(await writeRows(scene, rows(10)))).toEqual({ applied: 10 })
  })

  it('fails every later call once a batch has failed', async () => {
    await using scene = await openWithIndex()
    scene.fake.onRequest = only({ status: 401, body: {} }, 100)
    await using writer = scene.table.openWriter({ dryRun: false, signal: scene.signal, settle: () => {} })
    await writer.write(rows(3))
    await expect(writer.finish()).rejects.toThrow(StoreFailed)
    await expect(writer.write(rows(3))).rejects.toThrow(StoreFailed)
  })
})

describe('a table', () => {
  it('is refused where its name is no name of an index', async () => {
    await using scene = await openScene()
    const table = { ...TABLE, name: 'People/../x' }
    await expect(scene.store.createTable(table, scene.signal)).rejects.toThrow(TableRefusedError)
    expect(() => scene.store.openTable(table)).toThrow(TableRefusedError)
    expect(scene.fake.requests).toEqual([])
  })
})
