// Cassandra by nothing but frames of its protocol: what it gives and takes at most, without looking at a value.
import { type Connection, openConnection } from '../../../src/db/cassandra/connection.ts'
import {
  BatchWriter,
  CqlError,
  createExecute,
  createPrepare,
  createQuery,
  ERRORS,
  readPage,
  readPreparedId,
} from '../../../src/db/cassandra/frames.ts'
import { partOfRing } from '../../../src/db/cassandra/ring.ts'
import { createStatements } from '../../../src/db/cassandra/statements.ts'
import { createCodec } from '../../../src/db/cql-codec.ts'
import type { Row } from '../../../src/db/document.ts'
import { formatTimeuuid, microsOf } from '../../../src/db/timeuuid.ts'
import { writeCell } from '../../../src/db/value-codec.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { forEachConcurrently } from '../../../src/lib/concurrently.ts'
import { TABLE } from './rows.ts'

const CONNECTIONS = 4
const RANGES = 4
const PAGE_ROWS = 5_000
const BATCH_ROWS = 40
const BATCHES_AT_ONCE = 32
const TIMEOUT_MS = 60_000
const MAX_TRIES = 10
const CONSISTENCY = 'LOCAL_QUORUM'

export class RawCassandra implements Disposable {
  readonly #connections: readonly Connection[]
  #turn = 0

  constructor(connections: readonly Connection[]) {
    this.#connections = connections
  }

  async run(cql: string): Promise<void> {
    await this.#connection().request(createQuery(cql, { consistency: CONSISTENCY, values: [] }))
  }

  /** Reads all of the table; gives how many rows there were. */
  async scan(keyspace: string): Promise<number> {
    const { scan } = createStatements({ keyspace, table: TABLE, newestFirst: false }, 'all')
    let rows = 0
    const ranges = Array.from({ length: RANGES }, (_, at) => partOfRing(at, RANGES))
    await forEachConcurrently(ranges, RANGES, new AbortController().signal, async ({ from, to }) => {
      const connection = this.#connection()
      const id = readPreparedId((await connection.request(createPrepare(scan))).body)
      const values = [from, to].map(int64)
      let pagingState: Buffer | undefined
      do {
        const frame = createExecute(id, { consistency: CONSISTENCY, values, pageSize: PAGE_ROWS, pagingState })
        const page = readPage((await connection.request(frame)).body)
        rows += page.rowCount
        pagingState = page.pagingState
      } while (pagingState !== undefined)
    })
    return rows
  }

  /** Frames of unlogged batches, ready to be sent. */
  async prepareBatches(keyspace: string, rows: Iterable<Row>): Promise<readonly Buffer[]> {
    const { insert } = createStatements({ keyspace, table: TABLE, newestFirst: false }, 'all')
    let id: Buffer | undefined
    for (const connection of this.#connections)
      id = readPreparedId((await connection.request(createPrepare(insert))).body)
    if (id === undefined) throw new Error('there is no connection')
    const columns = [{ kind: 'uuid' }, { kind: 'timeuuid' }, ...TABLE.columns.map(({ type }) => type)] as const
    const codecs = columns.map(createCodec)
    const writer = new BatchWriter(id, codecs.length + 1, CONSISTENCY)
    const frames: Buffer[] = []
    let count = 0
    for (const row of rows) {
      const out = writer.addRow()
      const values = [row.id, formatTimeuuid(row.version), ...row.values]
      for (const [at, codec] of codecs.entries()) writeCell(out, codec, values[at] ?? null)
      out.writeInt32(8)
      out.writeInt64(microsOf(row.version))
      if (++count % BATCH_ROWS === 0) frames.push(writer.take())
    }
    if (count % BATCH_ROWS !== 0) frames.push(writer.take())
    return frames
  }

  async send(frames: Iterable<Buffer>): Promise<void> {
    await forEachConcurrently(frames, BATCHES_AT_ONCE, new AbortController().signal, async (frame) => {
      await this.#sendBatch(frame)
    })
  }

  /** Writes rows without holding more than some of them. */
  async load(keyspace: string, rows: Iterable<Row>): Promise<void> {
    const chunk: Row[] = []
    const flush = async () => await this.send(await this.prepareBatches(keyspace, chunk.splice(0)))
    for (const row of rows) {
      chunk.push(row)
      if (chunk.length === 20_000) await flush()
    }
    await flush()
  }

  /** A node that is overwhelmed for a moment is asked again, as anybody would. */
  async #sendBatch(frame: Buffer): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await this.#connection().request(frame)
        return
      } catch (error) {
        if (!(error instanceof CqlError) || error.code !== ERRORS.writeTimeout || tries === MAX_TRIES) throw error
      }
    }
  }

  [Symbol.dispose](): void {
    for (const connection of this.#connections) connection.destroy('it is done')
  }

  #connection(): Connection {
    const connection = this.#connections[this.#turn++ % this.#connections.length]
    if (connection === undefined) throw new Error('there is no connection')
    return connection
  }
}

export async function openRawCassandra(port: number): Promise<RawCassandra> {
  const options = {
    host: '127.0.0.1',
    port,
    clock: systemClock,
    connectTimeoutMs: TIMEOUT_MS,
    requestTimeoutMs: TIMEOUT_MS,
  }
  return new RawCassandra(await Promise.all(Array.from({ length: CONNECTIONS }, () => openConnection(options))))
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}
