// What every driver of dsync keeps, as one suite: the contract of each method, then elections and locks over it.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Driver, LeasePlace, LeaseSight } from '../../src/dsync/driver.ts'
import { DriverError, Dsync, type LeaseRecord, NotHeld } from '../../src/dsync/index.ts'
import type { Clock } from '../../src/lib/clock.ts'

export interface Scene extends AsyncDisposable {
  readonly driver: Driver
  readonly clock: Clock
  /** Lets time pass. */
  pass(ms: number): Promise<void>
  /** As somebody with kubectl would. */
  remove(place: LeasePlace): Promise<void>
  /** Adds something that is none of dsync's business. */
  label(place: LeasePlace): Promise<void>
}

const LEASE_MS = 3_000
const MARK = '2026-01-01T00:00:00.000001Z'
const LIMITS = { timeoutMs: 2_000, signal: new AbortController().signal }

const NAMES = 60
let names = 0
const newName = () => {
  if (names === NAMES) throw new Error(`more than ${NAMES} names are used: let the Role have them`)
  return `conformance-${names++}`
}

/** The Leases that the suite uses, for a Role that allows no others. */
export const LEASE_NAMES: readonly string[] = Array.from({ length: NAMES }, (_, n) => `conformance-${n}`).flatMap(
  (name) => [name, `conformance.election.${name}`, `conformance.lock.${name}`],
)

const recordOf = (holder: string, change: Partial<LeaseRecord> = {}): LeaseRecord => ({
  holder,
  durationMs: LEASE_MS,
  acquireTime: MARK,
  renewTime: MARK,
  transitions: 0,
  kept: {},
  ...change,
})

