// A real Kubernetes control plane as programs: built once from Go modules (test/services/kubernetes/), kept in the cache folder.
// Its key is what is built and how, so that a second run takes milliseconds, and another version of anything builds anew.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { makeCachedFolder } from './cached-folder.ts'
import { runCommand } from './run-command.ts'
import { cacheFolder } from './run-folder.ts'
import { tieToParent } from './server-process.ts'

const MODULE = join(import.meta.dirname, '../kubernetes')
/** What decides the outcome, beside this file. */
const SOURCES = ['go.mod', 'go.sum', 'kube-controller-manager/main.go']
/** What Go calls the program, and the package that it is built from. */
const PACKAGES = {
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-controller-manager': './kube-controller-manager',
  server: 'go.etcd.io/etcd/server/v3',
  helm: 'helm.sh/helm/v4/cmd/helm',
  kubeconform: 'github.com/yannh/kubeconform/cmd/kubeconform',
} as const
/** A cold build takes five to fifteen minutes of two cores that have other things to do too. */
const BUILD_MS = 45 * 60_000

/** Paths of the programs. */
export interface KubeBinaries {
  readonly apiServer: string
  readonly controllerManager: string
  readonly etcd: string
  readonly helm: string
  readonly kubeconform: string
}

/** Throws when they were not built. */
export function findKubeBinaries(): KubeBinaries {
  const folder = targetFolder()
  if (!existsSync(folder))
    throw new Error('the Kubernetes API server is missing: `node test/services/kubernetes/build.ts` builds it')
  return {
    apiServer: join(folder, 'kube-apiserver'),
    controllerManager: join(folder, 'kube-controller-manager'),
    etcd: join(folder, 'etcd'),
    helm: join(folder, 'helm'),
    kubeconform: join(folder, 'kubeconform'),
  }
}

/** Builds the programs unless they are there; a build that another process has begun is waited for. Throws when they cannot be had. */
export function buildKubeBinaries(log: (line: string) => void): Promise<void> {
  return makeCachedFolder(targetFolder(), (unfinished) => build(unfinished, log))
}

async function build(unfinished: string, log: (line: string) => void): Promise<void> {
  const go = findGo()
  log('building the Kubernetes control plane (minutes the first time)')
  const env = { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly -trimpath -buildvcs=false' }
  const flags = ['-ldflags', linkerFlags(), '-o', `${unfinished}/`]
  // Tests run meanwhile: they go first.
  const build = ['-n', '10', go, '-C', MODULE, 'build', ...flags, ...Object.values(PACKAGES)]
  await runCommand(...tieToParent('nice', build), env, BUILD_MS)
  renameSync(join(unfinished, 'server'), join(unfinished, 'etcd'))
}

/** Without them the server calls itself v0.0.0, and a chart that asks for a version is refused. */
function linkerFlags(): string {
  const version = /^require k8s\.io\/kubernetes (v1\.(\d+)\.\S+)$/m.exec(readFileSync(join(MODULE, 'go.mod'), 'utf8'))
  if (version === null) throw new Error(`${MODULE}/go.mod does not say which Kubernetes it requires`)
  const values = { gitVersion: version[1], gitMajor: '1', gitMinor: version[2], gitTreeState: 'clean' }
  const set = Object.entries(values).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
  return ['-s', '-w', ...set].join(' ')
}

function findGo(): string {
  const found = ['go', '/usr/local/go/bin/go'].find((go) => spawnSync(go, ['version']).status === 0)
  if (found === undefined) throw new Error('Go is missing: it builds the Kubernetes API server; install 1.26 or later')
  return found
}

function targetFolder(): string {
  const key = createHash('sha256')
  for (const name of SOURCES) key.update(readFileSync(join(MODULE, name)))
  key.update(JSON.stringify([PACKAGES, linkerFlags(), process.platform, process.arch]))
  return join(cacheFolder(), `kubernetes-${key.digest('hex').slice(0, 12)}`)
}
