// What the application needs from whoever composes the service.
import type { TlsOptions } from 'node:tls'
import type { Registry } from 'prom-client'
import type { Config } from '../config/schema.ts'
import type { Clock } from '../lib/clock.ts'
import type { Leadership } from '../lib/leadership.ts'
import type { Logger } from '../lib/logger.ts'
import type { DbRuns, Runs, TokenRuns } from '../runs/contract.ts'
import type { Gateway } from '../synced/contract.ts'
import type { Authenticator } from './auth/authenticator.ts'

/** One thing that must be well for the service to be ready. */
export interface ReadinessCheck {
  /** Stable, 1 to 64 characters. */
  readonly name: string
  readonly ok: boolean
  /** How it is, in a sentence; shown to people who ask with `?verbose`, who need no credentials. */
  readonly detail: string
}

export interface AppDependencies {
  readonly config: Pick<Config, 'auth'>
  /** Undefined where the configuration has no section `gateway`. */
  readonly gateway: Gateway | undefined
  /** Undefined where the configuration has neither section `tokens` nor section `db`. */
  readonly runs: Runs | undefined
  /** Undefined where the configuration has no section `tokens`. */
  readonly tokens: TokenRuns | undefined
  /** Undefined where the configuration has no section `db`. */
  readonly db: DbRuns | undefined
  readonly leadership: Leadership
  readonly authenticator: Authenticator
  readonly registry: Registry
  readonly logger: Logger
  readonly clock: Clock
  readonly version: string
  /** Name of this instance, 1 to 253 characters. */
  readonly instance: string
  /** `stopping` turns true when the service begins to stop: /readyz fails and connections are given up one by one. */
  readonly lifecycle: { readonly stopping: boolean }
  readonly readiness: () => readonly ReadinessCheck[]
  /** Serve HTTPS with these; HTTP when left out. */
  readonly serverOptions?: TlsOptions | undefined
}
