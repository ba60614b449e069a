import { describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/program.ts'
import { createFakeIo, type FakeIoOptions } from './fake-io.ts'
import { aRun, createFakeService, events, ID, ITEMS, noEvents, problem } from './run-service.ts'

const serve = (ended = aRun(), items: readonly object[] = ITEMS) =>
  createFakeService({
    'POST /v1/tokens/sync': () =>
      Response.json(aRun({ state: 'queued', summary: null, endedAt: null }), { status: 202 }),
    [`GET /v1/runs/${ID}/events`]: () => events(ended),
    [`GET /v1/runs/${ID}/items`]: () => Response.json({ items, nextCursor: null }),
  })

const run = async (argv: readonly string[], service = serve(), { env = {}, ...more }: FakeIoOptions = {}) => {
  const io = createFakeIo({ env, fetch: service.fetch, ...more })
  const code = await runCli(['tokens', ...argv], io)
  return { code, ...io.written }
}
const SERVER = ['--server', 'https://syncer.example']

describe('syncer tokens sync --server', () => {
  it('starts a run, waits for it, and tells of it as of a sync in this process', async () => {
    const service = serve()
    const { code, out, err } = await run(['sync', ...SERVER, 'c1,c2', 'c3'], service, { env: { SYNCER_TOKEN: 'hush' } })
    expect(out).toBe(`Changes (2 tokens)
  app-1  latest on http://c1, updated 2026-01-01T00:00:00.000Z
    + http://c2  created
  app-2  latest on http://c2
    ~ http://c1  overwritten: said

10 tokens, 8 in step before, 2 to look at
were: created 1, overwritten 1, marked as deleted 0, removed for good 0; left alone 0, in dispute 0
tokens: 0 unmodified, 2 updated, 0 failed
exiting with code 0
`)
    expect({ code, err }).toEqual({ code: 0, err: `run ${ID}\n` })
    expect(service.bodies).toEqual([{ clusters: ['c1', 'c2', 'c3'] }])
    expect(service.headers[0]?.get('authorization')).toBe('Bearer hush')
  })

  it('asks for what was given, and leaves the rest to the configuration', async () => {
    const service = serve()
    await run(['sync', ...SERVER], service)
    const options = [
      '--compat',
      '--dry-run',
      '--limit',
      '5',
      '--opt-out-metadata-name',
      'local',
      '--idle-timeout-ms',
      '999',
    ]
    await run(['sync', ...SERVER, ...options], service)
    const more = [
      '--on-unreachable',
      'skip-writes',
      '--on-conflict',
      'prefer:c1',
      '--max-deletes',
      '2.5%',
      '--allow-empty',
      'c1,c2',
    ]
    await run(['sync', ...SERVER, ...more, '--allow-empty', 'c3'], service)
    await run(['sync', ...SERVER, '--max-deletes', '7', '--connection-timeout-ms', '50'], service)
    expect(service.bodies).toEqual([
      {},
      { mode: 'compat', dryRun: true, limit: 5, optOutMetadataName: 'local', idleTimeoutMs: 999 },
      { onUnreachable: 'skip-writes', onConflict: 'prefer:c1', maxDeletes: '2.5%', allowEmpty: ['c1', 'c2', 'c3'] },
      { maxDeletes: 7, connectionTimeoutMs: 50 },
    ])
  })

  it('finds the service in the environment, but not for addresses', async () => {
    const env = { SYNCER_SERVER: 'http://syncer:8080' }
    const service = serve()
    expect((await run(['sync', 'c1', 'c2'], service, { env })).code).toBe(0)
    expect((await run(['sync'], service, { env })).code).toBe(0)
    expect(service.bodies).toEqual([{ clusters: ['c1', 'c2'] }, {}])
    const here = await run(['sync', 'http://127.0.0.1:1', 'http://127.0.0.1:2'], createFakeService({}), { env })
    expect(here.err).toContain('connection refused')
  })

  it('prints JSON as the original does: numbers, and names where a service tells them', async () => {
    const { out } = await run(['sync', ...SERVER, '--output', 'json'])
    const { summary, details } = JSON.parse(out)
    expect(summary).toMatchObject({
      sync: { updated: ['app-1', 'app-2'] },
      tokens: {
        pending: { count: 2 },
        'previously-synced': { count: 8 },
        processed: { count: 2, value: ['app-1', 'app-2'] },
        total: { count: 10 },
      },
    })
    expect(details['app-2'].results['http://c1'].code).toBe('success/sync-update')
  })

  it.each([
    [{ state: 'failed' }, [], 1],
    [{ state: 'cancelled' }, [], 1],
    [{ state: 'interrupted' }, [], 1],
    [{ dryRun: true }, [], 0],
    [{ dryRun: true }, ['--detailed-exitcode'], 3],
    [{ dryRun: true, request: { mode: 'compat' } }, ['--detailed-exitcode'], 0],
    [{}, ['--detailed-exitcode'], 0],
  ] as const)('of a run %j with %j exits with %i', async (change, options, expected) => {
    const { code, out } = await run(['sync', ...SERVER, ...options], serve(aRun(change)))
    expect(code).toBe(expected)
    expect(out).toMatch(new RegExp(`\\nexiting with code ${expected}\\n$`))
  })

  it('tells how to carry out what a dry run found', async () => {
    const { err } = await run(['sync', ...SERVER, '--dry-run'], serve(aRun({ dryRun: true })))
    expect(err).toBe(`run ${ID}\ncarry it out with: syncer tokens apply --server https://syncer.example ${ID}\n`)
  })

  it('tells why a run had no summary', async () => {
    const problem = {
      type: '/problems/cluster-unreachable',
      title: 'Cluster unreachable',
      detail: 'http://c2: refused',
    }
    const ended = aRun({ state: 'failed', summary: null, problem })
    const text = await run(['sync', ...SERVER], serve(ended, []))
    expect(text.code).toBe(1)
    expect(text.out).toContain('outcome     Cluster unreachable: http://c2: refused\n')
    expect(text.err).toContain('Cluster unreachable: http://c2: refused\n')
    const json = await run(['sync', ...SERVER, '--output', 'json'], serve(ended, []))
    expect(json.out).toBe('')
  })

  it.each([
    [400, 2],
    [409, 1],
    [422, 2],
  ])('tells a problem %i in one line and exits with %i', async (status, expected) => {
    const errors = [{ pointer: '/clusters/1', detail: 'is no cluster' }]
    const service = createFakeService({ 'POST /v1/tokens/sync': () => problem(status, 'Title', 'Detail.', { errors }) })
    const { code, out, err } = await run(['sync', ...SERVER, 'c1', 'c9'], service)
    expect({ code, out, err }).toEqual({
      code: expected,
      out: expected === 1 ? 'exiting with code 1\n' : '',
      err: `syncer tokens sync: Title (${status}): Detail; /clusters/1 is no cluster\n`,
    })
  })

  it('asks the run to end when it is asked to itself', async () => {
    const service = createFakeService({
      'POST /v1/tokens/sync': () => Response.json(aRun({ state: 'queued' }), { status: 202 }),
      [`GET /v1/runs/${ID}/events`]: (request) => {
        setImmediate(() => io.emitter.emit('SIGINT'))
        return noEvents(request)
      },
      [`POST /v1/runs/${ID}/cancel`]: () =>
        Response.json(aRun({ state: 'running', cancelRequested: true }), { status: 202 }),
    })
    const io = createFakeIo({ fetch: service.fetch })
    expect(await runCli(['tokens', 'sync', ...SERVER], io)).toBe(1)
    expect(service.asked.at(-1)).toBe(`POST /v1/runs/${ID}/cancel`)
    expect(io.written).toEqual({ out: 'exiting with code 1\n', err: `run ${ID}\nsyncer: stopped by SIGINT\n` })
  })
})

describe('syncer tokens apply --server', () => {
  it('carries out the plan of a dry run', async () => {
    const service = serve()
    const { code, out } = await run(['apply', ...SERVER, ID], service)
    expect(code).toBe(0)
    expect(out).toMatch(/\nexiting with code 0\n$/)
    expect(service.bodies).toEqual([{ plan: ID }])
  })

  it('finds the service in the environment for what is an id, and takes anything else for a file', async () => {
    const env = { SYNCER_SERVER: 'http://syncer:8080' }
    expect((await run(['apply', ID], serve(), { env })).code).toBe(0)
    const { code, err } = await run(['apply', 'plan.json'], createFakeService({}), { env })
    expect({ code, isFile: err.includes('plan.json cannot be carried out: ENOENT') }).toEqual({ code: 2, isFile: true })
  })
})
