// The service over some Waiter clusters, as a process, and a client of its runs. Every answer is held to the document, and all that is
// said is kept, so that a test can look for what nobody may be told.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type components, createSyncerClient, type SyncerClient } from '../../../generated/client.ts'
import { expectDocumented } from '../../http/lib/conformance.ts'
import { waitUntil } from './server-process.ts'
import { type Syncer, startSyncer } from './syncer.ts'

type Schemas = components['schemas']
/** A run of tokens. */
export type Run = Omit<Schemas['Run'], 'summary'> & { readonly summary: Schemas['TokensSummary'] | null }
export type TokenItem = Schemas['TokenItem']
export type SyncBody = NonNullable<Parameters<SyncerClient['syncTokens']>[0]>

export interface TokenServiceOptions {
  /** As they are in the configuration. */
  readonly clusters: readonly { readonly name: string; readonly url: string }[]
  /** Where the state and the undo files are: another service may go on with it. */
  readonly folder: string
  /** More of the section `tokens`. */
  readonly tokens?: Readonly<Record<string, unknown>>
  /** More sections. */
  readonly config?: Readonly<Record<string, unknown>>
  readonly files?: Readonly<Record<string, string>>
  readonly withVitals?: boolean
}

export interface Answer<T> {
  readonly status: number
  readonly headers: Headers
  readonly body: T
}

export interface TokenService extends AsyncDisposable {
  readonly syncer: Syncer
  readonly client: SyncerClient
  /** `POST /v1/tokens/sync`, whatever comes of it. */
  sync(body?: SyncBody, headers?: Readonly<Record<string, string>>): Promise<Answer<Run & Partial<Schemas['Problem']>>>
  /** Starts a run and resolves with it when it has ended. Throws when none was started. */
  run(body?: SyncBody): Promise<Run>
  /** Resolves with the run as soon as this holds of it. */
  awaitRun(id: string, isSo: (run: Run) => boolean): Promise<Run>
  ended(id: string): Promise<Run>
  /** All items, page after page. */
  items(id: string): Promise<readonly TokenItem[]>
  /** Where this text is found: in an answer, in the metrics, in the log, in a file of the folder. */
  findSaid(text: string): Promise<readonly string[]>
  /** Ends the process at once, and resolves when it is gone. */
  kill(): Promise<void>
}

const PATIENCE_MS = 30_000

/** The run, which has to be one of tokens where it has a summary. */
export function asTokenRun({ summary, ...run }: Schemas['Run']): Run {
  if (summary !== null && !('sync' in summary)) throw new Error(`${run.id} is no run of tokens`)
  return { ...run, summary }
}

/** The item, which has to be that of a token. */
export function asTokenItem(item: Schemas['RunItem']): TokenItem {
  if (!('results' in item)) throw new Error(`no item of a token: ${JSON.stringify(item)}`)
  return item
}

/** What the clusters of `secretOf` want to see. */
export const secretOf = (cluster: string): string => `Bearer hunter2-of-${cluster}`

/** Starts it on a free port and resolves when it is ready. */
export async function startTokenService(options: TokenServiceOptions): Promise<TokenService> {
  const { folder, tokens, config, withVitals, files } = options
  const clusters = options.clusters.map(({ name, url }) => ({ name, url, authorization: { env: secretName(name) } }))
  const syncer = await startSyncer({
    config: {
      state: { kind: 'sqlite', path: join(folder, 'state.db') },
      ...config,
      tokens: { clusters, undoFolder: join(folder, 'undo'), ...tokens },
    },
    env: Object.fromEntries(options.clusters.map(({ name }) => [secretName(name), secretOf(name)])),
    ...(withVitals !== undefined && { withVitals }),
    ...(files !== undefined && { files }),
  })
  const said: string[] = []
  const client = createSyncerClient({ baseUrl: syncer.baseUrl, fetch: (request) => fetchDocumented(request, said) })
  const service: TokenService = {
    syncer,
    client,
    sync: async (asked, headers = {}) => {
      const request = new Request(`${syncer.baseUrl}/v1/tokens/sync`, {
        method: 'POST',
        headers: { ...headers, ...(asked && { 'content-type': 'application/json' }) },
        ...(asked && { body: JSON.stringify(asked) }),
      })
      const response = await fetchDocumented(request, said)
      const body = (await response.json()) as Run & Partial<Schemas['Problem']>
      return { status: response.status, headers: response.headers, body }
    },
    run: async (body) => {
      const answer = await service.sync(body, { Prefer: 'wait=60' })
      if (answer.status === 200) return answer.body
      throw new Error(`${answer.status}: ${JSON.stringify(answer.body)}`)
    },
    awaitRun: async (id, isSo) => {
      let run = asTokenRun(await client.getRun({ path: { id } }))
      await waitUntil(async () => {
        run = asTokenRun(await client.getRun({ path: { id } }))
        return isSo(run)
      }, PATIENCE_MS)
      return run
    },
    ended: (id) => service.awaitRun(id, ({ endedAt }) => endedAt !== null),
    items: async (id) => {
      const all: TokenItem[] = []
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const page = await client.listRunItems({ path: { id }, query: { limit: 1_000, ...(cursor && { cursor }) } })
        all.push(...page.items.map(asTokenItem))
        cursor = page.nextCursor
      }
      return all
    },
    findSaid: async (text) => {
      if (syncer.exit === undefined) await Promise.all([client.getMetrics(), client.getStatus(), client.listRuns()])
      return [
        ...said.filter((one) => one.includes(text)),
        ...(syncer.log().includes(text) ? ['the log'] : []),
        ...filesIn(folder).filter((path) => readFileSync(path, 'latin1').includes(text)),
      ]
    },
    kill: async () => {
      syncer.signal('SIGKILL')
      await waitUntil(() => syncer.exit !== undefined, PATIENCE_MS)
    },
    [Symbol.asyncDispose]: async () => {
      await syncer.stop()
    },
  }
  return service
}

const secretName = (cluster: string) => `AUTHORIZATION_OF_${cluster.replaceAll(/\W/g, '_')}`

async function fetchDocumented(request: Request, said: string[]): Promise<Response> {
  const { method, url } = request
  const sent = method === 'POST' && request.body !== null ? await request.clone().json() : undefined
  const response = await fetch(request)
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) return response
  const body = await response.clone().text()
  const { pathname, search } = new URL(url)
  said.push(`${method} ${pathname} ${JSON.stringify([...response.headers])} ${body}`)
  const headers = Object.fromEntries(response.headers)
  const what = { method, url: `${pathname}${search}`, status: response.status, headers, body }
  expectDocumented(sent === undefined ? what : { ...what, sent })
  return response
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile())
}
