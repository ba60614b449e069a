import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startWaiterCluster, type WaiterPlayground } from '../../src/playground/waiter/cluster.ts'
import { parseJson, writeJson } from '../../src/tokens/json.ts'
import { eventually } from '../lib/eventually.ts'
import { FakeClock } from '../lib/fake-clock.ts'

const NOW = Date.UTC(2026, 0, 1)
const USERS = new Map([
  ['Bearer alice', { name: 'alice', isAdmin: false }],
  ['Bearer bob', { name: 'bob', isAdmin: false }],
  ['Bearer root', { name: 'root', isAdmin: true }],
])

let clock: FakeClock
let cluster: WaiterPlayground
beforeEach(async () => {
  clock = new FakeClock(NOW)
  cluster = await startWaiterCluster({
    clock,
    name: 'c1',
    authenticate: (authorization) => USERS.get(authorization ?? ''),
    serviceStatus: (token) => (token === 'sick' ? 503 : 200),
  })
})
afterEach(() => cluster[Symbol.asyncDispose]())

interface Ask {
  readonly user?: string
  readonly ifMatch?: string | undefined
  readonly token?: string
}

async function send(method: string, path: string, { user = 'root', ifMatch, token }: Ask = {}, body?: string) {
  const headers: Record<string, string> = { accept: 'application/json', authorization: `Bearer ${user}` }
  if (ifMatch !== undefined) headers['if-match'] = ifMatch
  if (token !== undefined) headers['x-waiter-token'] = token
  const response = await fetch(cluster.url + path, { method, headers, ...(body !== undefined && { body }) })
  const text = await response.text()
  const error: unknown = text.startsWith('{"waiter-error"') ? JSON.parse(text)['waiter-error'].message : undefined
  return {
    status: response.status,
    etag: response.headers.get('etag'),
    type: response.headers.get('content-type'),
    text,
    error,
  }
}

const ALL = 'include=deleted&include=metadata'
const read = (token: string, query = ALL) => send('GET', `/token?${query}`, { token })
const admin = (body: object, ask?: Ask) => send('POST', '/token?update-mode=admin', ask, JSON.stringify(body))
const post = (body: object, ask: Ask = { user: 'alice' }) => send('POST', '/token', ask, JSON.stringify(body))
const hardDelete = (token: string, ask: Ask = {}) => send('DELETE', '/token?hard-delete=true', { ...ask, token })
const softDelete = (token: string, ask: Ask = {}) => send('DELETE', '/token', { ...ask, token })
const LIVE = {
  cmd: 'run',
  owner: 'alice',
  cluster: 'c9',
  root: 'c9',
  'last-update-time': 1,
  'last-update-user': 'alice',
}
const kept = (token: string): unknown => {
  const found = cluster.get(token)
  return found === undefined ? undefined : JSON.parse(writeJson(found))
}

describe('GET /tokens', () => {
  beforeEach(() => {
    cluster.put('live', { ...LIVE, 'last-update-time': 1_700_000_000_123, maintenance: { message: 'down' } })
    cluster.put('gone', { ...LIVE, deleted: true, owner: 'bob' })
  })

  it('shows deleted tokens and metadata only when they are asked for', async () => {
    const list = async (query: string) => JSON.parse((await send('GET', `/tokens${query}`)).text)
    expect(await list('')).toEqual([{ maintenance: true, owner: 'alice', token: 'live' }])
    expect(await list('?include=deleted')).toHaveLength(2)
    expect(await list(`?${ALL}`)).toEqual([
      {
        deleted: false,
        etag: cluster.etag('live'),
        'last-update-time': '2023-11-14T22:13:20.123Z',
        maintenance: true,
        owner: 'alice',
        token: 'live',
      },
      {
        deleted: true,
        etag: null,
        'last-update-time': '1970-01-01T00:00:00.001Z',
        maintenance: false,
        owner: 'bob',
        token: 'gone',
      },
    ])
    expect(await list('?include=deleted&owner=bob')).toMatchObject([{ token: 'gone' }])
  })

  it('counts requests by kind', async () => {
    await send('GET', '/tokens')
    await read('live')
    await read('live')
    expect(cluster.requests).toEqual({ list: 1, watch: 0, read: 2, store: 0, delete: 0, service: 0 })
  })
})

