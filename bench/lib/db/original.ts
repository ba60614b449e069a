// What the original does, row by row: it reads an entry, asks the other side for its version, and writes it where it is newer there.
import cassandra from 'cassandra-driver'
import type { RawSearch } from './raw-search.ts'
import { TABLE } from './rows.ts'

const PAGE_ROWS = 1_000

export async function openDriver(port: number, keyspace: string): Promise<cassandra.Client> {
  const client = new cassandra.Client({
    ...{ contactPoints: [`127.0.0.1:${port}`], localDataCenter: 'datacenter1', keyspace },
  })
  await client.connect()
  return client
}

/** Carries the first `limit` rows; gives how many were written. */
export async function carryThere(
  client: cassandra.Client,
  search: RawSearch,
  index: string,
  limit: number,
): Promise<number> {
  const { rows } = await client.execute(`SELECT * FROM ${TABLE.name} LIMIT ${limit}`, [], { fetchSize: limit })
  let written = 0
  for (const row of rows) {
    const { id, tmstmp, ...values }: Record<string, unknown> = row
    const ms = (tmstmp as cassandra.types.TimeUuid).getDate().getTime()
    if ((await findMs(search, index, String(id))) >= ms) continue
    await search.request('PUT', `/${index}/_doc/${id}`, { ...{ id: String(id), tmstmp: new Date(ms) }, ...values })
    written++
  }
  return written
}

async function findMs(search: RawSearch, index: string, id: string): Promise<number> {
  const answer = await search.request('POST', `/${index}/_search`, {
    ...{ query: { ids: { values: [id] } }, _source: ['tmstmp'] },
  })
  const { hits } = JSON.parse(answer.toString()) as SearchAnswer
  const found = hits.hits[0]?._source['tmstmp']
  return found === undefined ? Number.NEGATIVE_INFINITY : Date.parse(String(found))
}

interface SearchAnswer {
  readonly hits: { readonly hits: readonly { readonly _source: Readonly<Record<string, unknown>> }[] }
}

/** Carries the first `limit` documents; gives how many were written. */
export async function carryBack(
  client: cassandra.Client,
  search: RawSearch,
  index: string,
  limit: number,
): Promise<number> {
  const names = ['id', 'tmstmp', ...TABLE.columns.map(({ name }) => name)]
  const insert = `INSERT INTO ${TABLE.name} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`
  const select = `SELECT tmstmp FROM ${TABLE.name} WHERE id = ? ORDER BY tmstmp DESC LIMIT 1`
  let written = 0
  for (let from = 0; from < limit; from += PAGE_ROWS) {
    const answer = await search.request('POST', `/${index}/_search`, { from, size: PAGE_ROWS, sort: ['tmstmp'] })
    for (const { _source: document } of (JSON.parse(answer.toString()) as SearchAnswer).hits.hits) {
      const held = await client.execute(select, [document['id']], { prepare: true })
      const version = cassandra.types.TimeUuid.fromDate(new Date(String(document['tmstmp'])))
      const heldMs = (held.rows[0]?.['tmstmp'] as cassandra.types.TimeUuid | undefined)?.getDate().getTime()
      if (heldMs !== undefined && heldMs >= version.getDate().getTime()) continue
      await client.execute(
        insert,
        names.map((name) => (name === 'tmstmp' ? version : document[name])),
        { prepare: true },
      )
      written++
    }
  }
  return written
}
