// How far a run over two databases is, put together from what is said of each of its tables.
import { COUNTS, type DbProgress, type DbVerifyProgress } from '../db/contract.ts'
import type { Clock } from '../lib/clock.ts'
import type { Progress } from './contract.ts'

/** So many tables and directions are told one by one. */
const MAX_TABLES = 100

/** Gives the progress of a whole sync for that of one of its tables and directions. */
export function createSyncProgress(clock: Clock): (progress: DbProgress) => Progress {
  const tables = new Map<string, DbProgress>()
  const rate = createRate(clock)
  return ({ note, ...progress }) => {
    tables.set(`${progress.table} ${progress.direction}`, progress)
    const all = [...tables.values()]
    const counts = Object.fromEntries(COUNTS.map((name) => [name, sum(all, name)]))
    return {
      ...{ done: sum(all, 'done'), total: sum(all, 'total') },
      message: note ?? `${progress.table}, ${progress.direction.replaceAll('-', ' ')}`,
      figures: { ...counts, rowsPerSecond: rate(sum(all, 'read')) },
      tables: all.slice(0, MAX_TABLES),
    }
  }
}

/** The same for a verify: its tables are read, then compared. */
export function createVerifyProgress(clock: Clock): (progress: DbVerifyProgress) => Progress {
  const tables = new Map<string, DbVerifyProgress>()
  const rate = createRate(clock)
  return (progress) => {
    tables.set(progress.table, progress)
    const all = [...tables.values()]
    return {
      ...{ done: sum(all, 'done'), total: sum(all, 'total') },
      message: progress.table,
      figures: { read: sum(all, 'read'), compared: sum(all, 'compared'), rowsPerSecond: rate(sum(all, 'read')) },
    }
  }
}

/** Rows a second since the first word of the run. */
function createRate(clock: Clock): (rows: number) => number {
  const beganAt = clock.now()
  return (rows) => {
    const seconds = (clock.now() - beganAt) / 1_000
    return seconds > 0 ? Math.round(rows / seconds) : 0
  }
}

const sum = <K extends string>(all: readonly Readonly<Record<K, number>>[], name: K): number =>
  all.reduce((so, one) => so + one[name], 0)
