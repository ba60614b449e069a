// Elasticsearch by nothing but requests: what it gives and takes at most, without looking at a document.
import { Pool } from 'undici'
import type { Row } from '../../../src/db/document.ts'
import { describeIndexBody } from '../../../src/db/elasticsearch/mapping.ts'
import { forEachConcurrently } from '../../../src/lib/concurrently.ts'
import { POLICY, TABLE, writeDocument } from './rows.ts'

const BULK_ROWS = 2_000
const BULKS_AT_ONCE = 4
const PAGE_ROWS = 5_000
const KEEP_ALIVE = '1m'
const TIMEOUT_MS = 120_000

export class RawSearch implements AsyncDisposable {
  readonly #pool: Pool

  constructor(url: string) {
    this.#pool = new Pool(url, { connections: 16, headersTimeout: TIMEOUT_MS, bodyTimeout: TIMEOUT_MS })
  }

  /** Throws for an answer that is not 2xx, unless it is 404 and that was expected. */
  async request(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: Buffer | object): Promise<Buffer> {
    const { statusCode, body: answer } = await this.#pool.request({
      ...{ method, path },
      headers: { 'content-type': path.endsWith('/_bulk') ? 'application/x-ndjson' : 'application/json' },
      body: body === undefined ? null : Buffer.isBuffer(body) ? body : JSON.stringify(body),
    })
    const bytes = Buffer.from(await answer.arrayBuffer())
    if (statusCode >= 300 && !(method === 'DELETE' && statusCode === 404))
      throw new Error(`${method} ${path}: ${statusCode} ${bytes.toString().slice(0, 500)}`)
    return bytes
  }

  /** An empty index, with the mapping that a sync gives to it. */
  async makeIndex(name: string): Promise<void> {
    await this.request('DELETE', `/${name}`)
    await this.request('PUT', `/${name}`, describeIndexBody(TABLE, POLICY.versionField))
  }

  prepareBulks(rows: Iterable<Row>): readonly Buffer[] {
    const bodies: Buffer[] = []
    let lines: string[] = []
    for (const row of rows) {
      lines.push(`{"index":{"_id":"${row.id}"}}\n${writeDocument(row)}\n`)
      if (lines.length < BULK_ROWS) continue
      bodies.push(Buffer.from(lines.join('')))
      lines = []
    }
    if (lines.length > 0) bodies.push(Buffer.from(lines.join('')))
    return bodies
  }

  async send(index: string, bodies: Iterable<Buffer>): Promise<void> {
    await forEachConcurrently(bodies, BULKS_AT_ONCE, new AbortController().signal, async (body) => {
      const answer = await this.request('POST', `/${index}/_bulk`, body)
      if (answer.includes('"errors":true')) throw new Error('a document was refused')
    })
  }

  async load(index: string, rows: Iterable<Row>): Promise<void> {
    const chunk: Row[] = []
    const flush = async () => await this.send(index, this.prepareBulks(chunk.splice(0)))
    for (const row of rows) {
      chunk.push(row)
      if (chunk.length === 20_000) await flush()
    }
    await flush()
    await this.request('POST', `/${index}/_refresh`)
  }

  /** Reads all of the index by `_shard_doc` in a point in time; gives how many documents there were. */
  async read(index: string): Promise<number> {
    const opened = await this.request('POST', `/${index}/_pit?keep_alive=${KEEP_ALIVE}`)
    const { id } = JSON.parse(opened.toString()) as { readonly id: string }
    let after: number | undefined
    let count = 0
    do {
      const answer = await this.request('POST', '/_search', {
        ...{ size: PAGE_ROWS, pit: { id, keep_alive: KEEP_ALIVE }, sort: ['_shard_doc'], track_total_hits: false },
        ...{ docvalue_fields: [{ field: 'tmstmp', format: 'epoch_millis' }] },
        ...(after !== undefined && { search_after: [after] }),
      })
      // The page ends with the sort value of its last document.
      after = Number(/"sort":\[(\d+)\]\}\]\}\}$/.exec(answer.toString('latin1', answer.length - 100))?.[1])
      count += countIn(answer, '"_id":"')
    } while (!Number.isNaN(after))
    await this.request('DELETE', '/_pit', { id })
    return count
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.close()
  }
}

function countIn(bytes: Buffer, text: string): number {
  let count = 0
  for (let at = bytes.indexOf(text); at >= 0; at = bytes.indexOf(text, at + text.length)) count++
  return count
}
