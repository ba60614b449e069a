// Connections of a real server: TLS, and what becomes of them while the service stops.
import { Agent, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { describe, expect, it } from 'vitest'
import { makeCa } from '../lib/certificates.ts'
import { ASKING, createHarness, verdict } from './lib/harness.ts'

interface Answered {
  readonly status: number | undefined
  readonly connection: string | undefined
  readonly body: string
}

function get(
  url: string,
  options: { readonly ca?: string; readonly agent?: Agent; readonly headers?: Record<string, string> },
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const request = (url.startsWith('https:') ? requestHttps : requestHttp)(url, options, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => {
        body += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode, connection: response.headers.connection, body }))
    })
    request.on('error', reject)
    request.end()
  })
}

it('serves HTTPS when it has a certificate', async () => {
  const ca = await makeCa()
  await using h = await createHarness({ serverOptions: await ca.issue({ ips: ['127.0.0.1'] }) })
  const origin = await h.app.listen({ port: 0, host: '127.0.0.1' })
  expect(await get(`${origin.replace('http:', 'https:')}/health`, { ca: ca.cert })).toMatchObject({
    status: 200,
    body: '{"status":"Up"}',
  })
})

describe('while the service stops', () => {
  it('a check in flight gets its verdict, and its connection ends with it', async () => {
    await using h = await createHarness()
    const agent = new Agent({ keepAlive: true })
    const asked = Promise.withResolvers<void>()
    const settled = Promise.withResolvers<ReturnType<typeof verdict>>()
    h.gateway.onCheck = () => {
      asked.resolve()
      return settled.promise
    }
    const origin = await h.app.listen({ port: 0, host: '127.0.0.1' })
    const answer = get(`${origin}/v1/synced`, { agent, headers: ASKING })
    await asked.promise
    h.lifecycle.stopping = true
    const closed = h.app.close()
    settled.resolve(verdict('Synced'))
    expect(await answer).toMatchObject({ status: 200, body: expect.stringContaining('"Synced"') })
    agent.destroy()
    await closed
  })

  it('requests are still answered before the listener closes, each ending its connection', async () => {
    await using h = await createHarness()
    const agent = new Agent({ keepAlive: true })
    const origin = await h.app.listen({ port: 0, host: '127.0.0.1' })
    expect(await get(`${origin}/health`, { agent })).toMatchObject({ connection: 'keep-alive' })
    h.lifecycle.stopping = true
    expect(await get(`${origin}/health`, { agent })).toMatchObject({ status: 200, connection: 'close' })
    expect(await get(`${origin}/readyz`, { agent })).toMatchObject({ status: 503, connection: 'close' })
  })

  it('a connection that idles does not keep it', async () => {
    await using h = await createHarness()
    const agent = new Agent({ keepAlive: true })
    const origin = await h.app.listen({ port: 0, host: '127.0.0.1' })
    await get(`${origin}/health`, { agent })
    await h.app.close()
    agent.destroy()
  })
})
