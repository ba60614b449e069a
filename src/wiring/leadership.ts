// Leadership by a Lease of Kubernetes: this replica campaigns from now on. Imported only where the configuration says so.
import { hostname } from 'node:os'
import type { Config } from '../config/schema.ts'
import { Dsync } from '../dsync/dsync.ts'
import type { Election } from '../dsync/election.ts'
import { createKubernetesDriverOver } from '../dsync/kubernetes-driver.ts'
import type { Clock } from '../lib/clock.ts'
import type { KubeClient } from '../lib/kube/client.ts'
import { oneLine } from '../lib/kube/error.ts'
import type { Leadership } from '../lib/leadership.ts'

type DsyncConfig = Extract<Config['dsync'], { driver: 'kubernetes' }>

/** What the replicas elect a leader for; the Lease is `{scope}.election.schedule`. */
const ELECTION = 'schedule'

export interface OpenLeadership extends Leadership {
  /** What the election came from: locks of it are known to the same API server, over the same connections. */
  readonly dsync: Dsync
  /** Gives leadership up and leaves the race, when the work of the term has ended or after the grace. */
  stop(graceMs: number): Promise<void>
}

/** The locks that the replicas share, without a part in their election. `client` stays the caller's. Nobody is asked yet. */
export function openSharedDsync({ namespace, scope, leaseDurationMs }: DsyncConfig, client: KubeClient, clock: Clock) {
  const driver = createKubernetesDriverOver(client, { namespace, clock, random: Math.random })
  return { driver, dsync: new Dsync(driver, hostname(), { scope, namespace, leaseDurationMs, clock }) }
}

/** `client` stays the caller's. Nobody is asked yet. */
export function openLeadership(config: DsyncConfig, client: KubeClient, clock: Clock): OpenLeadership {
  const { driver, dsync } = openSharedDsync(config, client, clock)
  const election = dsync.election(ELECTION)
  const listeners = new Set<() => void>()
  const tell = () => {
    for (const listener of listeners) listener()
  }
  let termsLed = 0
  election.whenElected((signal) => {
    termsLed++
    signal.addEventListener('abort', tell, { once: true })
    tell()
  })
  return {
    dsync,
    driver: 'kubernetes',
    get leader() {
      return election.leader
    },
    get isLeader() {
      return election.isLeader
    },
    get term() {
      return election.term
    },
    get problem() {
      return problemOf(election)
    },
    get termsLed() {
      return termsLed
    },
    onChange(listener) {
      const own = () => listener()
      listeners.add(own)
      return () => listeners.delete(own)
    },
    async stop(graceMs) {
      await election.stop({ graceMs })
      await driver[Symbol.asyncDispose]()
    },
  }
}

function problemOf({ error, problem }: Election): string | undefined {
  if (error !== undefined) return oneLine(error.message)
  if (problem === undefined) return undefined
  return oneLine(problem instanceof Error ? problem.message : String(problem))
}
