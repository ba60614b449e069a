// Clusters that serve an example case: fixed descriptions with fixed versions and faults, and a list of what was written to them.
// Nothing that is written changes what they serve.
import { systemClock } from '../../src/lib/clock.ts'
import {
  json,
  type Misbehaviour,
  startWaiterHttp,
  type WaiterAnswer,
  type WaiterHttp,
  type WaiterRequest,
} from '../../src/playground/waiter/http.ts'
import { refuse } from '../../src/playground/waiter/routes.ts'
import { toIso, withIsoTimes } from '../../src/playground/waiter/token-data.ts'
import type { Description } from '../../src/tokens/contract.ts'
import { isObject, JsonNumber, type JsonObject, type JsonValue, parseJson, writeJson } from '../../src/tokens/json.ts'

/** What a cluster of a case holds of one token. */
export interface CaseEntry {
  /** Times in milliseconds. */
  readonly description: Description
  readonly etag: string | undefined
  /** The list shows no version. */
  readonly indexEtagMissing: boolean
  /** Listed, but not there when it is read. */
  readonly vanished: boolean
  /** Reading it breaks the connection. */
  readonly readBroken: boolean
  /** What writes are answered with. */
  readonly storeStatus: number
  readonly deleteStatus: number
}

/** A write as it arrived. */
export interface CaseWrite {
  readonly op: 'store' | 'hard-delete'
  /** Address of the cluster as the case has it. */
  readonly cluster: string
  readonly token: string
  readonly ifMatch: string | null
  /** Text of the body; of a store only. */
  readonly body?: string
}

export interface CaseCluster extends WaiterHttp {
  readonly writes: readonly CaseWrite[]
}

export interface TokenSyncCase {
  readonly id: number
  /** In order; addresses that nobody listens on. */
  readonly clusters: readonly string[]
  readonly limit: number
  readonly optOutMetadataName: string | undefined
  /** By token, then by address. */
  readonly tokens: ReadonlyMap<string, ReadonlyMap<string, CaseEntry>>
  readonly expected: JsonObject
}

/** Reads a line of a file of cases. */
export function readCase(line: string): TokenSyncCase {
  const fields = parseJson(line)
  if (!isObject(fields)) throw new TypeError('a case is a JSON object')
  const tokens = objectIn(fields, 'tokens')
  const clusters = fields.get('clusters')
  const optOut = fields.get('optOutMetadataName')
  return {
    id: numberIn(fields, 'id'),
    clusters: Array.isArray(clusters) ? clusters.map(String) : [],
    limit: numberIn(fields, 'limit'),
    optOutMetadataName: typeof optOut === 'string' ? optOut : undefined,
    tokens: new Map([...tokens.keys()].map((token) => [token, readEntries(objectIn(tokens, token))])),
    expected: objectIn(fields, 'expected'),
  }
}

function readEntries(byCluster: JsonObject): ReadonlyMap<string, CaseEntry> {
  return new Map([...byCluster.keys()].map((url) => [url, readEntry(objectIn(byCluster, url))]))
}

function readEntry(fields: JsonObject): CaseEntry {
  const etag = fields.get('etag')
  return {
    description: objectIn(fields, 'description'),
    etag: typeof etag === 'string' ? etag : undefined,
    indexEtagMissing: fields.get('index-etag-missing') === true,
    vanished: fields.get('vanished') === true,
    readBroken: fields.get('read-broken') === true,
    storeStatus: numberIn(fields, 'store-status'),
    deleteStatus: numberIn(fields, 'delete-status'),
  }
}

function objectIn(fields: JsonObject, key: string): JsonObject {
  const value = fields.get(key)
  if (!isObject(value)) throw new TypeError(`${key} is no JSON object`)
  return value
}

function numberIn(fields: JsonObject, key: string): number {
  const value = fields.get(key)
  if (!(value instanceof JsonNumber)) throw new TypeError(`${key} is no number`)
  return Number(value.source)
}

export interface RunningCase extends AsyncDisposable {
  /** Real addresses, in the order of those of the case. */
  readonly urls: readonly string[]
  readonly clusters: readonly CaseCluster[]
  /** All writes, in the order in which they arrived, by the addresses of the case. */
  readonly writes: readonly CaseWrite[]
  /** Address of the case that a real one stands for. */
  caseUrl(url: string): string
}

