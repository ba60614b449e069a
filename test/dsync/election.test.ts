import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DriverError } from '../../src/dsync/driver.ts'
import { type Election, type ElectionState, LostLeadership, type TermHandle } from '../../src/dsync/index.ts'
import { DEADLINE_MS, LEASE_MS, type Process, Stage } from './fixture.ts'

const AWAY = new DriverError('unavailable', 'away')
const PLACE = { name: 'test.election.master' }

let stage: Stage
let elections: Election[]
let a: Process
let b: Process

beforeEach(() => {
  stage = new Stage()
  elections = []
  a = stage.process('a')
  b = stage.process('b')
})
afterEach(async () => {
  const stopping = elections.map((one) => one.stop({ graceMs: 0 }))
  await stage.pass(2_000)
  await Promise.all(stopping)
  expect(stage.clock.pending).toBe(0)
})

function campaign(process: Process, name?: string): Election {
  const election = process.dsync.election(name)
  elections.push(election)
  return election
}

/** A follower that knows the leader. */
async function leaderAndFollower() {
  const leader = campaign(a)
  await stage.pass(10)
  const follower = campaign(b)
  await stage.pass(10)
  expect([leader.isLeader, follower.isLeader]).toEqual([true, false])
  return { leader, follower }
}

const works = () => {
  const calls: { signal: AbortSignal; term: TermHandle; startedAt: number; abortedAt?: number }[] = []
  const fn = (signal: AbortSignal, term: TermHandle) => {
    const call: (typeof calls)[number] = { signal, term, startedAt: stage.clock.now() }
    calls.push(call)
    signal.addEventListener('abort', () => {
      call.abortedAt = stage.clock.now()
    })
  }
  return { calls, fn }
}

