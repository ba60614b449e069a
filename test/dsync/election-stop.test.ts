import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Election } from '../../src/dsync/index.ts'
import { LEASE_MS, type Process, Stage } from './fixture.ts'

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

describe('stop and stepDown', () => {
  it('abort the signal, renew while the work goes on, and release when it has ended', async () => {
    const election = campaign(a)
    let finish: () => void = () => undefined
    let aborted = false
    election.whenElected((signal) => {
      signal.addEventListener('abort', () => {
        aborted = true
      })
      return new Promise((resolve) => {
        finish = resolve
      })
    })
    await stage.pass(500)
    let isStopped = false
    const stopping = election.stop({ graceMs: 20_000 }).then(() => {
      isStopped = true
    })
    expect([aborted, election.isLeader]).toEqual([true, false])
    const before = a.puts.length
    await stage.pass(LEASE_MS * 3)
    expect(isStopped).toBe(false)
    expect(a.puts.length - before).toBe(9)
    expect(stage.store.read(PLACE)?.record.holder).toMatch(/^a_/)
    finish()
    await stage.pass(0)
    await stopping
    expect(stage.store.read(PLACE)?.record.holder).toBe('')
  })

  it('return after the grace when the work never ends, and release nothing', async () => {
    const election = campaign(a)
    election.whenElected(() => new Promise(() => undefined))
    await stage.pass(500)
    const stopping = election.stop({ graceMs: 5_000 })
    await stage.pass(5_000)
    await stopping
    const renewed = stage.store.read(PLACE)
    expect(renewed?.record.holder).toMatch(/^a_/)
    await stage.pass(LEASE_MS * 2)
    expect(stage.store.read(PLACE)).toEqual(renewed)
  })

  it('return though the API is away', async () => {
    const { leader, follower } = await leaderAndFollower()
    stage.store.isAway = true
    const stopping = Promise.all([leader.stop({ graceMs: 500 }), follower.stop({ graceMs: 500 })])
    await stage.pass(1_500)
    await stopping
    stage.store.isAway = false
  })

  it('let the others have their chance: who stepped down leads again after another, or after a lease', async () => {
    const { leader, follower } = await leaderAndFollower()
    const stepping = leader.stepDown()
    await stage.pass(10)
    await stepping
    expect([leader.isLeader, follower.isLeader]).toEqual([false, true])
    const back = follower.stepDown()
    await stage.pass(10)
    await back
    expect([leader.isLeader, follower.isLeader]).toEqual([true, false])
  })

  it('have it lead again after a lease when there is nobody else', async () => {
    const election = campaign(a)
    await stage.pass(10)
    const stepping = election.stepDown()
    await stage.pass(0)
    await stepping
    await stage.pass(LEASE_MS - 100)
    expect(election.isLeader).toBe(false)
    await stage.pass(200)
    expect(election.isLeader).toBe(true)
  })

  it('stepDown waits for the work, and does nothing where nobody leads', async () => {
    const { leader, follower } = await leaderAndFollower()
    let finish: () => void = () => undefined
    leader.whenElected(
      () =>
        new Promise((resolve) => {
          finish = resolve
        }),
    )
    await stage.pass(10)
    let isDown = false
    const stepping = leader.stepDown().then(() => {
      isDown = true
    })
    await stage.pass(LEASE_MS * 2)
    expect([isDown, follower.isLeader, leader.isLeader]).toEqual([false, false, false])
    await follower.stepDown()
    finish()
    await stage.pass(10)
    await stepping
    expect(follower.isLeader).toBe(true)
  })

  it('stop can be called again, while it is stopping and later', async () => {
    const election = campaign(a)
    await stage.pass(10)
    await Promise.all([election.stop(), election.stop()])
    await election.stop()
    await election.stepDown()
    election.whenElected(() => expect.unreachable())
    await stage.pass(LEASE_MS * 2)
    expect(election.isLeader).toBe(false)
  })

  it('take back an acquisition that was under way', async () => {
    let isFirst = true
    a.fate = ({ what }) => {
      if (what !== 'put' || !isFirst) return undefined
      isFirst = false
      return 'written-but-hangs'
    }
    const election = campaign(a)
    await stage.pass(0)
    expect(stage.store.read(PLACE)?.record.holder).toMatch(/^a_/)
    const stopping = election.stop({ graceMs: 10_000 })
    await stage.pass(LEASE_MS)
    await stopping
    expect(stage.store.read(PLACE)?.record.holder).toBe('')
  })
})
