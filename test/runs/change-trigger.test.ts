import { afterEach, beforeEach, expect, test } from 'vitest'
import { openChangeTrigger } from '../../src/runs/change-trigger.ts'
import { RunsStopping, type Started } from '../../src/runs/contract.ts'
import type { RunRecord } from '../../src/state/store.ts'
import { FakeClock } from '../lib/fake-clock.ts'
import { FakeLeadership } from './fixture.ts'

let clock: FakeClock
let leadership: FakeLeadership
let trigger: Disposable
let watches: { readonly change: () => void; readonly signal: AbortSignal }[]
let startedAt: number[]
let errors: unknown[]
let gates: PromiseWithResolvers<void>[]
let outcome: () => Started['outcome']

beforeEach(() => {
  clock = new FakeClock()
  leadership = new FakeLeadership(true)
  watches = []
  startedAt = []
  errors = []
  gates = []
  outcome = () => 'started'
  trigger = openChangeTrigger({
    clock,
    leadership,
    watch: (change, signal) => void watches.push({ change, signal }),
    start: async () => {
      startedAt.push(clock.now())
      gates.push(Promise.withResolvers<void>())
      return { outcome: outcome(), run: { id: String(gates.length - 1) } as RunRecord }
    },
    runs: { wait: async (id) => void (await gates[Number(id)]?.promise) as undefined },
    onError: (error) => errors.push(error),
  })
})
afterEach(async () => {
  trigger[Symbol.dispose]()
  await clock.advance(0)
  expect(clock.pending).toBe(0)
})

const change = () => watches.at(-1)?.change()
const endLast = () => gates.at(-1)?.resolve()

test('what changes within a moment is one run', async () => {
  change()
  await clock.advance(100)
  change()
  change()
  await clock.advance(100)
  expect(startedAt).toEqual([200])
  endLast()
  await clock.advance(1_000)
  expect(startedAt).toEqual([200])
})

test('what changes while a run is under way is one more after it', async () => {
  change()
  await clock.advance(500)
  change()
  await clock.advance(500)
  change()
  await clock.advance(500)
  expect(startedAt).toEqual([200])
  endLast()
  await clock.advance(200)
  expect(startedAt).toEqual([200, 1_700])
  endLast()
  await clock.advance(5_000)
  expect(startedAt).toHaveLength(2)
})

test('when somebody else’s run is in the way, one more follows it', async () => {
  outcome = () => 'overlaps'
  change()
  await clock.advance(1_000)
  outcome = () => 'started'
  endLast()
  await clock.advance(1_000)
  expect(startedAt).toEqual([200, 1_200])
  endLast()
})

test('a start that fails is tried again', async () => {
  outcome = () => {
    throw new Error('the store is away')
  }
  change()
  await clock.advance(200)
  outcome = () => 'started'
  await clock.advance(5_200)
  expect(startedAt).toEqual([200, 5_400])
  expect(errors).toEqual([new Error('the store is away')])
  endLast()
})

test('a service that stops is asked no more', async () => {
  outcome = () => {
    throw new RunsStopping('stopping')
  }
  change()
  await clock.advance(60_000)
  expect([startedAt, errors]).toEqual([[200], []])
})

test('only the leader watches', async () => {
  expect(watches).toHaveLength(1)
  change()
  leadership.set(false)
  expect(watches[0]?.signal.aborted).toBe(true)
  watches[0]?.change()
  await clock.advance(1_000)
  expect(startedAt).toEqual([])
  leadership.set(true)
  expect(watches).toHaveLength(2)
  change()
  await clock.advance(200)
  expect(startedAt).toEqual([1_200])
  endLast()
  await clock.advance(0)
})