describe('an election', () => {
  it('leads soon when there is no Lease', async () => {
    const election = campaign(a)
    await stage.pass(0)
    expect(election.isLeader).toBe(true)
    expect(election.leader).toMatch(/^a_/)
    expect(election.term?.token).toBe(BigInt(stage.store.read(PLACE)?.version ?? 0))
  })

  it('leads within 1.5 s when its watch says nothing', async () => {
    a.fate = ({ what }) => (what === 'watch' ? 'hang' : undefined)
    const election = campaign(a)
    await stage.pass(1_500)
    expect(election.isLeader).toBe(true)
  })

  it('leads where the watch is forbidden', async () => {
    a.fate = ({ what }) => (what === 'watch' ? new DriverError('refused', '403') : undefined)
    const election = campaign(a)
    await stage.pass(10)
    expect(election.isLeader).toBe(true)
  })

  it('tells the first knowledge, then each change, and the last event equals the properties', async () => {
    const events: ElectionState[] = []
    stage.store.edit(PLACE, { holder: 'x', durationMs: LEASE_MS, renewTime: 'r' })
    const election = campaign(a)
    election.on('change', (state) => events.push(state))
    await stage.pass(10)
    expect(events).toEqual([{ leader: 'x', isLeader: false }])
    await stage.pass(LEASE_MS + 250)
    expect(events.at(-1)).toEqual({ leader: election.leader, isLeader: true })
    stage.store.remove(PLACE)
    await stage.pass(LEASE_MS)
    expect(events.at(-1)).toEqual({ leader: election.leader, isLeader: election.isLeader })
    expect(events.map(({ isLeader }) => isLeader)).toContain(true)
  })

  it('calls a function that comes late, once a term, and not one that was taken back', async () => {
    const election = campaign(a)
    await stage.pass(10)
    const kept = works()
    const dropped = works()
    election.whenElected(kept.fn)
    election.whenElected(dropped.fn)()
    await stage.pass(10)
    expect([kept.calls.length, dropped.calls.length]).toEqual([1, 0])
  })

  it('never calls again before the signal of the call before has aborted, and tokens grow', async () => {
    const election = campaign(a)
    const { calls, fn } = works()
    election.whenElected((signal, term) => {
      expect(calls.every((call) => call.signal.aborted)).toBe(true)
      fn(signal, term)
    })
    for (let i = 0; i < 3; i++) {
      await stage.pass(500)
      stage.store.remove(PLACE)
      await stage.pass(LEASE_MS / 3 + 500)
    }
    expect(calls.length).toBe(4)
    const tokens = calls.map(({ term }) => term.token)
    expect(tokens).toEqual([...new Set(tokens)].sort((x, y) => (x < y ? -1 : 1)))
  })

  it('renews every third of the lease, with the resourceVersion and the uid, and creates without only when it saw none', async () => {
    campaign(a)
    await stage.pass(LEASE_MS * 3)
    const [first, ...others] = a.puts
    expect(first?.base).toBeUndefined()
    expect(others.map(({ at }) => Math.round(at))).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => n * 1_000))
    for (const { base } of others) expect(base).toMatchObject({ uid: expect.any(String), version: expect.any(String) })
  })

  it('follows in quiet without a request', async () => {
    await leaderAndFollower()
    await stage.pass(60_000)
    expect(b.requests.map(({ what }) => what)).toEqual(['watch'])
  })

  it('aborts at the deadline, counted from when the last renewal was sent, and check() throws from there on', async () => {
    const election = campaign(a)
    const { calls, fn } = works()
    election.whenElected(fn)
    await stage.pass(1_500)
    const sentAt = a.puts.at(-1)?.at ?? 0
    a.fate = () => AWAY
    await stage.pass(sentAt + DEADLINE_MS - stage.clock.now() - 1)
    const { term } = election
    expect(() => term?.check()).not.toThrow()
    await stage.pass(1.001)
    expect(() => term?.check()).toThrow(LostLeadership)
    await stage.pass(250)
    expect(calls[0]?.abortedAt).toBeLessThanOrEqual(sentAt + DEADLINE_MS + 250)
    expect(election.isLeader).toBe(false)
    expect(calls[0]?.signal.reason).toBeInstanceOf(LostLeadership)
    a.fate = () => undefined
    await stage.pass(LEASE_MS)
    expect(election.isLeader).toBe(true)
    expect(calls.length).toBe(2)
  })

  it('notices in check() what timers could not', async () => {
    const election = campaign(a)
    await stage.pass(10)
    const { term } = election
    stage.clock.jumpWall(DEADLINE_MS)
    expect(() => term?.check()).toThrow(LostLeadership)
    expect(election.isLeader).toBe(false)
  })

  it('aborts within 250 ms of a jump of the wall clock past the deadline', async () => {
    const election = campaign(a)
    const { calls, fn } = works()
    election.whenElected(fn)
    await stage.pass(300)
    const jumpedAt = stage.clock.now()
    stage.clock.jumpWall(3_600_000)
    await stage.pass(250)
    expect(calls[0]?.abortedAt).toBeLessThanOrEqual(jumpedAt + 250)
  })

  it('is not disturbed by a wall clock that is set back', async () => {
    const election = campaign(a)
    const { calls, fn } = works()
    election.whenElected(fn)
    await stage.pass(300)
    stage.clock.jumpWall(-3_600_000)
    await stage.pass(LEASE_MS * 3)
    expect(calls).toHaveLength(1)
    expect(election.isLeader).toBe(true)
  })

  it.each([
    ['deleted', () => stage.store.remove(PLACE)],
    ['taken by another', () => stage.store.edit(PLACE, { holder: 'thief', renewTime: 't' })],
  ])(
    'ends the term when the Lease is %s, within a third of the lease and 500 ms, and never writes for it again',
    async (_, rob) => {
      const election = campaign(a)
      const { calls, fn } = works()
      election.whenElected(fn)
      await stage.pass(1_200)
      const acquireTime = stage.store.read(PLACE)?.record.acquireTime
      rob()
      const robbedAt = stage.clock.now()
      const before = a.puts.length
      await stage.pass(LEASE_MS * 3)
      expect(calls[0]?.abortedAt).toBeLessThanOrEqual(robbedAt + LEASE_MS / 3 + 500)
      // One renewal was refused; what is written then belongs to another term.
      const [, ...later] = a.puts.slice(before)
      expect(later.filter(({ record }) => record?.acquireTime === acquireTime)).toEqual([])
      expect(election.isLeader).toBe(true)
    },
  )

  it('does not mistake a change by hand that leaves it the holder for a loss', async () => {
    const election = campaign(a)
    const { calls, fn } = works()
    election.whenElected(fn)
    await stage.pass(500)
    stage.store.edit(PLACE, { kept: { metadata: { labels: { team: 'blue' } }, spec: { strategy: 'x' } } })
    await stage.pass(LEASE_MS * 2)
    expect(calls).toHaveLength(1)
    expect(election.isLeader).toBe(true)
    expect(stage.store.read(PLACE)?.record.kept).toEqual({
      metadata: { labels: { team: 'blue' } },
      spec: { strategy: 'x' },
    })
  })

  it('credits a renewal whose answer was lost, and only that', async () => {
    const election = campaign(a)
    const { calls, fn } = works()
    election.whenElected(fn)
    await stage.pass(500)
    let isLost = true
    a.fate = ({ what }) => {
      if (what !== 'put' || !isLost) return undefined
      isLost = false
      return 'written-but-hangs'
    }
    await stage.pass(LEASE_MS * 2)
    expect(calls).toHaveLength(1)
    expect(election.isLeader).toBe(true)
  })

  it('confirms an acquisition whose answer was lost: the token is the version of a write that it knows of', async () => {
    let isLost = true
    a.fate = ({ what }) => {
      if (what !== 'put' || !isLost) return undefined
      isLost = false
      return 'written-but-hangs'
    }
    const election = campaign(a)
    await stage.pass(LEASE_MS)
    expect(election.isLeader).toBe(true)
    expect(a.puts.length).toBeGreaterThanOrEqual(2)
    expect(election.term?.token).toBeGreaterThan(1n)
  })

  it('takes over from a crashed leader when the lease has passed, and not before', async () => {
    const { follower } = await leaderAndFollower()
    a.fate = () => 'hang'
    const crashedAt = stage.clock.now()
    const lastRenewal = a.puts.at(-1)?.at ?? 0
    await stage.pass(lastRenewal + LEASE_MS - crashedAt)
    expect(follower.isLeader).toBe(false)
    await stage.pass(600)
    expect(follower.isLeader).toBe(true)
  })

  it('questions a watch that is silent for longer than a leader would be: it may be dead', async () => {
    const { follower } = await leaderAndFollower()
    b.isDeaf = true
    await stage.pass(1_900)
    a.fate = () => 'hang'
    const crashedAt = stage.clock.now()
    await stage.pass(LEASE_MS + (LEASE_MS * 2) / 3 + 600)
    expect(stage.clock.now() - crashedAt).toBe(5_600)
    expect(follower.isLeader).toBe(true)
    expect(b.requests.slice(0, 4).map(({ what }) => what)).toEqual(['watch', 'get', 'get', 'put'])
  })

  it('takes a released Lease at once', async () => {
    const { leader, follower } = await leaderAndFollower()
    await leader.stop()
    await stage.pass(0)
    expect(follower.isLeader).toBe(true)
    expect(leader.leader).toBeUndefined()
  })

  it('waits a lease when one that was held is deleted', async () => {
    const { follower } = await leaderAndFollower()
    a.fate = () => 'hang'
    stage.store.remove(PLACE)
    await stage.pass(LEASE_MS - 10)
    expect(follower.isLeader).toBe(false)
    await stage.pass(600)
    expect(follower.isLeader).toBe(true)
  })

  it('keeps each request and each pause within a third of the lease while the API is away', async () => {
    a.fate = ({ what }) => (what === 'watch' ? AWAY : what === 'put' ? 'hang' : AWAY)
    campaign(a)
    await stage.pass(60_000)
    const times = a.requests.filter(({ what }) => what !== 'watch').map(({ at }) => at)
    for (const [index, at] of times.slice(1).entries())
      expect(at - (times[index] ?? 0)).toBeLessThanOrEqual(LEASE_MS / 3 + 1)
    for (const { timeoutMs } of a.requests) expect(timeoutMs).toBeLessThanOrEqual(LEASE_MS / 3)
  })

  it('heeds Retry-After up to a third of the lease', async () => {
    a.fate = ({ what }) => (what === 'put' ? new DriverError('refused', '429', { retryAfterMs: 60_000 }) : undefined)
    campaign(a)
    await stage.pass(10_000)
    const times = a.puts.map(({ at }) => at)
    expect(times.length).toBeGreaterThanOrEqual(9)
    expect(times.length).toBeLessThanOrEqual(11)
  })

  it('has a leader in time when the API is back', async () => {
    await leaderAndFollower()
    stage.store.isAway = true
    await stage.pass(LEASE_MS * 5)
    expect(elections.filter((one) => one.isLeader)).toEqual([])
    stage.store.isAway = false
    await stage.pass(LEASE_MS + 600 + (LEASE_MS * 2) / 3)
    expect(elections.filter((one) => one.isLeader)).toHaveLength(1)
  })

  it('throws what a function throws where it is seen, unless its signal has aborted', async () => {
    const election = campaign(a)
    const errors: unknown[] = []
    election.on('error', (error) => errors.push(error))
    const mistake = new Error('mistake')
    election.whenElected(async () => {
      throw mistake
    })
    election.whenElected(async (signal) => {
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    })
    await stage.pass(10)
    await election.stop()
    expect(errors).toEqual([mistake])
  })
})

describe('an election with an invalid name', () => {
  it('says so in its error, and does nothing', async () => {
    const election = campaign(a, '-')
    expect(election.error).toMatchObject({ code: 'InvalidResource' })
    election.whenElected(() => expect.unreachable())
    await election.stepDown()
    await election.stop()
    await stage.pass(LEASE_MS)
    expect([election.leader, election.isLeader, a.requests.length]).toEqual([undefined, false, 0])
  })
})
