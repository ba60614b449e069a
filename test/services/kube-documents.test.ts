// The commands of the pages that put Syncer onto a cluster, run as they stand: with helm, on a real API server. There is no kubectl in the
// tests: what a page has it do is asked of the server by requests that do the same.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { blocksFor, commandsOf } from '../docs/claims.ts'
import { blocksIn } from '../docs/pages.ts'
import { findKubeBinaries } from './lib/kube-binaries.ts'
import { type KubeCluster, startCluster } from './lib/kube-cluster.ts'
import { runBlock } from './lib/run-block.ts'
import { createRunFolder, type RunFolder } from './lib/run-folder.ts'

const ROOT = join(import.meta.dirname, '../..')
/** Commands that need a release that is there. */
const ON_A_RELEASE = /^helm (?:upgrade|uninstall)/
let cluster: KubeCluster
beforeAll(async () => {
  cluster = await startCluster()
  await cluster.createNamespace('gateway')
})
afterAll(() => cluster?.stop())

describe('commands of pages', () => {
  let folder: RunFolder
  /** A namespace of the test's own stands for the `syncer` of the pages: without controllers none is ever gone. */
  let namespace: string
  let count = 0
  beforeEach(() => {
    namespace = `syncer-${count++}`
    folder = createRunFolder('kube-documents')
    for (const name of ['helm', 'roles']) symlinkSync(join(ROOT, name), join(folder.path, name))
    mkdirSync(join(folder.path, 'home'))
  })
  afterEach(() => folder.remove())

  const helm = (command: string) => {
    const home = join(folder.path, 'home')
    const env = { KUBECONFIG: cluster.kubeconfig, HELM_CONFIG_HOME: home, HELM_CACHE_HOME: home, HELM_DATA_HOME: home }
    const replacements = { '--namespace syncer': `--namespace ${namespace}` }
    return runBlock([command], { folder: folder.path, env, replacements, paths: [dirname(findKubeBinaries().helm)] })
  }

  const run = (command: string) =>
    command.startsWith('kubectl ') ? kubectl(command.split(' ').slice(1)) : helm(command)

  /** Does what `kubectl` would with these words; any that no page has is refused. */
  const kubectl = async (words: readonly string[]): Promise<string> => {
    const [verb = '', what = ''] = words.filter(
      (word, index) => !word.startsWith('-') && words[index - 1] !== '--namespace',
    )
    if (verb === 'apply') {
      for (const [index, word] of words.entries())
        if (word === '-f') await cluster.applyFile(join(folder.path, words[index + 1] ?? ''))
      return 'applied'
    }
    if (verb === 'create' && what === 'namespace') {
      await cluster.createNamespace(namespace)
      return 'created'
    }
    if (verb === 'delete' && what === 'lease') {
      const [, name = ''] = words.find((word) => word.startsWith('metadata.name='))?.split('=') ?? []
      const { status } = await cluster.request('DELETE', `${pathOf('leases')}?fieldSelector=metadata.name%3D${name}`)
      expect(status).toBe(200)
      return 'deleted'
    }
    if (verb !== 'get') throw new Error(`no page has kubectl ${words.join(' ')}`)
    for (const kind of what.split(',')) expect(await statusOf(pathOf(kind)), kind).toBe(200)
    return 'listed'
  }

  const pathOf = (kind: string): string => {
    const groups: Readonly<Record<string, string>> = {
      leases: 'coordination.k8s.io/v1',
      jobs: 'batch/v1',
      deployments: 'apps/v1',
    }
    return `/apis/${groups[kind]}/namespaces/${namespace}/${kind}`
  }
  const statusOf = async (path: string) => (await cluster.request('GET', path)).status
  const grant = '/apis/rbac.authorization.k8s.io/v1/namespaces/gateway/roles/syncer-gateway-service'

  it.each(blocksFor('test/services/kube-documents.test.ts'))('$page:$line $first', async (block) => {
    const values = blocksIn(block.page, 'yaml').find(({ text }) => /^config:/m.test(text))
    writeFileSync(join(folder.path, 'values.yaml'), values?.text ?? '')
    if (ON_A_RELEASE.test(block.first))
      await helm('helm install syncer ./helm --namespace syncer --create-namespace --values values.yaml')
    for (const command of commandsOf(block)) expect(await run(command)).toBeDefined()
    const isThere = !/uninstall|delete/.test(block.text)
    expect(await statusOf(`${pathOf('deployments')}/syncer`)).toBe(isThere ? 200 : 404)
    if (block.text.includes('roles/')) expect(await statusOf(grant)).toBe(200)
  })
})
