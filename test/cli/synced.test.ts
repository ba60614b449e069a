import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/program.ts'
import { configYaml } from '../../src/config/describe.ts'
import { type PlaygroundGateway, startPlaygroundGateway } from '../../src/playground/gateway.ts'
import type { CheckResult } from '../../src/synced/contract.ts'
import { makeCa } from '../lib/certificates.ts'
import { FakeClock } from '../lib/fake-clock.ts'
import { createFakeIo, type FakeIoOptions } from './fake-io.ts'

const run = async (argv: readonly string[], options?: FakeIoOptions) => {
  const io = createFakeIo(options)
  const code = await runCli(['synced', ...argv], io)
  return { code, ...io.written }
}

const synced: CheckResult = {
  status: 'Synced',
  origin: 'gw-0',
  expect: 'present',
  ms: 12,
  replicas: [{ name: 'gw-1', state: 'present', counted: true, attempts: 2, ms: 12 }],
}
const problem = (status: number, type: string, more: object = {}) =>
  Response.json(
    {
      type: `/problems/${type}`,
      title: 'Title',
      status,
      detail: 'Detail.',
      instance: '/v1/synced',
      requestId: 'r',
      ...more,
    },
    { status, headers: { 'Content-Type': 'application/problem+json' } },
  )

describe('syncer synced, asking a server', () => {
  const ask = async (
    argv: readonly string[],
    answer: () => Response | Promise<Response>,
    options: FakeIoOptions = {},
  ) => {
    const requests: Request[] = []
    const fetch = async (request: Request) => {
      requests.push(request)
      return answer()
    }
    const result = await run([...argv, '--origin', 'gw-0'], { ...options, fetch })
    return { ...result, request: requests[0] }
  }

  it('sends the question and shows the verdict', async () => {
    const { code, out, err, request } = await ask(
      [
        'tok',
        '--server',
        'https://syncer.example',
        '--expect',
        'absent',
        '--replica',
        'gw-1',
        'gw-2',
        '--replica',
        'gw-3',
      ],
      () => Response.json(synced),
    )
    expect({ code, out, err }).toEqual({
      code: 0,
      out: 'Synced: 1 of 1 replicas beside gw-0 have the token after 12 ms\n  gw-1  present  2 probes  12 ms\n',
      err: '',
    })
    expect(request?.url).toBe('https://syncer.example/v1/synced?expect=absent&replica=gw-1&replica=gw-2&replica=gw-3')
    expect(request?.headers.get('x-auth-token')).toBe('tok')
    expect(request?.headers.get('x-nginx-origin')).toBe('gw-0')
    expect(request?.headers.has('authorization')).toBe(false)
  })

  it('finds server and credentials in the environment', async () => {
    const env = { SYNCER_SERVER: 'http://syncer:8080', SYNCER_TOKEN: 'secret' }
    const { code, request } = await ask(['tok'], () => Response.json(synced), { env })
    expect(code).toBe(0)
    expect(request?.url).toBe('http://syncer:8080/v1/synced?expect=present')
    expect(request?.headers.get('authorization')).toBe('Bearer secret')
  })

  it('writes the answer as JSON', async () => {
    const { out } = await ask(['tok', '--server', 'http://a', '--output', 'json'], () => Response.json(synced))
    expect(JSON.parse(out)).toEqual(synced)
  })

  it('takes the token from standard input', async () => {
    const { request } = await ask(['-', '--server', 'http://a'], () => Response.json(synced), { input: 'piped\n' })
    expect(request?.headers.get('x-auth-token')).toBe('piped')
  })

  it.each(['Partialy', 'NotSynced', 'Timeout'])('exits with 1 for %s', async (status) => {
    const { code, out } = await ask(['tok', '--server', 'http://a'], () => Response.json({ ...synced, status }))
    expect(code).toBe(1)
    expect(out).toMatch(new RegExp(`^${status}: `))
  })

  it.each([
    [400, 2],
    [401, 1],
    [403, 1],
    [404, 1],
    [422, 2],
    [500, 1],
    [503, 1],
  ])('tells a problem %i in one line and exits with %i', async (status, expected) => {
    const errors = [{ header: 'X-Nginx-Origin', detail: 'names no replica' }]
    const { code, out, err } = await ask(['tok', '--server', 'http://a'], () => problem(status, 'x', { errors }))
    expect({ code, out, err }).toEqual({
      code: expected,
      out: '',
      err: `syncer synced: Title (${status}): Detail; X-Nginx-Origin names no replica\n`,
    })
  })

  it('says why a server cannot be asked', async () => {
    const { code, err } = await ask(['tok', '--server', 'http://a'], () => {
      throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED 127.0.0.1:1') })
    })
    expect({ code, err }).toEqual({
      code: 1,
      err: 'syncer synced: http://a cannot be asked: connect ECONNREFUSED 127.0.0.1:1\n',
    })
  })

  it('refuses what is no address of a server', async () => {
    const { code, err } = await run(['tok', '--origin', 'gw-0', '--server', 'syncer:8080'])
    expect({ code, err }).toEqual({
      code: 2,
      err: 'syncer synced: syncer:8080 is no address of a service; allowed are http:// and https://\n',
    })
  })
})

