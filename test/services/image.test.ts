// The image: built from the Dockerfile as it is, and run as a careful platform runs it.
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FaultReplica, startFaultReplica } from './lib/fault-replica.ts'
import { findFreePort } from './lib/free-port.ts'
import { buildImage, type Container, type Image } from './lib/image.ts'
import { isListening } from './lib/server-process.ts'
import { gatewaySection } from './lib/syncer.ts'
import { createTestTls } from './lib/test-tls.ts'

const ROOT = join(import.meta.dirname, '../..')
/** As OpenShift gives them: any number, of group 0. */
const ANY_USER = '1000650000:0'
/** What anybody may write to where nothing is mounted: as in Debian, and the volume. */
const WRITABLE = ['/run/lock', '/tmp', '/var/lib/syncer', '/var/tmp']
const NODE_MODULES = 'node_modules/'

interface LockEntry {
  readonly version: string
  readonly dev?: boolean
}

let image: Image
beforeAll(async () => {
  image = await buildImage(console.error)
}, 1_200_000)
afterAll(() => image?.[Symbol.asyncDispose]())

const read = (path: string) => readFileSync(join(image.root, path), 'utf8')

describe('what the image says of itself', () => {
  it('is that a user without a name runs one process, from a list of words', () => {
    const { User, Entrypoint, Cmd, WorkingDir } = image.config
    expect(User).toMatch(/^[1-9]\d*:[1-9]\d*$/)
    expect([...Entrypoint, ...Cmd]).toEqual(['tini', '--', 'node', '/app/bin/syncer', 'serve'])
    expect(WorkingDir).toBe('/etc/syncer')
  })

  it('is production, with its port and its volume', () => {
    expect(image.config.Env).toContain('NODE_ENV=production')
    expect(Object.keys(image.config.ExposedPorts)).toEqual(['8080/tcp'])
    expect(Object.keys(image.config.Volumes)).toEqual(['/var/lib/syncer'])
  })

  it('is what it is, in the words of the OCI', () => {
    const { version, license, description } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    expect(image.config.Labels).toMatchObject({
      'org.opencontainers.image.title': 'Syncer',
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.licenses': license,
      'org.opencontainers.image.revision': 'tested',
    })
    expect(description).toContain(image.config.Labels['org.opencontainers.image.description'])
  })
})

describe('what is in the image', () => {
  it('is no way to install anything', async () => {
    const names = ['npm', 'npx', 'yarn', 'yarnpkg', 'corepack', 'npm-cli.js', 'npx-cli.js']
    const wanted = names.flatMap((name, at) => [...(at === 0 ? [] : ['-o']), '-name', name])
    expect(await image.look('0:0', 'find', '/', '-xdev', '(', ...wanted, ')')).toBe('')
  })

  it('is what production needs, as the lock file has it, and a list of it', () => {
    const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      readonly packages: Readonly<Record<string, LockEntry>>
    }
    const { packages: installed } = JSON.parse(read('app/node_modules/.package-lock.json')) as typeof JSON & {
      readonly packages: Readonly<Record<string, LockEntry>>
    }
    const listed = (entries: Readonly<Record<string, LockEntry>>) =>
      Object.entries(entries).map(
        ([path, { version }]) => `${path.slice(path.lastIndexOf(NODE_MODULES) + NODE_MODULES.length)}@${version}`,
      )
    const needed = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true)
    const has = [...new Set(listed(installed))].sort()
    expect(has.length).toBeGreaterThan(100)
    expect(has.filter((one) => !listed(Object.fromEntries(needed)).includes(one))).toEqual([])
    const { bomFormat, components } = JSON.parse(read('app/sbom.cdx.json'))
    expect(bomFormat).toBe('CycloneDX')
    const named = components.map((one: { name: string; version: string }) => `${one.name}@${one.version}`)
    expect([...new Set(named)].sort()).toEqual(has)
  })

  it('is compiled, without sources, tests and what building took', async () => {
    const files = await image.look('0:0', 'find', '/app', '-not', '-path', '*/node_modules/*', '-type', 'f')
    const folders = files
      .split('\n')
      .filter(Boolean)
      .map((path) => path.split('/')[2] ?? '')
    expect([...new Set(folders)].sort()).toEqual(['LICENSE', 'bin', 'dist', 'package.json', 'sbom.cdx.json'])
    expect(files.match(/(?<!\.d)\.ts$/gm)).toBeNull()
  })

  it('cannot be written to by anybody but root', async () => {
    const writable = async (user: string) => {
      const find = "find / -xdev -writable -not -type l -not -path '/dev/*' 2>/dev/null; :"
      return (await image.look(user, 'sh', '-c', find)).split('\n').filter(Boolean).sort()
    }
    expect(await writable('34567:45678')).toEqual(WRITABLE)
    // Debian lets group 0 write to some more; nothing of the service is among it.
    expect((await writable(ANY_USER)).filter((path) => !/^\/(var|tmp|run)\b/.test(path))).toEqual([])
    expect(await image.look('0:0', 'find', '/app', '-not', '-user', '0')).toBe('')
  })

  it('is small beside its base', async () => {
    const kilobytes = Number.parseInt(await image.look('0:0', 'du', '-sk', '/app'), 10)
    expect(kilobytes).toBeLessThan(90_000)
    expect(statSync(join(image.root, 'usr/bin/tini')).size).toBeLessThan(100_000)
  })
})

