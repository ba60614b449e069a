// What every store of the state keeps about runs: what they are, what they work on, which request made them, and their list.
import { describe, expect, it } from 'vitest'
import { ENDED_STATES, InvalidCursor, OwnerLost, type RunDraft, type RunEnd } from '../../src/state/store.ts'
import { item, newId, ODD, PROBLEM, range, type StateBench, SUCCEEDED } from './state-bench.ts'

export function describeRuns(bench: StateBench): void {
  describe('a run', () => {
    it('is kept as it was made, to the letter', async () => {
      const change: Partial<RunDraft> = {
        kind: 'db',
        trigger: 'schedule',
        resources: ['pair:a', `pair:${ODD}`],
        request: JSON.stringify({ text: ODD, nul: '\u0000' }),
        dryRun: true,
        takesUp: newId(),
        createdAt: 1_790_000_000_123,
      }
      const { idempotency: _, ...made } = bench.draft(change)
      const run = { ...made, state: 'queued', progress: null, summary: null, problem: null, locks: [] }
      const expected = { ...run, cancelRequested: false, startedAt: null, endedAt: null }
      expect(await bench.store.createRun(made)).toEqual({ outcome: 'created', run: expected })
      expect(await bench.store.getRun(made.id)).toEqual(expected)
      expect(await (await bench.open()).getRun(made.id)).toEqual(expected)
    })

    it('that nobody made is not there', async () => {
      expect(await bench.store.getRun(newId())).toBeUndefined()
      expect(await bench.store.getRun(ODD)).toBeUndefined()
      expect(await bench.store.changeRun(newId(), { progress: '1' })).toBe(false)
      expect(await bench.store.endRun(newId(), SUCCEEDED)).toBe(false)
      expect(await bench.store.requestCancel(newId())).toBeUndefined()
      expect(await bench.store.listItems(newId(), { limit: 1 })).toEqual({ items: [], nextCursor: null })
      expect(await bench.store.readItemsAfter(newId(), 0, 1)).toEqual([])
      await bench.store.putItems(newId(), [item('a')])
    })

    it('changes in what a change says, and in nothing else', async () => {
      const { id } = await bench.create()
      const locks = [{ name: 'tokens-a', token: '18446744073709551615' }]
      expect(await bench.store.changeRun(id, { state: 'running', startedAt: 1_500 })).toBe(true)
      expect(await bench.store.changeRun(id, { locks })).toBe(true)
      expect(await bench.store.changeRun(id, { progress: '{"done":1}' })).toBe(true)
      expect(await bench.store.changeRun(id, {})).toBe(true)
      const expected = { state: 'running', startedAt: 1_500, locks, progress: '{"done":1}', endedAt: null }
      expect(await bench.store.getRun(id)).toMatchObject(expected)
    })

    it.each(ENDED_STATES)('ends once: %s', async (state) => {
      const { id } = await bench.create()
      await bench.store.changeRun(id, { progress: '{"done":1}' })
      const end: RunEnd = { state, summary: ODD, problem: PROBLEM, endedAt: 1_790_000_000_123 }
      expect(await bench.store.endRun(id, end)).toBe(true)
      const ended = await bench.store.getRun(id)
      expect(ended).toMatchObject({ ...end, progress: '{"done":1}' })
      expect(await bench.store.endRun(id, end)).toBe(false)
      expect(await bench.store.endRun(id, { ...SUCCEEDED, progress: '2' })).toBe(false)
      expect(await bench.store.changeRun(id, { state: 'running', progress: '2', locks: [] })).toBe(false)
      await bench.store.putItems(id, [item('a')])
      expect(await bench.store.readItemsAfter(id, 0, 10)).toEqual([])
      expect(await bench.store.getRun(id)).toEqual(ended)
    })

    it('ends with the progress that the end brings', async () => {
      const { id } = await bench.create()
      await bench.store.changeRun(id, { progress: '1' })
      await bench.store.endRun(id, { ...SUCCEEDED, progress: '2' })
      expect((await bench.store.getRun(id))?.progress).toBe('2')
    })

    it('ends for one only, of many who end it at once', async () => {
      const stores = [bench.store, await bench.open(), await bench.open()]
      const { id } = await bench.create()
      const ended = await Promise.all(
        range(12).map((n) => (stores[n % 3] ?? bench.store).endRun(id, { ...SUCCEEDED, summary: String(n) })),
      )
      const winners = range(12).filter((n) => ended[n])
      expect(winners).toHaveLength(1)
      expect((await bench.store.getRun(id))?.summary).toBe(String(winners[0]))
    })

    it('is cancelled by whoever asks, and its owner sees it', async () => {
      const { id } = await bench.create()
      const other = await bench.create()
      expect(await bench.store.listCancelled(bench.owner.id)).toEqual([])
      expect(await (await bench.open()).requestCancel(id)).toMatchObject({ id, state: 'queued', cancelRequested: true })
      expect(await bench.store.listCancelled(bench.owner.id)).toEqual([id])
      expect(await bench.store.listCancelled(newId())).toEqual([])
      await bench.store.endRun(id, { ...SUCCEEDED, state: 'cancelled' })
      expect(await bench.store.listCancelled(bench.owner.id)).toEqual([])
      await bench.store.endRun(other.id, SUCCEEDED)
      expect(await bench.store.requestCancel(other.id)).toMatchObject({ state: 'succeeded', cancelRequested: false })
    })

    it('that is made twice, because an answer was lost, is there once', async () => {
      const again = bench.draft({ idempotency: { key: 'k', fingerprint: 'f' } })
      const first = await bench.store.createRun(again)
      expect(await bench.store.createRun(again)).toEqual(first)
      expect((await bench.store.listRuns({ limit: 10 })).items).toHaveLength(1)
    })

    it('needs an owner that is alive', async () => {
      const resources = ['cluster:a']
      await expect(bench.store.createRun(bench.draft({ owner: newId(), resources }))).rejects.toThrow(OwnerLost)
      expect((await bench.store.createRun(bench.draft({ resources }))).outcome).toBe('created')
    })
  })

  describe('what runs work on', () => {
    it('is held from the making of a run to its end', async () => {
      const first = await bench.create({ resources: ['cluster:a', 'cluster:b'] })
      const second = bench.draft({ resources: ['cluster:c', 'cluster:b'] })
      expect(await bench.store.createRun(second)).toEqual({ outcome: 'overlaps', run: first })
      expect(await bench.store.getRun(second.id)).toBeUndefined()
      await bench.store.changeRun(first.id, { state: 'running' })
      expect(await bench.store.createRun(second)).toMatchObject({ outcome: 'overlaps', run: { state: 'running' } })
      await bench.store.endRun(first.id, SUCCEEDED)
      expect((await bench.store.createRun(second)).outcome).toBe('created')
      expect((await bench.store.createRun(bench.draft({ resources: ['cluster:a'] }))).outcome).toBe('created')
    })

    it('is held for runs of one kind, and by nothing that was refused', async () => {
      await bench.create({ resources: ['x'] })
      expect((await bench.store.createRun(bench.draft({ resources: ['y', 'x'] }))).outcome).toBe('overlaps')
      await bench.create({ resources: ['y'] })
      await bench.create({ kind: 'db', resources: ['x'] })
      await bench.create({ resources: ['X', 'x ', 'z', 'z'] })
      await bench.create({ resources: [] })
    })

    it('is held by one run at a time, of many that are made at once everywhere', async () => {
      const stores = [bench.store, await bench.open(), await bench.open()]
      const made = await Promise.all(
        range(20).map((n) =>
          (stores[n % 3] ?? bench.store).createRun(bench.draft({ resources: [`own:${n}`, 'shared'] })),
        ),
      )
      const created = made.filter(({ outcome }) => outcome === 'created')
      expect(created).toHaveLength(1)
      for (const { outcome, run } of made) {
        if (outcome !== 'created') expect([outcome, run.id]).toEqual(['overlaps', created[0]?.run.id])
      }
      expect((await bench.store.listRuns({ limit: 100 })).items).toHaveLength(1)
    })

    it('never overlaps, however runs come and go', async () => {
      const stores = [bench.store, await bench.open(), await bench.open()]
      const holding = new Map<string, string>()
      let createdCount = 0
      const work = async (n: number) => {
        const mine = stores[n % 3] ?? bench.store
        for (const round of range(6)) {
          const resources = [`r:${(n + round) % 5}`, `r:${(n * 3 + round) % 7}`]
          const { outcome, run } = await mine.createRun(bench.draft({ resources }))
          if (outcome !== 'created') {
            expect(run.resources.some((name) => resources.includes(name))).toBe(true)
            continue
          }
          createdCount++
          for (const name of new Set(resources)) {
            expect(holding.get(name), name).toBeUndefined()
            holding.set(name, run.id)
          }
          await mine.putItems(run.id, [item('a')])
          for (const name of resources) holding.delete(name)
          expect(await mine.endRun(run.id, SUCCEEDED)).toBe(true)
        }
      }
      await Promise.all(range(9).map(work))
      expect(createdCount).toBeGreaterThan(6)
    })
  })

  describe('an idempotency key', () => {
    const idempotency = { key: `k ${ODD}`, fingerprint: 'f' }

    it('makes one run, whatever has become of it since', async () => {
      const run = await bench.create({ idempotency, resources: ['x'] })
      const again = { idempotency, resources: ['x'] }
      expect(await bench.store.createRun(bench.draft(again))).toEqual({ outcome: 'repeated', run })
      await bench.store.endRun(run.id, SUCCEEDED)
      const ended = await bench.store.getRun(run.id)
      expect(await bench.store.createRun(bench.draft(again))).toEqual({ outcome: 'repeated', run: ended })
    })

    it('is refused for another request', async () => {
      const run = await bench.create({ idempotency, resources: ['x'] })
      const other = bench.draft({ idempotency: { ...idempotency, fingerprint: 'g' }, resources: ['y'] })
      expect(await bench.store.createRun(other)).toEqual({ outcome: 'keyReused', run })
      await bench.create({ resources: ['y'] })
    })

    it('is free while its run could not be made', async () => {
      const held = await bench.create({ resources: ['x'] })
      expect((await bench.store.createRun(bench.draft({ idempotency, resources: ['x'] }))).outcome).toBe('overlaps')
      await bench.store.endRun(held.id, SUCCEEDED)
      expect((await bench.store.createRun(bench.draft({ idempotency, resources: ['x'] }))).outcome).toBe('created')
    })

    it('makes one run of many requests at once, everywhere', async () => {
      const stores = [bench.store, await bench.open(), await bench.open()]
      const made = await Promise.all(
        range(20).map((n) => {
          const fingerprint = n % 4 === 3 ? 'g' : 'f'
          return (stores[n % 3] ?? bench.store).createRun(bench.draft({ idempotency: { ...idempotency, fingerprint } }))
        }),
      )
      expect(new Set(made.map(({ run }) => run.id)).size).toBe(1)
      const winner = made.findIndex(({ outcome }) => outcome === 'created')
      const isLike = (n: number) => (n % 4 === 3) === (winner % 4 === 3)
      for (const n of range(20)) {
        expect(made[n]?.outcome).toBe(n === winner ? 'created' : isLike(n) ? 'repeated' : 'keyReused')
      }
    })
  })

  describe('the list of runs', () => {
    const follow = async (limit: number, between: () => Promise<unknown> = async () => undefined) => {
      const ids: string[] = []
      let cursor: string | undefined
      do {
        const page = await bench.store.listRuns({ limit, cursor })
        expect(page.items.length).toBeLessThanOrEqual(limit)
        ids.push(...page.items.map(({ id }) => id))
        cursor = page.nextCursor ?? undefined
        await between()
      } while (cursor !== undefined)
      return ids
    }

    it('has the newest first, in pages of any size', async () => {
      const ids = await bench.createMany(7)
      for (const limit of [1, 2, 3, 6, 7, 8, 1_000]) expect(await follow(limit)).toEqual(ids.toReversed())
    })

    it('is empty when there is nothing', async () => {
      expect(await bench.store.listRuns({ limit: 1 })).toEqual({ items: [], nextCursor: null })
    })

    it('says of a full last page that nothing follows', async () => {
      await bench.createMany(2)
      expect((await bench.store.listRuns({ limit: 2 })).nextCursor).toBeNull()
    })

    it('shows nothing twice and leaves nothing out while runs come and go', async () => {
      const ids = await bench.createMany(9)
      const [oldest = '', second = ''] = ids
      let pages = 0
      const seen = await follow(2, async () => {
        await bench.create()
        if (++pages === 2) {
          await bench.store.endRun(oldest, { ...SUCCEEDED, endedAt: 1 })
          expect(await bench.store.prune({ maxRuns: 100, endedBefore: 2 })).toEqual([oldest])
        }
      })
      expect(seen).toEqual(ids.toReversed().slice(0, -1))
      expect(seen.at(-1)).toBe(second)
    })

    it('may be narrowed to a kind and a state', async () => {
      const [a = '', b = '', c = ''] = await bench.createMany(3)
      const [d = ''] = await bench.createMany(1, { kind: 'db' })
      await bench.store.changeRun(b, { state: 'running' })
      await bench.store.endRun(c, SUCCEEDED)
      await bench.store.endRun(d, SUCCEEDED)
      const list = async (filter: object) =>
        (await bench.store.listRuns({ limit: 10, ...filter })).items.map(({ id }) => id)
      expect(await list({ kind: 'tokens' })).toEqual([c, b, a])
      expect(await list({ kind: 'db' })).toEqual([d])
      expect(await list({ state: 'queued' })).toEqual([a])
      expect(await list({ state: 'running' })).toEqual([b])
      expect(await list({ state: 'succeeded' })).toEqual([d, c])
      expect(await list({ state: 'succeeded', kind: 'tokens' })).toEqual([c])
      expect(await list({ state: 'failed' })).toEqual([])
      const { nextCursor } = await bench.store.listRuns({ kind: 'tokens', limit: 2 })
      expect(await list({ kind: 'tokens', cursor: nextCursor })).toEqual([a])
    })

    it('takes no cursor that it has not given out', async () => {
      const [id = ''] = await bench.createMany(3)
      await bench.store.putItems(id, [item('a'), item('b')])
      const { nextCursor: ofItems } = await bench.store.listItems(id, { limit: 1 })
      const { nextCursor: ofRuns } = await bench.store.listRuns({ limit: 1 })
      expect(ofRuns).toMatch(/^[A-Za-z0-9_-]+$/)
      const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
      const wrong = ['', 'x', id, '!', ODD, encode(null), encode([]), encode(['runs', 1]), encode(['runs', 'a', 'b'])]
      for (const cursor of [...wrong, ofItems ?? '', `${ofRuns}=`, `${ofRuns} `, `${ofRuns}A`]) {
        await expect(bench.store.listRuns({ limit: 1, cursor }), cursor).rejects.toThrow(InvalidCursor)
      }
      for (const cursor of [...wrong, ofRuns ?? '']) {
        await expect(bench.store.listItems(id, { limit: 1, cursor }), cursor).rejects.toThrow(InvalidCursor)
      }
      await expect(bench.store.listItems(newId(), { limit: 1, cursor: ofItems ?? '' })).rejects.toThrow(InvalidCursor)
    })
  })
}
