import { describe, expect, test } from 'vitest'
import { type JsonObject, writeJson } from '../../src/tokens/json.ts'
import { planToken } from '../../src/tokens/plan.ts'
import { answered, broken, COMPAT, held, missing, parsed, plan, tell, token } from './lib/reads.ts'

const OPT_OUT = { ...COMPAT, optOutMetadataName: 'no-sync' }
const old = token({ cmd: 'old', 'last-update-time': 500 })
const tombstone = token({ deleted: true, 'last-update-time': 2_000 })
const optedOut = token({ metadata: { 'no-sync': 'true' } })
const optedOutTombstone = token({ metadata: { 'no-sync': 'true' }, deleted: true, 'last-update-time': 1 })

describe('the latest version', () => {
  const cases: [string, Parameters<typeof plan>[1][], string][] = [
    ['is the one with the greatest time', [held(old), held(token())], 'b'],
    ['is on the first cluster by URL when times tie', [held(token({ cmd: 'x' })), held(token())], 'a'],
    ['counts a missing time as 0', [held(token({ 'last-update-time': undefined })), held(token())], 'b'],
    ['may be one that is not there', [missing, held(token({ 'last-update-time': undefined }))], 'a'],
    ['may be one that did not answer', [broken, held(token({ 'last-update-time': undefined }))], 'a'],
    [
      'may be older than 1970 only where there is nothing else',
      [held(token({ 'last-update-time': -1 })), missing],
      'b',
    ],
  ]
  test.each(cases)('%s', (_name, reads, latest) => {
    expect(plan(COMPAT, ...reads).latest.cluster).toBe(latest)
  })
})

describe('a token of which only tombstones are left', () => {
  const older = token({ deleted: true, 'last-update-time': 1_000 })
  const cases: [string, Parameters<typeof plan>[1][], Record<string, string>][] = [
    [
      'is hard-deleted, by the version of the latest everywhere',
      [held(older, 'E1'), held(tombstone, 'E2')],
      { latest: 'b', a: 'success/hard-delete = hardDelete E2', b: 'success/hard-delete = hardDelete E2' },
    ],
    [
      'is hard-deleted without a version where the latest has none',
      [held(older, 'E1'), held(tombstone)],
      { latest: 'b', a: 'success/hard-delete = hardDelete', b: 'success/hard-delete = hardDelete' },
    ],
    [
      'is skipped where it is missing, refused or broken',
      [held(tombstone, ' '), missing, answered(503), broken],
      {
        latest: 'a',
        a: 'success/hard-delete = hardDelete',
        b: 'success/skip-hard-delete',
        c: 'success/skip-hard-delete',
        d: 'success/skip-hard-delete',
      },
    ],
    [
      'may be hard-deleted by the version of a cluster that has nothing',
      [missing, held(token({ deleted: true, 'last-update-time': 0 }), 'E2')],
      { latest: 'a', a: 'success/skip-hard-delete', b: 'success/hard-delete = hardDelete' },
    ],
    [
      'is gone whatever its metadata says',
      [held(optedOutTombstone, 'E1'), held(optedOutTombstone, 'E1')],
      { latest: 'a', a: 'success/hard-delete = hardDelete E1', b: 'success/hard-delete = hardDelete E1' },
    ],
  ]
  test.each(cases)('%s', (_name, reads, told) => {
    expect(tell(plan(OPT_OUT, ...reads))).toEqual(told)
  })
})

describe('what deleted means', () => {
  test.each([true, 'false', '', 0, [], {}])('%j is deleted', (deleted) => {
    expect(tell(plan(COMPAT, held(token({ deleted })), missing))['b']).toBe('success/skip-hard-delete')
  })

  test.each([false, null])('%j is not', (deleted) => {
    expect(tell(plan(COMPAT, held(token({ deleted })), missing))['b']).toBe('success/sync-update = create')
  })
})

