// POST /v1/tokens/sync: starts a run, and waits for it as long as the caller is willing to.
import type { Runs, TokenRuns } from '../../runs/contract.ts'
import type { Handlers } from '../contract.ts'
import { readWait } from '../prefer.ts'
import { answerStarted } from '../run-answers.ts'

export function createSyncTokens(tokens: () => TokenRuns, runs: () => Runs): Handlers['syncTokens'] {
  return async ({ body, headers }, call) => {
    const started = await tokens().start(body, { trigger: 'api', idempotencyKey: headers['idempotency-key'] })
    return answerStarted(started, readWait(headers.prefer), runs(), call)
  }
}
