// What every store does with rows that are brought to it.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import type { Outcome } from '../../src/db/store.ts'
import { compareVersions, parseTimeuuid } from '../../src/db/timeuuid.ts'
import {
  type DbScene,
  longText,
  MB,
  NOTE,
  namesOf,
  newId,
  outcomesOf,
  range,
  rowAt,
  scanAll,
  T0,
  textOf,
  versionAt,
  writeAll,
} from './db-bench.ts'

/** What a writer may hold of rows that have come to hundreds of megabytes. */
const MOST_HELD = 160 * MB
const SOON_MS = 5_000

export function describeWriter(scene: DbScene): void {
  const { kinds, createsTables } = scene.traits
  const [kind = 'latest'] = kinds

  describe.each(kinds)('a writer to a table of the kind %s', (each) => {
    it('writes what is not there', async () => {
      const table = await scene.makeTable(each)
      const rows = [
        rowAt(newId(), versionAt(T0, 7), 'ünï\u0000“” 🦉 日本'),
        rowAt(newId(), versionAt(T0 + 1), null),
        rowAt(newId(), versionAt(T0 + 2), ''),
      ]
      expect(await outcomesOf(table, rows)).toEqual(['applied', 'applied', 'applied'])
      for (const row of rows) {
        const [there, ...others] = await scene.bench.get(table.table, row.id)
        expect(there).toEqual({ id: row.id, tmstmp: textOf(row.version), note: row.values[0] })
        expect(others).toEqual([])
      }
    })

    it('writes what is newer, to the tick and the byte, and says what the others are', async () => {
      const table = await scene.makeTable(each)
      const held = versionAt(T0, 5_000, 0x80818283 | 0, 0x01020304)
      const cases: readonly (readonly [version: typeof held, outcome: Outcome])[] = [
        [versionAt(T0 + 1, 0), 'applied'],
        [versionAt(T0, 5_001, 0x80000000 | 0, 0), 'applied'],
        [versionAt(T0, 5_000, 0x80828283 | 0, 0), 'applied'],
        [versionAt(T0, 5_000, 0x80818283 | 0, 0x01020305), 'applied'],
        // 0x7f is more than 0x80 to Cassandra, and 0xff less than 0x00.
        [versionAt(T0, 5_000, 0x80818283 | 0, 0x7f020304), 'applied'],
        [held, 'equal'],
        [versionAt(T0, 5_000, 0x80818283 | 0, 0x80020304 | 0), 'older'],
        [versionAt(T0, 5_000, 0x80818283 | 0, 0xff020304 | 0), 'older'],
        [versionAt(T0, 5_000, 0x80818283 | 0, 0x01020303), 'older'],
        [versionAt(T0, 4_999, 0x7f7f7f7f, 0x7f7f7f7f), 'older'],
        [versionAt(T0 - 1, 9_999), 'older'],
      ]
      const rows = cases.map(([version]) => rowAt(newId(), version, 'new'))
      for (const row of rows) await scene.put(table, rowAt(row.id, held, 'old'))
      expect(await outcomesOf(table, rows)).toEqual(cases.map(([, outcome]) => outcome))
      const found = await table.find(
        rows.map((row) => row.id),
        scene.signal,
      )
      for (const [at, row] of rows.entries()) {
        const isApplied = cases[at]?.[1] === 'applied'
        const versions = isApplied ? [held, row.version] : [held]
        const kept = each === 'versions' ? versions : versions.slice(-1)
        expect(await scene.get(table, row.id)).toEqual(kept.map(textOf).sort())
        expect(found.get(row.id)).toEqual(isApplied ? row : rowAt(row.id, held, 'old'))
      }
    })

    it('has nothing to write the second time', async () => {
      const table = await scene.makeTable(each)
      const rows = range(300).map((n) => rowAt(newId(), versionAt(T0 + n)))
      expect(new Set(await outcomesOf(table, rows))).toEqual(new Set(['applied']))
      expect(new Set(await outcomesOf(table, rows))).toEqual(new Set(['equal']))
      expect(new Set(await outcomesOf((await scene.open()).openTable(table.table), rows))).toEqual(new Set(['equal']))
    })

    it('brings the newer of many versions through one writer after the other', async () => {
      const table = await scene.makeTable(each)
      const ids = range(50).map(newId)
      const steps = [3, 1, 4, 1, 5, 2, 6]
      let newest = 0
      for (const step of steps) {
        const rows = ids.map((id) => rowAt(id, versionAt(T0, step, 0x80000000 | 0, 1), `${step}`))
        const expected = step > newest ? 'applied' : step === newest ? 'equal' : 'older'
        expect(new Set(await outcomesOf(table, rows))).toEqual(new Set([expected]))
        newest = Math.max(newest, step)
        const found = await table.find(ids, scene.signal)
        for (const id of ids) expect(found.get(id)).toMatchObject({ values: [`${newest}`] })
      }
    })

    it('leaves nothing of the older version where the newer one has no value', async () => {
      const table = await scene.makeTable(each, [NOTE, { name: 'other', type: { kind: 'text' } }])
      const id = newId()
      const older = { id, version: versionAt(T0), values: ['a', null] }
      const newer = { id, version: versionAt(T0 + 1), values: [null, 'b'] }
      await writeAll(table, [older])
      await writeAll(table, [newer])
      expect((await table.find([id], scene.signal)).get(id)).toEqual(newer)
      expect((await scanAll(table)).rows.get(id)).toEqual(newer)
    })

    it('settles each of many rows once, in whatever portions they come', async () => {
      const table = await scene.makeTable(each)
      const rows = range(5_000).map((n) => rowAt(newId(), versionAt(T0 + n), `note ${n}`))
      for (const row of rows.slice(0, 50)) await scene.put(table, row)
      const outcomes = new Map<string, Outcome>()
      await using writer = table.openWriter({
        dryRun: false,
        signal: scene.signal,
        settle: (id, version, outcome, reason) => {
          expect([outcomes.has(id), reason]).toEqual([false, undefined])
          expect(rows.find((row) => row.id === id)?.version).toEqual(version)
          outcomes.set(id, outcome)
        },
      })
      await writer.write([])
      for (let at = 0, size = 1; at < rows.length; at += size, size = (size * 3) % 1_013)
        await writer.write(rows.slice(at, at + size))
      await writer.finish()
      expect(rows.map((row) => outcomes.get(row.id))).toEqual(rows.map((_, n) => (n < 50 ? 'equal' : 'applied')))
      expect(namesOf((await scanAll(table)).rows.values())).toEqual(namesOf(rows))
    })

    it('works beside others, for the same ids too', async () => {
      const table = await scene.makeTable(each)
      const ids = range(200).map(newId)
      const other = (await scene.open()).openTable(table.table)
      const waves = range(4).map((n) => ids.map((id) => rowAt(id, versionAt(T0 + n * 10), `${n}`)))
      const results = await Promise.all(waves.map((rows, n) => outcomesOf(n % 2 === 0 ? table : other, rows)))
      expect(new Set(results[3])).toEqual(new Set(['applied']))
      const found = await table.find(ids, scene.signal)
      for (const [at, id] of ids.entries()) expect(found.get(id)).toEqual(waves[3]?.[at])
    })

    it('never overwrites what users write meanwhile, where that is newer', async () => {
      const table = await scene.makeTable(each)
      const ids = range(600).map(newId)
      for (const id of ids.slice(0, 200)) await scene.put(table, rowAt(id, versionAt(T0 - 1_000), 'before'))
      const synced = ids.map((id) => rowAt(id, versionAt(T0), 'synced'))
      const users = new Map<string, string>()
      const outcomes = new Map<string, Outcome>()
      let isDone = false
      const writing = (async () => {
        await using writer = table.openWriter({
          dryRun: false,
          signal: scene.signal,
          settle: (id, _, outcome) => outcomes.set(id, outcome),
        })
        for (let at = 0; at < synced.length; at += 50) {
          await writer.write(synced.slice(at, at + 50))
          await nextTurn()
        }
        await writer.finish()
      })().finally(() => {
        isDone = true
      })
      for (const [at, id] of ids.toReversed().entries()) {
        if (isDone) break
        const version = versionAt(T0 + 1 + at)
        await scene.put(table, rowAt(id, version, 'user'))
        users.set(id, textOf(version))
        await nextTurn()
      }
      await writing
      expect(outcomes.size).toBe(ids.length)
      const found = await table.find(ids, scene.signal)
      for (const row of synced) {
        const there = await scene.get(table, row.id)
        const newest = there.map(parseTimeuuid).sort(compareVersions).at(-1)
        expect(newest && textOf(newest)).toBe(users.get(row.id) ?? textOf(row.version))
        expect(found.get(row.id)).toMatchObject({ values: [users.has(row.id) ? 'user' : 'synced'] })
      }
    })

    it('decides as ever in a dry run, and writes nothing', async () => {
      const table = await scene.makeTable(each)
      const [older, same, newer, missing] = [newId(), newId(), newId(), newId()]
      const held = versionAt(T0, 10)
      for (const id of [older, same, newer]) await scene.put(table, rowAt(id, held))
      const rows = [
        rowAt(older, versionAt(T0, 9)),
        rowAt(same, held),
        rowAt(newer, versionAt(T0, 11)),
        rowAt(missing, versionAt(T0, 9)),
      ]
      expect(await outcomesOf(table, rows, true)).toEqual(['older', 'equal', 'applied', 'applied'])
      for (const id of [older, same, newer]) expect(await scene.get(table, id)).toEqual([textOf(held)])
      expect(await scene.get(table, missing)).toEqual([])
    })
  })

  describe('a writer', () => {
    if (createsTables)
      it('makes no table in a dry run, and would write everything to it', async () => {
        const table = scene.newTable(kind)
        const rows = range(30).map((n) => rowAt(newId(), versionAt(T0 + n)))
        expect(new Set(await outcomesOf(scene.store.openTable(table), rows, true))).toEqual(new Set(['applied']))
        expect(await scene.bench.hasTable(table.name)).toBe(false)
      })

    it('without rows has nothing to finish', async () => {
      const table = await scene.makeTable(kind)
      expect(await outcomesOf(table, [])).toEqual([])
    })

    it('that is disposed ends soon, and leaves whole rows or none', async () => {
      const table = await scene.makeTable(kind)
      const rows = range(4_000).map((n) => rowAt(newId(), versionAt(T0 + n), longText(2_000)))
      const settled: string[] = []
      const writer = table.openWriter({ dryRun: false, signal: scene.signal, settle: (id) => settled.push(id) })
      const writing = writer.write(rows).catch(() => undefined)
      await nextTurn()
      const startedAt = performance.now()
      await writer[Symbol.asyncDispose]()
      expect(performance.now() - startedAt).toBeLessThan(SOON_MS)
      await writing
      const count = settled.length
      const scanned = (await scanAll(table)).rows
      for (const row of rows) if (scanned.has(row.id)) expect(scanned.get(row.id)).toEqual(row)
      expect(settled.length).toBe(count)
      for (const id of settled) expect(scanned.has(id)).toBe(true)
      expect(new Set(await outcomesOf(table, rows.slice(0, 200)))).not.toContain('failed')
    })

    it('ends soon when it is told to, with the reason', async () => {
      const table = await scene.makeTable(kind)
      const rows = range(4_000).map((n) => rowAt(newId(), versionAt(T0 + n), longText(2_000)))
      const reason = new Error('enough')
      const controller = new AbortController()
      const writing = writeAll(table, rows, { signal: controller.signal })
      await nextTurn()
      const startedAt = performance.now()
      controller.abort(reason)
      await expect(writing).rejects.toBe(reason)
      expect(performance.now() - startedAt).toBeLessThan(SOON_MS)
    })

    it('holds a bounded number of bytes, whatever comes', async () => {
      setFlagsFromString('--expose-gc')
      const collect = runInNewContext('gc') as () => void
      const held = () => {
        collect()
        const { heapUsed, external } = process.memoryUsage()
        return heapUsed + external
      }
      const table = await scene.makeTable(kind)
      const ids = range(300).map(newId)
      const outcomes: Outcome[] = []
      const before = held()
      let most = 0
      await using writer = table.openWriter({
        dryRun: false,
        signal: scene.signal,
        settle: (_, __, outcome) => outcomes.push(outcome),
      })
      for (const [n, id] of ids.entries()) {
        await writer.write([rowAt(id, versionAt(T0 + n), longText(MB))])
        if (n % 20 === 19) most = Math.max(most, held() - before)
      }
      await writer.finish()
      expect(most).toBeLessThan(MOST_HELD)
      expect(outcomes).toHaveLength(ids.length)
      expect(new Set(outcomes)).toEqual(new Set(['applied']))
    }, 300_000)
  })
}
