// What every store of the state keeps about what happened in runs, what they remember, and how they are forgotten.
import { describe, expect, it } from 'vitest'
import type { RunItem } from '../../src/state/store.ts'
import { item, ODD, range, type StateBench, SUCCEEDED } from './state-bench.ts'

export function describeItems(bench: StateBench): void {
  describe('items', () => {
    it('are kept to the letter, however long and however odd', async () => {
      const { id } = await bench.create()
      const long = JSON.stringify({ text: 'ä'.repeat(524_288) })
      const items: RunItem[] = [
        { ...item(ODD, ODD, ODD), plan: ODD },
        item('empty', '', ''),
        { ...item('long', 'updated', long), plan: long },
      ]
      await bench.store.putItems(id, items)
      const stored = await bench.store.readItemsAfter(id, 0, 10)
      expect(stored).toEqual(items.map((one, n) => ({ ...one, seq: n + 1 })))
      const listed = (await (await bench.open()).listItems(id, { limit: 10 })).items
      expect(new Map(listed.map((one) => [one.key, one]))).toEqual(new Map(items.map((one) => [one.key, one])))
    })

    it('are counted by their puts, from 1 in each run', async () => {
      const [a = '', b = ''] = await bench.createMany(2)
      await bench.store.putItems(a, [item('x'), item('y')])
      await bench.store.putItems(b, [item('x')])
      await bench.store.putItems(a, [])
      await bench.store.putItems(a, [item('a')])
      expect(await bench.seqsOf(a)).toEqual([
        [1, 'x'],
        [2, 'y'],
        [3, 'a'],
      ])
      expect(await bench.seqsOf(b)).toEqual([[1, 'x']])
      expect((await bench.store.readItemsAfter(a, 1, 1)).map(({ key }) => key)).toEqual(['y'])
      expect(await bench.store.readItemsAfter(a, 3, 10)).toEqual([])
    })

    it('that come again replace what was there, and count anew', async () => {
      const { id } = await bench.create()
      await bench.store.putItems(id, [{ ...item('x'), plan: 'p' }, item('y')])
      await bench.store.putItems(id, [item('x', 'failed', '2')])
      expect(await bench.store.readItemsAfter(id, 2, 10)).toEqual([{ ...item('x', 'failed', '2'), seq: 3 }])
      expect((await bench.store.listItems(id, { limit: 10 })).items.map(({ key }) => key)).toEqual(['x', 'y'])
      await bench.store.putItems(id, [item('z', 'a', '1'), item('y'), item('z', 'b', '2')])
      expect(await bench.seqsOf(id)).toEqual([
        [3, 'x'],
        [5, 'y'],
        [6, 'z'],
      ])
      expect((await bench.store.listItems(id, { status: 'b', limit: 10 })).items).toEqual([item('z', 'b', '2')])
    })

    it('that are put at once from everywhere are all there, and each has a place of its own', async () => {
      const stores = [bench.store, await bench.open(), await bench.open()]
      const { id } = await bench.create()
      await Promise.all(
        range(15).map((n) =>
          (stores[n % 3] ?? bench.store).putItems(
            id,
            range(10).map((m) => item(`k-${(n * 7 + m) % 90}`)),
          ),
        ),
      )
      const seqs = (await bench.store.readItemsAfter(id, 0, 1_000)).map(({ seq }) => seq)
      expect(seqs).toHaveLength(new Set(range(15).flatMap((n) => range(10).map((m) => (n * 7 + m) % 90))).size)
      expect(new Set(seqs).size).toBe(seqs.length)
      expect(Math.max(...seqs)).toBe(150)
    })

    it('are seen by a follower in the order of their counts, none left out', async () => {
      const stores = [bench.store, await bench.open()]
      const reader = await bench.open()
      const { id } = await bench.create()
      let isDone = false
      const writing = Promise.all(
        range(40).map((n) => (stores[n % 2] ?? bench.store).putItems(id, [item(`a-${n}`), item(`b-${n}`)])),
      ).finally(() => {
        isDone = true
      })
      const seen: number[] = []
      for (let last = false; ; ) {
        const news = await reader.readItemsAfter(id, seen.at(-1) ?? 0, 7)
        seen.push(...news.map(({ seq }) => seq))
        if (last && news.length === 0) break
        last = isDone
      }
      await writing
      expect(seen).toEqual(range(80).map((n) => n + 1))
    })

    it('of five hundred are put in one transaction', async () => {
      const { id } = await bench.create()
      const other = await bench.open()
      const putting = bench.store.putItems(
        id,
        range(500).map((n) => item(`k-${n}`)),
      )
      const counts = new Set<number>()
      for (const _ of range(20)) counts.add((await other.readItemsAfter(id, 0, 1_000)).length)
      await putting
      counts.add((await other.readItemsAfter(id, 0, 1_000)).length)
      expect([...counts].filter((count) => count !== 0)).toEqual([500])
    })

    it('are listed by key, in one order in pages of any size, while more come', async () => {
      const { id } = await bench.create()
      const keys = [
        'b',
        'a',
        'B',
        'A',
        'a-b',
        'a_b',
        'ab',
        'ä',
        'z',
        '日本',
        '\u{1F989}',
        '\uFF5E',
        '10',
        '9',
        '',
        ' ',
        '~',
        'a ',
      ]
      await bench.store.putItems(
        id,
        keys.map((key) => item(key, key < 'a' ? 'low' : 'high')),
      )
      const bytes = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      for (const limit of [1, 3, 17, 18, 1_000]) {
        const seen: string[] = []
        for (let cursor: string | undefined; ; ) {
          const page = await bench.store.listItems(id, { limit, cursor })
          seen.push(...page.items.map(({ key }) => key))
          // Sorts before everything that was shown.
          await bench.store.putItems(id, [item('')])
          if (page.nextCursor === null) break
          cursor = page.nextCursor
        }
        expect(seen).toEqual(bytes)
      }
      const { items } = await bench.store.listItems(id, { status: 'low', limit: 100 })
      expect(items.map(({ key }) => key)).toEqual(bytes.filter((key) => key < 'a' && key !== ''))
    })
  })

  describe('what runs remember', () => {
    it('is kept by key, replaced, and forgotten', async () => {
      const key = `k${ODD}`.padEnd(512, 'x').slice(0, 512)
      expect(await bench.store.getValue(key)).toBeUndefined()
      await bench.store.putValue(key, ODD)
      expect(await (await bench.open()).getValue(key)).toBe(ODD)
      await bench.store.putValue(key, '')
      expect(await bench.store.getValue(key)).toBe('')
      await bench.store.putValue('other', '1')
      await bench.store.putValue(key, undefined)
      await bench.store.putValue(key, undefined)
      expect(await bench.store.getValue(key)).toBeUndefined()
      expect(await bench.store.getValue('other')).toBe('1')
    })

    it('is one of those that were put at once', async () => {
      const stores = [bench.store, await bench.open(), await bench.open()]
      await Promise.all(range(20).map((n) => (stores[n % 3] ?? bench.store).putValue('k', String(n))))
      expect(range(20).map(String)).toContain(await bench.store.getValue('k'))
    })
  })

  describe('history', () => {
    const end = (id: string, endedAt = 2_000) => bench.store.endRun(id, { ...SUCCEEDED, endedAt })

    it('forgets ended runs beyond the newest, with all that belongs to them', async () => {
      const idempotency = { key: 'k', fingerprint: 'f' }
      const first = await bench.create({ idempotency, resources: ['x'] })
      await bench.store.putItems(first.id, [item('a')])
      const ids = [first.id, ...(await bench.createMany(4))]
      for (const id of ids) await end(id)
      expect((await bench.store.prune({ maxRuns: 3, endedBefore: 0 })).toSorted()).toEqual(ids.slice(0, 2))
      expect((await bench.store.listRuns({ limit: 10 })).items.map(({ id }) => id)).toEqual(ids.slice(2).reverse())
      expect(await bench.store.getRun(first.id)).toBeUndefined()
      expect(await bench.store.readItemsAfter(first.id, 0, 10)).toEqual([])
      expect((await bench.store.createRun(bench.draft({ idempotency, resources: ['x'] }))).outcome).toBe('created')
      expect(await bench.store.prune({ maxRuns: 3, endedBefore: 0 })).toEqual([])
    })

    it('forgets what ended too long ago, and nothing else', async () => {
      const [old = '', edge = '', young = ''] = await bench.createMany(3)
      await end(old, 999)
      await end(edge, 1_000)
      await end(young, 1_001)
      expect(await bench.store.prune({ maxRuns: 100, endedBefore: 1_000 })).toEqual([old])
      expect(await bench.store.getRun(edge)).toBeDefined()
    })

    it('keeps runs under way, however old and however many', async () => {
      const ids = await bench.createMany(3)
      const [ended = ''] = await bench.createMany(1)
      await end(ended)
      expect(await bench.store.prune({ maxRuns: 1, endedBefore: 0 })).toEqual([])
      expect(await bench.store.prune({ maxRuns: 0, endedBefore: 10_000 })).toEqual([ended])
      expect((await bench.store.listRuns({ limit: 10 })).items.map(({ id }) => id)).toEqual(ids.toReversed())
    })

    it('forgets a run with thousands of items', async () => {
      const { id } = await bench.create()
      for (const n of range(3)) {
        await bench.store.putItems(
          id,
          range(1_000).map((m) => item(`k-${n}-${m}`)),
        )
      }
      await end(id)
      expect(await bench.store.prune({ maxRuns: 0, endedBefore: 0 })).toEqual([id])
      expect(await bench.store.readItemsAfter(id, 0, 10)).toEqual([])
    })

    it('is pruned by several at once, each run by one of them', async () => {
      const stores = [bench.store, await bench.open(), await bench.open()]
      const ids = await bench.createMany(12)
      for (const id of ids) await end(id)
      const said = await Promise.all(stores.map((one) => one.prune({ maxRuns: 2, endedBefore: 0 })))
      expect(said.flat().toSorted()).toEqual(ids.slice(0, 10))
    })
  })
}
