// What users of `syncer db sync` go by, against a real Cassandra and a real Elasticsearch: which rows are read, what is refused, what is
// remembered, and that faults and users at work lose nothing.
import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { countData, sync, useDbServers } from './lib/db-bench.ts'
import { playCase } from './lib/db-case.ts'
import type { DbScene } from './lib/db-scene.ts'
import { tieOf, timeuuidOf } from './lib/db-versions.ts'

const LATEST = '(id uuid PRIMARY KEY, tmstmp timeuuid, a text, n int)'
/** A time that is over. */
const THEN = Date.UTC(2024, 4, 1)
/** What happens to the runs of each case; there is more of it in the long run of the chaos. */
const CASES = [
  ['kill', 'bad-both', 'freeze-cassandra'],
  ['bad-both-kill', 'cancel', 'bad-cassandra'],
] as const
const CASE_MS = 300_000

const bench = useDbServers()

async function insert(scene: DbScene, table: string, ms: number, id: string = randomUUID()): Promise<string> {
  const version = timeuuidOf(ms, 7, tieOf(Math.random))
  await scene.cql(`INSERT INTO ${scene.name}.${table} (id, tmstmp, a, n) VALUES (?, ?, 'a', 1)`, [id, version])
  return id
}

async function index(scene: DbScene, table: string, id: string, source: object): Promise<void> {
  expect((await scene.http('PUT', `/${scene.index(table)}/_doc/${id}`, { id, ...source })).status).toBeLessThan(300)
}

const endsOf = async (scene: DbScene) => (await scene.run(['db', 'window', 'app', '--output', 'json'])).out

const isThere = async (scene: DbScene, table: string) =>
  (await scene.http('HEAD', `/${scene.index(table)}`)).status === 200

const lettersOf = (scene: DbScene): readonly string[] =>
  readdirSync(scene.folder)
    .filter((name) => name.includes('dead-letters'))
    .flatMap((name) => readFileSync(join(scene.folder, name), 'utf8').trim().split('\n'))

describe('faults, and users at work on both sides', () => {
  it.each(CASES.entries().toArray())(
    'lose nothing and overwrite nothing (case %i: %s)',
    { timeout: CASE_MS },
    async (seed, runs) => {
      const { violations } = await playCase({ servers: bench.servers, seed, runs })
      expect(violations).toEqual([])
    },
  )
})

