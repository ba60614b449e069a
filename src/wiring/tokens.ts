// The capability `tokens` as the configuration has it: its clusters, its job, where its undo files are, and what tells of changes.
// Imported only where the section `tokens` is.
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Registry } from 'prom-client'
import type { Env } from '../config/load.ts'
import { readSchedule } from '../config/schedule-schema.ts'
import { openSecret } from '../config/secrets.ts'
import type { ClusterConfig, TokensConfig } from '../config/tokens-schema.ts'
import type { Clock } from '../lib/clock.ts'
import type { Leadership } from '../lib/leadership.ts'
import { openChangeTrigger } from '../runs/change-trigger.ts'
import type { TokenRuns } from '../runs/contract.ts'
import { createTokenMetrics } from '../runs/metrics.ts'
import type { RunService } from '../runs/runs.ts'
import type { ScheduleEntry } from '../runs/schedule.ts'
import { type ConfiguredCluster, createTokenJob } from '../runs/token-job.ts'
import { createTokenRuns } from '../runs/token-runs.ts'
import type { StateStore } from '../state/store.ts'
import { parseClusterUrl } from '../tokens/cluster-address.ts'
import { openUndoFile } from '../tokens/undo.ts'
import { createWaiterCluster, type WaiterClusterOptions } from '../tokens/waiter.ts'
import { openClientTls } from './client-tls.ts'
import type { RunsPart } from './part.ts'

export interface TokensSurroundings {
  readonly env: Env
  readonly clock: Clock
  readonly random: () => number
  readonly store: StateStore
  readonly registry: Registry
  readonly leadership: Leadership
  readonly onError: (error: unknown, what: string) => void
}

const UNDO_FILE = /^([0-9a-f-]{36})\.jsonl$/

/** Throws ConfigError when a secret or a file cannot be used. */
export function openTokens(config: TokensConfig, surroundings: TokensSurroundings): RunsPart<TokenRuns> {
  const { clock, random, store, registry } = surroundings
  const metrics = createTokenMetrics(registry)
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
    ended: (run, { state, endedAt }) => metrics.ended(run, state, endedAt),
    forget,
    begin(service) {
      const settings = { ...config, clusters: clusters.map(({ name, url }) => ({ name, url })) }
      const tokens = createTokenRuns({ settings, runs: service, store })
      return {
        capability: tokens,
        entries: entriesOf(config, tokens),
        starters: config.follow ? [openFollowing(targets, config, tokens, service, surroundings)] : [],
        sweep: () => sweepUndo(config.undoFolder, store, forget),
      }
    },
  }
}

function entriesOf({ schedule }: TokensConfig, tokens: TokenRuns): readonly ScheduleEntry[] {
  if (schedule === undefined) return []
  return [
    {
      ...{ name: 'tokens', ...readSchedule(schedule), filter: { kind: 'tokens' } },
      owns: ({ trigger }) => trigger === 'schedule',
      start: () => tokens.start({}, { trigger: 'schedule' }),
    },
  ]
}

/** Syncs at every change on a cluster, and when one can be watched (again). */
function openFollowing(
  targets: readonly Target[],
  config: TokensConfig,
  tokens: TokenRuns,
  runs: RunService,
  surroundings: TokensSurroundings,
): Disposable {
  const { leadership, clock, onError } = surroundings
  return openChangeTrigger({
    ...{ runs, leadership, clock, onError },
    watch: (onChange, signal) => {
      for (const target of targets) void watchCluster(target, config, surroundings, onChange, signal)
    },
    start: () => tokens.start({}, { trigger: 'schedule' }),
  })
}

/** Deletes the undo files of runs that are not remembered: another replica has forgotten them. */
async function sweepUndo(
  folder: string,
  store: StateStore,
  forget: (ids: readonly string[]) => Promise<void>,
): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names) {
    const id = UNDO_FILE.exec(name)?.[1]
    if (id !== undefined && (await store.getRun(id)) === undefined) await forget([id])
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
    secureContext: tls && openClientTls(tls, clock),
    servername: tls?.servername,
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
