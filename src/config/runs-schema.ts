// The section `runs`: how many there are at a time, and how long they are remembered.
import { type Static, Type } from 'typebox'
import { type DeepReadonly, strict } from './schema-parts.ts'

export const RunsSchema = strict(
  {
    maxConcurrent: Type.Integer({
      minimum: 1,
      maximum: 64,
      default: 4,
      description: 'Most runs at the same time in this process; one more waits in the state `queued`.',
    }),
    history: strict(
      {
        maxRuns: Type.Integer({
          minimum: 1,
          maximum: 1_000_000,
          default: 1_000,
          description: 'Most ended runs that are kept, with what happened in them.',
        }),
        maxAgeDays: Type.Integer({
          minimum: 1,
          maximum: 3_650,
          default: 30,
          description: 'Ended runs are forgotten after so many days, with their idempotency keys.',
        }),
      },
      { description: 'Which ended runs are kept.', default: {} },
    ),
  },
  { description: 'Runs: long work that can be watched, cancelled and found again.', default: {} },
)

export type RunsConfig = DeepReadonly<Static<typeof RunsSchema>>
