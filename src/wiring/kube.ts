// The client of the Kubernetes API server, as the configuration and the surroundings describe it.
import { ConfigError } from '../config/error.ts'
import type { Env } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import type { ReviewToken } from '../http/auth/token-review.ts'
import type { Clock } from '../lib/clock.ts'
import { createKubeClient, type KubeClient } from '../lib/kube/client.ts'
import { findKubeCredentials } from '../lib/kube/credentials.ts'
import { KubeError } from '../lib/kube/error.ts'

export interface KubeSurroundings {
  /** Where the configuration is from, for errors. */
  readonly source: string
  readonly env: Env
  readonly clock: Clock
}

/** Throws ConfigError when no credentials can be found. Nobody is asked yet: an API server that is away does not stop the start. */
export async function openKube(
  kubernetes: Config['kubernetes'],
  { source, env, clock }: KubeSurroundings,
): Promise<KubeClient> {
  try {
    const credentials = await findKubeCredentials({ ...kubernetes, env, clock })
    return createKubeClient({ credentials, clock })
  } catch (error) {
    if (error instanceof KubeError) throw new ConfigError(source, [`kubernetes: ${error.message}`])
    throw error
  }
}

/** Longest wait for the review of a token, in milliseconds; the caller's signal is usually sooner. */
const REVIEW_MS = 10_000

/** Has the API server review tokens. */
export function createTokenReview(client: KubeClient): ReviewToken {
  return (body, signal) =>
    client.request({
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/tokenreviews',
      body,
      timeoutMs: REVIEW_MS,
      signal,
    })
}
