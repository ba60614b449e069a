import { describe, expect, test } from 'vitest'
import type { Description, PlanPolicy, TokenRead } from '../../src/tokens/contract.ts'
import { versionOf } from '../../src/tokens/description.ts'
import { answered, broken, described, editOf, held, missing, parsed, plan, SAFE, tell, token } from './lib/reads.ts'

const OPT_OUT: PlanPolicy = { ...SAFE, optOutMetadataName: 'no-sync' }
const FAIL: PlanPolicy = { ...SAFE, onConflict: 'fail' }
const prefer = (cluster: string): PlanPolicy => ({ ...SAFE, onConflict: { prefer: cluster } })

const old = token({ cmd: 'old', 'last-update-time': 500 })
const tombstone = token({ deleted: true, 'last-update-time': 2_000 })

type Case = [name: string, reads: TokenRead[], told: Record<string, string>]

describe('a cluster that nobody knows about', () => {
  const unknown: [string, TokenRead][] = [
    ['broke', broken],
    ['answered 503', answered(503)],
    ['answered 401', answered(401)],
    ['answered 410, which says nothing of other clusters', answered(410)],
    ['answered 200 without a description', answered(200)],
    ['answered 203, through somebody who may have changed it', { ...answered(203), ...{ description: token() } }],
  ]
  test.each(unknown)('%s: nothing is written, and it is no missing one', (_name, read) => {
    expect(tell(plan(SAFE, held(token(), 'E1'), held(old, 'E2'), missing, read))).toEqual({
      latest: 'a',
      b: 'error/token-read',
      c: 'error/token-read',
      d: 'error/token-read',
    })
  })

  const cases: Case[] = [
    [
      'does not keep others from being equal',
      [held(token()), held(token()), broken],
      { latest: 'a', b: 'success/token-match', c: 'error/token-read' },
    ],
    [
      'does not keep others from being missing',
      [missing, missing, broken],
      { latest: 'a', b: 'success/skip-missing', c: 'error/token-read' },
    ],
    [
      'does not keep others from having opted out',
      [held(token({ metadata: { 'no-sync': 'true' } })), missing, broken],
      { latest: 'a', b: 'success/skip-opt-out', c: 'error/token-read' },
    ],
    [
      'keeps tombstones where they are, the latest one too',
      [held(tombstone), held(tombstone), missing, broken],
      {
        latest: 'a',
        a: 'error/token-read',
        b: 'error/token-read',
        c: 'success/skip-hard-delete',
        d: 'error/token-read',
      },
    ],
    [
      'keeps a live copy from being deleted',
      [held(old, 'E1'), held(tombstone), broken],
      { latest: 'b', a: 'error/token-read', c: 'error/token-read' },
    ],
    [
      'is never the latest',
      [broken, held(token({ 'last-update-time': undefined }))],
      { latest: 'b', a: 'error/token-read' },
    ],
    [
      'is the latest where there are only such',
      [broken, answered(500)],
      { latest: 'a', a: 'error/token-read', b: 'error/token-read' },
    ],
  ]
  test.each(cases)('%s', (_name, reads, told) => {
    expect(tell(plan(OPT_OUT, ...reads))).toEqual(told)
  })

  test('is named where something would have been written', () => {
    const { steps } = plan(SAFE, held(token()), missing, broken, answered(503))
    const messages = steps.map((step) => step.do === 'nothing' && step.details?.get('message'))
    expect(messages).toEqual([
      'nothing is written before every cluster has answered for the token; missing: c, d',
      'connection reset',
      'answered 503: neither the token nor that there is none',
    ])
  })
})

describe('a token of which only tombstones are left', () => {
  const cases: Case[] = [
    [
      'is hard-deleted, each copy by its own version',
      [held(tombstone, 'E1'), held(token({ deleted: true }), 'E2')],
      { latest: 'a', a: 'success/hard-delete = hardDelete E1', b: 'success/hard-delete = hardDelete E2' },
    ],
    [
      'is hard-deleted without a version where a copy has none',
      [held(tombstone), held(token({ deleted: true }), 'E2')],
      { latest: 'a', a: 'success/hard-delete = hardDelete', b: 'success/hard-delete = hardDelete E2' },
    ],
    [
      'is skipped where it is gone already',
      [missing, held(tombstone), missing],
      {
        latest: 'b',
        a: 'success/skip-hard-delete',
        b: 'success/hard-delete = hardDelete',
        c: 'success/skip-hard-delete',
      },
    ],
  ]
  test.each(cases)('%s', (_name, reads, told) => {
    expect(tell(plan(FAIL, ...reads))).toEqual(told)
  })

  test('a tombstone that has opted out stays while another copy lives, and goes with the last one', () => {
    const gone = token({ deleted: true, metadata: { 'no-sync': 'true' }, 'last-update-time': 1 })
    expect(tell(plan(OPT_OUT, held(token()), held(gone)))).toEqual({ latest: 'a', b: 'success/skip-opt-out' })
    expect(tell(plan(OPT_OUT, held(gone), missing))['a']).toBe('success/hard-delete = hardDelete')
  })
})

