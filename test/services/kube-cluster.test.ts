import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findKubeBinaries } from './lib/kube-binaries.ts'
import { type KubeCluster, type Manifest, startCluster } from './lib/kube-cluster.ts'
import { startControllers } from './lib/kube-controllers.ts'
import { runCommand } from './lib/run-command.ts'

/** Processes whose command line names this folder. */
function processesOf(folder: string): readonly string[] {
  return globSync('/proc/[0-9]*/cmdline').flatMap((path) => {
    try {
      const command = readFileSync(path, 'utf8').split('\0')
      return command.some((word) => word.includes(folder)) ? [command[0] ?? ''] : []
    } catch {
      return [] // it ended in between
    }
  })
}

const CONFIG_MAP: Manifest = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one', namespace: 'default' } }

describe('a cluster of tests', () => {
  let cluster: KubeCluster
  beforeAll(async () => {
    cluster = await startCluster({ address: '127.0.0.2' })
  })
  afterAll(() => cluster.stop())

  it('listens where it was told to, and knows its version, for charts ask for one', async () => {
    expect(cluster.server).toMatch(/^https:\/\/127\.0\.0\.2:\d+$/)
    const { body } = await cluster.request('GET', '/version')
    expect(body).toMatchObject({ major: '1', minor: '36', gitVersion: 'v1.36.3' })
  })

  it('stores what is applied, with its next form, and forgets what is removed', async () => {
    const first = await cluster.apply({ ...CONFIG_MAP, data: { a: '1' } })
    const second = await cluster.apply({ ...CONFIG_MAP, data: { a: '2' } })
    expect(second.metadata.uid).toBe(first.metadata.uid)
    const path = '/api/v1/namespaces/default/configmaps/one'
    expect((await cluster.request('GET', path)).body).toMatchObject({ data: { a: '2' } })
    await cluster.remove(CONFIG_MAP)
    expect((await cluster.request('GET', path)).status).toBe(404)
  })

  it('says why it refuses an object', async () => {
    await expect(cluster.apply({ ...CONFIG_MAP, dat: {} })).rejects.toThrow(/ConfigMap.*dat/)
    await expect(cluster.apply({ ...CONFIG_MAP, kind: 'Nonsense' })).rejects.toThrow('knows no Nonsense of v1')
    await expect(cluster.remove(CONFIG_MAP)).rejects.toThrow(/404/)
  })

  it('lets nobody do anything without a role', async () => {
    const token = await cluster.serviceAccountToken('shop', 'nobody')
    const { status, body } = await cluster.request('GET', '/api/v1/namespaces/shop/secrets', undefined, token)
    expect({ status, body }).toMatchObject({ status: 403, body: { message: expect.stringContaining('shop:nobody') } })
    const rule = { apiGroups: [''], resources: ['secrets'], verbs: ['list'] }
    const other = await cluster.serviceAccountToken('shop', 'reader', rule)
    expect((await cluster.request('GET', '/api/v1/namespaces/shop/secrets', undefined, other)).status).toBe(200)
    expect((await cluster.request('GET', '/api/v1/namespaces/shop/secrets', undefined, 'made-up')).status).toBe(401)
  })

  it('writes down who asked for what', async () => {
    await cluster.apply(CONFIG_MAP)
    expect(cluster.readAudit().findLast(({ user }) => user.username === 'admin')).toMatchObject({
      stage: 'ResponseComplete',
      verb: 'patch',
      requestURI: '/api/v1/namespaces/default/configmaps/one?fieldManager=test&force=true',
      responseStatus: { code: 201 },
    })
  })

  it('comes alive with controllers: a Deployment gets its Pods, and its Service EndpointSlices', async () => {
    const metadata = { name: 'web', namespace: 'alive' }
    const labels = { app: 'web' }
    await cluster.createNamespace('alive')
    const controllers = await startControllers(cluster)
    await cluster.apply({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web' }] } },
      },
    })
    await cluster.apply({
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: { selector: labels, ports: [{ name: 'probe', port: 8443 }] },
    })
    const count = async (path: string) => {
      const { body } = await cluster.request('GET', path)
      return (body as { readonly items: readonly unknown[] }).items.length
    }
    await expect.poll(() => count('/api/v1/namespaces/alive/pods'), { timeout: 10_000 }).toBe(2)
    const slices = '/apis/discovery.k8s.io/v1/namespaces/alive/endpointslices'
    await expect.poll(() => count(slices), { timeout: 10_000 }).toBe(1)
    await controllers.stop()
  })

  it('can be spoken to by helm', async () => {
    const said = await runCommand(findKubeBinaries().helm, ['list', '--all-namespaces', '--output', 'json'], {
      KUBECONFIG: cluster.kubeconfig,
      HELM_CACHE_HOME: join(cluster.folder, 'helm'),
      HELM_CONFIG_HOME: join(cluster.folder, 'helm'),
      HELM_DATA_HOME: join(cluster.folder, 'helm'),
    })
    expect(JSON.parse(said)).toEqual([])
  })
})

it('leaves no server and no folder behind when it is stopped, also frozen', async () => {
  const cluster = await startCluster()
  expect(processesOf(cluster.folder).length).toBeGreaterThanOrEqual(2)
  cluster.freezeEtcd()
  cluster.freezeApiServer()
  await cluster.stop()
  expect(processesOf(cluster.folder)).toEqual([])
  expect(existsSync(cluster.folder)).toBe(false)
})

it('leaves no server and no folder behind when the process that started it is killed', async () => {
  const script = `
    import { startCluster } from ${JSON.stringify(join(import.meta.dirname, 'lib/kube-cluster.ts'))}
    import { startControllers } from ${JSON.stringify(join(import.meta.dirname, 'lib/kube-controllers.ts'))}
    const cluster = await startCluster()
    await startControllers(cluster)
    console.log(cluster.folder)
  `
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(createInterface({ input: owner.stdout }), 'line')
  const folder = String(line)
  expect(processesOf(folder).length).toBeGreaterThanOrEqual(3)
  owner.kill('SIGKILL')
  await expect.poll(() => processesOf(folder), { timeout: 5_000 }).toEqual([])
  await expect.poll(() => existsSync(folder), { timeout: 5_000 }).toBe(false)
})
