import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import {
  createSoleLeadership,
  describeLeadership,
  type Leadership,
  registerLeadershipMetrics,
  whileLeading,
} from '../../src/lib/leadership.ts'

const led: Leadership = {
  driver: 'kubernetes',
  leader: 'pod-a_1',
  isLeader: true,
  term: { token: 4711n, remainingMs: 9_100 },
  problem: undefined,
  termsLed: 2,
  onChange: () => () => {},
}
const following: Leadership = { ...led, leader: 'pod-b_2', isLeader: false, term: undefined }

describe('leadership in a sentence', () => {
  test.each<[string, Leadership]>([
    ['this replica leads', createSoleLeadership('pod-a')],
    ['this replica leads, term 4711, for 10 s unless it is renewed', led],
    ['pod-b_2 leads', following],
    ['no leader is known; connection refused', { ...following, leader: undefined, problem: 'connection refused' }],
  ])('%s', (sentence, leadership) => {
    expect(describeLeadership(leadership)).toBe(sentence)
  })
})

describe('a duty of the leader', () => {
  const play = (isLeader: boolean) => {
    const listeners = new Set<() => void>()
    const leadership = {
      isLeader,
      onChange: (listener: () => void) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    }
    const told: string[] = []
    const duty = whileLeading(leadership, () => {
      told.push('begins')
      return { [Symbol.dispose]: () => void told.push('ends') }
    })
    const set = (now: boolean) => {
      leadership.isLeader = now
      for (const listener of listeners) listener()
    }
    return { told, duty, set, listeners }
  }

  test('begins at once for a leader, and ends and begins with leadership', () => {
    const { told, set } = play(true)
    expect(told).toEqual(['begins'])
    set(true)
    expect(told).toEqual(['begins'])
    set(false)
    set(false)
    set(true)
    expect(told).toEqual(['begins', 'ends', 'begins'])
  })

  test('begins later for a follower, and for nobody once it is given up', () => {
    const { told, duty, set, listeners } = play(false)
    expect(told).toEqual([])
    set(true)
    duty[Symbol.dispose]()
    expect(told).toEqual(['begins', 'ends'])
    expect(listeners.size).toBe(0)
  })
})

describe('leadership in the metrics', () => {
  const metricsOf = async (leadership: Leadership) => {
    const registry = new Registry()
    registerLeadershipMetrics(registry, leadership)
    return (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  }

  test('of a leader have its term and the time that is left', async () => {
    expect(await metricsOf(led)).toEqual([
      'syncer_dsync_is_leader 1',
      'syncer_dsync_leader_known 1',
      'syncer_dsync_term 4711',
      'syncer_dsync_term_remaining_seconds 9.1',
      'syncer_dsync_store_up 1',
      'syncer_dsync_terms_total 2',
    ])
  })

  test('of a follower have neither', async () => {
    expect(await metricsOf({ ...following, problem: 'connection refused' })).toEqual([
      'syncer_dsync_is_leader 0',
      'syncer_dsync_leader_known 1',
      'syncer_dsync_store_up 0',
      'syncer_dsync_terms_total 2',
    ])
  })
})