describe('a window', () => {
  it('has its end and not its begin, to the millisecond, in every way to write them', async () => {
    await using t = await bench.open({ tables: { t: LATEST } })
    const second = Date.UTC(2015, 10, 12, 6, 0, 0)
    const times = [-1_000, -1, 0, 1, 999, 1_000, 1_001].map((ms) => second + ms)
    for (const ms of times) await insert(t.scene, 't', ms)
    expect((await t.sync('-e', '2016-01-01')).report.counts.applied).toBe(7)
    const read = (from: string, to: string) => t.sync('-b', from, '-e', to)
    const [begin, end] = [String(second / 1_000), String(second / 1_000 + 1)]
    for (const [from, to] of [
      [begin, end],
      [`${begin}000`, `${end}000`],
      ['2015-11-12T06:00:00Z', '2015-11-12T06:00:01.000Z'],
      ['2015-11-12T08:00:00+02:00', '2015-11-12T01:00:01-05:00'],
    ] as const) {
      const { report } = await read(from, to)
      expect(report.window).toEqual({ begin: '2015-11-12T06:00:00.000Z', end: '2015-11-12T06:00:01.000Z' })
      expect(report.items.map((item) => item.read)).toEqual([3, 3])
    }
    expect((await read('2015-11-12T05:59:59.999Z', '2015-11-12T06:00:00.000Z')).report.counts.read).toBe(2)
    expect((await read('2015-11-12', '2015-11-12')).report.counts.read).toBe(0)
    for (const wrong of [
      ['-b', 'yesterday'],
      ['-b', '1'],
      ['-e', '2015-13-01'],
      ['-b', '2016-01-01', '-e', '2015-01-01'],
    ])
      expect((await t.scene.run(['db', 'sync', 'app', ...wrong])).code).toBe(2)
  })

  it('that is explicit moves nothing; the others begin where the last one ended, and with the overlap', async () => {
    await using t = await bench.open({ tables: { t: LATEST }, pair: { lagMs: 200 } })
    await insert(t.scene, 't', THEN)
    await t.sync('-b', '2020-01-01')
    await t.sync('-e', new Date().toISOString())
    await t.sync('--dry-run')
    expect(await endsOf(t.scene)).not.toContain('"end":"')
    const startedAt = Date.now()
    const first = (await t.sync()).report
    expect(first.window?.begin).toBe('1970-01-01T00:00:00.000Z')
    const end = Date.parse(first.window?.end ?? '')
    expect(end).toBeGreaterThanOrEqual(startedAt - 200)
    expect(end).toBeLessThanOrEqual(Date.now() - 200)
    const saved = await endsOf(t.scene)
    expect(saved).toContain(first.window?.end)
    await t.sync('-b', '2020-01-01')
    expect(await endsOf(t.scene)).toBe(saved)
    t.scene.configure({ overlapMs: 5_000 })
    expect((await t.sync()).report.window?.begin).toBe(new Date(end - 5_000).toISOString())
    await t.scene.run(['db', 'window', 'app', '--set', '2024-01-01'])
    expect((await t.sync()).report).toMatchObject({ counts: { read: 2, applied: 0 } })
    await t.scene.run(['db', 'window', 'app', '--reset'])
    expect((await t.sync()).report.window?.begin).toBe('1970-01-01T00:00:00.000Z')
  })

  it('is kept for each table and direction, and for the addresses of -k and -i', async () => {
    await using t = await bench.open({ tables: { t: LATEST, u: LATEST } })
    for (const table of ['t', 'u']) await insert(t.scene, table, THEN)
    expect((await t.sync('--tables', 't', '--direction', 'left-to-right')).report.counts).toMatchObject({ read: 1 })
    const { report } = await t.sync()
    expect(report.items.map(({ table, direction, read }) => [table, direction, read])).toEqual([
      ['t', 'left-to-right', 0],
      ['t', 'right-to-left', 1],
      ['u', 'left-to-right', 1],
      ['u', 'right-to-left', 1],
    ])
    const addresses = ['--cassandra', t.scene.contactPoint, '--elasticsearch', t.scene.url]
    const args = ['-k', t.scene.name, '-i', t.scene.name, ...addresses]
    expect((await sync(t.scene, args)).report.counts).toMatchObject({ read: 4, equal: 4 })
    expect((await sync(t.scene, args)).report.counts).toMatchObject({ read: 0 })
  })
})

describe('a dry run', () => {
  it('says what it would write, and touches nothing', async () => {
    await using t = await bench.open({ tables: { t: LATEST, u: LATEST } })
    for (let at = 0; at < 5; at++) await insert(t.scene, 't', THEN + at)
    const before = await endsOf(t.scene)
    const { code, report } = await t.sync('--dry-run')
    expect([code, report.counts]).toEqual([0, { read: 5, applied: 5, older: 0, equal: 0, echoed: 0, failed: 0 }])
    expect(await Promise.all(['t', 'u'].map((table) => isThere(t.scene, table)))).toEqual([false, false])
    expect(await endsOf(t.scene)).toBe(before)
    expect(t.http.count('bulk') + t.http.count('create')).toBe(0)
    expect(t.cql.seen.filter(({ kind }) => kind === 'BATCH')).toEqual([])
    await t.sync()
    const id = randomUUID()
    await index(t.scene, 't', id, { tmstmp: THEN, a: 'theirs' })
    const again = await t.sync('--dry-run', '-b', '2024-01-01')
    expect(again.report.counts).toMatchObject({ read: 11, applied: 1, equal: 10 })
    expect(await t.scene.rows(`SELECT id FROM ${t.scene.name}.t WHERE id = ?`, [id])).toEqual([])
    expect(
      (await t.scene.run(['db', 'sync', 'app', '-b', '2024-01-01', '--dry-run', '--detailed-exitcode'])).code,
    ).toBe(3)
  })
})

