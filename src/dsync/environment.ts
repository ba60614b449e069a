// The library is used alone too, where src/config is not: so this file reads the environment, and no other of dsync does.
import { randomUUID } from 'node:crypto'
import { DEFAULT_SCOPE } from './resource.ts'

export type Environment = Readonly<Record<string, string | undefined>>

/** Which variables are read. */
export interface EnvironmentNames {
  readonly namespace: string
  readonly scope: string
  readonly instance: string
  readonly kubeConfigPath: string
}

export interface EnvironmentConfig {
  readonly namespace: string
  readonly scope: string
  /** The pod's name, or an id made once in this process. */
  readonly instance: string
  /** Only outside a cluster. */
  readonly kubeConfigPath: string | undefined
}

const NAMES: EnvironmentNames = {
  namespace: 'KUBE_NAMESPACE',
  scope: 'KUBE_LEASE_SCOPE',
  instance: 'KUBE_POD_NAME',
  kubeConfigPath: 'KUBE_CONFIG_PATH',
}

/** What this process is called where nobody gave it a name: the same at each call. */
export const PROCESS_ID: string = randomUUID()

/** Reads the settings of dsync. Empty variables count as unset. `names` changes which variables are read. */
export function configFromEnv(
  env: Environment = process.env,
  names: Partial<EnvironmentNames> = {},
): EnvironmentConfig {
  const read = (key: keyof EnvironmentNames) => env[names[key] ?? NAMES[key]] || undefined
  return {
    namespace: read('namespace') ?? 'default',
    scope: read('scope') ?? DEFAULT_SCOPE,
    instance: read('instance') ?? PROCESS_ID,
    kubeConfigPath: read('kubeConfigPath'),
  }
}

/** The environment as it is now, for finding the cluster that this process runs in. */
export function processEnvironment(): Environment {
  return process.env
}
