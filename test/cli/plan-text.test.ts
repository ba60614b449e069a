import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planText, type ShownSync, type ShownToken } from '../../src/cli/plan-text.ts'

const C1 = 'http://c1:9091'
const C2 = 'http://c2.example:9093'
const C3 = 'http://c3:9095'

const tokens: readonly ShownToken[] = [
  {
    token: 'changed',
    latest: { cluster: C1, lastUpdateTime: '2026-01-02T03:04:05.678Z' },
    results: [
      { cluster: C2, code: 'success/sync-update', effect: 'update', differs: ['cmd', 'cpus'] },
      { cluster: C3, code: 'success/token-match' },
    ],
  },
  {
    token: 'new',
    latest: { cluster: C2 },
    results: [
      { cluster: C1, code: 'success/sync-update', effect: 'create' },
      { cluster: C3, code: 'error/token-sync', message: 'answered 503' },
    ],
  },
  { token: 'same', latest: { cluster: C1 }, results: [{ cluster: C2, code: 'success/token-match' }] },
  { token: 'kept-out', latest: { cluster: C1 }, results: [{ cluster: C2, code: 'success/skip-opt-out' }] },
  {
    token: 'gone',
    latest: { cluster: C1 },
    results: [
      { cluster: C1, code: 'success/hard-delete', effect: 'hardDelete' },
      { cluster: C2, code: 'success/skip-hard-delete' },
    ],
  },
]

const shown: ShownSync = {
  mode: 'safe',
  dryRun: false,
  clusters: 3,
  tokens,
  sync: { unmodified: 1, updated: 3, failed: 1 },
  counts: { create: 1, update: 1, softDelete: 0, hardDelete: 1, skip: 2, conflict: 0 },
  totals: { pending: 7, previouslySynced: 4, selected: 5, total: 11 },
  clockSkew: [
    { cluster: C2, skewMs: 2_340 },
    { cluster: C3, skewMs: -61_000 },
  ],
}

describe('a sync in words', () => {
  it('tells what was changed where and why, deletes last, and the sum', () => {
    expect(planText(shown, false)).toBe(`Changes (1 token)
  changed  latest on http://c1:9091, updated 2026-01-02T03:04:05.678Z
    ~ http://c2.example:9093  overwritten; differs in cmd, cpus
    = http://c3:9095          in step already

Left alone (1 token)
  kept-out  latest on http://c1:9091
    . http://c2.example:9093  left alone: its metadata keeps it out of the sync

Failed (1 token)
  new  latest on http://c2.example:9093
    + http://c1:9091  created
    ! http://c3:9095  could not be written (error/token-sync): answered 503

Deletes (1 token)
  gone  latest on http://c1:9091
    - http://c1:9091          removed for good
    . http://c2.example:9093  left alone: there is nothing to remove

11 tokens on 3 clusters, 4 in step before, 7 to look at, 2 of them left for the next run by the limit
were: created 1, overwritten 1, marked as deleted 0, removed for good 1; left alone 2, in dispute 0
tokens: 1 unmodified, 3 updated, 1 failed
the clock of http://c2.example:9093 is 2.3 s ahead: what is the latest version may be wrong
the clock of http://c3:9095 is 61.0 s behind: what is the latest version may be wrong
`)
  })

  it('tells of a dry run what would be', () => {
    const text = planText({ ...shown, dryRun: true, mode: 'compat' }, false)
    expect(text).toContain('  to be overwritten; differs in cmd, cpus\n')
    expect(text).toContain('  to be created\n')
    expect(text).toContain('  to be removed for good\n')
    expect(text).toContain('\ncompat, dry run: 11 tokens on 3 clusters')
    expect(text).toContain('\nwould be: created 1')
  })

  it('is the sum alone when there is nothing to tell', () => {
    const quiet = { ...shown, tokens: tokens.slice(2, 3), clockSkew: [], clusters: 2 }
    expect(planText(quiet, false)).toMatch(/^11 tokens on 2 clusters.*\n.*\ntokens: .*\n$/)
  })

  it.each(['success/hard-delete', 'success/soft-delete', 'error/hard-delete'])(
    'sets a token with %s apart, whatever else happens to it',
    (code) => {
      const results = [
        { cluster: C1, code: 'error/token-read' },
        { cluster: C2, code },
        { cluster: C3, code: 'success/sync-update' },
      ]
      const text = planText({ ...shown, tokens: [{ token: 't', latest: { cluster: C1 }, results }] }, false)
      expect(text).toMatch(/^Deletes \(1 token\)\n {2}t /)
    },
  )

  it.each(['softDelete', 'hardDelete'] as const)('sets a token apart that a newer service deletes (%s)', (effect) => {
    const results = [{ cluster: C1, code: 'success/new-luck', effect }]
    expect(planText({ ...shown, tokens: [{ token: 't', latest: { cluster: C2 }, results }] }, false)).toMatch(
      /^Deletes/,
    )
  })

  it('tells a code of a newer service as it is', () => {
    const results = [
      { cluster: C1, code: 'error/new-trouble' },
      { cluster: C2, code: 'success/new-luck' },
    ]
    const text = planText({ ...shown, tokens: [{ token: 't', latest: { cluster: C3 }, results }] }, false)
    expect(text).toContain('! http://c1:9091          error/new-trouble (error/new-trouble)\n')
    expect(text).toContain('. http://c2.example:9093  success/new-luck\n')
  })

  it('carries colours when it may', () => {
    const text = planText(shown, true)
    expect(text).toContain('\u001b[31m- http://c1:9091          removed for good\u001b[39m')
    expect(text).toContain('\u001b[33m~ ')
    expect(text).toContain('\u001b[32m+ ')
  })

  it('lets nothing from outside steer the terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.constantFrom('error/token-sync', 'error/x'), (said, code) => {
        const results = [{ cluster: C1, code, message: said, differs: [said] }]
        const token = { token: said, latest: { cluster: C2, lastUpdateTime: said }, results }
        const text = planText({ ...shown, tokens: [token] }, false)
        expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}|[\u202a-\u202e\u2066-\u2069\u2028\u2029]/u)
        expect(text.split('\n')).toHaveLength(10)
      }),
    )
  })
})