describe('the latest version', () => {
  const fast = token({ cmd: 'v1', 'last-update-time': 9_000 })
  const slow = editOf(fast, { cmd: 'v2', 'last-update-time': 1_000 })
  const cases: Case[] = [
    [
      'is the one that the other became, whatever the clocks say',
      [held(fast, 'E1'), held(slow, 'E2')],
      { latest: 'b', a: 'success/sync-update = update E1' },
    ],
    [
      'is the tombstone that the other became, whatever the clocks say',
      [held(fast, 'E1'), held(editOf(fast, { cmd: 'v1', deleted: true }))],
      { latest: 'b', a: 'success/soft-delete = softDelete E1' },
    ],
    [
      'is the token that a tombstone became',
      [
        held(editOf(fast, { deleted: true })),
        held(editOf(editOf(fast, { deleted: true }), { cmd: 'v3', 'last-update-time': 500 })),
      ],
      { latest: 'b', a: 'success/sync-update = update' },
    ],
    [
      'is found through a third one where histories are cut',
      [
        held(token({ cmd: 'v1', 'last-update-time': 9_000 }), 'E1'),
        held(editOf(token({ cmd: 'v1', 'last-update-time': 9_000 }), { cmd: 'v2', 'last-update-time': 8_000 }), 'E2'),
        held(editOf(token({ cmd: 'v2', 'last-update-time': 8_000 }), { cmd: 'v3', 'last-update-time': 1 }), 'E3'),
      ],
      { latest: 'c', a: 'success/sync-update = update E1', b: 'success/sync-update = update E2' },
    ],
    [
      'is the newest of those that do not know of each other',
      [held(token({ cmd: 'x' }), 'E1'), held(token({ cmd: 'y', 'last-update-time': 1_001 }), 'E2')],
      { latest: 'b', a: 'success/sync-update = update E1' },
    ],
    [
      'is on the first cluster by URL when times tie',
      [held(token({ cmd: 'x' }), 'E1'), held(token({ cmd: 'y' }), 'E2')],
      { latest: 'a', b: 'success/sync-update = update E2' },
    ],
    [
      'is one that is there, though it has no time and others are missing',
      [missing, held(token({ 'last-update-time': undefined }))],
      { latest: 'b', a: 'success/sync-update = create' },
    ],
    [
      'is the newest where histories go round in a circle',
      [
        held(editOf(token({ cmd: 'v3' }), { cmd: 'v1', 'last-update-time': 1 }), 'E1'),
        held(editOf(token({ cmd: 'v1', 'last-update-time': 1 }), { cmd: 'v2', 'last-update-time': 7 }), 'E2'),
        held(editOf(token({ cmd: 'v2', 'last-update-time': 7 }), { cmd: 'v3', 'last-update-time': 1_000 }), 'E3'),
      ],
      { latest: 'c', a: 'success/sync-update = update E1', b: 'success/sync-update = update E2' },
    ],
    [
      'is not found by histories that only say that there was none before',
      [held(described({ cluster: 'c', root: 'r1' }), 'E1'), held(token({ previous: {}, 'last-update-time': 0 }), 'E2')],
      { latest: 'a', b: 'success/sync-update = update E2' },
    ],
  ]
  test.each(cases)('%s', (_name, reads, told) => {
    expect(tell(plan(SAFE, ...reads))).toEqual(told)
  })

  test.each(['cluster', 'root'])('is found though the history lacks the %s, which clusters fill in', (key) => {
    const served = token({ cluster: 'c1', 'last-update-time': 9_000 })
    const stored = new Map([...served].filter(([name]) => name !== key))
    expect(tell(plan(SAFE, held(served), held(editOf(stored, { cmd: 'v2' })))).latest).toBe('b')
  })

  test.each(['cluster', 'root', 'cmd', 'last-update-time', 'last-update-user', 'deleted'])(
    'is not found by a history with another %s',
    (key) => {
      const served = token({ cluster: 'c1', 'last-update-time': 9_000 })
      const other: Description = new Map([...served, [key, 'other']])
      expect(tell(plan(SAFE, held(served), held(editOf(other, { cmd: 'v2' })))).latest).toBe('a')
    },
  )
})

