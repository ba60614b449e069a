// POST /v1/db/sync and /v1/db/verify: start a run on a pair, and wait for it as long as the caller is willing to.
import type { DbRuns, Runs } from '../../runs/contract.ts'
import type { Handlers } from '../contract.ts'
import { readWait } from '../prefer.ts'
import { answerStarted } from '../run-answers.ts'

export function createDbHandlers(db: () => DbRuns, runs: () => Runs): Pick<Handlers, 'syncDb' | 'verifyDb'> {
  return {
    async syncDb({ body, headers }, call) {
      const started = await db().sync(body, { trigger: 'api', idempotencyKey: headers['idempotency-key'] })
      return answerStarted(started, readWait(headers.prefer), runs(), call)
    },
    async verifyDb({ body, headers }, call) {
      const started = await db().verify(body, { trigger: 'api', idempotencyKey: headers['idempotency-key'] })
      return answerStarted(started, readWait(headers.prefer), runs(), call)
    },
  }
}
