import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { PostgresOptions } from '../../src/state/postgres-connections.ts'
import { openPostgresStore } from '../../src/state/postgres-store.ts'
import { type Owner, OwnerLost, type RunDraft, type StateStore } from '../../src/state/store.ts'
import { item, newId, PROBLEM, range, SUCCEEDED } from '../conformance/state-bench.ts'
import { describeStateStore } from '../conformance/state-store.ts'
import { makeCa } from '../lib/certificates.ts'
import { LossyProxy } from './lib/lossy-proxy.ts'
import { type Postgres, startPostgres } from './lib/postgres.ts'

const PASSWORD = /hunter2/
/** As the protocol carries it; `BEGIN ISOLATION LEVEL READ COMMITTED` has the word, too. */
const COMMIT = 'COMMIT\0'
let postgres: Postgres

beforeAll(async () => {
  postgres = await startPostgres()
})
afterAll(() => postgres[Symbol.asyncDispose]())

describeStateStore('a store in PostgreSQL', async () => {
  const url = await postgres.createDatabase()
  return {
    options: { kind: 'postgres', url, maxConnections: 4 },
    raiseVersion: async () => {
      await postgres.query(url, 'UPDATE syncer_schema_version SET version = 1000')
    },
    [Symbol.asyncDispose]: async () => undefined,
  }
})

