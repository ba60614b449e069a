// The one schema of the configuration: it gives the types, the checks, the JSON Schema for editors and the reference page.
// Every property is described and bounded; an unknown key is refused. A capability is there when its section is there.
import { type Static, Type } from 'typebox'
import { AuthSchema } from './auth-schema.ts'
import { DbSchema } from './db-schema.ts'
import { DsyncSchema } from './dsync-schema.ts'
import { GatewaySchema } from './gateway-schema.ts'
import { RunsSchema } from './runs-schema.ts'
import { type DeepReadonly, FilePath, Milliseconds, PemFile, strict } from './schema-parts.ts'
import { StateSchema } from './state-schema.ts'
import { TokensSchema } from './tokens-schema.ts'

export { type AuthConfig, AuthSchema, SCOPES, type Scope } from './auth-schema.ts'
export type { DbConfig, PairConfig, SideConfig } from './db-schema.ts'
export { type GatewayConfig, GatewaySchema } from './gateway-schema.ts'
export type { RunsConfig } from './runs-schema.ts'
export { readSchedule, type ScheduleConfig } from './schedule-schema.ts'
export type { FileRef, SecretRef } from './schema-parts.ts'
export type { StateConfig } from './state-schema.ts'
export type { ClusterConfig, TokensConfig } from './tokens-schema.ts'

const ListenSchema = strict(
  {
    host: Type.String({
      minLength: 1,
      maxLength: 253,
      default: '127.0.0.1',
      description: 'Address to listen on. Any address that is not loopback needs `auth.mode` written down.',
    }),
    port: Type.Integer({ minimum: 0, maximum: 65535, default: 8080, description: 'TCP port; 0 takes a free one.' }),
    tls: Type.Optional(
      strict(
        {
          cert: PemFile('Certificate of the service, followed by its intermediates.'),
          key: PemFile('Private key of the certificate.'),
          clientCa: Type.Optional(
            PemFile(
              'Authorities whose client certificates are let in; without one of those the connection is refused.',
            ),
          ),
        },
        {
          description: 'Serve HTTPS, and nothing else, on this port.',
        },
      ),
    ),
  },
  { description: 'Where the service listens.', default: {} },
)

export const ConfigSchema = strict(
  {
    listen: Type.Optional(ListenSchema),
    auth: Type.Optional(AuthSchema),
    log: Type.Optional(
      strict(
        {
          level: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
            default: 'info',
            description: 'Least severe level that is logged.',
          }),
        },
        { description: 'Logs, JSON lines on standard error.', default: {} },
      ),
    ),
    kubernetes: Type.Optional(
      strict(
        {
          kubeConfig: Type.Optional(
            FilePath(
              'Path of a kubeconfig file. Left out: `KUBECONFIG`, else the Pod’s ServiceAccount, else `~/.kube/config`.',
            ),
          ),
          context: Type.Optional(
            Type.String({
              minLength: 1,
              maxLength: 253,
              description: 'Context of the kubeconfig; its current one when left out.',
            }),
          ),
        },
        { description: 'How the Kubernetes API server is reached, where something needs it.', default: {} },
      ),
    ),
    shutdown: Type.Optional(
      strict(
        {
          readinessDelayMs: Milliseconds(
            0,
            60_000,
            1_000,
            'After SIGTERM the service goes on answering for this long while /readyz fails, in milliseconds, so that load balancers look away first.',
          ),
          graceMs: Milliseconds(0, 600_000, 5_000, 'What is in flight then has this long to end, in milliseconds.'),
        },
        { description: 'How the service stops.', default: {} },
      ),
    ),
    gateway: Type.Optional(GatewaySchema),
    tokens: Type.Optional(TokensSchema),
    db: Type.Optional(DbSchema),
    dsync: Type.Optional(DsyncSchema),
    state: Type.Optional(StateSchema),
    runs: Type.Optional(RunsSchema),
  },
  { description: 'Configuration of Syncer.' },
)

type Written = DeepReadonly<Static<typeof ConfigSchema>>
/** The configuration in force: defaults filled in, frozen. Sections of capabilities stay optional. */
export type Config = Written &
  Required<Pick<Written, 'listen' | 'auth' | 'log' | 'kubernetes' | 'shutdown' | 'dsync' | 'state' | 'runs'>>
