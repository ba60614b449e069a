import { describe, expect, it } from 'vitest'
import { findTroubles, may, summarize, viewsOf } from '../../public/model/health.js'
import { describeChecks, describeLag, lagColumns, newestLag, verdictColumns } from '../../public/model/history.js'
import { describeOutcome, describeTook } from '../../public/model/outcome.js'
import { planSections, searchRows } from '../../public/model/plan.js'
import { describeKind, describeReplica, describeRunState } from '../../public/model/words.js'
import type { Replica, Run, RunItem, Status } from '../../public/types.ts'

const C1 = 'http://c1'
const C2 = 'http://c2'
const NAMES = new Map([
  [C1, 'east'],
  [C2, 'west'],
])
const HOW = { dryRun: true, nameOf: (url: string) => NAMES.get(url) ?? url }

const REPLICA: Replica = {
  ...{ name: 'gw-0', address: '10.0.0.1', port: 1, terminating: false, state: 'up' },
  ...{ since: '2026-01-01T00:00:00.000Z', lag: null },
}
const STATUS: Status = {
  service: { version: '1', instance: 'syncer-0', startedAt: '2026-01-01T00:00:00.000Z' },
  leader: { driver: 'memory', name: 'syncer-0', isLeader: true, term: null, expiresInMs: null },
}
const VERDICTS = { Synced: 0, Partialy: 0, NotSynced: 0, Timeout: 0 }
const withReplicas = (...replicas: Partial<Replica>[]): Status => ({
  ...STATUS,
  gateway: {
    source: { kind: 'static', ageMs: 0 },
    replicas: replicas.map((one) => ({ ...REPLICA, ...one })),
    verdicts: VERDICTS,
  },
})
const RUN: Run = {
  ...{
    id: '1',
    kind: 'tokens',
    state: 'failed',
    trigger: 'api',
    request: {},
    dryRun: false,
    progress: null,
    summary: null,
  },
  ...{
    createdAt: '2026-01-01T00:00:00.000Z',
    startedAt: '2026-01-01T00:00:01.000Z',
    endedAt: '2026-01-01T00:00:03.500Z',
  },
}

describe('how everything is', () => {
  it('is well when nothing is wrong', () => {
    expect(summarize(withReplicas({}, { state: 'unknown' }))).toEqual({ tone: 'good', headline: 'All is well' })
  })

  it('is what is wrong, the worst first', () => {
    const status: Status = {
      ...withReplicas(
        { name: 'gw-1', state: 'down', reason: 'refused', terminating: true },
        { name: 'gw-2', state: 'down', reason: 'tls' },
      ),
      tokens: { clusters: [], lastRun: RUN },
      schedules: [],
    }
    expect(findTroubles(status).map(({ tone, text }) => `${tone} ${text}`)).toEqual([
      'bad gw-2 has a certificate that does not verify',
      'bad The last token sync failed',
      'warn gw-1 refuses connections',
    ])
    expect(summarize(status)).toEqual({
      tone: 'bad',
      headline: 'gw-2 has a certificate that does not verify, and 2 more things',
    })
  })

  it.each<[string, Status]>([
    [
      'There is no list of replicas yet',
      { ...withReplicas(), gateway: { source: { kind: 'dns', ageMs: null }, replicas: [], verdicts: VERDICTS } },
    ],
    ['The list of replicas is empty', withReplicas()],
    ['Nobody is known to lead', { ...STATUS, leader: { ...STATUS.leader, name: null, isLeader: false } }],
    ['Who leads cannot be asked: refused', { ...STATUS, leader: { ...STATUS.leader, problem: 'refused' } }],
    [
      '2 rows of app could not be carried',
      {
        ...STATUS,
        db: {
          pairs: [
            {
              ...{ name: 'app', left: { kind: 'sqlite', address: 'a' }, right: { kind: 'sqlite', address: 'b' } },
              ...{ tables: 'all', execution: 'process', savedEnds: [], deadLetters: 2, lastRun: null },
            },
          ],
        },
      },
    ],
  ])('tells: %s', (headline, status) => {
    expect(summarize(status).headline).toBe(headline)
  })

  it('has views for what is configured alone', () => {
    expect(viewsOf(STATUS)).toEqual(['overview'])
    expect(viewsOf({ ...withReplicas(), tokens: { clusters: [], lastRun: null }, schedules: [] })).toEqual([
      'overview',
      'gateway',
      'tokens',
      'runs',
    ])
  })

  it('lets do what the scopes of the caller allow', () => {
    const status: Status = { ...STATUS, caller: { name: 'x', scopes: ['read', 'db'] } }
    expect([may(status, 'db'), may(status, 'tokens')]).toEqual([true, false])
  })
})

