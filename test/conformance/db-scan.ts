// What every store reads of a window: what plan and shard cut, and what a scan gives.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Row } from '../../src/db/document.ts'
import type { StoreTable } from '../../src/db/store.ts'
import { compareVersions, msOf } from '../../src/db/timeuuid.ts'
import { isInWindow, type Window } from '../../src/db/window.ts'
import {
  ALL,
  type DbScene,
  longText,
  MB,
  namesOf,
  newId,
  range,
  rowAt,
  scanAll,
  scanSplits,
  T0,
  versionAt,
  writeAll,
} from './db-bench.ts'

const GREATEST_TIE = 0x7f7f7f7f
const SMALLEST_TIE = 0x80808080 | 0
/** How long whoever is told to stop may take on a busy machine. */
const SOON_MS = 5_000

/** A server may be asked for a page before it is known how long rows are. */
const MOST_IN_BATCH = 64 * MB

export function describeScan(scene: DbScene): void {
  const { kinds, canSpoil } = scene.traits
  const [kind = 'latest'] = kinds

  describe.each(kinds)('a scan of a table of the kind %s', (each) => {
    it('begins after the last tick of a millisecond and ends with the last tick of one, whatever breaks ties', async () => {
      const table = await scene.makeTable(each)
      const window = { beginMs: T0, endMs: T0 + 2 }
      const at = (ms: number, tick: number) =>
        [
          [GREATEST_TIE, GREATEST_TIE],
          [SMALLEST_TIE, SMALLEST_TIE],
          [0x80000000 | 0, 0],
          [0xbfffffff | 0, -1],
        ].map(([high, low]) => rowAt(newId(), versionAt(ms, tick, high, low)))
      const inside = [...at(T0 + 1, 0), ...at(T0 + 1, 9_999), ...at(T0 + 2, 0), ...at(T0 + 2, 9_999)]
      const outside = [...at(T0, 0), ...at(T0, 9_999), ...at(T0 + 3, 0), ...at(T0 - 1, 9_999)]
      for (const row of [...inside, ...outside]) await scene.put(table, row)
      expect(namesOf((await scanAll(table, window)).rows.values())).toEqual(namesOf(inside))
      expect(namesOf((await scanAll(table, { beginMs: T0 - 1, endMs: T0 })).rows.values())).toEqual(
        namesOf(outside.slice(0, 8)),
      )
    })

    it('gives rows as they were written', async () => {
      const table = await scene.makeTable(each)
      const rows = [
        rowAt(newId(), versionAt(T0), 'ünï\u0000“” 🦉 日本'),
        rowAt(newId(), versionAt(T0 + 1), null),
        rowAt(newId(), versionAt(T0 + 2), ''),
      ]
      for (const row of rows) await scene.put(table, row)
      const scanned = await scanAll(table)
      for (const row of rows) expect(scanned.rows.get(row.id)).toEqual(row)
      expect(scanned).toMatchObject({ history: 0, misfits: [] })
    })

    it('gives nothing of an empty window', async () => {
      const table = await scene.makeTable(each)
      const rows = range(20).map((n) => rowAt(newId(), versionAt(T0 + n)))
      await writeAll(table, rows)
      for (const ms of [T0, T0 + 10, T0 + 19]) {
        const window = { beginMs: ms, endMs: ms }
        expect((await scanAll(table, window)).rows.size).toBe(0)
        for (const index of range(3))
          expect((await scanSplits(table, table.shard(window, index, 3), window)).rows.size).toBe(0)
      }
      expect((await scanAll(table, { beginMs: T0 + 19, endMs: T0 + 1_000_000 })).rows.size).toBe(0)
      expect((await scanAll(table, { beginMs: 0, endMs: T0 - 1 })).rows.size).toBe(0)
    })

    it('together with the other splits or shards gives every row of the window once', async () => {
      const table = await scene.makeTable(each)
      const rows = range(1_500).map((n) => rowAt(newId(), versionAt(T0 + (n % 700)), `note ${n}`))
      await writeAll(table, rows)
      const other = (await scene.open()).openTable(table.table)
      const anyWindow = fc
        .tuple(fc.integer({ min: -10, max: 710 }), fc.integer({ min: 0, max: 720 }))
        .map(([begin, length]): Window => ({ beginMs: T0 + begin, endMs: T0 + begin + length }))
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(anyWindow, fc.constant(ALL)),
          fc.constantFrom(1, 2, 9),
          fc.constantFrom(1, 2, 7, 16),
          async (window, atLeast, of) => {
            const expected = namesOf(rows.filter((row) => isInWindow(window, msOf(row.version))))
            const splits = await table.plan(window, { atLeast, signal: scene.signal })
            // Splits mean the same elsewhere, and later.
            const planned = await scanSplits(other, splits, window)
            expect(namesOf(planned.rows.values())).toEqual(expected)
            const shards = range(of).flatMap((index) => other.shard(window, index, of))
            expect(shards).toEqual(range(of).flatMap((index) => table.shard(window, index, of)))
            expect(namesOf((await scanSplits(table, shards, window)).rows.values())).toEqual(expected)
          },
        ),
        { numRuns: scene.traits.windows },
      )
    })

    it('is cut into more parts where that is asked for and there is enough', async () => {
      const table = await scene.makeTable(each)
      await writeAll(
        table,
        range(scene.traits.enough).map((n) => rowAt(newId(), versionAt(T0 + n), longText(500))),
      )
      const splits = await table.plan(ALL, { atLeast: 4, signal: scene.signal })
      expect(splits.length).toBeGreaterThanOrEqual(4)
      expect(new Set(splits).size).toBe(splits.length)
      expect((await scanSplits(table, splits, ALL)).rows.size).toBe(scene.traits.enough)
    })

    it('holds a bounded number of bytes, however long the rows are', async () => {
      const table = await scene.makeTable(each)
      const rows = range(100).map((n) => rowAt(newId(), versionAt(T0 + n), longText(MB)))
      await writeAll(table, rows, { at: 2 })
      const { batches, rows: scanned } = await scanAll(table)
      expect(namesOf(scanned.values())).toEqual(namesOf(rows))
      for (const row of rows.slice(0, 3)) expect(scanned.get(row.id)).toEqual(row)
      for (const batch of batches) expect(batch.rows.length * MB).toBeLessThanOrEqual(MOST_IN_BATCH)
    }, 300_000)

    it('gives each id once, while users write', async () => {
      const table = await scene.makeTable(each)
      const rows = range(1_200).map((n) => rowAt(newId(), versionAt(T0 + n)))
      await writeAll(table, rows)
      const splits = await table.plan(ALL, { atLeast: 3, signal: scene.signal })
      const touched = new Set<string>()
      let isDone = false
      const users = (async () => {
        for (const row of rows.filter((_, n) => n % 5 === 0)) {
          if (isDone) break
          touched.add(row.id)
          await scene.put(table, rowAt(row.id, versionAt(T0 + 100_000 + touched.size), 'newer'))
        }
      })()
      // Which fails where an id comes twice.
      const scanned = await scanSplits(table, splits, ALL)
      isDone = true
      await users
      for (const row of rows) if (!touched.has(row.id)) expect(scanned.rows.get(row.id)).toEqual(row)
    })

    it('can be left early, and leaves nothing behind', async () => {
      const table = await scene.makeTable(each)
      await writeAll(
        table,
        range(500).map((n) => rowAt(newId(), versionAt(T0 + n), longText(3_000))),
      )
      const splits = await table.plan(ALL, { atLeast: 2, signal: scene.signal })
      const before = await scene.bench.countOpen?.()
      for (const _ of range(30)) {
        for (const split of splits) for await (const _batch of table.scan(split, ALL, scene.signal)) break
      }
      expect(await scene.bench.countOpen?.()).toEqual(before)
      expect((await scanAll(table)).rows.size).toBe(500)
      expect(await scene.bench.countOpen?.()).toEqual(before)
    })

    it('ends soon when it is told to, with the reason', async () => {
      const table = await scene.makeTable(each)
      await writeAll(
        table,
        range(3_000).map((n) => rowAt(newId(), versionAt(T0 + n), longText(1_000))),
      )
      const before = await scene.bench.countOpen?.()
      const reason = new Error('enough')
      const controller = new AbortController()
      const startedAt = performance.now()
      const reading = (async () => {
        for (const split of table.shard(ALL, 0, 1))
          for await (const _ of table.scan(split, ALL, controller.signal)) controller.abort(reason)
      })()
      await expect(reading).rejects.toBe(reason)
      expect(performance.now() - startedAt).toBeLessThan(SOON_MS)
      expect(await scene.bench.countOpen?.()).toEqual(before)
    })
  })

  if (kinds.includes('versions'))
    describe('a scan of a table that keeps every version', () => {
      /** ids with some versions each, in milliseconds after T0. */
      async function fill(table: StoreTable, ids: number): Promise<readonly Row[]> {
        const rows = range(ids).flatMap((n) => {
          const id = newId()
          return range(1 + (n % 4)).map((m) => rowAt(id, versionAt(T0 + m * 100 + (n % 50)), `${n} ${m}`))
        })
        for (const row of rows) await scene.put(table, row)
        return rows
      }

      it('gives the newest version in the window of each id, and counts the others in it', async () => {
        const table = await scene.makeTable('versions')
        const rows = await fill(table, 120)
        const windows = [
          ALL,
          { beginMs: T0, endMs: T0 + 149 },
          { beginMs: T0 + 99, endMs: T0 + 120 },
          { beginMs: T0 + 210, endMs: T0 + 330 },
          { beginMs: T0 + 400, endMs: T0 + 500 },
        ]
        for (const window of windows) {
          const inWindow = rows.filter((row) => isInWindow(window, msOf(row.version)))
          const newest = new Map<string, Row>()
          for (const row of inWindow) {
            const known = newest.get(row.id)
            if (known === undefined || compareVersions(row.version, known.version) > 0) newest.set(row.id, row)
          }
          for (const atLeast of [1, 5]) {
            const scanned = await scanAll(table, window, atLeast)
            expect(namesOf(scanned.rows.values())).toEqual(namesOf(newest.values()))
            for (const row of newest.values()) expect(scanned.rows.get(row.id)).toEqual(row)
            expect(scanned.history).toBe(inWindow.length - newest.size)
          }
        }
      })

      it('tells versions of one millisecond apart by ticks, then by signed bytes', async () => {
        const table = await scene.makeTable('versions')
        const [id, other] = [newId(), newId()]
        const versions = [
          versionAt(T0, 5, 0x81000000 | 0, 0),
          versionAt(T0, 5, 0x80ffffff | 0, 0),
          versionAt(T0, 4, -1, -1),
        ]
        const ticks = [versionAt(T0, 4, 0x80000000 | 0, 0), versionAt(T0, 3, 0xbfffffff | 0, 0)]
        for (const version of versions.toReversed()) await scene.put(table, rowAt(id, version))
        for (const version of ticks) await scene.put(table, rowAt(other, version))
        const scanned = await scanAll(table)
        expect(scanned.rows.get(id)?.version).toEqual(versions[0])
        expect(scanned.rows.get(other)?.version).toEqual(ticks[0])
        expect(scanned.history).toBe(3)
      })

      it('takes an id with very many versions for one', async () => {
        const table = await scene.makeTable('versions')
        const [id, before, after] = [
          newId(),
          '00000000-0000-4000-8000-000000000000',
          'ffffffff-ffff-4fff-bfff-ffffffffffff',
        ]
        const rows = range(3_000).map((n) => rowAt(id, versionAt(T0 + n), `${n}`))
        for (const row of rows) await scene.put(table, row)
        for (const one of [before, after]) await scene.put(table, rowAt(one, versionAt(T0)))
        const scanned = await scanAll(table)
        expect([...scanned.rows.keys()].sort()).toEqual([before, id, after].sort())
        expect(scanned.rows.get(id)).toEqual(rows.at(-1))
        expect(scanned.history).toBe(2_999)
      })
    })

  if (canSpoil)
    describe('a row that cannot be carried', () => {
      it('is told with its id and its column, and stops no other', async () => {
        const table = await scene.makeTable(kind)
        const [good, bad] = [newId(), newId()]
        await scene.put(table, rowAt(good, versionAt(T0)))
        await scene.bench.spoil?.(table.table, bad, '1ed4d9a0-3ed6-11f0-8000-000000000001')
        for (const scanned of [await scanAll(table), await scanSplits(table, table.shard(ALL, 0, 1), ALL)]) {
          expect([...scanned.rows.keys()]).toEqual([good])
          expect(scanned.misfits).toEqual([{ id: bad, reason: expect.stringContaining('note') }])
        }
        const found = await table.find([bad, good], scene.signal)
        expect(found.get(bad)).toEqual({ id: bad, reason: expect.stringContaining('note') })
        expect(found.get(good)).toMatchObject({ id: good })
      })
    })
}
