import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BOUND_MS, runChaos } from './lib/dsync-chaos.ts'
import { type KubeCluster, startCluster } from './lib/kube-cluster.ts'
import { dsyncRule } from './lib/kube-leases.ts'

const NAME = 'processes'
let cluster: KubeCluster

beforeAll(async () => {
  cluster = await startCluster()
})
afterAll(() => cluster.stop())

describe('five processes over a real API server, killed, frozen, cut off and stopped at random', () => {
  it('never lead two at a time, with tokens that only grow, and have a leader in time when all is well again', async () => {
    const token = await cluster.serviceAccountToken('syncer', 'chaos', dsyncRule([`chaos.election.${NAME}`]))
    const seed = Date.now() % 1_000_000
    const report = await runChaos({
      cluster,
      namespace: 'syncer',
      token,
      name: NAME,
      processes: 5,
      durationMs: 20_000,
      seed,
    })
    expect(report.violations, `seed ${seed}`).toEqual([])
    expect(report.terms).toBeGreaterThanOrEqual(3)
    expect(report.writes).toBeGreaterThan(100)
    expect(report.leaderAfterMs).toBeLessThanOrEqual(BOUND_MS)
  })
})
