import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type RunningSyncer, runSyncer } from './running-syncer.ts'

let cwd: string
let running: RunningSyncer[]

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'syncer-serve-'))
  running = []
})
afterEach(async () => {
  for (const one of running) {
    one.child.kill('SIGKILL')
    await one.exit
  }
  await rm(cwd, { recursive: true, force: true })
})

const BARE = 'listen: { port: 0 }\nauth: { mode: none }\n'
const GATEWAY = `gateway:
  discovery: { kind: static, replicas: [{ name: gw-0, address: 127.0.0.1, port: 1 }] }
  probe: { host: gateway.test }
`

/** For a machine that does much else. */
const PATIENT = { timeout: 20_000, interval: 100 }

const serve = async (config: string, options: { env?: Record<string, string>; preload?: string[] } = {}) => {
  await writeFile(join(cwd, 'syncer.yaml'), config)
  const syncer = runSyncer(['serve'], { cwd, ...options })
  running.push(syncer)
  return syncer
}

describe('syncer serve', { timeout: 60_000 }, () => {
  it('logs one line when it listens, and ends cleanly by SIGTERM', async () => {
    const syncer = await serve(`${BARE}shutdown: { readinessDelayMs: 0 }\n${GATEWAY}`)
    const line = await syncer.logged('listening')
    expect(line).toMatchObject({
      level: 'info',
      address: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      source: join(cwd, 'syncer.yaml'),
      capabilities: ['gateway'],
    })
    expect((await fetch(`${line['address']}/livez`)).status).toBe(200)
    syncer.child.kill('SIGTERM')
    const { code, signal, out, err } = await syncer.exit
    expect({ code, signal, out }).toEqual({ code: 0, signal: null, out: '' })
    const messages = err
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text).msg)
    expect(messages.filter((message) => message === 'listening' || message === 'stopping')).toEqual([
      'listening',
      'stopping',
    ])
  })

  it('ends when it is asked to while its start hangs', async () => {
    const connected = Promise.withResolvers<void>()
    await using stack = new AsyncDisposableStack()
    const silent = createServer((socket) => {
      stack.defer(() => void socket.destroy())
      socket.on('error', () => {})
      connected.resolve()
    })
    stack.defer(() => new Promise<void>((resolve) => void silent.close(() => resolve())))
    await new Promise<void>((resolve) => void silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as AddressInfo
    const clusters = '[{ name: a, url: "http://127.0.0.1:1" }, { name: b, url: "http://127.0.0.1:2" }]'
    const syncer = await serve(
      `${BARE}shutdown: { graceMs: 0 }\ntokens: { clusters: ${clusters} }\nstate: { kind: postgres, url: { env: STATE } }\n`,
      { env: { STATE: `postgres://me:hunter2@127.0.0.1:${port}/state` } },
    )
    await connected.promise
    syncer.child.kill('SIGTERM')
    const { code, out, err } = await syncer.exit
    expect({ code, out, err }).toEqual({
      ...{ code: 1, out: '' },
      err: 'syncer serve: stopped by SIGTERM before it had started\n',
    })
  })

  it('goes on answering while readiness fails, and obeys a second SIGINT at once', async () => {
    const syncer = await serve(`${BARE}shutdown: { readinessDelayMs: 60000 }\n`)
    const { address } = await syncer.logged('listening')
    expect((await fetch(`${address}/readyz`)).status).toBe(200)
    syncer.child.kill('SIGINT')
    await syncer.logged('stopping')
    await expect.poll(async () => (await fetch(`${address}/readyz`)).status, PATIENT).toBe(503)
    expect((await fetch(`${address}/livez`)).status).toBe(200)
    // Two signals within a few milliseconds are one press; this is the second one.
    await expect
      .poll(() => {
        syncer.child.kill('SIGINT')
        return syncer.child.exitCode
      }, PATIENT)
      .toBe(130)
  })

  it('refuses to start with a line for every problem', async () => {
    const syncer = await serve('listen: { host: 0.0.0.0, prot: 1 }\ngateway: { deadlineMs: soon }\n')
    const { code, out, err } = await syncer.exit
    expect({ code, out }).toEqual({ code: 2, out: '' })
    const lines = err.trimEnd().split('\n')
    expect(lines.length).toBeGreaterThan(2)
    for (const line of lines) expect(line).toMatch(`syncer: ${join(cwd, 'syncer.yaml')}: `)
    expect(err).toContain('listen.prot')
    expect(err).toContain('gateway.deadlineMs')
  })

  it('says which address it cannot have', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const address = server.address()
    const port = typeof address === 'object' ? address?.port : undefined
    const { code, err } = await (await serve(`listen: { port: ${port} }\nauth: { mode: none }\n${GATEWAY}`)).exit
    server.close()
    expect(code).toBe(1)
    expect(err).toBe(`syncer: listen EADDRINUSE: address already in use 127.0.0.1:${port}\n`)
  })

  it('logs a fault that nobody caught, and ends', async () => {
    const fault = 'process.on("SIGUSR2", () => { Promise.reject(new Error("broken")) })'
    const syncer = await serve(BARE, { preload: [`data:text/javascript,${encodeURIComponent(fault)}`] })
    await syncer.logged('listening')
    syncer.child.kill('SIGUSR2')
    const line = await syncer.logged('a fault that nobody caught: the process ends')
    expect(line).toMatchObject({ level: 'fatal', origin: 'unhandledRejection', err: { message: 'broken' } })
    expect((await syncer.exit).code).toBe(1)
  })

  it('lets HOST, PORT and LOG_LEVEL win over the file', async () => {
    const syncer = await serve('listen: { port: 1 }\nauth: { mode: none }\n', {
      env: { PORT: '0', LOG_LEVEL: 'debug' },
    })
    await syncer.logged('listening')
  })
})

