// What every store of the state keeps about the processes that carry out runs: who lives, who is dead, and what becomes of their runs.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { OwnerLost, StateUnavailable } from '../../src/state/store.ts'
import { item, newId, openPlain, PROBLEM, range, type StateBench, SUCCEEDED } from './state-bench.ts'
import type { ProcessSettings } from './state-process.ts'

const DEAD_AFTER_MS = 1_000
const PROCESS = join(import.meta.dirname, 'state-process.ts')

export function describeOwners(bench: StateBench): void {
  describe('a process', () => {
    const start = async (change: Partial<ProcessSettings> = {}) => {
      const settings: ProcessSettings = {
        state: bench.scene.options,
        deadAfterMs: DEAD_AFTER_MS,
        runId: newId(),
        resource: 'cluster:p',
        puts: false,
        ...change,
      }
      const child = spawn(process.execPath, [PROCESS, JSON.stringify(settings)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      bench.ends.push(() => kill(child))
      const lines = createInterface({ input: child.stdout })
      const said: string[] = []
      lines.on('line', (line) => said.push(line))
      await Promise.race([once(lines, 'line'), once(child, 'exit')])
      expect(said, 'the process has ended').not.toEqual([])
      return { child, runId: settings.runId, said, drained: once(lines, 'close') }
    }
    const kill = async (child: ChildProcess) => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    }
    const interruptSoon = async () => {
      for (const end = performance.now() + 5 * DEAD_AFTER_MS; ; await sleep(20)) {
        const runs = await bench.store.interruptOrphans(3_000, PROBLEM)
        if (runs.length > 0 || performance.now() > end) return runs
      }
    }

    it('that lives keeps its runs', async () => {
      const { runId } = await start()
      const mine = await bench.create()
      await sleep(DEAD_AFTER_MS * 1.5)
      expect(await bench.store.interruptOrphans(3_000, PROBLEM)).toEqual([])
      expect((await bench.store.createRun(bench.draft({ resources: ['cluster:p'] }))).run.id).toBe(runId)
      expect((await bench.store.getRun(mine.id))?.state).toBe('queued')
    })

    it('that was killed leaves its runs interrupted, and what they held is free', async () => {
      const { child, runId } = await start()
      const mine = await bench.create()
      await bench.store.changeRun(mine.id, { state: 'running' })
      await kill(child)
      const runs = await interruptSoon()
      const expected = { id: runId, state: 'interrupted', endedAt: 3_000, problem: PROBLEM, resources: ['cluster:p'] }
      expect(runs).toEqual([expect.objectContaining(expected)])
      expect(await bench.store.getRun(runId)).toEqual(runs[0])
      expect((await bench.store.getRun(mine.id))?.state).toBe('running')
      await bench.create({ resources: ['cluster:p'] })
      expect(await bench.store.interruptOrphans(4_000, PROBLEM)).toEqual([])
    })

    it('that was killed while it wrote has lost nothing that was stored', async () => {
      const { child, runId, said, drained } = await start({ puts: true })
      while (said.length < 20) await sleep(5)
      await kill(child)
      await drained
      const stored = (await bench.store.readItemsAfter(runId, 0, 10_000)).map(({ key }) => key)
      const told = said.slice(1).map((n) => `item-${n}`)
      expect(stored.slice(0, told.length)).toEqual(told)
      expect(stored.length - told.length).toBeLessThanOrEqual(1)
    })

    it('finds the tables made, whichever of many that start at once makes them', async () => {
      const fresh = await bench.openScene()
      bench.ends.push(() => fresh[Symbol.asyncDispose]())
      const started = await Promise.all(range(4).map((n) => start({ state: fresh.options, resource: `cluster:${n}` })))
      const other = await openPlain(fresh.options)
      bench.ends.push(() => other[Symbol.asyncDispose]())
      const { items } = await other.listRuns({ limit: 10 })
      expect(items.map(({ id }) => id)).toEqual(
        started
          .map(({ runId }) => runId)
          .sort()
          .reverse(),
      )
      for (const { child } of started) await kill(child)
    })
  })

  describe('an owner', () => {
    it('that went leaves its runs to others', async () => {
      const leaving = await bench.store.openOwner(60_000)
      const { id } = await bench.create({ owner: leaving.id })
      await bench.create()
      await leaving.beat()
      await leaving[Symbol.asyncDispose]()
      expect((await bench.store.interruptOrphans(3_000, PROBLEM)).map((run) => run.id)).toEqual([id])
      await expect(leaving.beat()).rejects.toThrow(OwnerLost)
    })

    it('leaves each run to one of those who look', async () => {
      const stores = [bench.store, await bench.open(), await bench.open()]
      const leaving = await bench.store.openOwner(60_000)
      const ids = await bench.createMany(8, { owner: leaving.id })
      await leaving[Symbol.asyncDispose]()
      const found = await Promise.all(stores.map((one) => one.interruptOrphans(3_000, PROBLEM)))
      expect(
        found
          .flat()
          .map(({ id }) => id)
          .toSorted(),
      ).toEqual(ids)
    })

    it('whose run was interrupted can do nothing to it, nor to the run that follows', async () => {
      const zombie = await bench.open()
      const lost = await zombie.openOwner(60_000)
      const { id } = await bench.create({ owner: lost.id, resources: ['x'] })
      await zombie.putItems(id, [item('before')])
      await lost[Symbol.asyncDispose]()
      const [interrupted] = await bench.store.interruptOrphans(3_000, PROBLEM)
      const next = await bench.create({ resources: ['x'], takesUp: id })
      expect(await zombie.changeRun(id, { progress: '9', locks: [] })).toBe(false)
      await zombie.putItems(id, [item('after')])
      expect(await zombie.endRun(id, SUCCEEDED)).toBe(false)
      expect(await bench.store.getRun(id)).toEqual(interrupted)
      expect(await bench.seqsOf(id)).toEqual([[1, 'before']])
      expect(await bench.store.createRun(bench.draft({ resources: ['x'] }))).toMatchObject({
        outcome: 'overlaps',
        run: { id: next.id },
      })
    })

    it('may be one of several of a process', async () => {
      const [one, two] = [await bench.store.openOwner(60_000), await bench.store.openOwner(60_000)]
      expect(one.id).not.toBe(two.id)
      const kept = await bench.create({ owner: two.id })
      await one[Symbol.asyncDispose]()
      expect(await bench.store.interruptOrphans(3_000, PROBLEM)).toEqual([])
      await two.beat()
      expect((await bench.store.getRun(kept.id))?.state).toBe('queued')
    })
  })

  describe('the store', () => {
    it('is as it was when it is opened again', async () => {
      const { id } = await bench.create({ resources: ['x'] })
      await bench.store.putItems(id, [item('a')])
      await bench.store[Symbol.asyncDispose]()
      const again = await bench.open()
      expect(await again.getRun(id)).toMatchObject({ state: 'queued' })
      expect((await again.listItems(id, { limit: 10 })).items).toEqual([item('a')])
    })

    it('takes nothing any more when it is closed, and may be closed twice', async () => {
      const closed = await openPlain(bench.scene.options)
      const reading = closed.getRun('a')
      await closed[Symbol.asyncDispose]()
      await closed[Symbol.asyncDispose]()
      await expect(reading).resolves.toBeUndefined()
      await expect(closed.getRun('a')).rejects.toThrow(StateUnavailable)
      await expect(closed.putValue('a', 'b')).rejects.toThrow(StateUnavailable)
    })

    it('is not opened when a newer version has written it', async () => {
      await bench.store[Symbol.asyncDispose]()
      await bench.scene.raiseVersion()
      const refused = openPlain(bench.scene.options)
      await expect(refused).rejects.toMatchObject({ name: 'StateUnusable' })
      await expect(refused).rejects.toThrow(/is of version 1000, and this program knows up to \d+: run the newer one$/)
    })
  })
}
