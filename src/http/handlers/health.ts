// Health: /health as nginx-syncer had it, /livez and /readyz for probes, by status code first.
import type { Handlers } from '../contract.ts'
import type { AppDependencies, ReadinessCheck } from '../dependencies.ts'
import { notReady } from '../problems.ts'

type Verbose = '' | 'true' | '1' | 'false' | '0' | undefined

export const getHealth: Handlers['getHealth'] = () => ({ status: 200, body: { status: 'Up' } })

export const getLivez: Handlers['getLivez'] = ({ query }) => ({
  status: 200,
  body: {
    status: 'ok',
    checks: describeChecks([{ name: 'process', ok: true, detail: 'the process answers' }], query.verbose),
  },
})

export function createGetReadyz({
  lifecycle,
  readiness,
}: Pick<AppDependencies, 'lifecycle' | 'readiness'>): Handlers['getReadyz'] {
  return ({ query }) => {
    const detail = lifecycle.stopping ? 'the service is stopping' : 'the service is not stopping'
    const checks = describeChecks(
      [...readiness(), { name: 'shutdown', ok: !lifecycle.stopping, detail }],
      query.verbose,
    )
    if (checks.every((check) => check.ok)) return { status: 200, body: { status: 'ok', checks } }
    throw notReady(checks)
  }
}

function describeChecks(checks: readonly ReadinessCheck[], verbose: Verbose) {
  const isVerbose = verbose !== undefined && verbose !== 'false' && verbose !== '0'
  return checks.map(({ name, ok, detail }) => ({ name, ok, ...(isVerbose && { detail: detail.slice(0, 2048) }) }))
}