describe('what cannot be synced', () => {
  it.each([
    ['a counter', '(id uuid, tmstmp timeuuid, c counter, PRIMARY KEY (id, tmstmp))'],
    ['no tmstmp', '(id uuid PRIMARY KEY, a text)'],
    ['no id', '(key uuid PRIMARY KEY, tmstmp timeuuid)'],
    ['a tmstmp of another type', '(id uuid PRIMARY KEY, tmstmp timestamp)'],
    ['another key', '(id uuid, tmstmp timeuuid, a text, PRIMARY KEY (id, a))'],
  ])('is refused by name before anything is written: %s', async (_, definition) => {
    await using t = await bench.open({ tables: { good: LATEST, refused_table: definition } })
    await insert(t.scene, 'good', THEN)
    const { code, out, err } = await t.scene.run(['db', 'sync', 'app', '--output', 'json'])
    expect(code).toBe(1)
    expect(err + out).toContain('refused_table')
    expect(JSON.parse(out)).toMatchObject({ state: 'failed' })
    expect(await isThere(t.scene, 'good')).toBe(false)
    expect((await t.sync('--tables', 'good')).report.counts).toMatchObject({ applied: 1 })
  })

  it('is refused by name where neither side has it', async () => {
    await using t = await bench.open({ tables: { good: LATEST } })
    await insert(t.scene, 'good', THEN)
    const { code, err, out } = await t.scene.run(['db', 'sync', 'app', '--tables', 'good,nowhere', '--output', 'json'])
    expect(code).toBeGreaterThan(0)
    expect(err + out).toContain('nowhere')
    expect(await isThere(t.scene, 'good')).toBe(false)
  })
})

describe('rows that fail', () => {
  it('stop no others, and are tried again until they go through', async () => {
    await using t = await bench.open({ tables: { t: LATEST } })
    await t.sync()
    const [bad, gone, good] = [randomUUID(), randomUUID(), randomUUID()]
    // The number would not fit the mapping of an index that the sync has made.
    await t.scene.http('DELETE', `/${t.scene.index('t')}`)
    await t.scene.http('PUT', `/${t.scene.index('t')}`, {
      mappings: { properties: { id: { type: 'keyword' }, tmstmp: { type: 'date' } } },
    })
    const now = Date.now()
    await index(t.scene, 't', good, { tmstmp: now, a: 'fine', n: 1 })
    await index(t.scene, 't', bad, { tmstmp: now, a: 'wrong', n: 4_000_000_000 })
    await index(t.scene, 't', gone, { tmstmp: now, a: 'wrong', n: 4_000_000_001 })
    await sleep(5)
    const first = await t.sync()
    expect([first.code, first.report.state]).toEqual([1, 'failed'])
    expect(first.report.counts).toMatchObject({ applied: 1, failed: 2 })
    expect(lettersOf(t.scene)).toHaveLength(2)
    expect(lettersOf(t.scene).join()).toMatch(new RegExp(`${bad}.*\\bn\\b|\\bn\\b.*${bad}`))
    expect(await endsOf(t.scene)).toContain(first.report.window?.end)
    const second = await t.sync()
    expect([second.code, second.report.counts]).toMatchObject([1, { read: 2, failed: 2 }])
    // Its date is long over: only who remembers it looks at it again.
    await index(t.scene, 't', bad, { tmstmp: now, a: 'mended', n: 4 })
    await t.scene.http('DELETE', `/${t.scene.index('t')}/_doc/${gone}`)
    const third = await t.sync()
    expect([third.code, third.report.counts]).toMatchObject([0, { applied: 1, failed: 0 }])
    expect(await t.scene.rows(`SELECT a, n FROM ${t.scene.name}.t WHERE id = ?`, [bad])).toEqual([
      { a: 'mended', n: 4 },
    ])
    expect(lettersOf(t.scene).filter((line) => line !== '')).toEqual([])
    expect((await t.sync()).report.counts.read).toBe(0)
  })

  it('are those with a field that is no column, unless it is ignored', async () => {
    await using t = await bench.open({ tables: { t: LATEST } })
    await t.sync()
    const [odd, plain] = [randomUUID(), randomUUID()]
    await index(t.scene, 't', odd, { tmstmp: Date.now(), a: 'a', unknown_field: 'secret' })
    await index(t.scene, 't', plain, { tmstmp: Date.now(), a: 'a' })
    await sleep(5)
    const failed = await t.sync()
    expect(failed).toMatchObject({ code: 1, report: { counts: { applied: 1, failed: 1 } } })
    expect(lettersOf(t.scene).join()).toContain('unknown_field')
    expect(lettersOf(t.scene).join()).not.toContain('secret')
    t.scene.configure({ onUnknownField: 'ignore' })
    expect(await t.sync()).toMatchObject({ code: 0, report: { counts: { applied: 1, failed: 0 } } })
    expect(await t.scene.rows(`SELECT a FROM ${t.scene.name}.t WHERE id = ?`, [odd])).toEqual([{ a: 'a' }])
  })
})

