// A pair whose syncs are killed at any step, while users write to both sides: in the end both sides hold the newest of everything, and
// at no moment does a saved end say more than is so.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { savedEnds } from '../../src/db/checkpoint.ts'
import { DIRECTIONS } from '../../src/db/contract.ts'
import { readDeadLetters } from '../../src/db/dead-letters.ts'
import { compareVersions, msOf, type Version } from '../../src/db/timeuuid.ts'
import { Chance } from '../lib/chance.ts'
import { idOf, Killed, type MemoryDatabase, type MemoryTable, versionAt } from './memory-store.ts'
import { NOW, SyncBench } from './sync-bench.ts'

const TABLES = ['latest', 'versions'] as const
const IDS = 24
/** How late a write may come, by the clock of who writes: what overlap and lag are for. */
const LATE_MS = 2_000
const AHEAD_MS = 1_000
const PAIR = { lagMs: AHEAD_MS, overlapMs: LATE_MS + AHEAD_MS }

/** Dies at the step with this number, and stays dead. */
function killAt(at: number): (what: string) => void {
  let steps = 0
  return () => {
    if (++steps >= at) throw new Killed('killed')
  }
}

async function runUntilKilled(bench: SyncBench, kill: (what: string) => void | Promise<void>): Promise<boolean> {
  try {
    await bench.run({}, { pair: PAIR, step: kill })
    return true
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Killed ? error.cause : error
    if (cause instanceof Killed) return false
    throw error
  }
}

/** Users of both sides: what they write, and the newest that anybody has written of each id. */
class Users {
  readonly newest = new Map<string, Version>()
  readonly #bench: SyncBench
  readonly #chance: Chance
  #writes = 0

  constructor(bench: SyncBench, chance: Chance) {
    this.#bench = bench
    this.#chance = chance
  }

  write(): void {
    const chance = this.#chance
    const table = chance.pick(TABLES)
    const id = idOf(chance.whole(0, IDS - 1))
    const skew = chance.is(0.3) ? chance.whole(-LATE_MS, AHEAD_MS) : 0
    const version = versionAt(this.#bench.clock.wallNow() + skew, this.#writes++)
    const side = chance.pick([this.#bench.left, this.#bench.right])
    const rows = tableOf(side, table)
    // A user who sees a newer version than his own leaves it.
    const there = rows.newest(id)
    if (there !== undefined && compareVersions(there.version, version) > 0) return
    rows.put(id, version, `${side.address} ${this.#writes}`)
    if (chance.is(0.1)) rows.misfits.set(id, 'cannot be read')
    else rows.misfits.delete(id)
    const key = `${table} ${id}`
    const newest = this.newest.get(key)
    if (newest === undefined || compareVersions(version, newest) > 0) this.newest.set(key, version)
  }
}

function tableOf(database: MemoryDatabase, name: string): MemoryTable {
  return database.tables.get(name) ?? database.addTable(name, name === 'versions' ? 'versions' : 'latest')
}

function openBench(): SyncBench {
  const bench = new SyncBench()
  for (const database of [bench.left, bench.right]) for (const name of TABLES) tableOf(database, name)
  return bench
}

/** Rows up to a saved end that are neither on the other side, as new or newer, nor among the dead letters. */
async function findUnaccounted(bench: SyncBench): Promise<readonly string[]> {
  const letters = new Set(
    (await readDeadLetters('app', bench.memory)).map(({ table, direction, id }) => `${table} ${direction} ${id}`),
  )
  const missing: string[] = []
  for (const { table, direction, endMs } of await savedEnds('app', bench.memory).list()) {
    const sides = [tableOf(bench.left, table), tableOf(bench.right, table)] as const
    const [source, target] = direction === DIRECTIONS[0] ? sides : [sides[1], sides[0]]
    for (const [id, [row]] of source.rows) {
      const there = target.newest(id)
      if (row === undefined || endMs === undefined || msOf(row.version) > endMs) continue
      if (there !== undefined && compareVersions(there.version, row.version) >= 0) continue
      if (!letters.has(`${table} ${direction} ${id}`)) missing.push(`${table} ${direction} ${id}`)
    }
  }
  return missing
}

function expectInStep(bench: SyncBench, users?: Users): void {
  for (const name of TABLES) {
    const [left, right] = [tableOf(bench.left, name), tableOf(bench.right, name)]
    const newestOf = (table: MemoryTable) =>
      Object.fromEntries([...table.rows].map(([id, [row]]) => [id, row?.version]))
    expect(newestOf(left)).toEqual(newestOf(right))
    for (const [id, [row]] of left.rows)
      if (users !== undefined) expect(row?.version).toEqual(users.newest.get(`${name} ${id}`))
  }
}

function fill(bench: SyncBench): void {
  for (const name of TABLES) {
    for (let nth = 0; nth < IDS; nth++) {
      if (nth % 3 !== 1) tableOf(bench.left, name).put(idOf(nth), versionAt(NOW - 60_000 + nth, nth), 'left')
      if (nth % 3 !== 0) tableOf(bench.right, name).put(idOf(nth), versionAt(NOW - 60_020 + 2 * nth, nth), 'right')
    }
    tableOf(bench.left, name).misfits.set(idOf(5), 'cannot be read')
  }
}

describe('a sync that is killed', () => {
  it('at any single step is made good by the next one, and has never said more than was so', async () => {
    for (let at = 1; ; at++) {
      const bench = openBench()
      fill(bench)
      const isDone = await runUntilKilled(bench, killAt(at))
      expect(await findUnaccounted(bench), `killed at step ${at}`).toEqual([])
      await bench.clock.advance(10_000)
      for (const name of TABLES) tableOf(bench.left, name).misfits.clear()
      expect(await runUntilKilled(bench, () => {})).toBe(true)
      expectInStep(bench)
      expect((await bench.run({}, { pair: PAIR })).counts).toMatchObject({ applied: 0, failed: 0 })
      if (isDone) return expect(at).toBeGreaterThan(80)
    }
  })

  it('again and again, while users write to both sides, loses nothing and overwrites nothing newer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), async (seed) => {
        const chance = new Chance(seed)
        const bench = openBench()
        const users = new Users(bench, chance)
        for (let run = 0; run < 6; run++) {
          for (let write = 0; write < 20; write++) users.write()
          await bench.clock.advance(chance.whole(0, 3_000))
          const kill = killAt(chance.is(0.8) ? chance.whole(1, 150) : Number.POSITIVE_INFINITY)
          await runUntilKilled(bench, async (what) => {
            if (chance.is(0.3)) users.write()
            if (chance.is(0.2)) await bench.clock.advance(chance.whole(0, 300))
            kill(what)
          })
        }
        for (const database of [bench.left, bench.right])
          for (const table of database.tables.values()) table.misfits.clear()
        await bench.clock.advance(LATE_MS + AHEAD_MS + 1)
        expect(await runUntilKilled(bench, () => {})).toBe(true)
        expectInStep(bench, users)
        expect(await readDeadLetters('app', bench.memory)).toEqual([])
      }),
      { numRuns: 50 },
    )
  })
})
