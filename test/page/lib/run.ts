// A run as the service tells of it, for the tests of the page.
import type { Run } from '../../../public/types.ts'

export const ID = '019b76da-a800-7b3c-9d51-0f7c3f6d2e10'

export const RUN: Run = {
  ...{
    id: ID,
    kind: 'tokens',
    state: 'queued',
    trigger: 'api',
    request: {},
    dryRun: false,
    progress: null,
    summary: null,
  },
  ...{ createdAt: '2026-01-01T00:00:00.000Z', startedAt: null, endedAt: null },
}
