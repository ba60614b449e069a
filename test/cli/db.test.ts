import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseShard } from '../../src/cli/db-sync.ts'
import { openState } from '../../src/state/open.ts'
import { eventually } from '../lib/eventually.ts'
import { createFastClock } from '../lib/fast-clock.ts'
import { createDbScene, type DbScene, idOf, LONG_AGO } from './db-scene.ts'

let scene: DbScene
beforeEach(async () => {
  scene = await createDbScene()
})
afterEach(() => scene[Symbol.asyncDispose]())

const json = async (...argv: string[]) => {
  const { code, out, err } = await scene.run([...argv, '--output', 'json'])
  expect(out.trimEnd().split('\n'), err).toHaveLength(1)
  return { code, err, ...JSON.parse(out) }
}
const iso = (ms: number) => new Date(LONG_AGO + ms).toISOString()
/** 1 is on the left only, 2 on the right only, 3 newer on the right, 4 the same. */
const differ = () => {
  scene.left.put(1, 10, 'one')
  scene.right.put(2, 20, 'two')
  scene.left.put(3, 30, 'three')
  scene.right.put(3, 40, 'three, newer')
  for (const side of [scene.left, scene.right]) side.put(4, 50, 'four')
}
const BOTH = { 1: 'one', 2: 'two', 3: 'three, newer', 4: 'four' }
const users = (direction: string, counts: object) => ({
  ...{ table: 'users', direction, applied: 0, older: 0, equal: 0, echoed: 0, failed: 0, ms: expect.any(Number) },
  ...counts,
})

