// The section `db`: which stores are pairs whose tables are kept in step, and how. What a request leaves out is as it is here.
import { type Static, Type } from 'typebox'
import { ExecutionSchema } from './db-execution-schema.ts'
import { ScheduleSchema } from './schedule-schema.ts'
import { ClientTls, type DeepReadonly, FilePath, Milliseconds, Secret, strict } from './schema-parts.ts'

/** Names of columns of Cassandra that need no quotes, and more: what a document can carry as the name of a field. */
const FIELD = '^[A-Za-z_][A-Za-z0-9_]*$'

const requestTimeoutMs = Milliseconds(
  100,
  600_000,
  30_000,
  'A request that has no answer by then is given up, and tried again, in milliseconds.',
)
const retryForMs = Milliseconds(
  0,
  86_400_000,
  60_000,
  'What another try may mend (an overloaded or restarting node, 429, 503, a connection that breaks) is tried again for this long, in milliseconds; then the run fails.',
)

const CassandraSchema = strict({
  kind: Type.Literal('cassandra', { description: 'A keyspace of Cassandra.' }),
  contactPoints: Type.Array(
    Type.String({
      minLength: 1,
      maxLength: 260,
      description: 'A node, `HOST` or `HOST:PORT` (9042 when left out); IPv6 with a port as `[::1]:9042`.',
    }),
    {
      minItems: 1,
      maxItems: 64,
      uniqueItems: true,
      description: 'The nodes that are talked to, and no other ones: `HOST` or `HOST:PORT` (9042 when left out).',
    },
  ),
  localDataCenter: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 256,
      description: 'Data centre of the contact points; they are asked when it is left out.',
    }),
  ),
  keyspace: Type.String({ minLength: 1, maxLength: 48, pattern: '^[A-Za-z0-9_]+$', description: 'The keyspace.' }),
  credentials: Type.Optional(
    strict(
      {
        username: Type.String({ minLength: 1, maxLength: 256, description: 'The role that logs in.' }),
        password: Secret('Where to find its password.'),
      },
      { description: 'Who logs in, where the cluster asks for it.' },
    ),
  ),
  tls: Type.Optional(
    ClientTls({
      description:
        'TLS towards the nodes, with their certificates verified; `{}` is enough for a well-known authority.',
      ca: 'Authorities that may sign the certificates of the nodes, in place of the well-known ones.',
      cert: 'Client certificate.',
      servername:
        'Name that the certificates must carry and that is sent as SNI; the host of the contact point when left out.',
    }),
  ),
  consistency: Type.Enum(['LOCAL_ONE', 'LOCAL_QUORUM', 'QUORUM', 'ONE', 'ALL'], {
    default: 'LOCAL_QUORUM',
    description: 'Consistency level of reads and writes.',
  }),
  requestTimeoutMs,
  retryForMs,
})

const ElasticsearchSchema = strict({
  kind: Type.Literal('elasticsearch', {
    description: 'Indexes of Elasticsearch 8 or 9, or of OpenSearch 2 or 3.',
  }),
  url: Type.String({
    minLength: 1,
    maxLength: 2048,
    pattern: '^[Hh][Tt][Tt][Pp][Ss]?://',
    description: 'Address, `http://` or `https://`, without user name, password, query and fragment.',
  }),
  index: Type.String({
    minLength: 1,
    maxLength: 255,
    description: 'Names of the indexes, with `{table}` where the name of the table goes, for example `app-{table}`.',
  }),
  authorization: Type.Optional(
    Secret('Where to find the value of the header `Authorization` (`Basic …`, `ApiKey …` or `Bearer …`).'),
  ),
  tls: Type.Optional(
    ClientTls({
      description: 'TLS towards the server; the certificate is always verified.',
      ca: 'Authorities that may sign the certificate of the server, in place of the well-known ones.',
      cert: 'Client certificate.',
      servername: 'Name that the certificate must carry and that is sent as SNI; the host of `url` when left out.',
    }),
  ),
  requestTimeoutMs,
  retryForMs,
})

const SqliteSchema = strict({
  kind: Type.Literal('sqlite', { description: 'A file of SQLite, for trying it out.' }),
  path: FilePath('The file; tables that are missing in it are made.'),
})

const side = (description: string) => Type.Union([CassandraSchema, ElasticsearchSchema, SqliteSchema], { description })

const TableName = Type.String({ minLength: 1, maxLength: 222, description: 'Name of a table.' })

const PairSchema = strict({
  name: Type.String({
    minLength: 1,
    maxLength: 128,
    pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
    description: 'Name of the pair, as requests and answers use it.',
  }),
  left: side('One of the two stores; its rows go first.'),
  right: side('The other one.'),
  tables: Type.Union(
    [
      Type.Literal('all', { description: '`all`: every table that the stores have.' }),
      Type.Array(TableName, {
        minItems: 1,
        maxItems: 1_000,
        uniqueItems: true,
        description: 'a list of names of tables.',
      }),
    ],
    { default: 'all', description: 'The tables that are kept in step: `all`, or a list of their names.' },
  ),
  schedule: Type.Optional(ScheduleSchema),
  lagMs: Milliseconds(
    0,
    86_400_000,
    0,
    'A window without an explicit end ends so long ago, in milliseconds: rows that arrive late, or with a clock that is behind, are still in it.',
  ),
  overlapMs: Milliseconds(
    0,
    604_800_000,
    0,
    'A window without an explicit begin begins so long before the saved end, in milliseconds: what came late is read after all.',
  ),
  versionField: Type.String({
    minLength: 1,
    maxLength: 128,
    pattern: FIELD,
    default: 'tmstmp_uuid',
    description: 'Field of documents that holds the exact version of the row, its timeuuid.',
  }),
  onUnknownField: Type.Enum(['fail', 'ignore'], {
    default: 'fail',
    description:
      'A field that the other side has no column for: its row fails (a column that one side lacks ends the run), or the field is left out.',
  }),
  deletedField: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 128,
      pattern: FIELD,
      description:
        'Column that marks a row as deleted, which every table must have; it is carried like any other change. Left out: deletes are not carried over.',
    }),
  ),
  execution: ExecutionSchema,
})

export const DbSchema = strict(
  {
    pairs: Type.Array(PairSchema, { minItems: 1, maxItems: 64, description: 'The pairs.' }),
  },
  {
    description:
      '`POST /v1/db/sync` and `/v1/db/verify`: tables of two stores (Cassandra, Elasticsearch, SQLite) in both ways, the newer version wins.',
  },
)

export type DbConfig = DeepReadonly<Static<typeof DbSchema>>
export type PairConfig = DbConfig['pairs'][number]
export type SideConfig = PairConfig['left']
