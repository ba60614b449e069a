// What every store finds and removes by id.
import { describe, expect, it } from 'vitest'
import { type DbScene, newId, outcomesOf, range, rowAt, scanAll, T0, textOf, versionAt, writeAll } from './db-bench.ts'

export function describeLookup(scene: DbScene): void {
  describe.each(scene.traits.kinds)('of a table of the kind %s', (each) => {
    it('the newest version of any number of ids is found, whatever its time', async () => {
      const table = await scene.makeTable(each)
      const rows = range(2_500).map((n) => rowAt(newId(), versionAt(n * 600_000_000), `note ${n}`))
      await writeAll(table, rows)
      const newer = rows.slice(0, 100).map((row, n) => rowAt(row.id, versionAt(Date.UTC(2150, 0, 1) + n), 'newer'))
      for (const row of newer) await scene.put(table, row)
      const found = await table.find([newId(), ...rows.map((row) => row.id), newId()], scene.signal)
      expect(found.size).toBe(rows.length)
      for (const [n, row] of rows.entries()) expect(found.get(row.id)).toEqual(newer[n] ?? row)
      expect(await table.find([], scene.signal)).toEqual(new Map())
    })

    it('rows are removed with every version, unless they have become newer', async () => {
      const table = await scene.makeTable(each)
      const version = versionAt(T0, 5, 0x80000000 | 0, 5)
      const cases = [
        { there: version, isGone: true },
        { there: versionAt(T0, 4, -1, -1), isGone: true },
        { there: versionAt(T0, 5, 0x80000000 | 0, 4), isGone: true },
        { there: versionAt(T0, 5, 0x80000000 | 0, 6), isGone: false },
        { there: versionAt(T0, 6, 0x80000000 | 0, 0), isGone: false },
        { there: versionAt(T0 + 1), isGone: false },
      ].map((one) => ({ ...one, id: newId() }))
      for (const { id, there } of cases) {
        if (each === 'versions') await scene.put(table, rowAt(id, versionAt(T0 - 1_000)))
        await scene.put(table, rowAt(id, there))
      }
      const bystander = rowAt(newId(), versionAt(T0))
      await scene.put(table, bystander)
      const gone = await table.remove(
        cases.map(({ id }) => ({ id, version })),
        scene.signal,
      )
      expect([...gone].sort()).toEqual(cases.flatMap(({ id, isGone }) => (isGone ? [id] : [])).sort())
      for (const { id, there, isGone } of cases) {
        const left = await scene.get(table, id)
        if (isGone) expect(left).toEqual([])
        else expect(left).toContain(textOf(there))
      }
      expect([...(await scanAll(table)).rows.keys()].sort()).toEqual(
        [bystander.id, ...cases.flatMap(({ id, isGone }) => (isGone ? [] : [id]))].sort(),
      )
      expect(await table.remove([], scene.signal)).toEqual(new Set())
    })

    it('many rows are removed, and those that were written by a sync', async () => {
      const table = await scene.makeTable(each)
      const rows = range(700).map((n) => rowAt(newId(), versionAt(T0 + n)))
      await writeAll(table, rows)
      const gone = await table.remove(rows.slice(0, 650), scene.signal)
      expect([...gone].sort()).toEqual(
        rows
          .slice(0, 650)
          .map((row) => row.id)
          .sort(),
      )
      expect([...(await scanAll(table)).rows.keys()].sort()).toEqual(
        rows
          .slice(650)
          .map((row) => row.id)
          .sort(),
      )
    })

    it('what is newer than a removal comes back, and is there', async () => {
      const table = await scene.makeTable(each)
      const row = rowAt(newId(), versionAt(T0))
      await scene.put(table, row)
      await table.remove([row], scene.signal)
      // Later than the user's write, which is what the removal is about to Cassandra.
      const newer = rowAt(row.id, versionAt(Date.now() + 3_600_000), 'newer')
      expect(await outcomesOf(table, [newer])).toEqual(['applied'])
      expect(await scene.get(table, row.id)).toEqual([textOf(newer.version)])
      expect((await table.find([row.id], scene.signal)).get(row.id)).toEqual(newer)
    })
  })
}