describe('syncer db sync', () => {
  it('brings both sides in step, left to right first, and prints one JSON object', async () => {
    differ()
    const { code, err, window, ...told } = await json('sync', 'app')
    expect(told).toEqual({
      state: 'succeeded',
      items: [
        users('left-to-right', { read: 3, applied: 1, older: 1, equal: 1 }),
        users('right-to-left', { read: 4, applied: 2, equal: 1, echoed: 1 }),
      ],
      counts: { read: 7, applied: 3, older: 1, equal: 2, echoed: 1, failed: 0 },
    })
    expect(window).toEqual({ begin: '1970-01-01T00:00:00.000Z', end: expect.stringMatching(/^20\d\d-.*\.\d{3}Z$/) })
    expect([code, err]).toEqual([0, ''])
    expect([scene.left.dump(), scene.right.dump()]).toEqual([BOTH, BOTH])
  })

  it('tells people the same', async () => {
    differ()
    const { code, out } = await scene.run(['sync', 'app'])
    expect(out.replaceAll(/\d+ ms/g, 'N ms')).toMatch(/^rows from 1970-01-01T00:00:00\.000Z \(not included\) to \S+Z\n/)
    expect(out).toMatch(/\nusers {2}left to right {2}3 {5}1 {8}1 {6}1 {6}0 {7}0 {7}\d+ ms\n/)
    expect(out).toMatch(/\n7 read: 3 applied, 1 older, 2 equal, 1 echoed\n$/)
    expect(code).toBe(0)
  })

  it('goes on where the last run ended, and has nothing to do then', async () => {
    differ()
    const first = await json('sync', 'app')
    const second = await json('sync', 'app')
    expect(second.window.begin).toBe(first.window.end)
    expect(second.counts).toEqual({ read: 0, applied: 0, older: 0, equal: 0, echoed: 0, failed: 0 })
  })

  it('writes nothing in a dry run, and says by its exit code whether there was anything to write', async () => {
    differ()
    const dry = await json('sync', 'app', '--dry-run', '--detailed-exitcode')
    expect([dry.code, dry.state, dry.counts.applied]).toEqual([3, 'succeeded', 3])
    const { out } = await scene.run(['sync', 'app', '--dry-run'])
    expect(out).toContain('\n6 read: 3 to apply, 1 older, 2 equal; nothing was written\n')
    expect(scene.left.dump()).not.toEqual(BOTH)
    await json('sync', 'app')
    expect((await json('sync', 'app', '--dry-run', '--detailed-exitcode')).code).toBe(0)
  })

  it('takes one direction, and an exact window in any notation, which moves nothing that is kept', async () => {
    differ()
    const ends = [String(LONG_AGO + 10), `${LONG_AGO / 1_000}`, iso(0)]
    for (const end of ends) {
      const told = await json('sync', 'app', '--direction', 'left-to-right', '-b', '2025-12-31', '-e', end)
      expect(told.items).toHaveLength(1)
      expect(told.window.begin).toBe('2025-12-31T00:00:00.000Z')
      expect(told.window.end).toBe(end === ends[0] ? iso(10) : iso(0))
      expect(told.counts.applied).toBe(end === ends[0] ? 1 : 0)
    }
    expect((await json('window', 'app')).ends.every(({ end }: { end: string | null }) => end === null)).toBe(true)
  })

  it('carries the parts of a window by hand, without a word in the state', async () => {
    differ()
    const window = ['-b', '2025-12-31', '-e', '2026-02-01']
    const parts = []
    for (const part of ['0/3', '1/3', '2/3']) parts.push(await json('sync', 'app', ...window, '--shard', part))
    expect(parts.map(({ state, code }) => [state, code])).toEqual([
      ['succeeded', 0],
      ['succeeded', 0],
      ['succeeded', 0],
    ])
    expect(parts.reduce((sum, { counts }) => sum + counts.applied, 0)).toBe(3)
    expect([scene.left.dump(), scene.right.dump()]).toEqual([BOTH, BOTH])
    expect(await readdir(scene.cwd)).not.toContain('.syncer')
  })

  it('tells what failed, keeps it in a file beside the state, and tries it again', async () => {
    scene.left.put(1, 10, 'one')
    scene.left.database.exec(`INSERT INTO users VALUES ('${idOf(2)}', 'never', 'two', 2)`)
    const told = await json('sync', 'app')
    expect([told.code, told.state, told.counts.failed, told.counts.applied]).toEqual([1, 'failed', 1, 1])
    expect(told.err).toContain(
      `rows that could not be carried are in ${join(scene.cwd, '.syncer/dead-letters-app.jsonl')}`,
    )
    const letter = JSON.parse(await readFile(join(scene.cwd, '.syncer/dead-letters-app.jsonl'), 'utf8'))
    expect(letter).toMatchObject({ table: 'users', direction: 'left-to-right', id: idOf(2) })
    scene.left.put(2, 20, 'two')
    expect((await json('sync', 'app')).state).toBe('succeeded')
    expect(scene.right.dump()).toEqual({ 1: 'one', 2: 'two' })
    expect(await readdir(join(scene.cwd, '.syncer'))).not.toContain('dead-letters-app.jsonl')
  })

  it('refuses a table by its name before anything is written', async () => {
    differ()
    scene.left.database.exec('CREATE TABLE broken (id TEXT PRIMARY KEY, name TEXT)')
    const { code, state, err, counts } = await json('sync', 'app')
    expect([code, state, counts.read]).toEqual([1, 'failed', 0])
    expect(err).toMatch(/^syncer db sync: .*broken/)
    expect(scene.right.dump()).not.toHaveProperty('1')
    expect((await json('sync', 'app', '--tables', 'users')).state).toBe('succeeded')
  })

  it('names the tables that there are in place of one that neither side has', async () => {
    scene.left.database.exec('CREATE TABLE orders (id TEXT PRIMARY KEY, tmstmp TEXT)')
    const { code, err } = await scene.run(['sync', 'app', '--tables', 'users,order'])
    expect([code, err]).toEqual([
      1,
      'syncer db sync: table order cannot be synced: neither side has it; there are orders, users\n',
    ])
  })

  it('draws how far it is on a terminal alone', async () => {
    scene.left.fill(3_000)
    const { err } = await scene.run(['sync', 'app'], { columns: 120 })
    expect(err).toMatch(/syncing \[=* *\] \d+\/\d+, users, (left to right|right to left), \d+ rows/)
    expect((await scene.run(['sync', 'app'])).err).toBe('')
  })

  it('says whom it waits for while it waits, beside the bar', async () => {
    scene.left.put(1, 10, 'one')
    const clock = createFastClock(5)
    scene.right.database.exec('BEGIN IMMEDIATE')
    const { io, code } = scene.start(['sync', 'app', '--direction', 'left-to-right'], { clock, columns: 100 })
    await eventually(() => io.written.err.includes('tried again'))
    scene.right.database.exec('COMMIT')
    expect(await code).toBe(0)
    const path = join(scene.cwd, 'right.db')
    expect(io.written.err.replaceAll('\r\u001b[K', '\n').split('\n')).toEqual(
      expect.arrayContaining([
        `syncer db sync: sqlite ${path}: another process keeps it locked; each request is tried again for 30 s`,
        expect.stringMatching(`^syncer db sync: sqlite ${path}: answers again, after \\d s$`),
      ]),
    )
  })

  it('ends cleanly when it is asked to', async () => {
    scene.left.fill(3_000)
    const { io, code } = scene.start(['sync', 'app', '--output', 'json'])
    await eventually(() => io.emitter.listenerCount('SIGINT') > 0)
    io.emitter.emit('SIGINT')
    expect(await code).toBe(1)
    expect(JSON.parse(io.written.out)).toMatchObject({ state: 'failed', problem: 'stopped by SIGINT' })
    expect(io.written.err).toContain('syncer db sync: stopped by SIGINT\n')
    expect((await json('sync', 'app')).state).toBe('succeeded')
    expect(scene.right.dump()).toEqual(scene.left.dump())
  })

  it('is told which run is under way, and never waits for one whose process is gone', async () => {
    const store = await openState({ kind: 'sqlite', path: join(scene.cwd, '.syncer/state.db') })
    const owner = await store.openOwner(30_000)
    const id = '019b76da-a800-7b3c-9d51-0f7c3f6d2e10'
    await store.createRun({
      ...{ id, kind: 'db', trigger: 'schedule', resources: ['pair:app'], request: '{}', dryRun: false },
      ...{ owner: owner.id, takesUp: null, createdAt: LONG_AGO },
    })
    for (const argv of [
      ['sync', 'app'],
      ['verify', 'app'],
      ['window', 'app', '--reset'],
    ]) {
      const { code, err, out } = await scene.run(argv)
      expect([code, out]).toEqual([1, ''])
      expect(err).toBe(
        `syncer db ${argv[0]}: run ${id} is under way on app (queued, started by schedule at 2026-01-01T00:00:00.000Z)\n`,
      )
    }
    for (const command of ['sync', 'verify']) {
      const told = await json(command, 'app')
      expect([told.code, told.state, told.items, told.window]).toEqual([1, 'failed', [], null])
      expect(told.problem).toMatch(/^run 019b76da-a800-7b3c-9d51-0f7c3f6d2e10 is under way on app /)
      expect(told.err).toBe(`syncer db ${command}: ${told.problem}\n`)
    }
    await owner[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
    expect((await json('sync', 'app')).state).toBe('succeeded')
  })
})

describe('syncer db verify', () => {
  it('counts every id once, lists what differs, and exits with 1', async () => {
    differ()
    const { code, window: _, items: __, err, ...told } = await json('verify', 'app')
    expect(told).toEqual({
      state: 'failed',
      counts: { equal: 1, leftNewer: 0, rightNewer: 1, onlyLeft: 1, onlyRight: 1, differs: 0 },
      differences: [
        { table: 'users', id: idOf(1), kind: 'onlyLeft' },
        { table: 'users', id: idOf(2), kind: 'onlyRight' },
        { table: 'users', id: idOf(3), kind: 'rightNewer' },
      ],
      repaired: 0,
    })
    expect([code, err]).toEqual([1, ''])
    const { out } = await scene.run(['verify', 'app', '--max-differences', '1'])
    expect(out).toContain(`\n  users  ${idOf(1)}  only on the left\n  and 2 more\n`)
    expect(out).toMatch(/1 equal, 1 newer on the right, 1 only on the left, 1 only on the right\n$/)
  })

  it('succeeds when all is equal, and neither reads nor moves what is kept', async () => {
    differ()
    await json('sync', 'app')
    const before = await json('window', 'app')
    const told = await json('verify', 'app')
    expect([told.code, told.state, told.window.begin]).toEqual([0, 'succeeded', '1970-01-01T00:00:00.000Z'])
    expect(await json('window', 'app')).toEqual(before)
  })

  it('brings orphans to the other side, and deletes them only where it is told to', async () => {
    differ()
    const copied = await json('verify', 'app', '--orphans', '--repair', 'copy')
    expect([copied.repaired, copied.counts.onlyLeft, copied.counts.onlyRight]).toEqual([2, 0, 0])
    expect(scene.left.dump()).toMatchObject({ 2: 'two' })
    scene.left.put(5, 60, 'five')
    expect((await json('verify', 'app', '--orphans')).repaired).toBe(0)
    expect((await json('verify', 'app', '--orphans', '--repair', 'delete-left')).repaired).toBe(1)
    expect(scene.left.dump()).not.toHaveProperty('5')
  })
})

describe('syncer db window', () => {
  it('shows, sets and forgets where the next sync begins', async () => {
    expect((await scene.run(['window', 'app'])).out).toBe('tables that no run has met yet begin in 1970\n')
    const first = await json('sync', 'app')
    const { end } = first.window
    expect((await json('window', 'app')).ends).toEqual([
      { table: 'users', direction: 'left-to-right', end },
      { table: 'users', direction: 'right-to-left', end },
    ])
    const set = await json('window', 'app', '--set', '1767225600')
    expect(set.ends.map((one: { end: string }) => one.end)).toEqual([iso(0), iso(0)])
    expect((await json('sync', 'app')).window.begin).toBe(iso(0))
    expect((await json('window', 'app', '--reset')).ends).toEqual([])
    expect((await json('sync', 'app')).window.begin).toBe('1970-01-01T00:00:00.000Z')
  })
})

describe('wrong usage is one line, and exit code 2', () => {
  it.each<[string[], string]>([
    [['sync'], 'syncer db sync: which pair is meant; allowed are PAIR, or -k KEYSPACE and -i INDEX'],
    [['sync', '-k', 'a'], 'syncer db sync: -k without -i; allowed are PAIR, or -k KEYSPACE and -i INDEX'],
    [['verify', '-i', 'a'], 'syncer db verify: -i without -k; allowed are PAIR, or -k KEYSPACE and -i INDEX'],
    [
      ['sync', 'app', '-k', 'a'],
      'syncer db sync: app is a pair of the configuration, which says where its stores are; allowed are PAIR, or -k KEYSPACE and -i INDEX',
    ],
    [['sync', 'other'], 'syncer db sync: other is no pair of CWD/syncer.yaml: they are app'],
    [
      ['sync', 'app', '--tables', ' ,'],
      "syncer db sync: option '--tables <names>' argument ' ,' is invalid. Allowed are names of tables, with commas between them.",
    ],
    [
      ['sync', 'app', '-b', 'soon'],
      'syncer db sync: --begin "soon" is no time; allowed are ISO 8601 (2015-01-01T00:00:00Z; UTC where no offset is given), epoch seconds (10 digits) and milliseconds (13 digits)',
    ],
    [
      ['sync', 'app', '-b', '2026-01-02', '-e', '2026-01-01'],
      'syncer db sync: --begin is after end: nothing lies in between',
    ],
    [
      ['sync', 'app', '--shard', '0/2'],
      'syncer db sync: --shard needs --begin and --end; allowed are all three, or neither',
    ],
    [['verify', 'app', '--repair', 'copy'], 'syncer db verify: --repair needs --orphans; allowed are both or neither'],
    [
      ['window', 'app', '--set', 'soon'],
      'syncer db window: --set "soon" is no time; allowed are ISO 8601 (2015-01-01T00:00:00Z; UTC where no offset is given), epoch seconds (10 digits) and milliseconds (13 digits)',
    ],
    [
      ['sync', '-k', 'a', '-i', 'A'],
      'syncer db sync: -i is no name of an index: lower case, no blanks, none of \\ / * ? " < > | , # : and no - _ + in front',
    ],
    [
      ['sync', '-k', 'a', '-i', 'a', '--cassandra', 'a:b'],
      'syncer db sync: --cassandra must be HOST or HOST:PORT: 10.0.0.1:9042, [::1]:9042',
    ],
    [
      ['sync', '-k', 'a', '-i', 'a', '--elasticsearch', 'http://me:hunter2@a'],
      'syncer db sync: --elasticsearch must not contain a user name or a password: use authorization',
    ],
  ])('%j', async (argv, line) => {
    const { code, out, err } = await scene.run(argv)
    expect([code, out, err]).toEqual([2, '', `${line.replace('CWD', scene.cwd)}\n`])
  })

  it('is that of the configuration too', async () => {
    await writeFile(join(scene.cwd, 'syncer.yaml'), 'db: { pair: [] }')
    const { code, err } = await scene.run(['sync', 'app'])
    expect([code, err]).toEqual([
      2,
      `syncer: ${join(scene.cwd, 'syncer.yaml')}: db.pair: unknown key, did you mean "pairs"? allowed: pairs (line 1)\n`,
    ])
  })

  it('says that there is no configuration', async () => {
    const { err } = await scene.run(['sync', 'app'], { cwd: '/' })
    expect(err).toBe('syncer db sync: app is no pair of the configuration (there is no file): it has none\n')
  })
})

it.each(['', '1', '1/', '4/4', '0/0', '-1/2', '1.5/2', '0/1000001'])('%j is no part of a window', (text) => {
  expect(() => parseShard(text)).toThrow('Allowed is i/n with i from 0 to n - 1')
})
