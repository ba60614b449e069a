import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createGivenCredentials,
  type FindCredentialsOptions,
  findKubeCredentials,
  type KubeCredentials,
} from '../../../src/lib/kube/credentials.ts'
import { KubeError } from '../../../src/lib/kube/error.ts'
import { FakeClock } from '../../lib/fake-clock.ts'

let dir: string
let clock: FakeClock

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kube-'))
  clock = new FakeClock()
})
afterEach(() => rmSync(dir, { recursive: true }))

const IN_CLUSTER = { KUBERNETES_SERVICE_HOST: '10.0.0.1', KUBERNETES_SERVICE_PORT: '443' }

const find = (options: Partial<FindCredentialsOptions> = {}) =>
  findKubeCredentials({ env: {}, clock, serviceAccountDir: join(dir, 'account'), ...options })

async function failure(of: Promise<unknown>): Promise<string> {
  const error = await of.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof KubeError) || error.code !== 'credentials')
    throw new Error(`not an error of credentials: ${error}`)
  return error.message
}

const authorization = async (credentials: KubeCredentials) => (await credentials.access()).headers['authorization']

interface Wanted {
  readonly server?: string
  readonly user?: object
  readonly cluster?: object
  readonly context?: string
  readonly namespace?: string
}

/** YAML is JSON too. */
function writeKubeConfig(
  file: string,
  {
    server = 'https://127.0.0.1:6443',
    user = { token: 'token-1' },
    cluster = {},
    context = 'here',
    namespace = 'shop',
  }: Wanted = {},
): string {
  const path = join(dir, file)
  const config = {
    'current-context': context,
    contexts: [{ name: context, context: { cluster: context, user: context, namespace } }],
    clusters: [{ name: context, cluster: { server, ...cluster } }],
    users: [{ name: context, user }],
  }
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(path, JSON.stringify(config))
  return path
}

/** As the kubelet mounts it: the files are links into a folder that is swapped as a whole. */
function mountServiceAccount(token: string, ca = 'CA-1', version = 'v1'): void {
  const account = join(dir, 'account')
  mkdirSync(join(account, version), { recursive: true })
  for (const [file, text] of [
    ['token', token],
    ['ca.crt', ca],
    ['namespace', 'shop\n'],
  ] as const) {
    writeFileSync(join(account, version, file), text)
    if (version === 'v1') symlinkSync(join('..data', file), join(account, file))
  }
  symlinkSync(version, join(account, '..data_tmp'))
  renameSync(join(account, '..data_tmp'), join(account, '..data'))
}

describe('credentials are found', () => {
  it.each<[string, () => Partial<FindCredentialsOptions>, string]>([
    [
      'in the file that is configured',
      () => ({
        kubeConfig: writeKubeConfig('mine', { user: { token: 'configured' } }),
        env: { KUBECONFIG: '/nowhere', ...IN_CLUSTER },
      }),
      'configured',
    ],
    [
      'then in KUBECONFIG',
      () => ({ env: { KUBECONFIG: writeKubeConfig('theirs', { user: { token: 'variable' } }), ...IN_CLUSTER } }),
      'variable',
    ],
    ['then in the ServiceAccount', () => ({ env: { ...IN_CLUSTER, HOME: dir } }), 'account'],
    ['then at home', () => ({ env: { HOME: dir } }), 'home'],
    ['at home, when a context is asked for', () => ({ context: 'here', env: { ...IN_CLUSTER, HOME: dir } }), 'home'],
  ])('%s', async (_, options, token) => {
    mountServiceAccount('account')
    writeKubeConfig('.kube/config', { user: { token: 'home' } })
    const credentials = await find(options())
    expect(await authorization(credentials)).toBe(`Bearer ${token}`)
    expect(credentials.namespace).toBe('shop')
  })

  it('or it is said where they were looked for', async () => {
    expect(await failure(find({ env: { HOME: dir, ...IN_CLUSTER } }))).toBe(
      `no credentials for Kubernetes: no kubeConfig is configured, KUBECONFIG is not set, there is no ServiceAccount in ${join(dir, 'account')}, and no ${join(dir, '.kube/config')}`,
    )
    expect(await failure(find({ kubeConfig: join(dir, 'none') }))).toBe(`no kubeconfig at ${join(dir, 'none')}`)
  })
})

