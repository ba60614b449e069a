// How late verdicts are: against the true moment at which the last replica had the token, or against the deadline.
import { setTimeout as sleep } from 'node:timers/promises'
import type { TokenStatus } from '../../../src/synced/contract.ts'
import type { NginxGateway } from './nginx-gateway.ts'
import type { Syncer } from './syncer.ts'

export interface LoginMeasurement {
  readonly verdict: TokenStatus | undefined
  /** Milliseconds from the moment at which the last replica had the token to the verdict; negative for one that came before. */
  readonly latenessMs: number
  /** Milliseconds from the question to that moment. */
  readonly arrivedAfterMs: number
}

export interface MeasureOptions {
  readonly logins: number
  /** Logins at the same time. */
  readonly lanes: number
  /** What tokens begin with. */
  readonly prefix: string
  /** Milliseconds within which the next login begins at random, so that no phase of the tick is preferred. */
  readonly spreadMs: number
}

export interface Spread {
  readonly mean: number
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/** Logs in at changing origins, asks at once, and measures each verdict against the truth. */
export async function measureLogins(
  gateway: NginxGateway,
  syncer: Syncer,
  options: MeasureOptions,
): Promise<LoginMeasurement[]> {
  const origins = gateway.replicas.map(({ name }) => name)
  const measurements: LoginMeasurement[] = []
  let next = 0
  const lane = async () => {
    while (next < options.logins) {
      const i = next++
      await sleep(Math.random() * options.spreadMs)
      const origin = origins[i % origins.length] ?? ''
      const token = `${options.prefix}-${i}`
      const login = await gateway.login(token, origin)
      const { verdict, sentAt, answeredAt } = await syncer.check(token, origin)
      const at = await login.everywhere
      measurements.push({ verdict, latenessMs: answeredAt - at, arrivedAfterMs: at - sentAt })
    }
  }
  await Promise.all(Array.from({ length: options.lanes }, lane))
  return measurements
}

/** Mean, median, 99th percentile (nearest rank) and maximum; throws when there is nothing. */
export function summarize(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const rank = (q: number) => sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN
  if (sorted.length === 0) throw new Error('nothing was measured')
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length
  return { mean, p50: rank(0.5), p99: rank(0.99), max: rank(1) }
}

/** For messages: milliseconds with one decimal. */
export function describeSpread({ mean, p50, p99, max }: Spread): string {
  const ms = (value: number) => value.toFixed(1)
  return `mean ${ms(mean)} ms, p50 ${ms(p50)} ms, p99 ${ms(p99)} ms, max ${ms(max)} ms`
}
