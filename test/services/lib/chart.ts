// The chart as helm renders it, and helm itself: for tests of what values make of it, and for installs on an API server of a test.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { findKubeBinaries } from './kube-binaries.ts'
import type { KubeCluster, Manifest, PolicyRule } from './kube-cluster.ts'
import { runCommand } from './run-command.ts'

export const CHART = join(import.meta.dirname, '../../../helm')

/** Values as they would stand in a file; JSON is YAML. */
export type Values = Readonly<Record<string, unknown>>

export interface RenderOptions {
  readonly release?: string
  readonly namespace?: string
  readonly values?: Values
  /** Files of values inside the chart, before `values`. */
  readonly files?: readonly string[]
  /** More options of `helm template`. */
  readonly args?: readonly string[]
}

/** An object as the chart renders it, as far as tests look into it. */
export interface Rendered extends Manifest {
  // biome-ignore lint/suspicious/noExplicitAny: every kind has fields of its own, which tests name one by one.
  readonly spec?: any
  readonly data?: Readonly<Record<string, string>>
  readonly rules?: readonly PolicyRule[]
}

/** Runs helm; resolves with what it wrote. Throws with what it said when it fails. */
export async function runHelm(args: readonly string[], cluster?: KubeCluster): Promise<string> {
  // Nobody's repositories, plug-ins and caches.
  const home = mkdtempSync(join(tmpdir(), 'syncer-test-helm-'))
  const folders = { HELM_CONFIG_HOME: home, HELM_CACHE_HOME: home, HELM_DATA_HOME: home }
  try {
    return await runCommand(findKubeBinaries().helm, args, { ...folders, KUBECONFIG: cluster?.kubeconfig ?? '' })
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

/** Calls `run` with the path of a file that holds the values. */
export async function withValues<T>(values: Values, run: (path: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'syncer-test-values-'))
  try {
    const path = join(folder, 'values.yaml')
    writeFileSync(path, JSON.stringify(values))
    return await run(path)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What `helm template` writes. Throws with what it says against the values. */
export function renderText(options: RenderOptions = {}): Promise<string> {
  const { release = 'syncer', namespace = 'syncer', values = {}, files = [], args = [] } = options
  return withValues(values, (path) => {
    const sources = [...files.map((file) => join(CHART, file)), path].flatMap((file) => ['--values', file])
    return runHelm(['template', release, CHART, '--namespace', namespace, ...sources, ...args])
  })
}

/** The objects of the chart with these values. */
export async function renderChart(options: RenderOptions = {}): Promise<readonly Rendered[]> {
  return parseObjects(await renderText(options))
}

/** The documents of a stream of YAML as Kubernetes reads it, where a plain `y` is true. Throws for one that is none. */
export function parseObjects(text: string): readonly Rendered[] {
  return parseAllDocuments(text, { version: '1.1' }).flatMap((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0]
    const object = document.toJS() as Rendered | null
    return object === null ? [] : [object]
  })
}

/** The only object of this kind. Throws when there is none, or more than one. */
export function findOnly(objects: readonly Rendered[], kind: string): Rendered {
  const [found, ...more] = objects.filter((object) => object.kind === kind)
  if (found === undefined || more.length > 0) throw new Error(`${found === undefined ? 'no' : 'more than one'} ${kind}`)
  return found
}
