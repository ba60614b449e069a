// The section `tokens`: which Waiter clusters keep their service tokens in step, and how. What a request leaves out is as it is here.
import { type Static, Type } from 'typebox'
import { ScheduleSchema } from './schedule-schema.ts'
import { ClientTls, type DeepReadonly, FilePath, Milliseconds, Secret, strict } from './schema-parts.ts'

const ClusterSchema = strict({
  name: Type.String({
    minLength: 1,
    maxLength: 253,
    pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
    description: 'Name of the cluster, as requests and answers use it.',
  }),
  url: Type.String({
    minLength: 1,
    maxLength: 2048,
    pattern: '^[Hh][Tt][Tt][Pp][Ss]?://',
    description: 'Address of the cluster, `http://` or `https://`, without user name, password, query and fragment.',
  }),
  authorization: Type.Optional(Secret('Where to find the value of the header `Authorization`.')),
  tls: Type.Optional(
    ClientTls({
      description: 'TLS towards the cluster; the certificate is always verified.',
      ca: 'Authorities that may sign the certificate of the cluster, in place of the well-known ones.',
      cert: 'Client certificate.',
      servername: 'Name that the certificate must carry and that is sent as SNI; the host of `url` when left out.',
    }),
  ),
  maxConcurrentRequests: Type.Integer({
    minimum: 1,
    maximum: 1_024,
    default: 16,
    description: 'Most requests to the cluster at the same time.',
  }),
})

export const TokensSchema = strict(
  {
    clusters: Type.Array(ClusterSchema, {
      minItems: 1,
      maxItems: 64,
      description: 'The clusters; a sync needs two of them at least.',
    }),
    mode: Type.Enum(['safe', 'compat'], {
      default: 'safe',
      description:
        '`safe` deletes and overwrites nothing without an answer from every cluster; `compat` does exactly what the original token-syncer does.',
    }),
    schedule: Type.Optional(ScheduleSchema),
    follow: Type.Boolean({
      default: false,
      description: 'Watch the clusters, and sync as soon as a token changes.',
    }),
    limit: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      default: 1_000,
      description: 'Most tokens that one run reads and writes; the others come next.',
    }),
    optOutMetadataName: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 99,
        pattern: '^[a-z][a-z0-9-]*$',
        description: 'Name in `metadata` that keeps a token out of the sync where its value is `"true"`.',
      }),
    ),
    onUnreachable: Type.Enum(['fail', 'skip-writes'], {
      default: 'fail',
      description:
        'When a cluster gives no list of its tokens the run fails, or goes on and writes nothing for a token that some cluster has not answered for.',
    }),
    onConflict: Type.String({
      minLength: 4,
      maxLength: 260,
      pattern: '^(?:newest|fail|prefer:[!-~]+)$',
      default: 'newest',
      description:
        'Which version wins where none of two knows of the other: the `newest`, none (`fail`), or that of a cluster (`prefer:NAME`).',
    }),
    maxDeletes: Type.Optional(
      Type.Union(
        [
          Type.Integer({ minimum: 0, maximum: 1_000_000_000 }),
          Type.String({
            maxLength: 9,
            pattern: '^(?:100(?:\\.0{1,4})?|0?[0-9]{1,2}(?:\\.[0-9]{1,4})?)%$',
            description: 'A share is a number from 0 to 100 with a percent sign, as `5%` or `0.5%`.',
          }),
        ],
        {
          description:
            'Most tokens that one run may delete, as a number, or as a share of all tokens (`5%`); a plan that deletes more is refused as a whole. Left out: 20 %, and at least 5.',
        },
      ),
    ),
    connectionTimeoutMs: Milliseconds(
      1,
      3_600_000,
      1_000,
      'A cluster must accept a connection within this, in milliseconds.',
    ),
    idleTimeoutMs: Milliseconds(
      250,
      3_600_000,
      30_000,
      'A cluster may be silent for this long during a request, in milliseconds.',
    ),
    undoFolder: FilePath(
      'Folder of the undo files: what was overwritten or deleted, one file a run, for `syncer tokens restore`.',
      { default: '.syncer/undo' },
    ),
  },
  { description: '`POST /v1/tokens/sync`: service tokens of several Waiter clusters, brought to the latest version.' },
)

export type TokensConfig = DeepReadonly<Static<typeof TokensSchema>>
export type ClusterConfig = TokensConfig['clusters'][number]
