// The section `state`: where runs, and what they remember for the next ones, survive a restart.
import { type Static, Type } from 'typebox'
import { ClientTls, type DeepReadonly, FilePath, Secret, strict } from './schema-parts.ts'

export const StateSchema = Type.Union(
  [
    strict({
      kind: Type.Literal('sqlite', {
        default: 'sqlite',
        description: 'A file on this machine, for one replica of the service.',
      }),
      path: FilePath('The file; it and its folder are made when they are missing.', { default: '.syncer/state.db' }),
    }),
    strict({
      kind: Type.Literal('postgres', {
        description: 'A PostgreSQL database, which several replicas of the service share.',
      }),
      url: Secret('Where to find its address, `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.'),
      tls: Type.Optional(
        ClientTls({
          description:
            'TLS towards the database, with its certificate verified; `{}` is enough for one of a well-known authority.',
          ca: 'Authorities that may sign the certificate of the database, in place of the well-known ones.',
          cert: 'Client certificate.',
          servername: 'Name that the certificate must carry; the host when left out.',
        }),
      ),
      maxConnections: Type.Integer({
        minimum: 2,
        maximum: 1_000,
        default: 10,
        description: 'Most connections of this process to the database.',
      }),
    }),
  ],
  {
    description: 'Where runs are kept. Opened only when something runs.',
    default: { kind: 'sqlite' },
  },
)

export type StateConfig = DeepReadonly<Static<typeof StateSchema>>
