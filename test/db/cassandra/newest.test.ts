// The newest version of each id, whatever the pages are.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Newest } from '../../../src/db/cassandra/newest.ts'
import type { Entry } from '../../../src/db/cassandra/row-reader.ts'
import type { Row } from '../../../src/db/document.ts'

const entry = (id: number, low: number): Entry => {
  const row: Row = { id: `id ${id}`, version: { high: 0, low, tieHigh: 0, tieLow: 0 }, values: [] }
  return { ...row, found: low % 7 === 0 ? { id: row.id, reason: `of ${low}` } : row }
}

/** Ids in an order of their own, the versions of each next to one another. */
const anyEntries = fc
  .array(fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 4 }), { maxLength: 20 })
  .map((versions) => versions.flatMap((own, id) => own.map((low) => entry(id, low))))

test('each id comes once with its newest version, and the others are counted', () => {
  fc.assert(
    fc.property(anyEntries, fc.integer({ min: 1, max: 5 }), (entries, pageLength) => {
      const newest = new Newest()
      const [rows, misfits]: [Row[], unknown[]] = [[], []]
      let history = 0
      const take = () => {
        const batch = newest.take()
        rows.push(...(batch?.rows ?? []))
        misfits.push(...(batch?.misfits ?? []))
        history += batch?.history ?? 0
      }
      for (const [at, one] of entries.entries()) {
        newest.add(one)
        if (at % pageLength === 0) take()
      }
      newest.close()
      take()
      const expected = new Map<string, Entry>()
      for (const one of entries)
        if (one.version.low > (expected.get(one.id)?.version.low ?? -1)) expected.set(one.id, one)
      const found = [...expected.values()].map((one) => one.found)
      expect(rows).toEqual(found.filter((one) => 'values' in one))
      expect(misfits).toEqual(found.filter((one) => 'reason' in one))
      expect(history).toBe(entries.length - expected.size)
    }),
  )
})

test('what is begun again is counted once', () => {
  const newest = new Newest()
  newest.add(entry(1, 1))
  newest.add(entry(2, 1))
  newest.add(entry(2, 2))
  expect(newest.lastClosed).toBe('id 1')
  newest.reopen()
  for (const low of [1, 2, 3]) newest.add(entry(2, low))
  newest.close()
  expect(newest.take()).toMatchObject({ rows: [{ id: 'id 1' }, { id: 'id 2', version: { low: 3 } }], history: 2 })
  expect(newest.take()).toBeUndefined()
})
