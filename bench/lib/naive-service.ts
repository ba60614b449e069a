// What one writes first: fan out with a request for every probe, each under an AbortSignal of its own, and ask again every 10 ms.
// It answers the same question over the same HTTP framework with the same log line; it is here to be measured against.
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import { Agent, request } from 'undici'

interface Settings {
  readonly port: number
  readonly ca: string
  readonly host: string
  readonly path: string
  readonly replicas: readonly { readonly name: string; readonly address: string; readonly port: number }[]
}

const settings: Settings = JSON.parse(process.argv[2] ?? '')
const dispatcher = new Agent({ connect: { ca: readFileSync(settings.ca, 'utf8'), servername: settings.host } })
const DEADLINE_MS = 1000
const PAUSE_MS = 10

async function has(replica: Settings['replicas'][number], token: string, deadlineAt: number): Promise<boolean> {
  const headers = { host: settings.host, cookie: `auth_token=${token}` }
  for (;;) {
    const leftMs = deadlineAt - performance.now()
    if (leftMs <= 0) return false
    try {
      const url = `https://${replica.address}:${replica.port}${settings.path}`
      const { statusCode, body } = await request(url, {
        dispatcher,
        headers,
        signal: AbortSignal.timeout(Math.ceil(leftMs)),
      })
      await body.dump()
      if (statusCode === 200) return true
    } catch {
      // Asked again until the deadline.
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}

const app = Fastify({ logger: { level: 'info' } })
app.get('/readyz', async () => ({ status: 'ok' }))
app.get<{ Headers: { 'x-auth-token': string; 'x-nginx-origin': string } }>('/v1/synced', async (req, reply) => {
  const { 'x-auth-token': token, 'x-nginx-origin': origin } = req.headers
  const deadlineAt = performance.now() + DEADLINE_MS
  const others = settings.replicas.filter((replica) => replica.name !== origin)
  const answers = await Promise.all(others.map((replica) => has(replica, token, deadlineAt)))
  const reached = answers.filter(Boolean).length
  const status = reached === others.length ? 'Synced' : reached * 2 > others.length ? 'Partialy' : 'NotSynced'
  reply.header('x-token-status', status)
  return {
    status,
    origin,
    replicas: others.map(({ name }, i) => ({ name, state: answers[i] === true ? 'present' : 'absent' })),
  }
})
process.once('SIGTERM', () => process.exit(0))
await app.listen({ host: '127.0.0.1', port: settings.port })