describe('what syncer serve loads', { timeout: 60_000 }, () => {
  /** Writes the URLs of all loaded modules into the file that LOADED names. */
  const spy = `import { registerHooks } from 'node:module'
import { writeFileSync } from 'node:fs'
const urls = []
registerHooks({ load(url, context, next) { urls.push(url); return next(url, context) } })
process.on('exit', () => writeFileSync(process.env.LOADED, urls.join('\\n')))`

  const listLoaded = async (config: string, env: Record<string, string> = {}) => {
    const LOADED = join(cwd, 'loaded.txt')
    const preload = [`data:text/javascript,${encodeURIComponent(spy)}`]
    const syncer = await serve(`${BARE}shutdown: { readinessDelayMs: 0 }\n${config}`, {
      env: { ...env, LOADED },
      preload,
    })
    await syncer.logged('listening')
    syncer.child.kill('SIGTERM')
    expect((await syncer.exit).code).toBe(0)
    const urls = (await readFile(LOADED, 'utf8')).split('\n')
    expect(urls.some((url) => url.endsWith('/src/main.ts'))).toBe(true)
    return (part: string) => urls.filter((url) => url.includes(part))
  }

  it('is nothing of a gateway when there is none', async () => {
    const loaded = await listLoaded('')
    expect(loaded('/src/synced/')).toEqual([])
    expect(loaded('/src/wiring/')).toEqual([])
    expect(loaded('/src/playground/')).toEqual([])
    expect(loaded('/@kubernetes/')).toEqual([])
  })

  it('is nothing of Kubernetes with a written list of replicas', async () => {
    const loaded = await listLoaded(GATEWAY)
    expect(loaded('/src/synced/gateway.ts')).toHaveLength(1)
    expect(loaded('/src/synced/discovery/static.ts')).toHaveLength(1)
    expect(loaded('/src/synced/discovery/kubernetes.ts')).toEqual([])
    expect(loaded('/src/synced/discovery/dns.ts')).toEqual([])
    expect(loaded('/src/lib/kube/')).toEqual([])
    expect(loaded('/@kubernetes/')).toEqual([])
  })

  it('is the reading of kubeconfig files, and no more of that package, when one is used', async () => {
    const kubeConfig = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'a',
      contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
      clusters: [{ name: 'a', cluster: { server: 'http://127.0.0.1:1' } }],
      users: [{ name: 'a', user: {} }],
    }
    await writeFile(join(cwd, 'kubeconfig'), JSON.stringify(kubeConfig))
    const loaded = await listLoaded(`kubernetes: { kubeConfig: kubeconfig }
gateway:
  discovery: { kind: kubernetes, namespace: gw, service: gw }
  probe: { host: gateway.test }
`)
    expect(loaded('/@kubernetes/client-node/dist/config.js')).toHaveLength(1)
    expect(loaded('/@kubernetes/client-node/dist/index.js')).toEqual([])
  })
})