describe('GET /token', () => {
  it('answers a live token with its raw version, and times as ISO', async () => {
    cluster.put('t1', { ...LIVE, previous: { 'last-update-time': 0 } })
    const answer = await read('t1')
    expect(answer).toMatchObject({ status: 200, etag: cluster.etag('t1'), type: 'application/json' })
    expect(JSON.parse(answer.text)).toEqual({
      ...LIVE,
      'last-update-time': '1970-01-01T00:00:00.001Z',
      previous: { 'last-update-time': '1970-01-01T00:00:00.000Z' },
    })
  })

  it('answers a tombstone without a version, and only when it is asked for', async () => {
    cluster.put('t1', { ...LIVE, deleted: true })
    expect(await read('t1')).toMatchObject({ status: 200, etag: null })
    expect(await read('t1', 'include=metadata')).toMatchObject({ status: 404, error: "Couldn't find token t1" })
  })

  it('fills in what the metadata must have, and hides metadata otherwise', async () => {
    cluster.put('t1', { cmd: 'run', 'run-as-user': 'svc' })
    expect(JSON.parse((await read('t1')).text)).toEqual({
      cmd: 'run',
      'run-as-user': 'svc',
      owner: 'svc',
      previous: {},
      cluster: 'c1',
      root: 'c1',
    })
    expect((await read('t1', '')).text).toBe('{"cmd":"run","run-as-user":"svc","owner":"svc"}')
  })

  it('answers 404 and JSON for a token that is not there, 401 for a stranger', async () => {
    expect(await read('none')).toMatchObject({ status: 404, type: 'application/json' })
    expect(await send('GET', '/tokens', { user: 'nobody' })).toMatchObject({ status: 401, error: 'Unauthorized' })
    expect(await send('PUT', '/tokens')).toMatchObject({ status: 405 })
    expect(await send('GET', '/else')).toMatchObject({ status: 404 })
  })
})

