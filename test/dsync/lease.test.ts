import { describe, expect, it } from 'vitest'
import { decodeLease, encodeLease, toMicroTime, toWholeSeconds } from '../../src/dsync/lease.ts'

const OBJECT = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'x', namespace: 'n', uid: 'u', resourceVersion: '12', labels: { team: 'blue' }, managedFields: [] },
  spec: {
    holderIdentity: 'pod_1',
    leaseDurationSeconds: 15,
    acquireTime: '2026-01-01T00:00:00.000001Z',
    renewTime: '2026-01-01T00:00:05.000002Z',
    leaseTransitions: 3,
    strategy: 'OldestEmulationVersion',
    preferredHolder: 'pod_2',
  },
}

describe('a Lease', () => {
  it('is written as it was read, with what we do not understand, its uid and resourceVersion', () => {
    const decoded = decodeLease(OBJECT)
    if (decoded === undefined) throw new Error('not understood')
    const { managedFields: _managed, ...metadata } = OBJECT.metadata
    expect(encodeLease('x', 'n', decoded.record, decoded)).toEqual({ ...OBJECT, metadata })
  })

  it('is created without uid and resourceVersion', () => {
    const decoded = decodeLease(OBJECT)
    if (decoded === undefined) throw new Error('not understood')
    const { metadata } = encodeLease('x', 'n', decoded.record, undefined)
    expect(metadata).toEqual({ name: 'x', namespace: 'n', labels: { team: 'blue' } })
  })

  it.each([
    [undefined],
    [{}],
    [{ metadata: { uid: 'u' } }],
    [{ metadata: { uid: 'u', resourceVersion: 'not-a-number' } }],
  ])('is not %j', (value) => {
    expect(decodeLease(value)).toBeUndefined()
  })

  it('may be one that somebody made by hand, with nothing in it', () => {
    expect(decodeLease({ metadata: { uid: 'u', resourceVersion: '1' } })?.record).toMatchObject({
      holder: '',
      durationMs: 0,
      transitions: 0,
    })
  })

  it('has times of exactly six digits', () => {
    expect(toMicroTime(Date.UTC(2026, 0, 1), 7)).toBe('2026-01-01T00:00:00.000007Z')
    expect(toMicroTime(Date.UTC(2026, 0, 1) + 42, 999)).toBe('2026-01-01T00:00:00.042999Z')
  })

  it.each([
    [0, 1],
    [1, 1],
    [1_000, 1],
    [1_001, 2],
    [15_000, 15],
  ])('of %i ms lasts %i s', (ms, seconds) => {
    expect(toWholeSeconds(ms)).toBe(seconds)
  })
})
