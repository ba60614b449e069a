import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { acceptBearers, createHarness, type Harness } from './lib/harness.ts'

const PUBLIC = join(import.meta.dirname, '../../public')
const FILES = readdirSync(PUBLIC, { recursive: true, withFileTypes: true })
  // Types are for the compiler, and no browser is sent them.
  .filter((entry) => entry.isFile() && !entry.name.endsWith('.ts'))
  .map((entry) => join(entry.parentPath, entry.name).slice(PUBLIC.length + 1))

describe('the files of the status page', () => {
  let h: Harness
  beforeAll(async () => {
    h = await createHarness()
  })
  afterAll(() => h[Symbol.asyncDispose]())

  it('are at /status/, to which /status leads', async () => {
    const redirect = await h.app.inject('/status')
    expect([redirect.statusCode, redirect.headers['location']]).toEqual([302, 'status/'])
    const page = await h.app.inject('/status/?any=thing')
    expect(page.statusCode).toBe(200)
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(page.body).toBe(readFileSync(join(PUBLIC, 'index.html'), 'utf8'))
  })

  it.each(FILES)('are all served, as what they are: %s', async (file) => {
    const answer = await h.app.inject(`/status/${file}`)
    expect(answer.statusCode).toBe(200)
    expect(answer.rawPayload.equals(readFileSync(join(PUBLIC, file)))).toBe(true)
    const types = {
      html: /^text\/html/,
      js: /^text\/javascript/,
      css: /^text\/css/,
      svg: /^image\/svg/,
      txt: /^text\/plain/,
    }
    expect(answer.headers['content-type']).toMatch(types[file.split('.').at(-1) as 'js'])
  })

  it('may load and ask this service only, and run nothing that stands in a page', async () => {
    for (const url of ['/status/', '/status/app.js']) {
      const { headers } = await h.app.inject(url)
      expect(headers['content-security-policy']).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      )
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['referrer-policy']).toBe('no-referrer')
    }
  })

  it('have no script, style or handler in the page, and name nothing outside', () => {
    const page = readFileSync(join(PUBLIC, 'index.html'), 'utf8')
    expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son[a-z]+=|\sstyle=/i)
    for (const file of FILES.filter((name) => !name.startsWith('vendor/'))) {
      const urls = readFileSync(join(PUBLIC, file), 'utf8').match(/(?:https?:)?\/\/[a-z0-9.-]+\.[a-z]{2,}/gi) ?? []
      expect([file, urls.filter((url) => !url.includes('www.w3.org'))]).toEqual([file, []])
    }
  })

  it('are sent once: whoever has one is told so', async () => {
    const { etag, 'cache-control': caching } = (await h.app.inject('/status/')).headers
    expect(caching).toBe('no-cache')
    for (const known of [String(etag), `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await h.app.inject({ url: '/status/', headers: { 'if-none-match': known } })
      expect([again.statusCode, again.body, again.headers['etag']]).toEqual([304, '', etag])
      expect(again.headers['content-security-policy']).toContain("default-src 'none'")
    }
    const other = await h.app.inject({ url: '/status/', headers: { 'if-none-match': '"other"' } })
    expect(other.statusCode).toBe(200)
  })

  it('answer HEAD without a body', async () => {
    const get = await h.app.inject('/status/')
    const head = await h.app.inject({ method: 'HEAD', url: '/status/' })
    expect([head.statusCode, head.body]).toEqual([200, ''])
    expect(head.headers['content-length']).toBe(get.headers['content-length'])
    expect(head.headers['etag']).toBe(get.headers['etag'])
  })

  it.each([
    '/status/nothing.js',
    '/status/types.ts',
    '/status/vendor/preact.d.ts',
    '/status/vendor',
    '/status/vendor/',
    '/status/../package.json',
    '/status/..%2fpackage.json',
    '/status/%2e%2e/package.json',
    '/status/vendor/..%2f..%2f..%2fpackage.json',
    '/status/..\\package.json',
    '/status//index.html',
    '/status/index.html/',
    '/status/index.html%00',
    '/status/%69ndex.html',
    '/status/constructor',
    '/statusx',
  ])('are found by their exact path only: %s', async (url) => {
    const answer = await h.app.inject(url)
    expect(answer.statusCode).toBe(404)
    expect(answer.json()).toMatchObject({ type: '/problems/not-found' })
  })

  it('take no other method', async () => {
    for (const url of ['/status', '/status/', '/status/app.js']) {
      const answer = await h.app.inject({ method: 'POST', url })
      expect([answer.statusCode, answer.headers['allow']]).toEqual([405, 'GET, HEAD'])
    }
  })

  it('are counted as what they are', async () => {
    expect(await h.registry.metrics()).toMatch(/syncer_http_requests_total\{operation="statusPage",status="200"\} \d/)
  })
})

describe('who may have them', () => {
  const authenticator = acceptBearers({ reads: { name: 'reader', scopes: new Set(['read'] as const) } })
  const ask = async (open: ('metrics' | 'ui')[], headers = {}) => {
    await using h = await createHarness({ authenticator, config: { auth: { mode: 'none', open } } })
    const urls = ['/status', '/status/', '/status/app.js', '/status/nothing.js']
    return Promise.all(urls.map(async (url) => (await h.app.inject({ url, headers })).statusCode))
  }

  it('is everybody where `auth.open` says so', async () => {
    expect(await ask(['ui'])).toEqual([302, 200, 200, 404])
  })

  it('is else whoever may read', async () => {
    expect(await ask(['metrics'])).toEqual([401, 401, 401, 401])
    expect(await ask([], { authorization: 'Bearer reads' })).toEqual([302, 200, 200, 404])
  })
})

describe('what the page asks for', () => {
  it('has the history of the gateway', async () => {
    await using h = await createHarness()
    const checks = { Synced: 1, Partialy: 0, NotSynced: 0, Timeout: 0 }
    expect((await h.ask({ url: '/v1/gateway/history' })).json()).toEqual({
      stepMs: 10_000,
      items: [{ startedAt: '2023-11-14T22:13:20.000Z', checks, lag: null }],
    })
  })

  it('has no history where there is no gateway', async () => {
    await using h = await createHarness({ gateway: undefined })
    const answer = await h.ask({ url: '/v1/gateway/history' })
    expect([answer.status, answer.json()['type']]).toEqual([404, '/problems/not-configured'])
  })

  it('has the scopes of the caller, in the order of the document', async () => {
    const scopes = new Set(['db', 'read'] as const)
    await using h = await createHarness({ authenticator: acceptBearers({ x: { name: 'op', scopes } }) })
    const answer = await h.ask({ url: '/v1/status', headers: { authorization: 'Bearer x' } })
    expect(answer.json()['caller']).toEqual({ name: 'op', scopes: ['read', 'db'] })
  })

  it('has when a replica was last seen', async () => {
    await using h = await createHarness()
    const replica = {
      name: 'gw-0',
      address: '10.0.0.1',
      port: 1,
      terminating: false,
      state: 'up',
      since: 0,
      lag: null,
    } as const
    h.gateway.list = { source: 'static', ageMs: 0, replicas: [replica, { ...replica, name: 'gw-1', lastSeen: 1_000 }] }
    const { items } = (await h.ask({ url: '/v1/replicas' })).json() as { items: { lastSeen?: string }[] }
    expect(items.map(({ lastSeen }) => lastSeen)).toEqual([undefined, '1970-01-01T00:00:01.000Z'])
  })
})