describe('words', () => {
  it('tell a replica that leaves from one that fails', () => {
    expect(describeReplica({ state: 'down', terminating: false })).toEqual({ word: 'down', tone: 'bad' })
    expect(describeReplica({ state: 'up', terminating: true })).toEqual({ word: 'up, leaving', tone: 'warn' })
  })

  it('show what a newer service says as it came', () => {
    expect(describeRunState({ state: 'paused' as 'queued' })).toEqual({ word: 'paused', tone: 'idle' })
  })

  it.each([
    [{ kind: 'tokens', dryRun: true, request: {} }, 'token sync, dry run'],
    [{ kind: 'tokens', dryRun: false, request: { plan: '1' } }, 'token plan'],
    [{ kind: 'db', dryRun: false, request: { operation: 'verify', pair: 'app' } }, 'database verify of app'],
    [{ kind: 'db', dryRun: false }, 'database run'],
  ])('tell what a run is of: %j', (run, text) => {
    expect(describeKind(run)).toBe(text)
  })
})

describe('a plan', () => {
  const item = (id: string, results: Record<string, object>, latest = C1): RunItem =>
    ({ id, status: 'updated', latest: { cluster: latest }, results }) as RunItem
  const items = [
    item('b', { [C2]: { code: 'success/sync-update', effect: 'create' } }),
    item('a', { [C2]: { code: 'success/sync-update', effect: 'update' } }),
    item('d', {
      [C1]: { code: 'success/hard-delete', effect: 'hardDelete' },
      [C2]: { code: 'success/soft-delete', effect: 'softDelete' },
    }),
    item('e', { [C2]: { code: 'error/token-sync', details: { message: 'no rights' } } }),
    item('f', { [C2]: { code: 'success/skip-opt-out' } }),
    item('g', { [C2]: { code: 'success/of-a-newer-service' } }),
  ]

  it('tells what changes where and why, deletes apart and first', () => {
    const told = planSections(items, HOW).map(({ name, rows }) => [
      name,
      rows.map(({ token, cluster, what, why }) => `${token} ${cluster}: ${what}, ${why}`),
    ])
    expect(told).toEqual([
      [
        'deletes',
        [
          'd east: remove for good, it is marked as deleted everywhere',
          'd west: mark as deleted, it was deleted on east',
        ],
      ],
      [
        'changes',
        ['a west: overwrite, the version on east is the latest', 'b west: create, it is on east and not here'],
      ],
      ['failed', ['e west: not written, the write was refused: no rights']],
      [
        'leftAlone',
        ['f west: left alone, its metadata keeps it out of the sync', 'g west: success/of-a-newer-service, '],
      ],
    ])
  })

  it('tells what was done once it is', () => {
    const [, changes] = planSections(items, { ...HOW, dryRun: false })
    expect(changes?.rows.map(({ what }) => what)).toEqual(['overwritten', 'created'])
  })

  it('is searched word by word', () => {
    const rows = planSections(items, HOW).flatMap((section) => section.rows)
    expect(searchRows(rows, 'WEST create').map(({ token }) => token)).toEqual(['b'])
    expect(searchRows(rows, ' ')).toHaveLength(rows.length)
  })
})