describe('POST /token as an administrator', () => {
  it('keeps what it is sent, digit by digit, with a history', async () => {
    const body = '{"cmd":"run","cpus":1.0,"env":{"B":"2","A":"1"},"cluster":"c7","last-update-time":5,"token":"t1"}'
    const answer = await send('POST', '/token?update-mode=admin', {}, body)
    expect(answer).toMatchObject({ status: 200, etag: cluster.etag('t1') })
    expect(JSON.parse(answer.text)).toMatchObject({
      message: 'Successfully created t1',
      'service-description': { cpus: 1 },
    })
    expect(writeJson(cluster.get('t1') ?? null)).toBe(
      '{"cmd":"run","cpus":1.0,"env":{"B":"2","A":"1"},"cluster":"c7","last-update-time":5,"owner":"root","last-update-user":"root",' +
        '"root":"c1","previous":{}}',
    )
  })

  it('takes times as ISO, and refuses what is no time', async () => {
    await admin({ token: 't1', cmd: 'run', 'last-update-time': '2026-01-01T00:00:00.007Z' })
    expect(kept('t1')).toMatchObject({ 'last-update-time': NOW + 7 })
    expect(await admin({ token: 't2', cmd: 'run', 'last-update-time': 'yesterday' })).toMatchObject({ status: 400 })
  })

  it('puts the old data into the history where none is sent, and keeps one that is', async () => {
    cluster.put('t1', LIVE)
    await admin({ token: 't1', cmd: 'two' }, { ifMatch: cluster.etag('t1') })
    expect(kept('t1')).toMatchObject({ cmd: 'two', root: 'c9', 'last-update-time': NOW, previous: LIVE })
    await admin({ token: 't1', cmd: 'three', previous: { cmd: 'told' } }, { ifMatch: cluster.etag('t1') })
    expect(kept('t1')).toMatchObject({ cmd: 'three', previous: { cmd: 'told' } })
    await admin({ token: 't1', cmd: 'four', previous: {} }, { ifMatch: cluster.etag('t1') })
    expect(kept('t1')).toMatchObject({ cmd: 'four', previous: {} })
    expect(await admin({ token: 't1', cmd: 'five', previous: 'x' }, { ifMatch: cluster.etag('t1') })).toMatchObject({
      status: 400,
      error: 'Token previous must be a map',
    })
  })

  it('keeps four levels of history', async () => {
    for (let i = 0; i < 7; i++) await admin({ token: 't1', cmd: `v${i}` }, { ifMatch: cluster.etag('t1') })
    const commands = [...writeJson(cluster.get('t1') ?? null).matchAll(/"cmd":"(v\d)"/g)].map(([, cmd]) => cmd)
    expect(commands.sort()).toEqual(['v2', 'v3', 'v4', 'v5', 'v6'])
  })

  const live = { put: LIVE }
  const tombstone = { put: { ...LIVE, deleted: true } }
  const missing = {}
  it.each([
    ['a live token, no version', live, undefined, 400],
    ['a live token, its version', live, 'its', 200],
    ['a live token, another version', live, 'E-0', 412],
    ['a live token, an empty version', live, '', 412],
    ['a missing token, no version', missing, undefined, 200],
    ['a missing token, a version', missing, 'E-0', 412],
    ['a missing token, an empty version', missing, '', 200],
    ['a tombstone, no version', tombstone, undefined, 200],
    ['a tombstone, a version', tombstone, 'E-0', 412],
  ] as const)('%s: %s', async (_what, before, version, status) => {
    if ('put' in before) cluster.put('t1', before.put)
    const ifMatch = version === 'its' ? cluster.etag('t1') : version
    const unchanged = kept('t1')
    expect(await admin({ token: 't1', cmd: 'new' }, { ifMatch })).toMatchObject({ status })
    if (status !== 200) expect(kept('t1')).toEqual(unchanged)
    else if (before !== live) expect(kept('t1')).toMatchObject({ cmd: 'new', previous: {} })
  })

  it('makes a tombstone, which has no version', async () => {
    expect(await admin({ token: 't1', cmd: 'run', deleted: true })).toMatchObject({ status: 200, etag: null })
    expect(kept('t1')).toMatchObject({ deleted: true })
  })

  it('is for administrators', async () => {
    expect(await admin({ token: 't1', cmd: 'run' }, { user: 'alice' })).toMatchObject({ status: 403 })
    expect(await send('POST', '/token?update-mode=other', {}, '{"token":"t1","cmd":"run"}')).toMatchObject({
      status: 400,
    })
  })
})

describe('what a token may be', () => {
  it.each([
    ['no name', { cmd: 'run' }],
    ['a blank name', { token: ' ', cmd: 'run' }],
    ['a name of one letter', { token: 'a', cmd: 'run' }],
    ['a name that begins with a digit', { token: '1a', cmd: 'run' }],
    ['a name with a slash', { token: 'a/b', cmd: 'run' }],
    ['no parameter of a user', { token: 't1', cluster: 'c1', root: 'c1' }],
    ['an unknown key', { token: 't1', cmd: 'run', colour: 'red' }],
    ['an empty command', { token: 't1', cmd: '' }],
    ['no processors', { token: 't1', cpus: 0 }],
    ['a wrong name of a variable', { token: 't1', env: { '1': 'x' } }],
    ['a number as metadata', { token: 't1', metadata: { a: 1 } }],
    ['a switch that is text', { token: 't1', 'https-redirect': 'yes' }],
    ['no authentication for one user', { token: 't1', authentication: 'disabled', 'permitted-user': 'alice' }],
    ['no authentication and half a service', { token: 't1', authentication: 'disabled', 'permitted-user': '*' }],
    ['an interstitial for half a service', { token: 't1', 'interstitial-secs': 1 }],
  ])('refuses %s', async (_what, body) => {
    expect(await admin(body)).toMatchObject({ status: 400, error: expect.any(String) })
    expect(cluster.dump().size).toBe(0)
  })

  it.each(['', '[]', '"x"', '{'])('refuses the body %j', async (body) => {
    expect(await send('POST', '/token?update-mode=admin', {}, body)).toMatchObject({ status: 400 })
  })

  it('takes its name from the query too, and not from both', async () => {
    const at = '/token?update-mode=admin&token=t1'
    expect(await send('POST', at, {}, '{"cmd":"run"}')).toMatchObject({ status: 200 })
    expect(await send('POST', at, {}, '{"cmd":"run","token":"t1"}')).toMatchObject({ status: 400 })
  })
})