describe('a store in PostgreSQL', () => {
  let url: string
  let ends: (() => PromiseLike<unknown>)[]
  const open = async (options: Partial<PostgresOptions> = {}) => {
    const store = await openPostgresStore({ url: () => url, maxConnections: 4, ...options })
    ends.push(() => store[Symbol.asyncDispose]())
    return store
  }
  const draft = (owner: Owner, change: Partial<RunDraft> = {}): RunDraft => ({
    ...{ id: newId(), kind: 'tokens', trigger: 'api', resources: [newId()], request: '{}', dryRun: false },
    ...{ owner: owner.id, takesUp: null, createdAt: 1, ...change },
  })
  /** Ends every connection to the database but that of who asks. */
  const cutConnections = () =>
    postgres.query(
      url,
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    )
  const fillPool = (store: StateStore) => Promise.all(range(12).map(() => store.getValue('a')))

  beforeEach(async () => {
    ends = []
    url = await postgres.createDatabase()
  })
  afterEach(async () => {
    for (const end of ends.reverse()) await end()
  })

  describe('that was away', () => {
    it('answers reads and writes after all its connections were cut, as if nothing had been', async () => {
      const store = await open()
      const owner = await store.openOwner(60_000)
      const { run } = await store.createRun(draft(owner))
      for (const call of [
        () => store.getRun(run.id),
        () => store.changeRun(run.id, { progress: '1' }),
        () => store.putItems(run.id, [item('a')]),
        () => store.createRun(draft(owner)),
        () => owner.beat(),
        () => store.endRun(run.id, SUCCEEDED),
      ]) {
        await fillPool(store)
        // The process is busy meanwhile: it learns of the cuts only with its next call.
        const cutting = cutConnections()
        const called = range(4).map(() => call())
        await cutting
        for (const result of await Promise.allSettled(called)) expect(result.status).toBe('fulfilled')
      }
    })

    it('says so without its password, and is there again by itself', async () => {
      const own = await startPostgres()
      ends.push(() => own[Symbol.asyncDispose]())
      const address = await own.createDatabase()
      const store = await open({ url: () => address })
      await store.putValue('a', '1')
      await own.end()
      const refusal = expect(store.getValue('a')).rejects
      await refusal.toMatchObject({ name: 'StateUnavailable' })
      await expect(store.getValue('a')).rejects.toThrow(
        new RegExp(`^postgres://127\\.0\\.0\\.1:${own.port}/test1: connect ECONNREFUSED 127\\.0\\.0\\.1:${own.port}$`),
      )
      await expect(open({ url: () => address })).rejects.toMatchObject({ name: 'StateUnavailable' })
      await own.start()
      expect(await store.getValue('a')).toBe('1')
    })

    it('and is frozen is given up after a while', async () => {
      const own = await startPostgres()
      ends.push(() => own[Symbol.asyncDispose]())
      const address = await own.createDatabase()
      const store = await open({ url: () => address })
      await fillPool(store)
      own.freeze()
      const startedAt = performance.now()
      const calls = [store.getValue('a'), store.interruptOrphans(1, PROBLEM), store.putValue('a', 'b')]
      const results = await Promise.allSettled(calls)
      for (const result of results) expect(result).toMatchObject({ reason: { name: 'StateUnavailable' } })
      expect(performance.now() - startedAt).toBeLessThan(12_000)
      own.thaw()
      expect((await store.listRuns({ limit: 1 })).items).toEqual([])
    })
  })

  describe('whose answer was lost', () => {
    let proxy: LossyProxy
    let store: StateStore
    let owner: Owner

    beforeEach(async () => {
      proxy = await LossyProxy.start(postgres.port)
      ends.push(() => proxy[Symbol.asyncDispose]())
      const through = url.replace(`:${postgres.port}/`, `:${proxy.port}/`)
      store = await open({ url: () => through })
      owner = await store.openOwner(60_000)
    })
    afterEach(() => expect(proxy.lost).toBe(1))

    it('has made the run once, and says so', async () => {
      const wanted = draft(owner, { resources: ['x'], idempotency: { key: 'k', fingerprint: 'f' } })
      proxy.loseAnswerTo(COMMIT)
      expect(await store.createRun(wanted)).toMatchObject({ outcome: 'created', run: { id: wanted.id } })
      expect((await store.listRuns({ limit: 10 })).items).toHaveLength(1)
    })

    it('has ended the run, and says so to who ended it', async () => {
      const { run } = await store.createRun(draft(owner))
      proxy.loseAnswerTo('freed')
      expect(await store.endRun(run.id, SUCCEEDED)).toBe(true)
      expect(await store.endRun(run.id, SUCCEEDED)).toBe(false)
    })

    it('does not say that it has ended a run which another one ended', async () => {
      const { run } = await store.createRun(draft(owner))
      const other = await open()
      await other.endRun(run.id, { ...SUCCEEDED, state: 'interrupted' })
      proxy.loseAnswerTo('freed')
      expect(await store.endRun(run.id, SUCCEEDED)).toBe(false)
    })

    it('has put each item once', async () => {
      const { run } = await store.createRun(draft(owner))
      proxy.loseAnswerTo('syncer_items')
      await store.putItems(run.id, [item('a'), item('b')])
      expect((await store.listItems(run.id, { limit: 10 })).items).toEqual([item('a'), item('b')])
      expect((await store.readItemsAfter(run.id, 0, 10)).map(({ key }) => key)).toEqual(['a', 'b'])
    })

    it('has interrupted the runs, and does not pretend to know which', async () => {
      await store.createRun(draft(owner))
      await owner[Symbol.asyncDispose]()
      proxy.loseAnswerTo(COMMIT)
      await expect(store.interruptOrphans(1, PROBLEM)).rejects.toMatchObject({ name: 'StateUnavailable' })
      expect((await store.listRuns({ state: 'interrupted', limit: 10 })).items).toHaveLength(1)
    })
  })

  describe('and time', () => {
    it('takes an owner for dead that has not beaten, and it learns so with its next beat', async () => {
      const [store, other] = [await open(), await open()]
      const owner = await store.openOwner(300)
      const { run } = await store.createRun(draft(owner, { resources: ['x'] }))
      const alive = await other.openOwner(60_000)
      for (const _ of range(6)) {
        await sleep(100)
        await owner.beat()
      }
      expect(await other.interruptOrphans(1, PROBLEM)).toEqual([])
      await sleep(400)
      expect((await other.interruptOrphans(1, PROBLEM)).map(({ id }) => id)).toEqual([run.id])
      await expect(owner.beat()).rejects.toThrow(OwnerLost)
      await expect(store.createRun(draft(owner))).rejects.toThrow(OwnerLost)
      expect((await other.createRun(draft(alive, { resources: ['x'] }))).outcome).toBe('created')
      expect(await store.endRun(run.id, SUCCEEDED)).toBe(false)
    })

    it('lets an owner live that is late, when nobody has looked', async () => {
      const store = await open()
      const owner = await store.openOwner(50)
      await store.createRun(draft(owner))
      await sleep(200)
      await owner.beat()
      expect(await store.interruptOrphans(1, PROBLEM)).toEqual([])
    })

    it('either hears a beat or takes the owner for dead, when both happen at once', async () => {
      const stores = [await open(), await open()]
      const [store, other] = stores
      if (store === undefined || other === undefined) throw new Error('two stores')
      for (const _ of range(15)) {
        const owner = await store.openOwner(1)
        await store.createRun(draft(owner))
        await sleep(5)
        const [beat, orphans] = await Promise.all([
          owner.beat().then(
            () => 'heard',
            (error: unknown) => error,
          ),
          other.interruptOrphans(1, PROBLEM),
        ])
        if (orphans.length === 0) expect(beat).toBe('heard')
        // It may have beaten, and been late again.
        else await expect(owner.beat()).rejects.toThrow(OwnerLost)
        await owner[Symbol.asyncDispose]()
        await other.interruptOrphans(1, PROBLEM)
      }
    })

    it('never leaves a run behind whose owner died while it was made', async () => {
      const [store, other] = [await open(), await open()]
      for (const _ of range(15)) {
        const owner = await store.openOwner(1)
        await sleep(3)
        const [made, orphans] = await Promise.all([
          store.createRun(draft(owner, { resources: ['x'] })).catch((error: unknown) => error),
          other.interruptOrphans(1, PROBLEM),
        ])
        const later = await other.interruptOrphans(1, PROBLEM)
        const isLost = made instanceof OwnerLost
        expect([...orphans, ...later]).toHaveLength(isLost ? 0 : 1)
        expect((await other.listRuns({ state: 'queued', limit: 10 })).items).toEqual([])
      }
    })

    it('lets nobody hold up the making of runs for ever', async () => {
      const store = await open()
      const owner = await store.openOwner(60_000)
      const stuck = new Client({ connectionString: url })
      await stuck.connect()
      stuck.on('error', () => undefined)
      ends.push(() => stuck.end())
      await stuck.query("BEGIN; SET idle_in_transaction_session_timeout = '7s'")
      await stuck.query('SELECT pg_advisory_xact_lock($1, $2)', [0x73796e63, 0x72756e73])
      await expect(store.createRun(draft(owner))).rejects.toMatchObject({ name: 'StateUnavailable' })
      expect((await store.createRun(draft(owner))).outcome).toBe('created')
    })
  })

  describe('when it is opened', () => {
    it.each([
      ['a wrong password', () => url.replace('hunter2', 'hunter22'), 'StateUnusable', /password authentication failed/],
      [
        'no such database',
        () => url.replace(/[^/]+$/, 'nowhere'),
        'StateUnusable',
        /database "nowhere" does not exist/,
      ],
      ['no such host', () => url.replace('127.0.0.1', 'nowhere.invalid'), 'StateUnavailable', /ENOTFOUND|EAI_AGAIN/],
      ['nobody there', () => url.replace(String(postgres.port), '1'), 'StateUnavailable', /ECONNREFUSED/],
      ['no address', () => 'hunter2', 'StateUnusable', /must be of the form postgres:/],
      ['TLS that it does not speak', () => `${url}?sslmode=verify-full`, 'StateUnavailable', /does not support SSL/],
    ])('tells of %s, and not of the password', async (_, address, name, message) => {
      const error: unknown = await open({ url: address }).catch((reason: unknown) => reason)
      expect(error).toMatchObject({ name, message: expect.stringMatching(message) })
      expect((error as Error).message).not.toMatch(PASSWORD)
    })

    it('needs no right to make tables once they are there', async () => {
      await open()
      await postgres.query(url, "CREATE ROLE reader LOGIN PASSWORD 'hunter2'")
      await postgres.query(url, 'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO reader')
      const limited = await open({ url: () => url.replace('postgres:hunter2', 'reader:hunter2') })
      await limited.putValue('a', 'b')
      expect(await limited.getValue('a')).toBe('b')
    })

    it('is refused where it may not make them', async () => {
      await postgres.query(url, "CREATE ROLE nobody LOGIN PASSWORD 'hunter2'")
      const refused = open({ url: () => url.replace('postgres:hunter2', 'nobody:hunter2') })
      await expect(refused).rejects.toMatchObject({
        name: 'StateUnusable',
        message: /permission denied for schema public/,
      })
    })

    it('takes a new address when there is one, and the last good one when there is none', async () => {
      let address = url
      const store = await open({ url: () => address, maxConnections: 2 })
      const second = await postgres.createDatabase()
      await (await open({ url: () => second })).putValue('a', 'second')
      address = 'half writ'
      await cutConnections()
      expect(await store.getValue('a')).toBeUndefined()
      address = second
      await cutConnections()
      expect(await store.getValue('a')).toBe('second')
    })
  })

  it('keeps its tables beside those of others', async () => {
    await postgres.query(url, 'CREATE TABLE runs (mine text)')
    await open()
    const tables = await postgres.query(url, "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
    for (const { name } of tables) expect(name).toMatch(/^(syncer_\w+|runs)$/)
  })

  it('uses no more connections than it may', async () => {
    const store = await open({ maxConnections: 2 })
    const owner = await store.openOwner(60_000)
    let most = 0
    let isDone = false
    const work = Promise.all(range(30).map(() => store.createRun(draft(owner)))).finally(() => {
      isDone = true
    })
    while (!isDone) {
      const sql =
        "SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'syncer'"
      most = Math.max(most, Number((await postgres.query(url, sql))[0]?.['count']))
    }
    expect((await work).every(({ outcome }) => outcome === 'created')).toBe(true)
    expect(most).toBe(2)
  })
})

describe('a store in PostgreSQL over TLS', () => {
  it('trusts only the authority that it is told of, for the name that it is told', async () => {
    const ca = await makeCa()
    const stranger = await makeCa('Another CA')
    await using server = await startPostgres({ tls: await ca.issue({ names: ['db.test'], ips: ['127.0.0.1'] }) })
    const url = await server.createDatabase()
    const open = async (tls: PostgresOptions['tls'], address = url) => {
      await using store = await openPostgresStore({ url: () => address, maxConnections: 2, tls })
      await store.putValue('a', 'b')
      const [row] = await server.query(
        url,
        "SELECT count(*)::int AS count FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE ssl AND application_name = 'syncer'",
      )
      return row?.['count']
    }
    expect(await open({ ca: () => ca.cert })).toBeGreaterThan(0)
    expect(await open({ ca: () => ca.cert, servername: 'db.test' })).toBeGreaterThan(0)
    const byName = url.replace('127.0.0.1', 'localhost')
    expect(await open({ ca: () => ca.cert, servername: 'db.test' }, byName)).toBeGreaterThan(0)
    await expect(open({ ca: () => ca.cert }, byName)).rejects.toThrow(/does not match/)
    await expect(open({ ca: () => ca.cert, servername: 'other.test' })).rejects.toThrow(/does not match/)
    await expect(open({ ca: () => stranger.cert })).rejects.toThrow(/unable to verify|self.signed|certificate/)
    await expect(open({})).rejects.toThrow(/unable to verify|self.signed|certificate/)
  })
})
