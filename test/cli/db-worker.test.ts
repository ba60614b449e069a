import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { encodeOrder, type WorkOrder } from '../../src/db/jobs/order.ts'
import { decodeFailure, decodeReport, MAX_MESSAGE_BYTES } from '../../src/db/jobs/report.ts'
import { createDbScene, type DbScene, idOf, LONG_AGO } from './db-scene.ts'

const ORDER: WorkOrder = {
  ...{ pair: 'app', direction: 'left-to-right', dryRun: false, of: 4 },
  tables: [{ name: 'users', window: { beginMs: LONG_AGO - 1, endMs: LONG_AGO + 1_000 } }],
}

let scene: DbScene
let log: string
beforeEach(async () => {
  scene = await createDbScene()
  log = join(scene.cwd, 'termination-log')
  // A mount: it is there before.
  await writeFile(log, 'x'.repeat(9_000))
})
afterEach(() => scene[Symbol.asyncDispose]())

const environment = (order: WorkOrder, index: string | undefined) => ({
  ...{ SYNCER_DB_ORDER: encodeOrder(order).text, TERMINATION_LOG: log },
  ...(index !== undefined && { JOB_COMPLETION_INDEX: index }),
})
const work = (index: string | undefined, order = ORDER, pair = 'app') =>
  scene.run(['worker', pair], { env: environment(order, index) })
const said = () => readFile(log, 'utf8')

describe('syncer db worker', () => {
  it('does its shard and says what it did; all of them are the whole', async () => {
    scene.left.fill(100)
    let applied = 0
    for (const index of ['0', '1', '2', '3']) {
      expect(await work(index)).toEqual({ code: 0, out: '', err: '' })
      const report = decodeReport(ORDER, await said())
      expect(report?.shard).toBe(Number(index))
      const [{ counts } = { counts: undefined }] = report?.tables ?? []
      expect(counts).toMatchObject({ read: counts?.applied, older: 0, failed: 0 })
      applied += counts?.applied ?? 0
    }
    expect(applied).toBe(100)
    expect(scene.right.dump()).toEqual(scene.left.dump())
  })

  it('may do it twice: the second time finds all of it there', async () => {
    scene.left.fill(100)
    await work('0')
    const first = decodeReport(ORDER, await said())?.tables[0]?.counts
    await work('0')
    const second = decodeReport(ORDER, await said())?.tables[0]?.counts
    expect(first?.applied).toBeGreaterThan(0)
    expect(second).toMatchObject({ read: first?.read, applied: 0, equal: first?.applied })
  })

  it('does the shard that its index is among those still to do', async () => {
    await work('1', { ...ORDER, shards: [0, 3] })
    expect(decodeReport(ORDER, await said())?.shard).toBe(3)
  })

  it('has done its shard when some rows have failed, tells which, and keeps it short', async () => {
    const insert = scene.left.database.prepare(
      'INSERT INTO users (id, tmstmp, age) SELECT ?, tmstmp, ? FROM users WHERE id = ?',
    )
    scene.left.fill(1)
    for (let at = 1; at <= 500; at++) insert.run(idOf(at), `no number ${at}`, idOf(0))
    expect((await work('0', { ...ORDER, of: 1 })).code).toBe(0)
    const text = await said()
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_MESSAGE_BYTES)
    const [table] = decodeReport({ ...ORDER, of: 1 }, text)?.tables ?? []
    expect(table?.counts).toMatchObject({ read: 501, applied: 1, failed: 500 })
    expect(table?.letters.length).toBeGreaterThan(10)
    expect((table?.letters.length ?? 0) + (table?.untold ?? 0)).toBe(500)
  })

  it('writes nothing in a dry run', async () => {
    scene.left.fill(10)
    await work('0', { ...ORDER, of: 1, dryRun: true })
    expect(decodeReport({ ...ORDER, of: 1 }, await said())?.tables[0]?.counts.applied).toBe(10)
    expect(scene.right.dump()).toEqual({})
  })

  it('keeps no state: nothing is left of it but the rows', async () => {
    scene.left.fill(1)
    await work('0', { ...ORDER, of: 1 })
    await expect(readFile(join(scene.cwd, '.syncer/state.db'))).rejects.toThrow('ENOENT')
  })
})

describe('a worker that cannot do its shard', () => {
  const drop = () => scene.left.database.exec('DROP TABLE users')

  it.each<readonly [string, () => Promise<{ code: number; err: string }>, RegExp]>([
    ['without an index', () => work(undefined), /JOB_COMPLETION_INDEX has to be the index/],
    ['with an index that is none of the Job', () => work('4'), /the order has 4 shards and none of index 4/],
    [
      'without an order',
      () => scene.run(['worker', 'app'], { env: { TERMINATION_LOG: log } }),
      /SYNCER_DB_ORDER is not set/,
    ],
    [
      'with an order for another pair',
      () => work('0', { ...ORDER, pair: 'shop' }),
      /the order is for the pair shop, not app/,
    ],
    ['whose pair is not configured', () => work('0', ORDER, 'shop'), /db\.pairs: there is no pair shop/],
    [
      'whose table is refused',
      () => work('0', { ...ORDER, tables: [{ name: 'gone', window: { beginMs: 0, endMs: 1 } }] }),
      /table gone cannot be synced/,
    ],
  ])('fails for good, %s', async (_, run, says) => {
    const { code, err } = await run()
    expect(code).toBe(2)
    expect(err).toMatch(says)
    expect(err.trimEnd().split('\n')).toHaveLength(1)
    expect(decodeFailure(await said())).toMatch(says)
  })

  it('is tried again where a store fails', async () => {
    drop()
    await writeFile(join(scene.cwd, 'broken.db'), 'no database at all, but long enough to be read as one'.repeat(40))
    await writeFile(
      join(scene.cwd, 'syncer.yaml'),
      'db: { pairs: [{ name: app, left: { kind: sqlite, path: broken.db }, right: { kind: sqlite, path: right.db } }] }',
    )
    const { code, err } = await work('0')
    expect(code).toBe(1)
    expect(err).toMatch(/broken\.db/)
    expect(decodeFailure(await said())).toMatch(/broken\.db/)
  })

  it('was stopped by SIGTERM, and says so', async () => {
    scene.left.fill(20_000)
    const { io, code } = scene.start(['worker', 'app'], {
      env: environment(
        { ...ORDER, of: 1, tables: [{ name: 'users', window: { beginMs: 0, endMs: LONG_AGO + 100_000 } }] },
        '0',
      ),
    })
    while (io.emitter.listenerCount('SIGTERM') === 0) await new Promise((resolve) => setImmediate(resolve))
    io.emitter.emit('SIGTERM')
    expect(await code).toBe(143)
    expect(decodeFailure(await said())).toBe('stopped by SIGTERM')
  })
})