describe('what came of a run', () => {
  const counts = { create: 1, update: 0, softDelete: 2, hardDelete: 0, skip: 0, conflict: 0 }
  const sync = { unmodified: [], updated: ['a'], failed: ['b'] }
  const tokens = { pending: 3, 'previously-synced': 7, processed: 3, selected: 3, total: 10 }

  it('is told of tokens', () => {
    expect(describeOutcome({ ...RUN, summary: { sync, tokens, counts } })).toBe(
      '1 created, 2 marked as deleted, 1 failed',
    )
    expect(describeOutcome({ ...RUN, dryRun: true, summary: { sync: { ...sync, failed: [] }, tokens, counts } })).toBe(
      '1 to be created, 2 to be marked as deleted',
    )
    const nothing = { create: 0, update: 0, softDelete: 0, hardDelete: 0, skip: 3, conflict: 0 }
    expect(describeOutcome({ ...RUN, summary: { sync: { ...sync, failed: [] }, tokens, counts: nothing } })).toBe(
      'all 10 tokens in step',
    )
  })

  it('is told of rows', () => {
    const window = { begin: '1970-01-01T00:00:00.000Z', end: '2026-01-01T00:00:00.000Z' }
    const synced = { window, counts: { read: 9, applied: 2, older: 1, equal: 6, echoed: 0, failed: 0 }, deadLetters: 0 }
    expect(describeOutcome({ ...RUN, summary: synced })).toBe('9 rows read, 2 written')
    const verified = {
      window,
      counts: { equal: 5, leftNewer: 0, rightNewer: 0, onlyLeft: 1, onlyRight: 0, differs: 0 },
      differences: [],
      repaired: 0,
    }
    expect(describeOutcome({ ...RUN, summary: verified })).toBe('1 difference, 5 equal')
  })

  it('is why it failed, or how far it is', () => {
    expect(
      describeOutcome({ ...RUN, problem: { type: '/problems/x', title: 'Cluster unreachable', detail: 'c1 refused' } }),
    ).toBe('Cluster unreachable: c1 refused')
    expect(describeOutcome({ ...RUN, endedAt: null, progress: { done: 3, total: 9 } })).toBe('3 of 9')
    expect(describeTook(RUN, 0)).toBe('2.5 s')
    expect(describeTook({ startedAt: null, endedAt: null }, 0)).toBe('–')
  })
})

describe('the history', () => {
  const history = {
    stepMs: 10_000,
    items: [
      {
        startedAt: '2026-01-01T00:00:00.000Z',
        checks: { Synced: 5, Partialy: 1, NotSynced: 0, Timeout: 2 },
        lag: { p50Ms: 400, p99Ms: 900, samples: 8 },
      },
      { startedAt: '2026-01-01T00:00:10.000Z', checks: VERDICTS, lag: null },
    ],
  }
  const at = Date.UTC(2026, 0, 1) / 1_000

  it('is columns, with a step before all of them', () => {
    expect(lagColumns(history)).toEqual([
      [at - 10, at, at + 10],
      [null, 400, null],
      [null, 900, null],
    ])
    // Each verdict stands on those after it.
    expect(verdictColumns(history)).toEqual([
      [at - 10, at, at + 10],
      [0, 8, 0],
      [0, 3, 0],
      [0, 2, 0],
      [0, 2, 0],
    ])
  })

  it('is a sentence', () => {
    expect(describeLag(history)).toBe(
      'Replication lag over the last quarter of an hour: 8 arrivals, p99 at most 900 ms.',
    )
    expect(describeLag({ ...history, items: history.items.slice(1) })).toBe(
      'No token was seen to arrive in the last quarter of an hour.',
    )
    expect(describeChecks(history)).toBe(
      'Checks of the last quarter of an hour: 5 Synced, 1 Partialy, 0 NotSynced, 2 Timeout.',
    )
    expect(newestLag(history)?.samples).toBe(8)
  })
})
