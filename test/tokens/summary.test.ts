import { describe, expect, test } from 'vitest'
import type { Code, StepResult, TokenItem } from '../../src/tokens/contract.ts'
import { writeJson } from '../../src/tokens/json.ts'
import {
  asRunItem,
  asRunSummary,
  asSeedObject,
  createSummary,
  itemOf,
  pendingChanges,
  statusOf,
} from '../../src/tokens/summary.ts'
import { COMPAT, described, held, missing, parsed, plan, token } from './lib/reads.ts'

const item = (name: string, ...results: readonly StepResult[]): TokenItem => ({
  token: name,
  status: statusOf(results),
  latest: { cluster: 'a', etag: 'E1', lastUpdateTime: '1970-01-01T00:00:01.000Z' },
  results: new Map(results.map((result, at) => [`c${at}`, result])),
})

describe('what results add up to', () => {
  const cases: [string, Code[]][] = [
    ['unmodified', ['success/token-match']],
    ['unmodified', ['success/token-match', 'success/token-match']],
    ['unmodified', []],
    ['updated', ['success/token-match', 'success/sync-update']],
    ['updated', ['success/skip-missing']],
    ['updated', ['success/skip-opt-out', 'success/skip-hard-delete', 'success/soft-delete', 'success/hard-delete']],
    ['failed', ['success/sync-update', 'error/token-sync']],
    ['failed', ['success/token-match', 'error/tokens-deleted']],
  ]
  test.each(cases)('%s: %j', (status, codes) => {
    expect(statusOf(codes.map((code) => ({ code })))).toBe(status)
  })
})

describe('an item', () => {
  const results = new Map<string, StepResult>([
    ['c', { code: 'success/token-match' }],
    ['b', { code: 'success/sync-update', effect: 'create', details: parsed('{"n":1.0}') }],
  ])

  test('has its results by URL, and says how new the latest is', () => {
    const made = itemOf(plan(COMPAT, held(token(), 'E1'), missing), results)
    expect(writeJson(asRunItem(made))).toBe(
      '{"id":"t","status":"updated",' +
        '"latest":{"cluster":"a","etag":"E1","lastUpdateTime":"1970-01-01T00:00:01.000Z"},' +
        '"results":{"b":{"code":"success/sync-update","effect":"create","details":{"n":1.0}},"c":{"code":"success/token-match"}}}',
    )
  })

  test.each([undefined, null, 8.64e15 + 1, 1e300])('says nothing of a time that is none: %s', (time) => {
    const made = itemOf(plan(COMPAT, held(described({ root: 'r', 'last-update-time': time })), missing), results)
    expect(made.latest).toEqual({ cluster: 'a' })
  })
})

describe('the summary', () => {
  const summary = createSummary({
    pending: ['a', 'b', 'c', 'd'],
    previouslySynced: ['z'],
    selected: ['a', 'b', 'c'],
    total: ['a', 'b', 'c', 'd', 'z'],
  })
  const items = [
    item('c', { code: 'success/token-match' }),
    item(
      'b',
      { code: 'success/sync-update', effect: 'create' },
      { code: 'success/sync-update', effect: 'update' },
      { code: 'success/soft-delete', effect: 'softDelete' },
      { code: 'success/hard-delete', effect: 'hardDelete' },
      { code: 'success/skip-opt-out' },
      { code: 'success/skip-missing' },
    ),
    item('a', { code: 'error/root-mismatch' }, { code: 'error/conflict' }, { code: 'error/token-sync' }),
  ]
  for (const one of items) summary.add(one)
  const made = summary.finish([{ cluster: 'a', skewMs: 3_000 }])

  test('sorts tokens by how they came out', () => {
    expect(made.sync).toEqual({ unmodified: ['c'], updated: ['b'], failed: ['a'] })
    expect(made.tokens.processed).toEqual(['a', 'b', 'c'])
  })

  test('counts writes, skips and disputes once a cluster; a write that failed is none', () => {
    expect(made.counts).toEqual({ create: 1, update: 1, softDelete: 1, hardDelete: 1, skip: 2, conflict: 2 })
    expect(pendingChanges(made.counts)).toBe(4)
  })

  test('of a run has numbers', () => {
    expect(JSON.parse(writeJson(asRunSummary(made)))).toEqual({
      sync: { unmodified: ['c'], updated: ['b'], failed: ['a'] },
      tokens: { pending: 4, 'previously-synced': 1, processed: 3, selected: 3, total: 5 },
      counts: made.counts,
      clockSkew: [{ cluster: 'a', skewMs: 3_000 }],
    })
  })

  test('as the original prints it has names beside numbers, and details in the order of the items', () => {
    const text = writeJson(asSeedObject({ ...made, clockSkew: [] }, [item('b'), item('2')]))
    expect(JSON.parse(text).summary).toEqual({
      sync: { unmodified: ['c'], updated: ['b'], failed: ['a'] },
      tokens: {
        pending: { count: 4, value: ['a', 'b', 'c', 'd'] },
        'previously-synced': { count: 1, value: ['z'] },
        processed: { count: 3, value: ['a', 'b', 'c'] },
        selected: { count: 3, value: ['a', 'b', 'c'] },
        total: { count: 5, value: ['a', 'b', 'c', 'd', 'z'] },
      },
      counts: made.counts,
    })
    expect(text.indexOf('"b":{"id":"b","status":"unmodified"')).toBeLessThan(text.indexOf('"2":{"id":"2"'))
  })

  test('goes on counting after a look at it', () => {
    const growing = createSummary({ pending: [], previouslySynced: [], selected: [], total: [] })
    const before = growing.finish([])
    growing.add(item('a', { code: 'success/skip-missing' }))
    expect([before.counts.skip, before.sync.updated, growing.finish([]).counts.skip]).toEqual([0, [], 1])
  })
})
