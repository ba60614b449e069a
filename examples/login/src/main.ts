// A small service beside Syncer. `POST /logins/TOKEN` answers when every replica of the gateway knows the token, so that the next request of
// that user is not turned away wherever it ends up; `POST /syncs` brings the tokens of the clusters in step and answers with what came of it.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createSyncerClient, SyncerProblem } from 'syncer/client'

const syncer = createSyncerClient({
  baseUrl: process.env['SYNCER_URL'] ?? 'http://127.0.0.1:8080',
  token: process.env['SYNCER_TOKEN'],
})

/** Where the token was made is where it is known first. */
async function logIn(token: string, origin: string, signal: AbortSignal) {
  const header = { 'X-Auth-Token': token, 'X-Nginx-Origin': origin }
  const { status, replicas } = await syncer.getSynced({ header }, { signal })
  const missing = replicas.filter(({ state }) => state !== 'present').map(({ name }) => name)
  return { letIn: status === 'Synced', status, missing }
}

async function syncTokens(dryRun: boolean, signal: AbortSignal) {
  const started = await syncer.syncTokens({ dryRun }, {}, { signal })
  const run = await syncer.waitForRun(started.id, {
    signal,
    onProgress: ({ done, total }) => console.error(`${started.id}: ${done} of ${total}`),
  })
  const { items } = await syncer.listRunItems({ path: { id: run.id }, query: { status: 'failed' } }, { signal })
  return { id: run.id, state: run.state, summary: run.summary, failed: items }
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  // Who has left needs no answer any more.
  const left = new AbortController()
  response.once('close', () => left.abort())
  const url = new URL(request.url ?? '/', 'http://localhost')
  const [, what, token] = url.pathname.split('/')
  try {
    if (what === 'logins' && token !== undefined) {
      const login = await logIn(token, url.searchParams.get('origin') ?? 'gw-0', left.signal)
      send(response, login.letIn ? 200 : 503, login)
    } else if (what === 'syncs') send(response, 200, await syncTokens(url.searchParams.has('dry'), left.signal))
    else send(response, 404, { error: 'POST /logins/TOKEN or /syncs' })
  } catch (error) {
    if (!(error instanceof SyncerProblem)) throw error
    send(response, 502, { error: error.problem.title, type: error.type, retryAfterSeconds: error.retryAfterSeconds })
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body)}\n`)
}

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    console.error(error)
    if (!response.headersSent) send(response, 500, { error: 'something went wrong' })
  })
})
server.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => console.log('listening', server.address()))
process.once('SIGTERM', () => server.close())