describe('the rows, for a against the latest version on b', () => {
  const latest = token({ 'last-update-time': 3_000 })
  const differing = { root: 'r2', 'last-update-user': 'bob', cmd: 'other' }
  const cases: [string, JsonObject | 'missing' | 'broken' | 'refused', JsonObject, string][] = [
    ['1 the read broke', 'broken', latest, 'error/token-read'],
    ['3 the latest has no root', old, token({ root: undefined, 'last-update-time': 9_000 }), 'error/token-read'],
    ['3 a root that is null is none', old, token({ root: null, 'last-update-time': 9_000 }), 'error/token-read'],
    ['5 both are deleted', token({ deleted: true }), tombstone, 'error/tokens-deleted'],
    ['6 opted out here', optedOut, latest, 'success/skip-opt-out'],
    [
      '6 opted out where it is latest',
      old,
      token({ 'last-update-time': 9_000, metadata: { 'no-sync': 'true' } }),
      'success/skip-opt-out',
    ],
    ['6 opted out where it is latest, and missing here', 'missing', optedOut, 'success/skip-opt-out'],
    ['6 opted out and deleted here', optedOutTombstone, latest, 'success/hard-delete = hardDelete E1'],
    [
      '6 deleted here, opted out where it is latest',
      token({ deleted: true, 'last-update-time': 1 }),
      token({ metadata: { 'no-sync': 'true' } }),
      'success/skip-opt-out',
    ],
    ['6 comes before 7', token({ ...differing, metadata: { 'no-sync': 'true' } }), latest, 'success/skip-opt-out'],
    ['6 wants "true" as a text', token({ metadata: { 'no-sync': true } }), latest, 'success/sync-update = update E1'],
    ['6 wants metadata to be an object', token({ metadata: 'no-sync' }), latest, 'success/sync-update = update E1'],
    ['7 another root, user and content', token(differing), latest, 'error/root-mismatch'],
    [
      '7 a root that is missing is another one',
      token({ ...differing, root: undefined }),
      latest,
      'error/root-mismatch',
    ],
    [
      '7 that it is deleted is content',
      token({ ...differing, cmd: 'run', deleted: true }),
      latest,
      'error/root-mismatch',
    ],
    ['7 wants another root', token({ ...differing, root: 'r1' }), latest, 'success/sync-update = update E1'],
    [
      '7 wants another user',
      token({ ...differing, 'last-update-user': 'ann' }),
      latest,
      'success/sync-update = update E1',
    ],
    [
      '7 wants other content',
      token({ ...differing, cmd: 'run', cluster: 'c9' }),
      latest,
      'success/sync-update = update E1',
    ],
    [
      '7 says 1 and 1.0 are other content',
      parsed('{"root":"r2","last-update-user":"bob","n":1.0}'),
      parsed('{"root":"r1","last-update-user":"ann","n":1,"last-update-time":9}'),
      'error/root-mismatch',
    ],
    ['8 it is missing', 'missing', latest, 'success/sync-update = create'],
    ['8 it was refused, which counts as missing', 'refused', latest, 'success/sync-update = create'],
    ['8 it is older', old, latest, 'success/sync-update = update E1'],
    ['8 it is deleted, and edited later', token({ deleted: true }), latest, 'success/sync-update = update E1'],
    ['8 the latest is deleted', old, tombstone, 'success/soft-delete = softDelete E1'],
  ]
  test.each(cases)('%s', (_name, here, last, told) => {
    const reads = { missing, broken, refused: answered(503) }
    const read = typeof here === 'string' ? reads[here] : held(here, 'E1')
    // With a third one that lives, tombstones are not all there is.
    const alive = held(token({ 'last-update-time': 1 }), 'E3')
    const { latest: where, a } = tell(plan(OPT_OUT, read, held(last, 'E2'), alive))
    expect({ where, a }).toEqual({ where: 'b', a: told })
  })

  test('2 neither is there', () => {
    expect(tell(plan(COMPAT, missing, missing, answered(500)))).toEqual({
      latest: 'a',
      b: 'success/skip-missing',
      c: 'success/skip-missing',
    })
  })

  test('3 comes before 4: equal, and without a root', () => {
    const rootless = held(token({ root: undefined }))
    expect(tell(plan(COMPAT, rootless, rootless))).toEqual({ latest: 'a', b: 'error/token-read' })
  })

  test('4 it is equal, whatever the order of its keys', () => {
    const steps = tell(
      plan(
        COMPAT,
        held(parsed('{"root":"r","a":1,"2":{"x":1,"y":2}}')),
        held(parsed('{"2":{"y":2,"x":1},"a":1,"root":"r"}')),
      ),
    )
    expect(steps).toEqual({ latest: 'a', b: 'success/token-match' })
  })

  test.each([
    ['1 and 1.0', '{"root":"r","n":1}', '{"root":"r","n":1.0}'],
    ['another history', '{"root":"r","previous":{"a":1}}', '{"root":"r","previous":{"a":2}}'],
    ['a history and none', '{"root":"r"}', '{"root":"r","previous":{}}'],
    ['another __proto__', '{"root":"r","__proto__":1}', '{"root":"r","__proto__":2}'],
  ])('8 they differ: %s', (_name, a, b) => {
    const steps = tell(plan(COMPAT, held(parsed(a)), held(parsed(b), 'E2')))
    expect(steps).toEqual({ latest: 'a', b: 'success/sync-update = update E2' })
  })

  test('without a name for it nobody has opted out', () => {
    expect(tell(plan(COMPAT, held(token()), held(optedOut)))['b']).toBe('success/sync-update = update')
  })
})