describe('a run that was killed', () => {
  it('never blocks the next one', async () => {
    let requests = 0
    let kill: (() => void) | undefined
    await using t = await bench.open({
      tables: { t: LATEST },
      http: ({ kind }) => {
        if (kind === 'bulk' && ++requests === 1) kill?.()
        return undefined
      },
    })
    for (let at = 0; at < 50; at++) await insert(t.scene, 't', THEN + at)
    const running = t.scene.begin(['db', 'sync', 'app', '--output', 'json'])
    kill = () => running.child.kill('SIGKILL')
    expect((await running.exit).signal).toBe('SIGKILL')
    const { code, report } = await t.sync()
    expect([code, report.state]).toEqual([0, 'succeeded'])
    expect(await t.scene.documents('t')).toHaveLength(50)
    expect(existsSync(join(t.scene.folder, 'state.db'))).toBe(true)
  })

  it('by SIGINT says where it stands, and the next one goes on', async () => {
    let stop: (() => void) | undefined
    await using t = await bench.open({
      tables: { t: LATEST },
      cql: () => {
        if (countData(t.cql) > 1) stop?.()
        return undefined
      },
    })
    for (let at = 0; at < 50; at++) await insert(t.scene, 't', THEN + at)
    const running = t.scene.begin(['db', 'sync', 'app', '--output', 'json'])
    stop = () => running.child.kill('SIGINT')
    const { code, out } = await running.exit
    stop = undefined
    expect(code).toBeGreaterThan(0)
    expect(JSON.parse(out)).toMatchObject({ state: 'failed' })
    expect((await t.sync()).code).toBe(0)
    expect(await t.scene.documents('t')).toHaveLength(50)
  })
})

describe('verify', () => {
  it('counts each id once by what both sides have of it, whatever is saved', async () => {
    await using t = await bench.open({ tables: { t: LATEST } })
    const ids: string[] = []
    for (let at = 0; at < 10; at++) ids.push(await insert(t.scene, 't', THEN + at))
    await t.sync()
    const saved = await endsOf(t.scene)
    const [left = '', right = '', onlyLeft = '', onlyRight = '', differs = ''] = ids
    await insert(t.scene, 't', THEN + 5_000, left)
    await index(t.scene, 't', right, { tmstmp: THEN + 5_000, a: 'newer', n: 1 })
    await t.scene.http('DELETE', `/${t.scene.index('t')}/_doc/${onlyLeft}`)
    await t.scene.cql(`DELETE FROM ${t.scene.name}.t WHERE id = ?`, [onlyRight])
    await t.scene.http('POST', `/${t.scene.index('t')}/_update/${differs}`, { doc: { a: 'other' } })
    const { code, out } = await t.scene.run(['db', 'verify', 'app', '--output', 'json'])
    expect(code).toBe(1)
    const { counts, differences } = JSON.parse(out)
    expect(counts).toEqual({ equal: 5, leftNewer: 1, rightNewer: 1, onlyLeft: 1, onlyRight: 1, differs: 1 })
    const kinds = new Map(differences.map(({ id, kind }: { id: string; kind: string }) => [id, kind]))
    expect(ids.slice(0, 5).map((id) => kinds.get(id))).toEqual([
      'leftNewer',
      'rightNewer',
      'onlyLeft',
      'onlyRight',
      'differs',
    ])
    expect(await endsOf(t.scene)).toBe(saved)
    const part = await t.scene.run([
      'db',
      'verify',
      'app',
      '-b',
      String(THEN + 4),
      '-e',
      String(THEN + 9),
      '--output',
      'json',
    ])
    expect([part.code, JSON.parse(part.out).counts]).toMatchObject([0, { equal: 5, differs: 0 }])
  })
})
