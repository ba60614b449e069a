import { describe, expect, it } from 'vitest'
import type { DbItem, Pair } from '../../src/db/contract.ts'
import { openLetterBoxes, readDeadLetters } from '../../src/db/dead-letters.ts'
import { createEcho } from '../../src/db/echo.ts'
import { Figures } from '../../src/db/figures.ts'
import { Ledger } from '../../src/db/ledger.ts'
import { carryTable } from '../../src/db/pipeline.ts'
import type { RowWriter, Store, StoreTable, WriterOptions } from '../../src/db/store.ts'
import { Turns } from '../../src/lib/turns.ts'
import { idOf, versionAt } from './memory-store.ts'
import { NOW, SyncBench } from './sync-bench.ts'

const AGO = NOW - 60_000

function openBench(rows: number, names: readonly string[] = ['notes']): SyncBench {
  const bench = new SyncBench()
  for (const name of names) {
    const table = bench.left.addTable(name)
    bench.right.addTable(name)
    for (let nth = 0; nth < rows; nth++) table.put(idOf(nth), versionAt(AGO, nth))
  }
  return bench
}

/** The pair with its right store's tables as `change` makes them. */
function withRight(bench: SyncBench, change: (table: StoreTable) => Partial<StoreTable>): Partial<Pair> {
  const { right } = bench.pair()
  const changed: Store = {
    ...right,
    openTable: (table) => {
      const opened = right.openTable(table)
      return { ...opened, ...change(opened) }
    },
  }
  return { right: changed }
}

const isBalanced = ({ read, applied, older, equal, echoed, failed }: DbItem) =>
  read === applied + older + equal + echoed + failed