describe('a cluster that did not answer', () => {
  test('is latest where no other has a time, and everything else then has an error', () => {
    const timeless = held(token({ 'last-update-time': undefined }))
    expect(tell(plan(COMPAT, broken, timeless, missing))).toEqual({
      latest: 'a',
      b: 'error/token-read',
      c: 'success/skip-missing',
    })
  })

  test('beside another one: the first is latest, the second has the error', () => {
    expect(tell(plan(COMPAT, broken, broken))).toEqual({ latest: 'a', b: 'error/token-read' })
  })
})

describe('what is written', () => {
  test('is the latest description, digit by digit and key by key', () => {
    const text = '{"root":"r","cpus":1.0,"env":{"B":"1","2":"x","A":"2"},"previous":{"cpus":1.50}}'
    const steps = planToken(
      't',
      new Map([
        ['a', held(parsed(text))],
        ['b', missing],
      ]),
      COMPAT,
    ).steps
    expect(steps.map((step) => (step.do === 'store' ? writeJson(step.description) : step.do))).toEqual([text])
  })

  test('a blank version is none', () => {
    expect(tell(plan(COMPAT, held(token()), held(old, '')))['b']).toBe('success/sync-update = update')
  })

  test('what went wrong is told: both descriptions of a root mismatch, the message of a read', () => {
    const other = token({ root: 'r2', 'last-update-user': 'bob', cmd: 'other' })
    const latest = token({ 'last-update-time': 3_000 })
    const { steps } = plan(COMPAT, held(latest), held(other), broken)
    expect(steps.map((step) => step.do === 'nothing' && step.details)).toEqual([
      new Map([
        ['cluster', other],
        ['latest', latest],
      ]),
      new Map([['message', 'connection reset']]),
    ])
  })

  test('a hard-delete says how it fails', () => {
    const here = held(optedOutTombstone)
    const failures = [plan(OPT_OUT, held(token()), here), plan(OPT_OUT, missing, here)].map(({ steps }) =>
      steps.flatMap((step) => (step.do === 'nothing' ? [] : [step.failure])),
    )
    expect(failures).toEqual([['error/token-sync'], ['error/hard-delete']])
  })
})

test('nobody asked is nothing to plan', () => {
  expect(() => planToken('t', new Map(), COMPAT)).toThrow('t: no cluster was asked')
})