/** Starts a server for each cluster of the case; their addresses sort as those of the case do. */
export async function startCase(one: TokenSyncCase): Promise<RunningCase> {
  await using starting = new AsyncDisposableStack()
  const writes: CaseWrite[] = []
  const slots: { entries: ReadonlyMap<string, CaseEntry>; cluster: string }[] = []
  const servers: CaseCluster[] = []
  for (const _ of one.clusters) {
    const slot = { entries: new Map<string, CaseEntry>(), cluster: '' }
    slots.push(slot)
    servers.push(starting.use(await listenFor(slot, writes)))
  }
  const pairs = servers.map((server, index) => ({ server, slot: slots[index] }))
  pairs.sort((a, b) => (a.server.url < b.server.url ? -1 : 1))
  const wanted = [...one.clusters].sort()
  pairs.forEach(({ slot }, index) => {
    const cluster = wanted[index] ?? ''
    if (slot !== undefined) Object.assign(slot, { cluster, entries: entriesOf(one, cluster) })
  })
  const running = starting.move()
  const real = new Map(pairs.map(({ server }, index) => [server.url, wanted[index] ?? '']))
  return {
    urls: pairs.map(({ server }) => server.url),
    clusters: pairs.map(({ server }) => server),
    writes,
    caseUrl: (url) => real.get(url) ?? url,
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

const entriesOf = (one: TokenSyncCase, cluster: string): ReadonlyMap<string, CaseEntry> =>
  new Map(
    [...one.tokens].flatMap(([token, byCluster]) => {
      const entry = byCluster.get(cluster)
      return entry === undefined ? [] : [[token, entry] as const]
    }),
  )

/** One cluster that serves these entries, by token. `cluster` is what its writes are noted under. */
export function startCaseCluster(entries: ReadonlyMap<string, CaseEntry>, cluster = ''): Promise<CaseCluster> {
  return listenFor({ entries, cluster }, [])
}

async function listenFor(
  slot: { readonly entries: ReadonlyMap<string, CaseEntry>; readonly cluster: string },
  all: CaseWrite[],
): Promise<CaseCluster> {
  const own: CaseWrite[] = []
  const note = (write: Omit<CaseWrite, 'cluster'>): void => {
    const full = { ...write, cluster: slot.cluster }
    own.push(full)
    all.push(full)
  }
  const http = await startWaiterHttp({
    clock: systemClock,
    serve: (request) => refuse(404, 'unexpected', request),
    meet: (request) => serve(request, slot.entries, note),
  })
  return Object.create(http, { writes: { value: own } })
}

function serve(
  request: WaiterRequest,
  entries: ReadonlyMap<string, CaseEntry>,
  note: (write: Omit<CaseWrite, 'cluster'>) => void,
): WaiterAnswer | Misbehaviour {
  const ifMatch = request.headers['if-match'] ?? null
  const header = request.headers['x-waiter-token']
  const token = typeof header === 'string' ? header : nameIn(request.body)
  const entry = entries.get(token)
  switch (request.kind) {
    case 'list':
      return json(200, `[${[...entries].map(([name, one]) => JSON.stringify(indexEntry(name, one))).join(',')}]`)
    case 'read':
      return read(request, entry)
    case 'store':
      note({ op: 'store', token, ifMatch, body: request.body })
      return written(entry?.storeStatus ?? 200, request)
    case 'delete':
      note({ op: 'hard-delete', token, ifMatch })
      return written(entry?.deleteStatus ?? 200, request)
    default:
      return refuse(404, 'a case has no such thing', request)
  }
}

const nameIn = (body: string): string => {
  const value: JsonValue = body === '' ? null : parseJson(body)
  const token = isObject(value) ? value.get('token') : undefined
  return typeof token === 'string' ? token : ''
}

function indexEntry(token: string, { description, etag, indexEtagMissing }: CaseEntry): object {
  return {
    token,
    owner: description.get('owner'),
    deleted: description.get('deleted') === true,
    etag: indexEtagMissing ? null : (etag ?? null),
    'last-update-time': toIso(description.get('last-update-time') ?? null),
    maintenance: description.has('maintenance'),
  }
}

function read(request: WaiterRequest, entry: CaseEntry | undefined): WaiterAnswer | Misbehaviour {
  if (entry === undefined || entry.vanished) return refuse(404, "Couldn't find the token", request)
  if (entry.readBroken) return 'reset'
  return json(200, writeJson(withIsoTimes(entry.description)), entry.etag === undefined ? {} : { etag: entry.etag })
}

const written = (status: number, request: WaiterRequest): WaiterAnswer =>
  status < 300 ? json(status, '{}') : refuse(status, 'as the case has it', request)