describe('edits that do not know of each other', () => {
  const base = token({ cmd: 'v1', 'last-update-time': 100 })
  const mine = editOf(base, { cmd: 'mine', 'last-update-time': 200 })
  const yours = editOf(base, { cmd: 'yours', 'last-update-time': 300 })
  const deleted = editOf(base, { cmd: 'v1', deleted: true, 'last-update-time': 400 })

  test('with newest: the later one wins', () => {
    expect(tell(plan(SAFE, held(mine, 'E1'), held(yours, 'E2'), held(base, 'E3'), missing))).toEqual({
      latest: 'b',
      a: 'success/sync-update = update E1',
      c: 'success/sync-update = update E3',
      d: 'success/sync-update = create',
    })
  })

  test('with fail: they are left as they are, and told; what one of them came out of, and what is missing, follows', () => {
    const made = plan(FAIL, held(mine, 'E1'), held(yours, 'E2'), held(base, 'E3'), missing)
    expect(tell(made)).toEqual({
      latest: 'b',
      a: 'error/conflict',
      c: 'success/sync-update = update E3',
      d: 'success/sync-update = create',
    })
    expect(made.steps[0]).toMatchObject({
      details: new Map([
        ['cluster', mine],
        ['latest', yours],
      ]),
    })
  })

  test('with fail: a delete is an edit too', () => {
    expect(tell(plan(FAIL, held(mine, 'E1'), held(deleted)))).toEqual({ latest: 'b', a: 'error/conflict' })
    expect(tell(plan(FAIL, held(base, 'E1'), held(deleted)))).toEqual({
      latest: 'b',
      a: 'success/soft-delete = softDelete E1',
    })
  })

  test('with fail: one version with two histories is no dispute', () => {
    const forgetful = token({ cmd: 'mine', 'last-update-time': 200 })
    expect(tell(plan(FAIL, held(mine, 'E1'), held(forgetful, 'E2')))).toEqual({
      latest: 'a',
      b: 'success/sync-update = update E2',
    })
  })

  test('with fail: what is known through a third version is no dispute, though histories are cut', () => {
    const second = editOf(base, { cmd: 'v2', 'last-update-time': 200 })
    const third = token({ cmd: 'v3', 'last-update-time': 300, previous: versionOf(second) })
    expect(tell(plan(FAIL, held(base, 'E1'), held(third, 'E2'), held(second, 'E3')))).toEqual({
      latest: 'b',
      a: 'success/sync-update = update E1',
      c: 'success/sync-update = update E3',
    })
    expect(tell(plan(FAIL, held(base, 'E1'), held(third, 'E2')))).toEqual({ latest: 'b', a: 'error/conflict' })
  })

  test('with fail: rows before keep their say', () => {
    const elsewhere = editOf(base, { cmd: 'x', root: 'r2', 'last-update-user': 'bob', 'last-update-time': 150 })
    expect(tell(plan(FAIL, held(elsewhere), held(yours)))).toEqual({ latest: 'b', a: 'error/root-mismatch' })
  })

  test('with a preferred cluster: its version wins, though it is older', () => {
    expect(tell(plan(prefer('a'), held(mine, 'E1'), held(yours, 'E2')))).toEqual({
      latest: 'a',
      b: 'success/sync-update = update E2',
    })
  })

  const cases: Case[] = [
    [
      'has no time, and would get another one everywhere',
      [held(token({ 'last-update-time': undefined }), 'E1'), held(yours, 'E2')],
      { latest: 'b', a: 'success/sync-update = update E1' },
    ],
    [
      'is older than the others by history',
      [held(base, 'E1'), held(yours, 'E2')],
      { latest: 'b', a: 'success/sync-update = update E1' },
    ],
    [
      'has no copy',
      [missing, held(mine, 'E2'), held(yours, 'E3')],
      { latest: 'c', a: 'success/sync-update = create', b: 'success/sync-update = update E2' },
    ],
  ]
  test.each(cases)('with a preferred cluster that %s: it gets the latest', (_name, reads, told) => {
    expect(tell(plan(prefer('a'), ...reads))).toEqual(told)
  })

  test('with a preferred cluster that did not answer: nothing is written', () => {
    expect(tell(plan(prefer('a'), broken, held(mine), held(yours)))).toEqual({
      latest: 'c',
      a: 'error/token-read',
      b: 'error/token-read',
    })
  })
})

describe('rows that both modes share', () => {
  const cases: Case[] = [
    ['3 the latest has no root', [held(token({ root: undefined })), held(old)], { latest: 'a', b: 'error/token-read' }],
    [
      '4 equal',
      [held(parsed('{"root":"r","a":1}')), held(parsed('{"a":1,"root":"r"}'))],
      { latest: 'a', b: 'success/token-match' },
    ],
    [
      '5 both deleted, while another one lives',
      [held(token({ deleted: true })), held(tombstone), held(old, 'E3')],
      { latest: 'b', a: 'error/tokens-deleted', c: 'success/soft-delete = softDelete E3' },
    ],
    [
      '8 deleted where nothing was',
      [missing, held(tombstone), held(old, 'E3')],
      { latest: 'b', a: 'success/soft-delete = softDelete', c: 'success/soft-delete = softDelete E3' },
    ],
  ]
  test.each(cases)('%s', (_name, reads, told) => {
    expect(tell(plan(SAFE, ...reads))).toEqual(told)
  })
})