describe('POST /token as a user', () => {
  it('gets the time and the user of the server, and the root that the token had', async () => {
    expect(await post({ token: 't1', cmd: 'run' })).toMatchObject({ status: 200 })
    const first = {
      cmd: 'run',
      owner: 'alice',
      cluster: 'c1',
      'last-update-time': NOW,
      'last-update-user': 'alice',
      root: 'c1',
    }
    expect(kept('t1')).toEqual({ ...first, previous: {} })
    await clock.advance(5)
    await post({ token: 't1', cmd: 'two' })
    expect(kept('t1')).toMatchObject({ cmd: 'two', 'last-update-time': NOW + 5, previous: first })
  })

  it('changes nothing when nothing is changed', async () => {
    await post({ token: 't1', cmd: 'run' })
    const before = kept('t1')
    await clock.advance(5)
    const answer = await post({ token: 't1', cmd: 'run' })
    expect(answer).toMatchObject({ status: 200, etag: cluster.etag('t1') })
    expect(answer.text).toContain('No changes detected for t1')
    expect(kept('t1')).toEqual(before)
  })

  it.each(['last-update-time', 'last-update-user', 'root', 'previous'])('may not set %s', async (key) => {
    expect(await post({ token: 't1', cmd: 'run', [key]: {} })).toMatchObject({
      status: 400,
      error: `Cannot modify ${key} token metadata`,
    })
  })

  it('may not act for others', async () => {
    await post({ token: 't1', cmd: 'run' })
    expect(await post({ token: 't1', cmd: 'mine' }, { user: 'bob' })).toMatchObject({ status: 403 })
    expect(await post({ token: 't2', cmd: 'run', owner: 'bob' })).toMatchObject({ status: 403 })
    expect(await post({ token: 't2', cmd: 'run', 'run-as-user': 'bob' })).toMatchObject({ status: 403 })
    expect(await softDelete('t1', { user: 'bob' })).toMatchObject({ status: 403 })
    expect(await post({ token: 't1', cmd: 'new' }, { user: 'alice', ifMatch: 'E-0' })).toMatchObject({ status: 412 })
  })
})

describe('DELETE /token', () => {
  it('leaves a tombstone with the old data as its history', async () => {
    cluster.put('t1', LIVE)
    expect(await softDelete('t1', { user: 'alice' })).toMatchObject({
      status: 200,
      text: '{"delete":"t1","hard-delete":false,"success":true}',
    })
    expect(kept('t1')).toEqual({
      ...LIVE,
      deleted: true,
      'last-update-time': NOW,
      'last-update-user': 'alice',
      previous: LIVE,
    })
    expect(await softDelete('t1')).toMatchObject({ status: 404 })
  })

  it('of a live token wants its version to delete it for good, and an administrator', async () => {
    cluster.put('t1', LIVE)
    const ifMatch = cluster.etag('t1')
    expect(await hardDelete('t1')).toMatchObject({ status: 400 })
    expect(await hardDelete('t1', { ifMatch: 'E-0' })).toMatchObject({ status: 412 })
    expect(await hardDelete('t1', { ifMatch, user: 'alice' })).toMatchObject({ status: 403 })
    expect(await softDelete('t1', { ifMatch: 'E-0' })).toMatchObject({ status: 412 })
    expect(await hardDelete('t1', { ifMatch })).toMatchObject({ status: 200, etag: ifMatch })
    expect(await hardDelete('t1')).toMatchObject({ status: 404 })
  })

  it('of a tombstone takes no version', async () => {
    cluster.put('t1', { ...LIVE, deleted: true })
    expect(await hardDelete('t1', { ifMatch: 'E-0' })).toMatchObject({ status: 412 })
    expect(await hardDelete('t1')).toMatchObject({ status: 200 })
    expect(cluster.dump().size).toBe(0)
  })

  it('wants to know which token', async () => {
    expect(await send('DELETE', '/token')).toMatchObject({ status: 400 })
  })
})

