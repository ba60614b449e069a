// The capability `tokens` as the configuration has it: its clusters, its job, where its undo files are, and what tells of changes.
// Imported only where the section `tokens` is.
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Env } from '../config/load.ts'
import type { FileRef } from '../config/schema.ts'
import { openFile, openSecret } from '../config/secrets.ts'
import type { ClusterConfig, TokensConfig } from '../config/tokens-schema.ts'
import type { Clock } from '../lib/clock.ts'
import { createSecureContexts } from '../lib/secure-context.ts'
import type { Job } from '../runs/contract.ts'
import type { TokenMetrics } from '../runs/metrics.ts'
import { type ConfiguredCluster, createTokenJob } from '../runs/token-job.ts'
import type { StateStore } from '../state/store.ts'
import { parseClusterUrl } from '../tokens/cluster-address.ts'
import { openUndoFile } from '../tokens/undo.ts'
import { createWaiterCluster, type WaiterClusterOptions } from '../tokens/waiter.ts'

export interface TokensSurroundings {
  readonly env: Env
  readonly clock: Clock
  readonly random: () => number
  readonly store: StateStore
  readonly metrics: TokenMetrics
  readonly onError: (error: unknown, what: string) => void
}

export interface OpenTokens {
  readonly job: Job
  /** As they are called, and their addresses as the sync writes them. */
  readonly clusters: readonly { readonly name: string; readonly url: string }[]
  /** Calls `onChange` for every change on a cluster, and when it can be watched (again), until `signal` aborts. */
  watch(onChange: () => void, signal: AbortSignal): void
  /** Deletes the undo files of these runs. */
  forget(ids: readonly string[]): Promise<void>
  /** Deletes the undo files of runs that are not remembered: another replica has forgotten them. */
  sweep(): Promise<void>
}

const UNDO_FILE = /^([0-9a-f-]{36})\.jsonl$/

/** Throws ConfigError when a secret or a file cannot be used. */
export function openTokens(config: TokensConfig, surroundings: TokensSurroundings): OpenTokens {
  const { clock, random, store, metrics } = surroundings
  const targets = config.clusters.map((cluster) => ({ name: cluster.name, ...openTarget(cluster, surroundings) }))
  const clusters = targets.map(toConfiguredCluster)
  const pathOf = (id: string) => join(config.undoFolder, `${id}.jsonl`)
  const forget = async (ids: readonly string[]) => {
    for (const id of ids) await rm(pathOf(id), { force: true })
  }
  return {
    job: createTokenJob({
      ...{ clusters, store, clock, random },
      openUndo: (id) => openUndoFile(pathOf(id)),
      onWrite: (cluster, effect) => metrics.wrote(cluster, effect),
    }),
    clusters: clusters.map(({ name, url }) => ({ name, url })),
    watch: (onChange, signal) => {
      for (const target of targets) void watchCluster(target, config, surroundings, onChange, signal)
    },
    forget,
    async sweep() {
      const names = await readdir(config.undoFolder).catch(() => [])
      for (const name of names) {
        const id = UNDO_FILE.exec(name)?.[1]
        if (id !== undefined && (await store.getRun(id)) === undefined) await forget([id])
      }
    },
  }
}

type Target = { readonly name: string } & Pick<
  WaiterClusterOptions,
  'url' | 'clock' | 'authorization' | 'maxConcurrentRequests' | 'secureContext' | 'servername'
>

function openTarget(
  { url, authorization, tls, maxConcurrentRequests }: ClusterConfig,
  { env, clock }: TokensSurroundings,
): Omit<Target, 'name'> {
  const secret = authorization && openSecret(authorization, env, { clock })
  return {
    ...{ url: parseClusterUrl(url), clock, maxConcurrentRequests },
    authorization: secret && (() => secret.read()),
    secureContext: tls && createSecureContexts(openPems(tls, clock)),
    servername: tls?.servername,
  }
}

function openPems({ ca, cert, key }: NonNullable<ClusterConfig['tls']>, clock: Clock) {
  const open = (ref: FileRef | undefined) => ref && openFile(ref, { clock })
  const [caFile, certFile, keyFile] = [open(ca), open(cert), open(key)]
  return {
    ...(caFile && { ca: () => caFile.read() }),
    ...(certFile && { cert: () => certFile.read() }),
    ...(keyFile && { key: () => keyFile.read() }),
  }
}

const toConfiguredCluster = ({ name, ...target }: Target): ConfiguredCluster => ({
  ...{ name, url: target.url },
  open: (timeOuts) => createWaiterCluster({ ...target, ...timeOuts }),
})

async function watchCluster(
  { name, url, authorization, secureContext, servername }: Target,
  { connectionTimeoutMs }: TokensConfig,
  { clock, random, onError }: TokensSurroundings,
  onChange: () => void,
  signal: AbortSignal,
): Promise<void> {
  const { followTokens } = await import('../tokens/follow.ts')
  let told: string | undefined
  let isMissing = true
  const onState = (problem: string | undefined) => {
    if (problem !== undefined && problem !== told) onError(new Error(problem), `changes on the cluster ${name}`)
    // Before the first stream, and while there was none, changes went by here and runs went by the cluster.
    if (problem === undefined && isMissing) onChange()
    isMissing = problem !== undefined
    told = problem
  }
  const target = { url, authorization, secureContext, servername, connectionTimeoutMs }
  await followTokens({ ...target, clock, random, signal, onChange, onState }).catch((error: unknown) =>
    onError(error, `changes on the cluster ${name}`),
  )
}
