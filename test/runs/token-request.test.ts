import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Resource } from '../../src/dsync/index.ts'
import { InvalidRunRequest, type SyncTokensBody } from '../../src/runs/contract.ts'
import { lockNameOf } from '../../src/runs/lock-names.ts'
import { resolveRequest, type SyncRunRequest, type TokenSettings, toSyncRequest } from '../../src/runs/token-request.ts'

const settings: TokenSettings = {
  clusters: ['c1', 'c2', 'c3'].map((name) => ({ name, url: `http://${name}` })),
  mode: 'safe',
  limit: 1_000,
  onUnreachable: 'fail',
  onConflict: 'newest',
  connectionTimeoutMs: 1_000,
  idleTimeoutMs: 30_000,
}
const urlOf = (name: string) => `http://${name}`
const syncRequest = (body: SyncTokensBody, over: Partial<TokenSettings> = {}) =>
  toSyncRequest(resolveRequest(body, { ...settings, ...over }) as SyncRunRequest, urlOf)

describe('what a request leaves out', () => {
  test('is as the configuration has it', () => {
    expect(resolveRequest({}, settings)).toEqual({
      ...{ clusters: ['c1', 'c2', 'c3'], mode: 'safe', dryRun: false, limit: 1_000 },
      ...{ onUnreachable: 'fail', onConflict: 'newest', connectionTimeoutMs: 1_000, idleTimeoutMs: 30_000 },
    })
    const configured = {
      ...{ mode: 'compat', limit: 7, optOutMetadataName: 'keep', onUnreachable: 'skip-writes' },
      ...{ onConflict: 'prefer:c2', maxDeletes: '5%', connectionTimeoutMs: 2, idleTimeoutMs: 300 },
    } as Partial<TokenSettings>
    expect(resolveRequest({}, { ...settings, ...configured })).toEqual({
      ...{ clusters: ['c1', 'c2', 'c3'], dryRun: false },
      ...configured,
    })
  })

  test('is what it says where it says something', () => {
    const body = {
      ...{ clusters: ['c3', 'c1'], mode: 'compat', dryRun: true, limit: 1, optOutMetadataName: 'x' },
      ...{ onUnreachable: 'skip-writes', onConflict: 'prefer:c1', maxDeletes: 0, allowEmpty: ['c3'] },
      ...{ connectionTimeoutMs: 5, idleTimeoutMs: 250 },
    } as SyncTokensBody
    expect(resolveRequest(body, settings)).toEqual(body)
  })

  test('makes a request that says the same again', () => {
    const first = resolveRequest({ clusters: ['c1', 'c2'], maxDeletes: '1%' }, settings)
    expect(resolveRequest(first as SyncTokensBody, { ...settings, limit: 5, mode: 'compat' })).toEqual(first)
  })
})

describe('what the sync takes', () => {
  test.each([
    [undefined, { percent: 20, atLeast: 5 }],
    [3, { count: 3 }],
    [0, { count: 0 }],
    ['5%', { percent: 5, atLeast: 0 }],
    ['0.5%', { percent: 0.5, atLeast: 0 }],
    ['100%', { percent: 100, atLeast: 0 }],
  ])('maxDeletes %s', (maxDeletes, expected) => {
    expect(syncRequest(maxDeletes === undefined ? {} : { maxDeletes }).maxDeletes).toEqual(expected)
    expect(syncRequest({}, { maxDeletes }).maxDeletes).toEqual(expected)
  })

  test('has addresses in place of names', () => {
    const request = syncRequest({ onConflict: 'prefer:c2', allowEmpty: ['c1'] })
    expect([request.onConflict, request.allowEmpty]).toEqual([{ prefer: 'http://c2' }, ['http://c1']])
    expect(syncRequest({ onConflict: 'fail' }).onConflict).toBe('fail')
  })
})

describe('a request is refused', () => {
  const PLAN = { plan: '01940000-0000-7000-8000-000000000000' }
  test.each<[string, SyncTokensBody, string]>([
    ['/clusters/1', { clusters: ['c1', 'c9'] }, 'c1, c2, c3'],
    ['/clusters/2', { clusters: ['c1', 'c2', 'c1'] }, 'a second time'],
    ['/clusters', { clusters: ['c1'] }, 'two clusters at least'],
    ['/clusters', { clusters: [] }, 'two clusters at least'],
    ['/onConflict', { clusters: ['c1', 'c2'], onConflict: 'prefer:c3' }, 'c1, c2'],
    ['/onConflict', { onConflict: 'prefer:c9' }, 'c9 is no cluster of this run'],
    ['/allowEmpty/1', { clusters: ['c1', 'c2'], allowEmpty: ['c1', 'c3'] }, 'c3'],
    ['/dryRun', { ...PLAN, dryRun: false }, 'no meaning with a plan'],
    ['/limit', { ...PLAN, connectionTimeoutMs: 5, limit: 1 }, 'no meaning with a plan'],
  ])('for %s: %j', (pointer, body, why) => {
    const refusal = (() => {
      try {
        return resolveRequest(body, settings)
      } catch (error) {
        return error
      }
    })()
    expect(refusal).toBeInstanceOf(InvalidRunRequest)
    expect(refusal).toMatchObject({ pointer, message: expect.stringContaining(why) })
  })

  test('when the configuration prefers a cluster that is not in it, unless the original’s rules hold', () => {
    const preferring = { ...settings, onConflict: 'prefer:c3' }
    expect(() => resolveRequest({ clusters: ['c1', 'c2'] }, preferring)).toThrow('c3 is no cluster of this run')
    expect(resolveRequest({ clusters: ['c1', 'c2'], mode: 'compat' }, preferring)).toMatchObject({ mode: 'compat' })
  })

  test('for nothing when a plan has its own time-outs', () => {
    expect(resolveRequest({ ...PLAN, idleTimeoutMs: 500 }, settings)).toEqual({
      ...PLAN,
      connectionTimeoutMs: 1_000,
      idleTimeoutMs: 500,
    })
  })
})

describe('the name of the lock of a cluster', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/)

  test.each([
    ['c1', 'tokens-c1'],
    ['eu-west-2', 'tokens-eu-west-2'],
    ['C1', expect.stringMatching(/^tokens--c1-[0-9a-f]{20}$/)],
    ['a.b', expect.stringMatching(/^tokens--a-b-[0-9a-f]{20}$/)],
    ['a-', expect.stringMatching(/^tokens--a--[0-9a-f]{20}$/)],
  ])('%s', (cluster, expected) => {
    expect(lockNameOf(`cluster:${cluster}`)).toEqual(expected)
  })

  test('is one that Kubernetes takes as it stands', () => {
    fc.assert(
      fc.property(name, (cluster) => {
        const lock = lockNameOf(`cluster:${cluster}`)
        const resource = new Resource({ scope: 's'.repeat(63), name: lock })
        resource.validate()
        expect(resource.name).toBe(lock)
      }),
    )
  })

  test('is never that of another cluster', () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        fc.pre(a !== b)
        expect(lockNameOf(`cluster:${a}`)).not.toBe(lockNameOf(`cluster:${b}`))
      }),
    )
    const alike = ['a.b', 'a_b', 'a-b', 'A-b', 'a--b', 'A.B', 'a.b-', 'a.-b']
    expect(new Set(alike.map((one) => lockNameOf(`cluster:${one}`))).size).toBe(alike.length)
  })
})
