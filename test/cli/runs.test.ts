import { describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/program.ts'
import { createFakeIo, type FakeIoOptions } from './fake-io.ts'
import { aRun, createFakeService, events, ID, ITEMS, noEvents, problem } from './run-service.ts'

const SERVER = { SYNCER_SERVER: 'http://syncer:8080', SYNCER_TOKEN: 'hush' }

const run = async (
  argv: readonly string[],
  service: ReturnType<typeof createFakeService>,
  more: FakeIoOptions = {},
) => {
  const io = createFakeIo({ env: SERVER, fetch: service.fetch, ...more })
  const code = await runCli(['runs', ...argv], io)
  return { code, ...io.written }
}

describe('syncer runs list', () => {
  const list = (items = [aRun()], nextCursor: string | null = null) =>
    createFakeService({ 'GET /v1/runs': () => Response.json({ items, nextCursor }) })

  it('prints a table, the newest first', async () => {
    const other = aRun({
      id: '019b76da-0000-7b3c-9d51-0f7c3f6d2e10',
      state: 'failed',
      trigger: 'schedule',
      dryRun: true,
      summary: null,
      problem: {
        type: '/problems/cluster-unreachable',
        title: 'Cluster unreachable',
        detail: 'http://c2:\u001b[31m refused',
      },
      endedAt: '2026-01-01T00:01:00.004Z',
    })
    const underWay = aRun({ state: 'running', summary: null, endedAt: null, progress: { done: 1, total: 9 } })
    const { code, out, err } = await run(['list'], list([aRun(), other, underWay]))
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(
      out,
    ).toBe(`RUN                                   KIND             STATE      BY        CREATED                   TOOK    OUTCOME
${ID}  tokens           succeeded  api       2026-01-01T00:00:00.000Z  608 ms  0 unmodified, 2 updated, 0 failed
019b76da-0000-7b3c-9d51-0f7c3f6d2e10  tokens, dry run  failed     schedule  2026-01-01T00:00:00.000Z  60 s    Cluster unreachable: http://c2: [31m refused
${ID}  tokens           running    api       2026-01-01T00:00:00.000Z  -       1 of 9
`)
  })

  it('asks for what is wanted, with the credentials of the environment', async () => {
    const service = list()
    await run(['list', '--kind', 'tokens', '--state', 'failed', '--limit', '5', '--cursor', 'abc'], service)
    expect(service.asked).toEqual(['GET /v1/runs?limit=5&kind=tokens&state=failed&cursor=abc'])
    expect(service.headers[0]?.get('authorization')).toBe('Bearer hush')
  })

  it('tells how to go on, beside the data', async () => {
    const { out, err } = await run(['list'], list([], 'next'))
    expect({ out, err }).toEqual({ out: 'no runs\n', err: 'there are more: add --cursor next\n' })
  })

  it('prints the page as JSON, and nothing else', async () => {
    const { out, err } = await run(['list', '--output', 'json'], list([aRun()], 'next'))
    expect({ page: JSON.parse(out), err }).toEqual({ page: { items: [aRun()], nextCursor: 'next' }, err: '' })
  })
})

describe('syncer runs show', () => {
  it('tells what is known of a run', async () => {
    const service = createFakeService({
      [`GET /v1/runs/${ID}`]: () => Response.json(aRun({ takesUp: ID, cancelRequested: true })),
    })
    const { code, out } = await run(['show', ID], service)
    expect(code).toBe(0)
    expect(out).toBe(`run         ${ID}
kind        tokens
state       succeeded, asked to end
started by  api
request     {}
takes up    ${ID}
created     2026-01-01T00:00:00.000Z
started     2026-01-01T00:00:00.004Z
ended       2026-01-01T00:00:00.612Z
took        608 ms
outcome     0 unmodified, 2 updated, 0 failed
`)
  })

  it('exits with 0 for a run that failed, unless its end was waited for', async () => {
    const service = createFakeService({ [`GET /v1/runs/${ID}`]: () => Response.json(aRun({ state: 'failed' })) })
    expect((await run(['show', ID], service)).code).toBe(0)
  })

  it('tells what happened to each token, page after page', async () => {
    const service = createFakeService({
      [`GET /v1/runs/${ID}`]: () => Response.json(aRun()),
      [`GET /v1/runs/${ID}/items`]: ({ url }) =>
        Response.json(
          url.includes('cursor=')
            ? { items: ITEMS.slice(1), nextCursor: null }
            : { items: ITEMS.slice(0, 1), nextCursor: 'second' },
        ),
    })
    const { out } = await run(['show', ID, '--items'], service)
    expect(out).toMatch(
      /\n\nChanges \(2 tokens\)\n {2}app-1 .*\n {4}\+ http:\/\/c2 {2}created\n {2}app-2 .*\n {4}~ http:\/\/c1 {2}overwritten: said\n\n$/,
    )
    expect(service.asked.slice(1)).toEqual([
      `GET /v1/runs/${ID}/items?limit=1000`,
      `GET /v1/runs/${ID}/items?limit=1000&cursor=second`,
    ])
    const { out: json } = await run(['show', ID, '--items', '--output', 'json'], service)
    expect(JSON.parse(json)).toEqual({ ...aRun(), items: ITEMS })
  })

  it.each([
    ['succeeded', 0],
    ['failed', 1],
    ['cancelled', 1],
    ['interrupted', 1],
  ] as const)('waits for the end with --follow; %s exits with %i', async (state, expected) => {
    const service = createFakeService({ [`GET /v1/runs/${ID}/events`]: () => events(aRun({ state })) })
    const { code, out, err } = await run(['show', ID, '--follow'], service, { columns: 60 })
    expect(code).toBe(expected)
    expect(out).toContain(`state       ${state}\n`)
    expect(err).toContain('run [')
  })

  it('stops following when it is asked to, and leaves the run alone', async () => {
    const service = createFakeService({
      [`GET /v1/runs/${ID}/events`]: (request) => {
        setImmediate(() => io.emitter.emit('SIGINT'))
        return noEvents(request)
      },
    })
    const io = createFakeIo({ env: SERVER, fetch: service.fetch })
    expect(await runCli(['runs', 'show', ID, '--follow'], io)).toBe(1)
    expect(io.written).toEqual({ out: '', err: 'syncer: stopped by SIGINT\n' })
    expect(service.asked).toEqual([`GET /v1/runs/${ID}/events`])
  })
})

describe('syncer runs cancel', () => {
  it('asks the run to end, and tells how it is', async () => {
    const answer = aRun({ state: 'running', cancelRequested: true, summary: null, endedAt: null })
    const service = createFakeService({ [`POST /v1/runs/${ID}/cancel`]: () => Response.json(answer, { status: 202 }) })
    const { code, out } = await run(['cancel', ID], service)
    expect(code).toBe(0)
    expect(out).toContain('state       running, asked to end\n')
    expect(JSON.parse((await run(['cancel', ID, '--output', 'json'], service)).out)).toEqual(answer)
  })
})

describe('the commands of runs', () => {
  it.each([[['list']], [['show', ID]], [['cancel', ID]]])('%j need a service', async (argv) => {
    const { code, out, err } = await run(argv, createFakeService({}), { env: {} })
    expect({ code, out, err }).toEqual({
      code: 2,
      out: '',
      err: `syncer runs ${argv[0]}: there is no service to ask; allowed are --server <url> and SYNCER_SERVER in the environment\n`,
    })
  })

  it.each([
    [400, 2],
    [401, 1],
    [404, 1],
    [503, 1],
  ])('tell a problem %i in one line and exit with %i', async (status, expected) => {
    const service = createFakeService({ [`GET /v1/runs/${ID}`]: () => problem(status, 'Title', 'Detail.') })
    const { code, out, err } = await run(['show', ID], service)
    expect({ code, out, err }).toEqual({
      code: expected,
      out: '',
      err: `syncer runs show: Title (${status}): Detail.\n`,
    })
  })

  it.each([
    [['list', '--state', 'done'], 'Allowed choices are queued, running'],
    [['list', '--limit', '1001'], 'Allowed is a whole number from 1 to 1000'],
    [['show'], "missing required argument 'run-id'"],
    [['cancel', ID, '--force'], "unknown option '--force'"],
    [['list', '--server', 'syncer:8080'], 'allowed are http:// and https://'],
  ])('refuse %j in one line', async (argv, what) => {
    const { code, out, err } = await run(argv, createFakeService({}))
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/^syncer runs \w+: [^\n]*\n$/)
    expect(err).toContain(what)
  })
})
