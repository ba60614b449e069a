// The section `dsync`: how the replicas of the service agree which one leads.
import { Type } from 'typebox'
import { Milliseconds, strict } from './schema-parts.ts'

const NAME = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'

export const DsyncSchema = Type.Union(
  [
    strict({
      driver: Type.Literal('memory', { default: 'memory', description: 'There is one replica only: it always leads.' }),
    }),
    strict({
      driver: Type.Literal('kubernetes', { description: 'The replicas elect a leader over a Lease.' }),
      namespace: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 63,
          pattern: NAME,
          description: 'Namespace of the Lease; the own one when left out.',
        }),
      ),
      scope: Type.String({
        minLength: 1,
        maxLength: 63,
        pattern: NAME,
        default: 'syncer',
        description:
          'Beginning of the names of Leases: the replicas that share it elect one leader (`SCOPE.election.schedule`).',
      }),
      leaseDurationMs: Milliseconds(
        3_000,
        300_000,
        15_000,
        'A leader that was not heard of for this long is replaced, in milliseconds; it stops leading by itself after two thirds of that.',
      ),
    }),
  ],
  { description: 'Which replica leads, where there are several.', default: { driver: 'memory' } },
)
