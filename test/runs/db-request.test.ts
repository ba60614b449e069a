import { describe, expect, test } from 'vitest'
import { InvalidRunRequest, type SyncDbBody, type VerifyDbBody } from '../../src/runs/contract.ts'
import {
  isDestructive,
  type PairSettings,
  resolveSync,
  resolveVerify,
  toDbSyncRequest,
  toDbVerifyRequest,
} from '../../src/runs/db-request.ts'
import { lockNameOf } from '../../src/runs/lock-names.ts'

const NOW = Date.UTC(2026, 0, 2)
const pairs: readonly PairSettings[] = [
  { name: 'app', tables: 'all', lagMs: 0 },
  { name: 'some', tables: ['users', 'orders'], lagMs: 3_600_000 },
]
const refusal = (resolve: () => unknown): [string, string] => {
  try {
    resolve()
  } catch (error) {
    if (error instanceof InvalidRunRequest) return [error.pointer, error.message]
    throw error
  }
  return expect.unreachable('accepted')
}

describe('the request of a sync', () => {
  test('says what the body leaves out', () => {
    expect(resolveSync({ pair: 'app' }, pairs, NOW)).toEqual({
      ...{ operation: 'sync', pair: 'app', direction: 'both', dryRun: false },
    })
  })

  test('keeps times as they were written: a run that is taken up means the same window', () => {
    const body: SyncDbBody = {
      ...{ pair: 'some', tables: ['orders'], direction: 'right-to-left', dryRun: true },
      ...{ begin: 1_767_225_600, end: '2026-01-01T12:00' },
    }
    const request = resolveSync(body, pairs, NOW)
    expect(request).toEqual({ ...body, operation: 'sync', begin: '1767225600' })
    const { operation: _, pair: __, ...rest } = request
    expect(toDbSyncRequest(request)).toEqual(rest)
  })

  test.each<[SyncDbBody, string, string]>([
    [{ pair: 'other' }, '/pair', 'is no pair of the configuration: they are app, some'],
    [{ pair: '__proto__' }, '/pair', 'is no pair of the configuration: they are app, some'],
    [{ pair: 'some', tables: ['users', 'gone'] }, '/tables/1', 'is no table of the pair some: they are users, orders'],
    [{ pair: 'app', tables: ['a', 'a'] }, '/tables/1', 'names a table a second time'],
    [{ pair: 'app', begin: '2026-01-01T12:00', end: '2026-01-01' }, '/begin', 'is after end: nothing lies in between'],
    [
      { pair: 'some', begin: '2026-01-01T23:30' },
      '/begin',
      'is after 2026-01-01T23:00:00.000Z, where the window ends: nothing lies in between',
    ],
    [{ pair: 'app', end: '1969-12-31' }, '/end', 'is before 1970: there is nothing'],
  ])('refuses %j', (body, pointer, message) => {
    expect(refusal(() => resolveSync(body, pairs, NOW))).toEqual([pointer, message])
  })

  test.each([
    ['begin', 'soon'],
    ['begin', '17672256'],
    ['end', '2026-13-01'],
    ['end', 12_345_678_901],
  ])('refuses the %s %j', (name, time) => {
    const [pointer, message] = refusal(() => resolveSync({ pair: 'app', [name]: time }, pairs, NOW))
    expect(pointer).toBe(`/${name}`)
    expect(message).toContain('is no time; allowed are ISO 8601')
  })

  test('takes an end that is still to come, and a begin where the window ends', () => {
    expect(resolveSync({ pair: 'app', end: '2027-01-01' }, pairs, NOW)).toMatchObject({ end: '2027-01-01' })
    expect(resolveSync({ pair: 'app', begin: String(NOW) }, pairs, NOW)).toMatchObject({ begin: String(NOW) })
  })
})

describe('the request of a verify', () => {
  test('says what the body leaves out', () => {
    const request = resolveVerify({ pair: 'app' }, pairs, NOW)
    expect(request).toEqual({ operation: 'verify', pair: 'app', maxDifferences: 100 })
    expect(toDbVerifyRequest(request)).toEqual({ maxDifferences: 100 })
  })

  test('has a repair only with orphans, and none when none is asked for', () => {
    const body: VerifyDbBody = { pair: 'app', orphans: true }
    expect(toDbVerifyRequest(resolveVerify(body, pairs, NOW)).orphans).toEqual({ repair: 'none' })
    const copy = resolveVerify({ ...body, repair: 'copy' }, pairs, NOW)
    expect(toDbVerifyRequest(copy).orphans).toEqual({ repair: 'copy' })
    expect(refusal(() => resolveVerify({ pair: 'app', repair: 'copy' }, pairs, NOW))[0]).toBe('/repair')
    expect(toDbVerifyRequest(resolveVerify({ pair: 'app', repair: 'none' }, pairs, NOW)).orphans).toBeUndefined()
  })

  test('ends now whatever the lag of the pair is', () => {
    expect(resolveVerify({ pair: 'some', begin: '2026-01-01T23:30' }, pairs, NOW)).toBeDefined()
  })

  test('deletes only where it is told to', () => {
    const of = (body: Partial<VerifyDbBody>) => isDestructive(resolveVerify({ pair: 'app', ...body }, pairs, NOW))
    expect([of({}), of({ orphans: true }), of({ orphans: true, repair: 'copy' })]).toEqual([false, false, false])
    expect(of({ orphans: true, repair: 'delete-left' })).toBe(true)
    expect(isDestructive(resolveSync({ pair: 'app' }, pairs, NOW))).toBe(false)
  })
})

test('the lock of a pair is no lock of a cluster of the same name', () => {
  expect(lockNameOf('pair:app')).toBe('db-app')
  expect(lockNameOf('pair:App')).toMatch(/^db--app-[0-9a-f]{20}$/)
  expect(lockNameOf('cluster:app')).toBe('tokens-app')
  expect(() => lockNameOf('other:app')).toThrow('there is no lock for other:app')
})
