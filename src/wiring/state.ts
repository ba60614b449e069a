// The state as the configuration has it. Imported only where something runs.
import { ConfigError } from '../config/error.ts'
import type { Env } from '../config/load.ts'
import type { FileRef } from '../config/schema.ts'
import { openFile, openSecret } from '../config/secrets.ts'
import type { StateConfig } from '../config/state-schema.ts'
import type { Clock } from '../lib/clock.ts'
import { openState, type StateOptions } from '../state/open.ts'
import { type StateStore, StateUnusable } from '../state/store.ts'

export interface StateSurroundings {
  readonly env: Env
  readonly clock: Clock
  /** What errors are about: the configuration. */
  readonly source: string
}

/** Throws ConfigError for what cannot be used as it is, and StateUnavailable where a server does not answer. */
export async function openConfiguredState(config: StateConfig, surroundings: StateSurroundings): Promise<StateStore> {
  try {
    return await openState(toOptions(config, surroundings))
  } catch (error) {
    if (!(error instanceof StateUnusable)) throw error
    throw new ConfigError(surroundings.source, [`state: ${error.message}`])
  }
}

function toOptions(config: StateConfig, { env, clock }: StateSurroundings): StateOptions {
  if (config.kind === 'sqlite') return config
  const { url, tls, maxConnections } = config
  const secret = openSecret(url, env, { clock })
  const read = (ref: FileRef | undefined) => {
    const file = ref && openFile(ref, { clock })
    return file && (() => file.read())
  }
  return {
    ...{ kind: 'postgres', url: () => secret.read(), maxConnections },
    tls: tls && { ca: read(tls.ca), cert: read(tls.cert), key: read(tls.key), servername: tls.servername },
  }
}