export function describeDriver(title: string, open: () => Promise<Scene>): void {
  describe(title, () => {
    let scene: Scene
    let place: LeasePlace
    const stops: (() => Promise<unknown>)[] = []

    beforeEach(async () => {
      scene = await open()
      place = { name: newName() }
    })
    afterEach(async () => {
      for (const stop of stops.splice(0)) await stop()
      await scene[Symbol.asyncDispose]()
    })

    const put = (record: LeaseRecord, base?: LeaseSight) => scene.driver.put(place, record, base, LIMITS)
    const get = () => scene.driver.get(place, LIMITS)
    const codeOf = async (promise: Promise<unknown>) => {
      const error = await promise.then(
        () => undefined,
        (reason: unknown) => reason,
      )
      return error instanceof DriverError ? error.code : error
    }
    const follow = () => {
      const seen: (LeaseSight | undefined)[] = []
      const failures: unknown[] = []
      const watch = new AbortController()
      stops.push(async () => watch.abort())
      scene.driver.watch(
        place,
        { sight: (sight) => seen.push(sight), failed: (error) => failures.push(error) },
        { pauseMs: 1_000, signal: watch.signal },
      )
      return { seen, failures, watch }
    }
    const until = async (isTrue: () => boolean, ms: number) => {
      for (let waited = 0; !isTrue(); waited += 10) {
        if (waited >= ms) throw new Error(`not so within ${ms} ms`)
        await scene.pass(10)
      }
    }
    const dsyncOf = (instance: string) =>
      new Dsync(scene.driver, instance, {
        scope: 'conformance',
        leaseDurationMs: LEASE_MS,
        renewDeadlineMs: 2_000,
        clock: scene.clock,
      })
    const candidate = (instance: string, name: string) => {
      const election = dsyncOf(instance).election(name)
      stops.push(() => election.stop({ graceMs: 0 }))
      return election
    }

    it('has no Lease before one is put', async () => {
      expect(await get()).toBeUndefined()
    })

    it('creates by a put without a base, and reads what was put', async () => {
      const created = await put(recordOf('a', { transitions: 7 }))
      expect(created).toMatchObject({
        record: { holder: 'a', durationMs: LEASE_MS, acquireTime: MARK, transitions: 7 },
      })
      expect(await get()).toEqual(created)
    })

    it('answers a put without a base with a conflict where there is a Lease', async () => {
      const created = await put(recordOf('a'))
      expect(await codeOf(put(recordOf('b')))).toBe('conflict')
      expect(await get()).toEqual(created)
    })

    it('updates what is still as it was, and gives it a larger version', async () => {
      const created = await put(recordOf('a'))
      const updated = await put(recordOf('b', { renewTime: '2026-01-01T00:00:01.000002Z' }), created)
      expect(updated.record.holder).toBe('b')
      expect(updated.uid).toBe(created.uid)
      expect(BigInt(updated.version)).toBeGreaterThan(BigInt(created.version))
    })

    it('answers an update of what has changed since with a conflict', async () => {
      const created = await put(recordOf('a'))
      const updated = await put(recordOf('b'), created)
      expect(await codeOf(put(recordOf('c'), created))).toBe('conflict')
      expect(await get()).toEqual(updated)
    })

    it('does not bring back to life what was deleted', async () => {
      const created = await put(recordOf('a'))
      await scene.remove(place)
      expect(await codeOf(put(recordOf('a'), created))).toBe('conflict')
      expect(await get()).toBeUndefined()
    })

    it('does not take a Lease for the one before it of the same name', async () => {
      const before = await put(recordOf('a'))
      await scene.remove(place)
      const after = await put(recordOf('b'))
      expect(after.uid).not.toBe(before.uid)
      expect(BigInt(after.version)).toBeGreaterThan(BigInt(before.version))
      expect(await codeOf(put(recordOf('a'), before))).toBe('conflict')
    })

    it('rounds durations up to whole seconds, of which there is at least one', async () => {
      const created = await put(recordOf('a', { durationMs: 0 }))
      expect(created.record.durationMs).toBe(1_000)
      expect((await put(recordOf('a', { durationMs: 1_500 }), created)).record.durationMs).toBe(2_000)
    })

    it('keeps what it does not understand', async () => {
      await put(recordOf('a'))
      await scene.label(place)
      const labelled = await get()
      expect(labelled?.record.kept.metadata).toMatchObject({ labels: { team: 'blue' } })
      const updated = await put({ ...recordOf('b'), kept: labelled?.record.kept ?? {} }, labelled)
      expect(updated.record.kept.metadata).toMatchObject({ labels: { team: 'blue' } })
    })

    it('gives up with the signal', async () => {
      const reason = new Error('enough')
      const limits = { timeoutMs: 1_000, signal: AbortSignal.abort(reason) }
      await expect(scene.driver.get(place, limits)).rejects.toBe(reason)
      await expect(scene.driver.put(place, recordOf('a'), undefined, limits)).rejects.toBe(reason)
      expect(await get()).toBeUndefined()
    })

    it('tells a watcher that there is no Lease, then each change, then that it is gone', async () => {
      const { seen, failures } = follow()
      await until(() => seen.length === 1, 2_000)
      const created = await put(recordOf('a'))
      await until(() => seen.length === 2, 2_000)
      const updated = await put(recordOf('b'), created)
      await until(() => seen.length === 3, 2_000)
      await scene.remove(place)
      await until(() => seen.length === 4, 2_000)
      expect(seen).toEqual([undefined, created, updated, undefined])
      // A server that is asked for more than it knows says so, once.
      expect(failures.length).toBeLessThanOrEqual(1)
    })

    it('tells a watcher of its Lease only, and nothing after the end', async () => {
      const created = await put(recordOf('a'))
      const { seen, watch } = follow()
      await until(() => seen.length === 1, 2_000)
      await scene.driver.put({ name: newName() }, recordOf('x'), undefined, LIMITS)
      await scene.pass(100)
      watch.abort()
      await put(recordOf('b'), created)
      await scene.pass(100)
      expect(seen).toEqual([created])
    })

    it('elects one of several who come at once, soon', async () => {
      const name = newName()
      const elections = ['a', 'b', 'c'].map((instance) => candidate(instance, name))
      await until(() => elections.every((one) => one.leader !== undefined), 1_500)
      expect(elections.filter((one) => one.isLeader)).toHaveLength(1)
      const leader = elections.find((one) => one.isLeader)
      for (const one of elections) expect(one.leader).toBe(leader?.leader)
      await scene.pass(LEASE_MS * 1.5)
      expect(elections.filter((one) => one.isLeader)).toEqual([leader])
    })

    it('hands over at once when the leader stops, with a larger token', async () => {
      const name = newName()
      const first = candidate('a', name)
      await until(() => first.isLeader, 1_500)
      const token = first.term?.token ?? 0n
      const second = candidate('b', name)
      await until(() => second.leader !== undefined, 1_500)
      await first.stop()
      await until(() => second.isLeader, 250)
      expect(second.term?.token).toBeGreaterThan(token)
      expect(second.term?.transitions).toBe(1)
    })

    it('ends the term when the Lease is deleted, and begins another', async () => {
      const name = newName()
      const election = candidate('a', name)
      await until(() => election.isLeader, 1_500)
      const signals: AbortSignal[] = []
      const tokens: bigint[] = []
      election.whenElected((signal, term) => {
        signals.push(signal)
        tokens.push(term.token)
      })
      await until(() => tokens.length === 1, 500)
      await scene.remove({ name: election.resource.electionName })
      await until(() => signals[0]?.aborted === true, LEASE_MS / 3 + 500)
      await until(() => tokens.length === 2, 1_500)
      expect(tokens[1]).toBeGreaterThan(tokens[0] ?? 0n)
    })

    it('lets one at a time have a lock, and wakes who waits', async () => {
      const name = newName()
      const first = dsyncOf('a').lock(name)
      const second = dsyncOf('b').lock(name)
      const ours = await first.lock()
      expect(await second.tryLock()).toBeUndefined()
      let theirs: bigint | undefined
      const waiting = second.lock().then((held) => {
        theirs = held.token
      })
      await scene.pass(300)
      expect(theirs).toBeUndefined()
      await first.unlock()
      await until(() => theirs !== undefined, 500)
      await waiting
      expect(theirs).toBeGreaterThan(ours.token)
      expect(() => ours.check()).toThrow(NotHeld)
      second.check()
      await second.unlock()
    })
  })
}
