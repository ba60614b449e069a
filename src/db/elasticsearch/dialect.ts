// Elasticsearch or OpenSearch? They differ in how a point in time is opened and closed, and the official clients refuse each other's
// servers: so the server is asked, by what every one of its answers says, then by what it says of itself.
import { isJsonObject } from '../exact-json.ts'
import { StoreFailed } from '../store.ts'
import { BrokenAnswer, parseObject } from './parts.ts'
import type { Transport } from './transport.ts'

export type Product = 'elasticsearch' | 'opensearch'

export interface Dialect {
  readonly product: Product
  /** Path of the request that opens a point in time. */
  openPath(index: string, keepAlive: string): string
  /** Its id in the answer. */
  idOf(answer: Readonly<Record<string, unknown>>): string
  readonly closePath: string
  closeBody(id: string): string
}

const ELASTICSEARCH: Dialect = {
  product: 'elasticsearch',
  openPath: (index, keepAlive) => `/${index}/_pit?keep_alive=${keepAlive}`,
  idOf: (answer) => textIn(answer, 'id'),
  closePath: '/_pit',
  closeBody: (id) => JSON.stringify({ id }),
}
const OPENSEARCH: Dialect = {
  product: 'opensearch',
  openPath: (index, keepAlive) => `/${index}/_search/point_in_time?keep_alive=${keepAlive}`,
  idOf: (answer) => textIn(answer, 'pit_id'),
  closePath: '/_search/point_in_time',
  closeBody: (id) => JSON.stringify({ pit_id: [id] }),
}
/** OpenSearch began again with 1, after 7 of Elasticsearch. */
const FIRST_ELASTICSEARCH = 7

/** Asks nothing where an answer before has told. Throws StoreFailed where the server is neither of the two. */
export async function findDialect(transport: Transport, signal: AbortSignal): Promise<Dialect> {
  if (transport.isElastic) return ELASTICSEARCH
  const product =
    (await transport.send({ method: 'GET', path: '/', ...ANY_REFUSAL, read: readRoot(transport) }, signal)) ??
    (await transport.send({ method: 'GET', path: NODES, ...ANY_REFUSAL, read: readNodes(transport) }, signal))
  if (product === undefined)
    throw new StoreFailed(`elasticsearch ${transport.url}: neither Elasticsearch nor OpenSearch answers there`)
  return product === 'elasticsearch' ? ELASTICSEARCH : OPENSEARCH
}

const NODES = '/_nodes/_local?filter_path=nodes.*.version,nodes.*.build_flavor'
/** A distribution without that endpoint, or a user that may not ask. */
const ANY_REFUSAL = { expected: [400, 403, 404, 405] } as const

type ReadProduct = (answer: { readonly status: number; readonly text: string }) => Product | undefined

function readRoot(transport: Transport): ReadProduct {
  return ({ status, text }) => {
    if (transport.isElastic) return 'elasticsearch'
    if (status >= 300) return undefined
    const { version } = parseObject(text)
    if (!isJsonObject(version)) return undefined
    if (version['distribution'] === 'opensearch') return 'opensearch'
    return version['build_flavor'] === undefined ? undefined : 'elasticsearch'
  }
}

function readNodes(transport: Transport): ReadProduct {
  return ({ status, text }) => {
    if (transport.isElastic) return 'elasticsearch'
    if (status >= 300) return undefined
    const { nodes } = parseObject(text)
    const [node] = isJsonObject(nodes) ? Object.values(nodes) : []
    const version = isJsonObject(node) ? Number.parseInt(String(node['version']), 10) : Number.NaN
    if (Number.isNaN(version)) return undefined
    return version >= FIRST_ELASTICSEARCH ? 'elasticsearch' : 'opensearch'
  }
}

function textIn(answer: Readonly<Record<string, unknown>>, key: string): string {
  const value = answer[key]
  if (typeof value !== 'string') throw new BrokenAnswer(`the answer has no ${key}`)
  return value
}