describe('syncer synced, checking by itself', () => {
  let cwd: string
  let gateway: PlaygroundGateway

  beforeAll(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'syncer-cli-'))
    const ca = await makeCa()
    gateway = await startPlaygroundGateway({
      clock: new FakeClock(),
      tls: await ca.issue({ names: ['gateway.test'] }),
      replicas: [{ name: 'gw-0' }, { name: 'gw-1' }, { name: 'gw-2' }],
    })
    gateway.zone.put('gw-0', 'everywhere')
    gateway.zone.flush('gw-0')
    gateway.zone.put('gw-0', 'here')
    await writeFile(join(cwd, 'ca.pem'), ca.cert)
    const replicas = gateway.replicas.map(({ name, address, port }) => ({ name, address, port }))
    const probe = { host: 'gateway.test', path: '/_synced', tls: { ca: { file: 'ca.pem' } } }
    const config = { gateway: { discovery: { kind: 'static', replicas }, probe, deadlineMs: 2_000 } }
    await writeFile(join(cwd, 'syncer.yaml'), configYaml(config))
    await writeFile(
      join(cwd, 'impatient.yaml'),
      configYaml({ gateway: { ...config.gateway, deadlineMs: 10, connectTimeoutMs: 2_000 } }),
    )
  })
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]()
    await rm(cwd, { recursive: true, force: true })
  })

  it('asks the replicas that the configuration names', async () => {
    const { code, out, err } = await run(['everywhere', '--origin', 'gw-0', '--output', 'json'], { cwd })
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(JSON.parse(out)).toMatchObject({ status: 'Synced', replicas: [{ name: 'gw-1' }, { name: 'gw-2' }] })
  })

  it('exits with 1 when a replica lacks it', async () => {
    const { code, out } = await run(['here', '--origin', 'gw-0', '--replica', 'gw-2', '--config', 'impatient.yaml'], {
      cwd,
    })
    expect(code).toBe(1)
    expect(out).toMatch(/^(NotSynced|Timeout): 0 of 1 replicas beside gw-0 have the token/)
  })

  it('is asked for with --config also where SYNCER_SERVER is set', async () => {
    const env = { SYNCER_SERVER: 'http://elsewhere' }
    const { code } = await run(['everywhere', '--origin', 'gw-0', '--config', 'syncer.yaml'], { cwd, env })
    expect(code).toBe(0)
  })

  it.each([
    [['everywhere', '--origin', 'gw-9'], /^syncer synced: .*gw-9.*; there are .*gw-0/],
    [['everywhere', '--origin', 'gw-0', '--replica', 'gw-9'], /^syncer synced: .*gw-9/],
    [['every where', '--origin', 'gw-0'], /^syncer synced: the token must be 1 to 8192 characters/],
  ])('refuses %j in one line', async (argv, line) => {
    const { code, out, err } = await run(argv, { cwd })
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(line)
    expect(err.trimEnd().split('\n')).toHaveLength(1)
    expect(err).not.toContain(argv[0])
  })

  it('says what is missing without a gateway', async () => {
    const { code, err } = await run(['tok', '--origin', 'gw-0'], { cwd: tmpdir() })
    expect({ code, err }).toEqual({
      code: 2,
      err: 'syncer synced: defaults: there is no section "gateway"; add one, or name a running service with --server\n',
    })
  })
})
