// A pair whose rows workers carry in Pods of Kubernetes, as the configuration has it. Imported only where a pair says so.
import { hostname } from 'node:os'
import type { JobExecutionConfig } from '../config/db-execution-schema.ts'
import { readOwnPod } from '../db/jobs/api.ts'
import { templateOfImage, templateOfPod, type WorkerTemplate } from '../db/jobs/manifest.ts'
import { runPairAsJobs } from '../db/jobs/run-pair.ts'
import type { Clock } from '../lib/clock.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import type { SyncPair } from '../runs/db-job.ts'

export interface JobsSurroundings {
  /** Where the configuration is from. */
  readonly source: string
  readonly clock: Clock
  /** Gives [0, 1). */
  readonly random: () => number
  readonly kube: () => Promise<KubeLoan>
}

/** A client for as long as it is needed: to be given back by disposing of it. */
export interface KubeLoan extends AsyncDisposable {
  readonly client: KubeClient
}

/** Reasons of a run's signal after which the run is gone for good; after others it is taken up, here or by another replica. */
const FINAL = ['RunCancelled']

/** What syncs the pair. Nobody is asked before it does. */
export function createJobSync(
  pairName: string,
  execution: JobExecutionConfig,
  surroundings: JobsSurroundings,
): SyncPair {
  const { clock, random, kube } = surroundings
  const { shards, parallelism, retries, maxFailedShards, quietMs } = execution
  return async (pair, request, around) => {
    await using loan = await kube()
    const { client } = loan
    const options = { client, clock, random, namespace: execution.namespace ?? client.namespace }
    return await runPairAsJobs(pair, request, around, {
      ...{ ...options, pairName, shards, quietMs },
      settings: { parallelism, retries, maxFailedShards },
      template: await findTemplate(pairName, execution, options, surroundings.source, around.signal),
      isFinal: (reason) => reason instanceof Error && FINAL.includes(reason.name),
    })
  }
}

/** Throws JobsUnusable when the workers are to be like a Pod that is not there. */
async function findTemplate(
  pair: string,
  { image, configMap, secret, serviceAccountName, resources }: JobExecutionConfig,
  options: Parameters<typeof readOwnPod>[0],
  configPath: string,
  signal: AbortSignal,
): Promise<WorkerTemplate> {
  const settings = { pair, configPath, configMap, secret, serviceAccountName, resources }
  if (image !== undefined) return templateOfImage(image, settings)
  return templateOfPod(await readOwnPod(options, hostname(), signal), settings)
}