describe('a container', () => {
  let replicas: readonly FaultReplica[]
  let port: number
  let container: Container
  const files = async (more: Readonly<Record<string, unknown>> = {}) => ({
    'syncer.yaml': JSON.stringify({
      listen: { host: '127.0.0.1', port },
      shutdown: { readinessDelayMs: 0 },
      gateway: gatewaySection(replicas, false),
      tokens: {
        clusters: [1, 2].map((n) => ({ name: `c${n}`, url: `http://127.0.0.1:${n}` })),
        undoFolder: '/var/lib/syncer/undo',
      },
      state: { kind: 'sqlite', path: '/var/lib/syncer/state.db' },
      ...more,
    }),
  })
  const get = (path: string) => fetch(`http://127.0.0.1:${port}${path}`, { signal: AbortSignal.timeout(10_000) })
  const ready = async () => (await get('/readyz')).status === 200
  const healthcheck = (of = container) => {
    const [kind, ...command] = image.config.Healthcheck.Test
    expect(kind).toBe('CMD')
    return of.exec(...command)
  }

  beforeAll(async () => {
    replicas = await Promise.all(['gw-0', 'gw-1'].map((name) => startFaultReplica({ name, tls: false })))
    for (const replica of replicas) replica.hasAll = true
    port = await findFreePort()
    container = await image.run({ user: ANY_USER, files: await files(), ready })
  })
  afterAll(async () => {
    await container?.[Symbol.asyncDispose]()
    for (const replica of replicas ?? []) await replica.stop()
  })

  it('runs as the user that it is given, as process 1, where nothing can be written', async () => {
    const { out } = await container.exec('sh', '-c', 'id -u; cat /proc/1/comm; touch /app/x /etc/x 2>&1; :')
    expect(out).toMatch(/^1000650000\ntini\n.*Read-only file system\n.*Read-only file system\n$/)
  })

  it('serves, with its state on the volume', async () => {
    expect((await get('/livez')).status).toBe(200)
    expect(await (await get('/health')).json()).toEqual({ status: 'Up' })
    expect(await (await get('/v1/runs')).json()).toEqual({ items: [], nextCursor: null })
    for (const page of ['/status/', '/swagger-ui/', '/swagger-ui/static/swagger-ui-bundle.js'])
      expect((await get(page)).status, page).toBe(200)
    expect((await get('/openapi.yaml')).status).toBe(200)
    expect((await container.exec('ls', '/var/lib/syncer')).out).toContain('state.db')
  })

  it('runs the commands', async () => {
    const check = (token: string) =>
      container.exec('node', '/app/bin/syncer', 'synced', token, '--origin', 'gw-0', '--output', 'json')
    const { code, out } = await check('a-token')
    expect([code, JSON.parse(out).status]).toEqual([0, 'Synced'])
  })

  it('reaps what others leave behind', async () => {
    await container.exec('sh', '-c', '(sleep 0.1 &) ; :')
    await sleep(300)
    const { out } = await container.exec('sh', '-c', 'cat /proc/[0-9]*/stat')
    expect(out).toContain('(tini)')
    expect(out.split('\n').filter((line) => / Z \d/.test(line))).toEqual([])
  })

  it('is healthy while it answers, and only then', async () => {
    expect(await healthcheck()).toEqual({ code: 0, out: '', err: '' })
    const tell = (signal: string) => container.exec('sh', '-c', `kill -${signal} $(cat /proc/1/task/1/children)`)
    await tell('STOP')
    expect(await healthcheck()).toMatchObject({ code: 1, err: expect.stringContaining('abort') })
    await tell('CONT')
    expect(await healthcheck()).toMatchObject({ code: 0 })
  })

  it('ends with exit code 0 on SIGTERM, within its grace', async () => {
    const startedAt = performance.now()
    container.signal('SIGTERM')
    expect(await container.exited).toEqual({ code: 0, signal: null })
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })

  it('serves HTTPS from another file, as another user, and is healthy', async () => {
    const { leaf } = await createTestTls()
    const listen = { host: '0.0.0.0', port, tls: { cert: { file: 'cert.pem' }, key: { file: 'key.pem' } } }
    const { 'syncer.yaml': other } = await files({ listen, auth: { mode: 'none' } })
    await using second = await image.run({
      user: `${20_000 + Math.floor(Math.random() * 40_000)}:${20_000 + Math.floor(Math.random() * 40_000)}`,
      files: { 'other.yaml': other, 'cert.pem': leaf.cert, 'key.pem': leaf.key },
      args: ['serve', '--config', '/etc/syncer/other.yaml'],
      ready: () => isListening('127.0.0.1', port),
    })
    expect(await healthcheck(second)).toEqual({ code: 0, out: '', err: '' })
    second.signal('SIGTERM')
    expect(await second.exited).toEqual({ code: 0, signal: null })
  })
})
