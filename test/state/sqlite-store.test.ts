import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeFile } from '../../src/state/sqlite-database.ts'
import { openSqliteStore } from '../../src/state/sqlite-store.ts'
import { OwnerLost, type StateStore, StateUnavailable } from '../../src/state/store.ts'
import { item, range } from '../conformance/state-bench.ts'
import { describeStateStore } from '../conformance/state-store.ts'

const makeFolder = () => mkdtempSync(join(tmpdir(), 'syncer-state-'))

describeStateStore('a store in SQLite', async () => {
  const folder = makeFolder()
  const path = join(folder, 'deep', 'state.db')
  return {
    options: { kind: 'sqlite', path },
    raiseVersion: async () => {
      using database = new DatabaseSync(path)
      database.exec('UPDATE schema_version SET version = 1000')
    },
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
  }
})

describe('the file of a store in SQLite', () => {
  let folder: string
  let path: string
  let stores: StateStore[]
  const open = async (at = path) => {
    const store = await openSqliteStore({ path: at })
    stores.push(store)
    return store
  }
  const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8)
  const draft = (owner: string, id = 'a') =>
    ({
      id,
      kind: 'tokens',
      trigger: 'api',
      resources: [id],
      request: '',
      dryRun: false,
      owner,
      takesUp: null,
      createdAt: 1,
    }) as const

  beforeEach(() => {
    folder = makeFolder()
    path = join(folder, 'a', 'b', 'state.db')
    stores = []
  })
  afterEach(async () => {
    for (const store of stores) await store[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  it('and its folder are made, for nobody else to read', async () => {
    const store = await open()
    await store.openOwner(1_000)
    await store.putValue('a', 'b')
    expect(modeOf(dirname(path))).toBe('700')
    const files = readdirSync(dirname(path))
    expect(files.length).toBeGreaterThanOrEqual(4)
    for (const file of files) expect([file, modeOf(join(dirname(path), file))]).toEqual([file, '600'])
  })

  it('is one file again when all is closed', async () => {
    const [one, two] = [await open(), await open()]
    await one.openOwner(1_000)
    await two.openOwner(1_000)
    await one[Symbol.asyncDispose]()
    await two[Symbol.asyncDispose]()
    expect(readdirSync(dirname(path))).toEqual(['state.db'])
  })

  it('that stands where a folder is cannot be used', async () => {
    mkdirSync(path, { recursive: true })
    await expect(open()).rejects.toMatchObject({
      name: 'StateUnusable',
      message: `state file ${path}: cannot be opened`,
    })
  })

  it('that stands below a file cannot be used', async () => {
    writeFileSync(join(folder, 'a'), '')
    const message = `state file ${path}: cannot be made (ENOTDIR)`
    await expect(open()).rejects.toMatchObject({ name: 'StateUnusable', message })
  })

  it('that stands in a folder which makes no folders is refused, and not tried for ever', () => {
    expect(() => makeFile('/proc/syncer/state.db')).toThrow('state file /proc/syncer/state.db: cannot be made (ENOENT)')
  })

  it('that is no database is left as it is', async () => {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, 'notes of mine, which are longer than the head of a database\n'.repeat(20))
    const message = `state file ${path}: is no SQLite database`
    await expect(open()).rejects.toMatchObject({ name: 'StateUnusable', message })
    expect(statSync(path).size).toBe(1_200)
  })

  it('that is the database of something else is left as it is', async () => {
    mkdirSync(dirname(path), { recursive: true })
    {
      using database = new DatabaseSync(path)
      database.exec('CREATE TABLE runs (mine TEXT)')
    }
    const message = `state file ${path}: is a SQLite database of something else`
    await expect(open()).rejects.toMatchObject({ name: 'StateUnusable', message })
    using database = new DatabaseSync(path)
    expect(database.prepare('SELECT name FROM sqlite_schema').all()).toEqual([{ name: 'runs' }])
    expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'delete' })
  })

  it('that is locked by another process is waited for, while the event loop turns', async () => {
    const store = await open()
    using other = new DatabaseSync(path)
    other.exec('BEGIN IMMEDIATE')
    let isDone = false
    const putting = store.putValue('a', 'b').then(() => {
      isDone = true
    })
    for (const _ of range(30)) await sleep(10)
    expect(isDone).toBe(false)
    other.exec('COMMIT')
    await putting
    expect(await store.getValue('a')).toBe('b')
  })

  it('keeps the event loop waiting for no more than the message takes, whatever is written', async () => {
    const store = await open()
    const owner = await store.openOwner(60_000)
    await store.createRun(draft(owner.id))
    const blockedMs: number[] = []
    for (const round of range(20)) {
      const items = range(500).map((n) => item(`k-${round}-${n}`, 'updated', 'x'.repeat(500)))
      const startedAt = performance.now()
      const putting = store.putItems('a', items)
      blockedMs.push(performance.now() - startedAt)
      await putting
    }
    // Others share the machine: the better half says what it takes.
    expect(blockedMs.sort((a, b) => a - b)[10]).toBeLessThan(5)
  })

  it('does not keep a process from ending that has forgotten to close it', async () => {
    const script = `
      import { openSqliteStore } from ${JSON.stringify(join(import.meta.dirname, '../../src/state/sqlite-store.ts'))}
      const store = await openSqliteStore({ path: ${JSON.stringify(path)} })
      await store.putValue('a', 'b')`
    const file = join(folder, 'script.mts')
    writeFileSync(file, script)
    const worker = new Worker(file, { execArgv: [] })
    expect(await once(worker, 'exit')).toEqual([0])
    expect(await (await open()).getValue('a')).toBe('b')
  })

  describe('that tells who lives', () => {
    const lockOf = (owner: string) => `${path}.owner-${owner}`

    it('goes with its owner', async () => {
      const store = await open()
      const owner = await store.openOwner(1_000)
      expect(existsSync(lockOf(owner.id))).toBe(true)
      await owner[Symbol.asyncDispose]()
      expect(existsSync(lockOf(owner.id))).toBe(false)
      await owner[Symbol.asyncDispose]()
    })

    it('is cleared away when its process is gone', async () => {
      const store = await open()
      const id = '019b76da-a800-7b3c-9d51-0f7c3f6d2e10'
      writeFileSync(lockOf(id), '')
      writeFileSync(lockOf('mine'), '')
      expect(await store.interruptOrphans(1, '{}')).toEqual([])
      expect(existsSync(lockOf(id))).toBe(false)
      expect(existsSync(lockOf('mine'))).toBe(true)
    })

    it('is not to be removed by hand: its owner is lost then, and knows', async () => {
      const store = await open()
      const owner = await store.openOwner(1_000)
      await store.createRun(draft(owner.id))
      rmSync(lockOf(owner.id))
      expect((await (await open()).interruptOrphans(1, '{}')).map(({ id }) => id)).toEqual(['a'])
      await expect(owner.beat()).rejects.toThrow(OwnerLost)
      await expect(store.createRun(draft(owner.id, 'b'))).rejects.toThrow(OwnerLost)
      await owner[Symbol.asyncDispose]()
    })

    it.each(['removed', 'replaced'])('beats no more when the file of the store was %s', async (how) => {
      const store = await open()
      const owner = await store.openOwner(1_000)
      await owner.beat()
      rmSync(path)
      if (how === 'replaced') writeFileSync(path, '')
      await expect(owner.beat()).rejects.toThrow(StateUnavailable)
      await expect(owner.beat()).rejects.toThrow('was removed or replaced')
    })

    it('is only its own: a store beside it with a like name has others', async () => {
      const store = await open()
      const beside = await open(`${path}.owner-like.db`)
      const owner = await beside.openOwner(1_000)
      await beside.createRun(draft(owner.id))
      await store.interruptOrphans(1, '{}')
      await owner.beat()
      expect(await beside.interruptOrphans(1, '{}')).toEqual([])
      expect((await beside.getRun('a'))?.state).toBe('queued')
    })
  })
})