describe('the service behind a token', () => {
  it('answers where there is one', async () => {
    for (const token of ['well', 'sick']) cluster.put(token, LIVE)
    cluster.put('gone', { ...LIVE, deleted: true })
    expect(await send('GET', '/status', { token: 'well' })).toMatchObject({ status: 200, text: 'OK' })
    expect(await send('GET', '/status', { token: 'sick' })).toMatchObject({ status: 503 })
    expect(await send('GET', '/status', { token: 'gone' })).toMatchObject({
      status: 400,
      error: 'Token not found: gone',
    })
  })
})

describe('a watch', () => {
  async function watch(query: string) {
    const stop = new AbortController()
    const headers = { authorization: 'Bearer root' }
    const response = await fetch(`${cluster.url}/tokens?watch=true${query}`, { headers, signal: stop.signal })
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
    const next = async () => JSON.parse((await reader?.read())?.value ?? 'null')
    return { stop, next, status: response.status }
  }

  it('tells the index, then what is stored, deleted and gone', async () => {
    cluster.put('t1', LIVE)
    const { stop, next } = await watch(`&${ALL}`)
    expect(await next()).toMatchObject({
      type: 'INITIAL',
      object: [{ token: 't1', deleted: false, etag: cluster.etag('t1') }],
    })
    cluster.edit('t1', { cmd: 'two' }, 'alice')
    const update = {
      type: 'UPDATE',
      object: { token: 't1', etag: cluster.etag('t1'), 'last-update-time': '2026-01-01T00:00:00.000Z' },
    }
    expect(await next()).toMatchObject({ type: 'EVENTS', object: [update] })
    cluster.softDelete('t1', 'alice')
    expect(await next()).toMatchObject({ object: [{ type: 'UPDATE', object: { deleted: true, etag: null } }] })
    cluster.hardDelete('t1')
    expect(await next()).toMatchObject({ object: [{ type: 'DELETE', object: { token: 't1' } }] })
    expect(cluster.store.watchers).toBe(1)
    stop.abort()
    await eventually(() => cluster.store.watchers === 0)
    expect(clock.pending).toBe(0)
  })

  it('shows no more than is asked for', async () => {
    cluster.put('gone', { ...LIVE, deleted: true })
    cluster.put('t1', LIVE)
    const { stop, next } = await watch('')
    expect(await next()).toMatchObject({ object: [{ token: 't1', owner: 'alice', maintenance: false }] })
    cluster.softDelete('t1', 'alice')
    cluster.put('t2', LIVE)
    expect(await next()).toMatchObject({ object: [{ type: 'UPDATE', object: { token: 't2' } }] })
    stop.abort()
  })

  it('is ended when nothing has happened for its time', async () => {
    const { next } = await watch('&streaming-timeout=1000')
    await next()
    await clock.advance(900)
    cluster.put('t1', LIVE)
    await next()
    await clock.advance(900)
    cluster.put('t2', LIVE)
    expect(await next()).toMatchObject({ type: 'EVENTS' })
    await clock.advance(1_000)
    expect(await next()).toBeNull()
    await eventually(() => cluster.store.watchers === 0)
    expect(clock.pending).toBe(0)
    expect(await watch('&streaming-timeout=soon')).toMatchObject({ status: 400 })
  })
})

it('says no to a change that its own methods want, too', () => {
  expect(() => cluster.softDelete('none', 'alice')).toThrow('404: Token none does not exist')
  expect(() => cluster.edit('1', { cmd: 'x' }, 'alice')).toThrow('400: Token must match pattern')
  cluster.edit('t1', { cmd: 'x', env: parseJson('{"A":"1"}') }, 'alice')
  expect([...cluster.dump().keys()]).toEqual(['t1'])
  expect(kept('t1')).toMatchObject({ owner: 'alice', 'last-update-user': 'alice' })
})
