// /v1/runs: runs of every kind, found again, looked into and cancelled.
import type { Runs } from '../../runs/contract.ts'
import type { Handlers } from '../contract.ts'
import { hrefOfRun } from '../problems.ts'
import { describeRun, findRun, noSuchRun, POLL_SECONDS, writeItems, writeRun } from '../run-answers.ts'

type RunHandlers = Pick<Handlers, 'listRuns' | 'getRun' | 'cancelRun' | 'listRunItems'>

export function createRunHandlers(runs: () => Runs): RunHandlers {
  return {
    async listRuns({ query }) {
      const { items, nextCursor } = await runs().list(query)
      const body = JSON.stringify({ items: items.map(describeRun), nextCursor })
      return { status: 200, type: 'application/json', body }
    },

    async getRun({ params }) {
      const run = await findRun(runs(), params.id)
      return {
        status: 200,
        ...(run.endedAt === null && { headers: { 'Retry-After': POLL_SECONDS } }),
        ...writeRun(run),
      }
    },

    async cancelRun({ params }, call) {
      const { id, kind } = await findRun(runs(), params.id)
      call.require(kind)
      const run = (await runs().cancel(id)) ?? (await findRun(runs(), id))
      if (run.endedAt !== null) return { status: 200, ...writeRun(run) }
      return { status: 202, headers: { Location: hrefOfRun(id), 'Retry-After': POLL_SECONDS }, ...writeRun(run) }
    },

    async listRunItems({ params, query }) {
      const { id } = await findRun(runs(), params.id)
      const page = await runs().items(id, query)
      if (page === undefined) throw noSuchRun()
      const body = `{"items":${writeItems(page.items)},"nextCursor":${JSON.stringify(page.nextCursor)}}`
      return { status: 200, type: 'application/json', body }
    },
  }
}
