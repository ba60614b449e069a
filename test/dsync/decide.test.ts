import { describe, expect, it } from 'vitest'
import { decide, NOTHING_OBSERVED, type Observed, observe, type Self } from '../../src/dsync/decide.ts'
import type { LeaseSight } from '../../src/dsync/driver.ts'
import type { LeaseRecord } from '../../src/dsync/lease.ts'

const SELF: Self = { identity: 'me', leaseDurationMs: 15_000, spreadMs: 100, yieldUntilMs: 0 }
const LEASE = 3_000
const AT = 10_000

const sight = (holder: string, change: Partial<LeaseRecord> = {}, version = '7', uid = 'u'): LeaseSight => ({
  version,
  uid,
  record: {
    holder,
    durationMs: LEASE,
    acquireTime: 'a',
    renewTime: '2020-01-01T00:00:00.000000Z',
    transitions: 1,
    kept: {},
    ...change,
  },
})
/** Seen at AT for the first time. */
const seen = (what: LeaseSight | undefined, before: Observed = NOTHING_OBSERVED, atMs = AT) =>
  observe(before, what, atMs, SELF, false)
const deleted = seen(undefined, seen(sight('x')), AT + 1_000)

describe('what a candidate does', () => {
  it.each<[string, Observed, number, object]>([
    ['knows nothing', NOTHING_OBSERVED, AT, { kind: 'look', reason: 'unknown' }],
    ['sees no Lease', seen(undefined), AT, { kind: 'create', reason: 'absent' }],
    ['sees one without holder', seen(sight('')), AT, { kind: 'take', reason: 'released' }],
    ['sees itself, of an old term', seen(sight('me')), AT, { kind: 'take', reason: 'own' }],
    ['sees another', seen(sight('x')), AT, { kind: 'wait', untilMs: AT + 3_100 * (2 / 3), reason: 'held' }],
    ['hears nothing of it', seen(sight('x')), AT + 2_100, { kind: 'look', reason: 'silent' }],
    [
      'has looked',
      observe(seen(sight('x')), sight('x'), AT + 2_100, SELF, true),
      AT + 2_200,
      { kind: 'wait', untilMs: AT + 3_100, reason: 'held' },
    ],
    ['has waited almost', seen(sight('x')), AT + 3_099, { kind: 'look', reason: 'silent' }],
    ['has waited long enough', seen(sight('x')), AT + 3_100, { kind: 'take', reason: 'expired' }],
    [
      'sees it deleted while held',
      deleted,
      AT + 1_000,
      { kind: 'wait', untilMs: AT + 3_000, reason: 'deleted-while-held' },
    ],
    ['has waited that out', deleted, AT + 4_000, { kind: 'create', reason: 'absent' }],
    ['sees its own deleted', seen(undefined, seen(sight('me'))), AT, { kind: 'create', reason: 'absent' }],
    ['sees a free one deleted', seen(undefined, seen(sight(''))), AT, { kind: 'create', reason: 'absent' }],
    [
      'sees one that says nothing of its duration',
      seen(sight('x', { durationMs: 0 })),
      AT + 15_100,
      { kind: 'take', reason: 'expired' },
    ],
  ])('that %s', (_, observed, nowMs, decision) => {
    expect(decide(observed, nowMs, SELF)).toEqual(decision)
  })

  it.each<[string, Observed]>([
    ['absent', seen(undefined)],
    ['released', seen(sight(''))],
    ['own', seen(sight('me'))],
  ])('stays back while others go first: %s', (_, observed) => {
    const self = { ...SELF, yieldUntilMs: AT + 500 }
    expect(decide(observed, AT, self)).toEqual({ kind: 'wait', untilMs: AT + 500, reason: 'yielding' })
    expect(decide(observed, AT + 500, self)).not.toMatchObject({ kind: 'wait' })
  })
})

describe('what a candidate has observed', () => {
  it('counts from the first sight of a record, by its own clock, whatever its times say', () => {
    const first = seen(sight('x', { renewTime: '2099-01-01T00:00:00.000000Z' }))
    expect(first.changedAtMs).toBe(AT)
    expect(seen(sight('x', { renewTime: '2099-01-01T00:00:00.000000Z' }), first, AT + 900).changedAtMs).toBe(AT)
  })

  it('counts anew from a renewal', () => {
    expect(seen(sight('x', { renewTime: 'later' }, '8'), seen(sight('x')), AT + 900).changedAtMs).toBe(AT + 900)
  })

  it('does not let changes of labels keep a dead holder alive, but takes their version in', () => {
    const touched = seen(sight('x', { kept: { metadata: { labels: {} } } }, '9'), seen(sight('x')), AT + 900)
    expect(touched.changedAtMs).toBe(AT)
    expect(touched.sight).toMatchObject({ version: '9' })
  })

  it('counts anew when the Lease is another one', () => {
    expect(seen(sight('x', {}, '9', 'other'), seen(sight('x')), AT + 900).changedAtMs).toBe(AT + 900)
  })

  it('waits the whole lease from when the absence was seen', () => {
    expect(deleted.heldUntilMs).toBe(AT + 1_000 + LEASE)
  })
})