describe('a ServiceAccount', () => {
  it('says where the server is, and changes with its files', async () => {
    mountServiceAccount('token-1\n')
    const credentials = await find({ env: IN_CLUSTER })
    expect(await credentials.access()).toEqual({
      server: 'https://10.0.0.1',
      tls: { ca: 'CA-1' },
      headers: { authorization: 'Bearer token-1' },
    })
    mountServiceAccount('token-2', 'CA-2', 'v2')
    expect(await credentials.access()).toMatchObject({
      tls: { ca: 'CA-2' },
      headers: { authorization: 'Bearer token-2' },
    })
  })

  it('may have a server with an IPv6 address', async () => {
    mountServiceAccount('token-1')
    const credentials = await find({ env: { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' } })
    expect((await credentials.access()).server).toBe('https://[fd00::1]:6443')
  })

  it('keeps the last good token while the file is empty', async () => {
    mountServiceAccount('token-1')
    const credentials = await find({ env: IN_CLUSTER })
    mountServiceAccount('', 'CA-1', 'v2')
    expect(await authorization(credentials)).toBe('Bearer token-1')
  })

  it('without its authority is an error', async () => {
    mountServiceAccount('token-1')
    rmSync(join(dir, 'account', 'ca.crt'))
    expect(await failure(find({ env: IN_CLUSTER }))).toBe(
      `the credentials for Kubernetes cannot be read: file ${join(dir, 'account', 'ca.crt')} does not exist`,
    )
  })
})

describe('a kubeconfig', () => {
  it('gives certificates, a server name and a user to impersonate', async () => {
    const base64 = (text: string) => Buffer.from(text).toString('base64')
    writeFileSync(join(dir, 'ca.pem'), 'CA')
    const kubeConfig = writeKubeConfig('config', {
      cluster: { 'certificate-authority': 'ca.pem', 'tls-server-name': 'kube.test' },
      user: { 'client-certificate-data': base64('CERT'), 'client-key-data': base64('KEY'), as: 'somebody' },
    })
    expect(await (await find({ kubeConfig })).access()).toEqual({
      server: 'https://127.0.0.1:6443',
      tls: { ca: 'CA', cert: 'CERT', key: 'KEY', servername: 'kube.test' },
      headers: { 'impersonate-user': 'somebody' },
    })
  })

  it('may say not to verify, and name a user with a password', async () => {
    const kubeConfig = writeKubeConfig('config', {
      cluster: { 'insecure-skip-tls-verify': true },
      user: { username: 'a', password: 'b' },
    })
    expect(await (await find({ kubeConfig })).access()).toMatchObject({
      tls: { rejectUnauthorized: false },
      headers: { authorization: 'Basic YTpi' },
    })
  })

  it('may lead to `kubectl proxy`', async () => {
    const kubeConfig = writeKubeConfig('config', { server: 'http://127.0.0.1:8001', user: {} })
    expect(await (await find({ kubeConfig })).access()).toEqual({
      server: 'http://127.0.0.1:8001',
      tls: {},
      headers: {},
    })
  })

  it('has the context that is asked for, in any of several files', async () => {
    const paths = [
      writeKubeConfig('one', { context: 'one' }),
      join(dir, 'missing'),
      writeKubeConfig('two', { context: 'two', user: { token: 'token-2' }, namespace: 'other' }),
    ]
    const env = { KUBECONFIG: paths.join(delimiter) }
    expect(await authorization(await find({ env }))).toBe('Bearer token-1')
    const second = await find({ env, context: 'two' })
    expect(await authorization(second)).toBe('Bearer token-2')
    expect(second.namespace).toBe('other')
    expect(await failure(find({ env, context: 'three' }))).toMatch(
      /has no complete context "three"; there are: one, two$/,
    )
  })

  it('is read again after a minute, and at once when what it gave was refused', async () => {
    const kubeConfig = writeKubeConfig('config')
    const credentials = await find({ kubeConfig })
    const first = await credentials.access()
    writeKubeConfig('config', { user: { token: 'token-2' }, server: 'https://127.0.0.2:6443' })
    await clock.advance(59_999)
    expect(await credentials.access()).toBe(first)
    await clock.advance(1)
    expect(await credentials.access()).toMatchObject({
      server: 'https://127.0.0.2:6443',
      headers: { authorization: 'Bearer token-2' },
    })
    writeKubeConfig('config', { user: { token: 'token-3' } })
    credentials.reject(first)
    expect(await authorization(credentials)).toBe('Bearer token-2')
    credentials.reject(await credentials.access())
    expect(await authorization(credentials)).toBe('Bearer token-3')
  })

  it('is an error for one request only when it is broken for a moment', async () => {
    const kubeConfig = writeKubeConfig('config')
    const credentials = await find({ kubeConfig })
    writeFileSync(kubeConfig, 'users: [{ name: here, user: { token: s3cret')
    expect(await failure(credentials.access())).toBe('the kubeconfig cannot be used (YAMLException)')
    writeKubeConfig('config', { user: { token: 'token-2' } })
    expect(await authorization(credentials)).toBe('Bearer token-2')
  })

  const plugIn = (script: string) => ({
    exec: { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: ['-e', script] },
  })

  it('may have a plug-in, which is asked again after a refusal only', async () => {
    const count = join(dir, 'count')
    const script = `const fs = require('node:fs'); fs.appendFileSync(${JSON.stringify(count)}, 'x'); console.log(JSON.stringify({ status: { token: 'token-' + fs.readFileSync(${JSON.stringify(count)}).length } }))`
    const credentials = await find({ kubeConfig: writeKubeConfig('config', { user: plugIn(script) }) })
    expect(await authorization(credentials)).toBe('Bearer token-1')
    await clock.advance(60_000)
    expect(await authorization(credentials)).toBe('Bearer token-1')
    credentials.reject(await credentials.access())
    expect(await authorization(credentials)).toBe('Bearer token-2')
  })

  it.each([
    ['fails', 'console.error("s3cret"); process.exit(1)'],
    ['tells something else than JSON', 'console.log("s3cret")'],
    ['tells nothing of use', 'console.log("{}")'],
    ['gives what no header can carry', 'console.log(JSON.stringify({ status: { token: "s3cret\\n\\nx-evil: 1" } }))'],
  ])('never tells what a plug-in said that %s', async (_, script) => {
    const credentials = await find({ kubeConfig: writeKubeConfig('config', { user: plugIn(script) }) })
    expect(await failure(credentials.access())).not.toContain('s3cret')
  })

  it.each<[string, Wanted, RegExp]>([
    ['a proxy', { cluster: { 'proxy-url': 'http://proxy' } }, /proxy-url of cluster "here" is not supported/],
    ['http to a far server', { server: 'http://kube.example' }, /must be https/],
    ['no URL', { server: 'kube' }, /is not a URL/],
    ['a user in the URL', { server: 'https://a:s3cret@kube.example' }, /without a user/],
    ['a cluster without a server', { cluster: { server: '' } }, /clusters\[0\]\.cluster\.server is missing/],
  ])('with %s is refused', async (_, wanted, message) => {
    const said = await failure(find({ kubeConfig: writeKubeConfig('config', wanted) }))
    expect(said).toMatch(message)
    expect(said).not.toContain('s3cret')
  })
})

describe('given credentials', () => {
  it('are asked for the token each time', async () => {
    let n = 0
    const credentials = createGivenCredentials({
      server: 'https://kube.test:6443/',
      ca: 'CA',
      token: () => `token-${++n}`,
    })
    expect(await credentials.access()).toEqual({
      server: 'https://kube.test:6443',
      tls: { ca: 'CA' },
      headers: { authorization: 'Bearer token-1' },
    })
    expect(await authorization(credentials)).toBe('Bearer token-2')
  })

  it.each([['http://kube.test'], ['kube.test'], ['ftp://kube.test']])('refuse the server %s', (server) => {
    expect(() => createGivenCredentials({ server, token: () => 'x' })).toThrow(KubeError)
  })
})

describe('@kubernetes/client-node', () => {
  const load = (script: string) =>
    execFileSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { registerHooks } from 'node:module'
        const loaded = []
        registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context) } })
        ${script}
        console.log(loaded.filter((url) => url.includes('client-node')).length)`,
      ],
      { encoding: 'utf8', cwd: join(import.meta.dirname, '../../..') },
    )

  it('is not loaded by discovery, the client and the ServiceAccount', () => {
    mountServiceAccount('token-1')
    const env = JSON.stringify({ env: IN_CLUSTER, serviceAccountDir: join(dir, 'account') })
    const script = `
      const { createKubernetesDiscovery } = await import('./src/synced/discovery/kubernetes.ts')
      const { createKubeClient } = await import('./src/lib/kube/client.ts')
      const { findKubeCredentials } = await import('./src/lib/kube/credentials.ts')
      const { systemClock: clock } = await import('./src/lib/clock.ts')
      const credentials = await findKubeCredentials({ ...${env}, clock })
      await credentials.access()
      createKubernetesDiscovery({ service: 'gw', client: createKubeClient({ credentials, clock }), clock, random: Math.random, defaultPort: 1, maxAgeMs: 1 })`
    expect(Number(load(script))).toBe(0)
  })

  it('is loaded by a kubeconfig', () => {
    const options = JSON.stringify({ env: {}, kubeConfig: writeKubeConfig('config') })
    const script = `
      const { findKubeCredentials } = await import('./src/lib/kube/credentials.ts')
      const { systemClock: clock } = await import('./src/lib/clock.ts')
      await findKubeCredentials({ ...${options}, clock })`
    expect(Number(load(script))).toBeGreaterThan(0)
  })
})