describe('carrying a table', () => {
  it('reads no more than the slower side can take', async () => {
    const bench = openBench(400)
    const gate = Promise.withResolvers<void>()
    const isRead = Promise.withResolvers<void>()
    let pages = 0
    const step = async (what: string) => {
      if (what.startsWith('left scan') && ++pages > 4) isRead.resolve()
      if (what.startsWith('right write')) await gate.promise
    }
    const run = bench.run({ direction: 'left-to-right' }, { step, left: { splitRows: 100, pageRows: 4 } })
    for (let turn = 0; turn < 1_000; turn++) await Promise.resolve()
    // Of each of two splits: what a writer holds (4), and the page that it has no room for.
    expect(pages).toBeLessThanOrEqual(2 * 2)
    gate.resolve()
    expect((await run).counts.applied).toBe(400)
    expect(pages).toBe(100)
  })

  it('guesses that what has changed since an earlier window is held already', async () => {
    const bench = openBench(10)
    const guesses: unknown[] = []
    const pair = withRight(bench, (table) => ({
      openWriter(options) {
        guesses.push(options.mostlyHeld)
        return table.openWriter(options)
      },
    }))
    await bench.run({ direction: 'left-to-right' }, { pair })
    expect(new Set(guesses)).toEqual(new Set([false]))
    guesses.length = 0
    await bench.run({ direction: 'left-to-right', begin: String(AGO - 1) }, { pair })
    expect(new Set(guesses)).toEqual(new Set([true]))
  })

  it('has two splits under way, whatever the tables', async () => {
    const bench = openBench(100, ['a', 'b', 'c'])
    let most = 0
    let open = 0
    const pair = withRight(bench, (table) => ({
      openWriter(options) {
        most = Math.max(most, ++open)
        const writer = table.openWriter(options)
        return {
          write: (rows) => writer.write(rows),
          finish: async () => {
            await writer.finish()
            open--
          },
          [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
        }
      },
    }))
    await bench.run({ direction: 'left-to-right' }, { pair })
    expect(most).toBe(2)
  })

  it('opens a writer for rows alone, and disposes of each', async () => {
    const bench = openBench(20)
    bench.left.tables.get('notes')?.misfits.set(idOf(0), 'cannot be read')
    const calls: string[] = []
    const pair = withRight(bench, (table) => ({ openWriter: (options) => watchWriter(table, options, calls) }))
    await bench.run({ direction: 'left-to-right' }, { pair })
    expect(calls.toSorted()).toEqual(['dispose', 'dispose', 'finish', 'finish', 'open', 'open'])
    calls.length = 0
    // Nothing but the misfit, which is tried again.
    await bench.clock.advance(1_000)
    await bench.run({ direction: 'left-to-right' }, { pair })
    expect(calls).toEqual([])
    const step = (what: string) => {
      if (what === 'left scan notes 1/2') throw new Error('broken')
    }
    await bench.run({ begin: '1970-01-01', direction: 'left-to-right' }, { pair, step }).catch(() => {})
    expect(calls.filter((call) => call === 'open')).toHaveLength(calls.filter((call) => call === 'dispose').length)
  })

  it('takes a writer that leaves rows without an outcome for broken, and saves nothing of it', async () => {
    const bench = openBench(10)
    const pair = withRight(bench, (table) => ({
      openWriter: (options) =>
        table.openWriter({
          ...options,
          settle: (id, ...rest) => {
            if (id !== idOf(3)) options.settle(id, ...rest)
          },
        }),
    }))
    await expect(bench.run({}, { pair })).rejects.toThrow('1 rows of table notes, left-to-right, were written without')
    expect((await bench.run()).window.beginMs).toBe(0)
  })

  it('tells a row that it reads a second time from an echo', async () => {
    const bench = openBench(20)
    // The first window is left half done.
    const step = (what: string) => {
      if (what === 'left scan notes 1/2' && bench.stepsOf(what).length > 2) throw new Error('broken')
    }
    await expect(bench.run({}, { step, left: { pageRows: 2 } })).rejects.toThrow('broken')
    await bench.clock.advance(1_000)
    const { items } = await bench.run({}, { pair: { overlapMs: 3_600_000 } })
    expect(items.every(isBalanced)).toBe(true)
    expect(items[0]).toMatchObject({ direction: 'left-to-right', echoed: 0 })
    expect(items[0]?.equal).toBeGreaterThan(9)
    expect(items[1]?.echoed).toBeGreaterThan(0)
  })

  it('saves what became of rows that were tried again, also where there is no window', async () => {
    const bench = openBench(2)
    bench.left.tables.get('notes')?.misfits.set(idOf(1), 'cannot be read')
    await bench.run({ direction: 'left-to-right' })
    bench.left.tables.get('notes')?.misfits.clear()
    const letters = (await openLetterBoxes('app', bench.memory, ['notes'])).of('notes', 'left-to-right')
    expect(letters.size).toBe(1)
    const { left, right } = bench.pair()
    const table = { name: 'notes', kind: 'latest' as const, columns: [] }
    const { clock } = bench
    const { signal } = new AbortController()
    await carryTable(
      {
        ...{ table: 'notes', direction: 'left-to-right', legs: [], cut: async () => [], letters, echo: createEcho() },
        ...{ source: left.openTable(table), target: right.openTable(table), retries: true, isExplicit: false },
        ledger: new Ledger({ clock, mark: {}, write: undefined, letters }),
        figures: new Figures({
          ...{ table: 'notes', direction: 'left-to-right', window: { beginMs: 0, endMs: NOW }, clock },
          onProgress: () => {},
        }),
      },
      { dryRun: false, clock, signal, halt: signal, turns: new Turns(1) },
    )
    expect(await readDeadLetters('app', bench.memory)).toEqual([])
    expect(bench.right.tables.get('notes')?.rows.size).toBe(2)
  })

  it('tries what failed before in parts, whatever there is of it', async () => {
    const bench = openBench(250)
    const notes = bench.left.tables.get('notes')
    for (let nth = 0; nth < 250; nth++) notes?.misfits.set(idOf(nth), 'cannot be read')
    await bench.run({ direction: 'left-to-right' })
    notes?.misfits.clear()
    await bench.clock.advance(1_000)
    const { counts } = await bench.run({ direction: 'left-to-right' })
    expect(counts).toMatchObject({ read: 250, applied: 250 })
    expect(bench.stepsOf('left find')).toHaveLength(3)
  })
})

function watchWriter(table: StoreTable, options: WriterOptions, calls: string[]): RowWriter {
  calls.push('open')
  const writer = table.openWriter(options)
  return {
    write: (rows) => writer.write(rows),
    finish: async () => {
      await writer.finish()
      calls.push('finish')
    },
    [Symbol.asyncDispose]: async () => {
      calls.push('dispose')
      await writer[Symbol.asyncDispose]()
    },
  }
}
