// Two small SQLite files, a configuration in which they are a pair, and the commands of databases over them.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { runCli } from '../../src/cli/program.ts'
import { createFakeIo, type FakeIo, type FakeIoOptions } from './fake-io.ts'

export interface DbScene extends AsyncDisposable {
  readonly cwd: string
  readonly left: Side
  readonly right: Side
  /** Runs `syncer db …` in the folder. */
  run(argv: readonly string[], options?: FakeIoOptions): Promise<{ code: number; out: string; err: string }>
  /** The same under way, with what it may touch. */
  start(argv: readonly string[], options?: FakeIoOptions): { readonly io: FakeIo; readonly code: Promise<number> }
  /** Writes the configuration anew, with more of the pair in it. */
  configure(more: string): Promise<void>
}

export interface Side {
  readonly database: DatabaseSync
  /** Puts a row of the table `users` by its number, with its version so many milliseconds past a moment long ago. */
  put(number: number, ms: number, name: string): void
  /** Puts so many rows, the first with number 0. */
  fill(rows: number): void
  /** Names by number of the row. */
  dump(): Readonly<Record<number, string>>
}

/** The moment long ago, in milliseconds since 1970. */
export const LONG_AGO = Date.UTC(2026, 0, 1)

export const idOf = (number: number): string => `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`

export async function createDbScene(): Promise<DbScene> {
  await using stack = new AsyncDisposableStack()
  const cwd = await mkdtemp(join(tmpdir(), 'syncer-db-'))
  stack.defer(() => rm(cwd, { recursive: true, force: true }))
  const [left, right] = [openSide(join(cwd, 'left.db')), openSide(join(cwd, 'right.db'))]
  stack.defer(() => left.database.close())
  stack.defer(() => right.database.close())
  const start = (argv: readonly string[], options: FakeIoOptions = {}) => {
    const io = createFakeIo({ cwd, ...options })
    return { io, code: runCli(['db', ...argv], io) }
  }
  const configure = (more: string) =>
    writeFile(
      join(cwd, 'syncer.yaml'),
      `db: { pairs: [{ name: app, left: { kind: sqlite, path: left.db }, right: { kind: sqlite, path: right.db }${more} }] }`,
    )
  await configure('')
  const kept = stack.move()
  return {
    ...{ cwd, left, right, start, configure },
    run: async (argv, options) => {
      const { io, code } = start(argv, options)
      return { code: await code, ...io.written }
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

function openSide(path: string): Side {
  const database = new DatabaseSync(path)
  database.exec('CREATE TABLE users (id TEXT PRIMARY KEY, tmstmp TEXT, name TEXT, age INTEGER)')
  const put = (number: number, ms: number, name: string) =>
    void database
      .prepare('INSERT OR REPLACE INTO users (id, tmstmp, name) VALUES (?, ?, ?)')
      .run(idOf(number), timeuuidOf(LONG_AGO + ms), name)
  return {
    ...{ database, put },
    fill: (rows) => {
      database.exec('BEGIN')
      for (let number = 0; number < rows; number++) put(number, number, `row ${number}`)
      database.exec('COMMIT')
    },
    dump: () => {
      const rows = database.prepare('SELECT id, name FROM users ORDER BY id').all()
      return Object.fromEntries(rows.map(({ id, name }) => [Number(String(id).slice(-12)), String(name)]))
    },
  }
}

/** A timeuuid of this millisecond. */
function timeuuidOf(ms: number): string {
  const ticks = (BigInt(ms) + 12_219_292_800_000n) * 10_000n
  const hex = ticks.toString(16).padStart(15, '0')
  return `${hex.slice(7)}-${hex.slice(3, 7)}-1${hex.slice(0, 3)}-8000-000000000000`
}
