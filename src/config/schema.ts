// The one schema of the configuration: it gives the types, the checks, the JSON Schema for editors and the reference page.
// Every property is described and bounded; an unknown key is refused. A capability is there when its section is there.
import { type Static, type TObject, type TProperties, Type } from 'typebox'

const strict = <T extends TProperties>(properties: T, options: { description?: string } = {}): TObject<T> =>
  Type.Object(properties, { additionalProperties: false, ...options })

const Milliseconds = (minimum: number, maximum: number, byDefault: number, description: string) =>
  Type.Integer({ minimum, maximum, default: byDefault, description })

const Port = Type.Integer({ minimum: 1, maximum: 65535 })

/** A secret is named, never written down: the environment variable or the file that holds it. */
export const SecretSchema = Type.Union(
  [
    strict({ env: Type.String({ minLength: 1, maxLength: 256, pattern: '^[A-Za-z_][A-Za-z0-9_]*$', description: 'Environment variable that holds it.' }) }),
    strict({ file: Type.String({ minLength: 1, maxLength: 4096, description: 'File that holds it; re-read when it changes.' }) }),
  ],
  { description: 'Where to find it: an environment variable or a file (re-read when it changes).' },
)

const FileSchema = strict(
  { file: Type.String({ minLength: 1, maxLength: 4096, description: 'Path of a PEM file.' }) },
  { description: 'A PEM file, re-read when it changes.' },
)

const ListenSchema = strict(
  {
    host: Type.String({ minLength: 1, maxLength: 253, default: '127.0.0.1', description: 'Address to listen on. Any address that is not loopback needs `auth.mode` written down.' }),
    port: Type.Integer({ minimum: 0, maximum: 65535, default: 8080, description: 'TCP port; 0 takes a free one.' }),
    tls: Type.Optional(
      strict(
        {
          cert: FileSchema,
          key: FileSchema,
          clientCa: Type.Optional(FileSchema),
        },
        { description: 'Serve HTTPS. With `clientCa` a client certificate signed by it is required. Files are re-read when they change.' },
      ),
    ),
  },
  { description: 'Where the service listens.' },
)

export const SCOPES = ['synced', 'read', 'tokens', 'db'] as const
const ScopesSchema = Type.Array(Type.Enum(SCOPES), { minItems: 1, maxItems: 4, uniqueItems: true, description: 'What the caller may do.' })

const OpenSchema = Type.Array(Type.Enum(['metrics', 'ui']), {
  uniqueItems: true,
  maxItems: 2,
  default: [],
  description: 'What needs no credentials: `metrics` is /metrics, `ui` is the API document and Swagger UI.',
})

const SubjectGrantSchema = strict({
  users: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 512 }), { minItems: 1, maxItems: 1000, description: 'User names that this grant is for.' })),
  groups: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 512 }), { minItems: 1, maxItems: 1000, description: 'Group names that this grant is for.' })),
  scopes: ScopesSchema,
})

export const AuthSchema = Type.Union(
  [
    strict({ mode: Type.Literal('none', { description: 'Everybody may do everything.' }), open: OpenSchema }),
    strict({
      mode: Type.Literal('bearer', { description: 'Static bearer tokens, kept as SHA-256.' }),
      open: OpenSchema,
      callers: Type.Array(
        strict({
          name: Type.String({ minLength: 1, maxLength: 128, pattern: '^[A-Za-z0-9._:-]+$', description: 'Name of the caller, as logs show it.' }),
          sha256: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256 of the bearer token, 64 lower-case hex digits.' }),
          scopes: ScopesSchema,
        }),
        { minItems: 1, maxItems: 1000, description: 'Who may call, and what.' },
      ),
    }),
    strict({
      mode: Type.Literal('oidc', { description: 'JSON Web Tokens of an OpenID Connect issuer.' }),
      open: OpenSchema,
      issuer: Type.String({ minLength: 1, maxLength: 2048, pattern: '^https?://', description: 'Issuer (`iss`); its discovery document names the key set unless `jwksUri` does.' }),
      audience: Type.String({ minLength: 1, maxLength: 512, description: 'Audience (`aud`) that a token must carry.' }),
      jwksUri: Type.Optional(Type.String({ minLength: 1, maxLength: 2048, pattern: '^https?://', description: 'Address of the JSON Web Key Set.' })),
      scopeClaim: Type.String({ minLength: 1, maxLength: 128, default: 'scope', description: 'Claim that lists the scopes: a string separated by spaces, or an array.' }),
      scopePrefix: Type.String({ maxLength: 128, default: '', description: 'What a scope starts with in that claim, for example `syncer:`.' }),
      ca: Type.Optional(FileSchema),
    }),
    strict({
      mode: Type.Literal('tokenReview', { description: 'ServiceAccount tokens, checked by the Kubernetes API server.' }),
      open: OpenSchema,
      audiences: Type.Array(Type.String({ minLength: 1, maxLength: 512 }), { maxItems: 16, default: [], description: 'Audiences that a token must be for; empty is the API server itself.' }),
      cacheMs: Milliseconds(0, 300_000, 10_000, 'How long an answer of the API server is kept, in milliseconds.'),
      grants: Type.Array(SubjectGrantSchema, { minItems: 1, maxItems: 1000, description: 'Scopes by user name (`system:serviceaccount:NAMESPACE:NAME`) or group.' }),
    }),
  ],
  { description: 'Who may call.', default: { mode: 'none' } },
)

const ReplicaSchema = strict({
  name: Type.String({ minLength: 1, maxLength: 253, description: 'Name of the replica: what it sends as `X-Nginx-Origin` (nginx `$hostname`).' }),
  address: Type.String({ minLength: 1, maxLength: 253, description: 'IP address or host name.' }),
  port: Type.Optional(Type.Integer({ ...Port, description: 'Port of the probe; wins over `probe.port`.' })),
})

const DiscoverySchema = Type.Union(
  [
    strict({
      kind: Type.Literal('static', { description: 'A list written down here.' }),
      replicas: Type.Array(ReplicaSchema, { minItems: 1, maxItems: 1000, description: 'The replicas.' }),
    }),
    strict({
      kind: Type.Literal('dns', { description: 'A headless Service or any name with A, AAAA or SRV records.' }),
      name: Type.String({ minLength: 1, maxLength: 253, description: 'Name to look up. A name that starts with `_` is looked up as SRV, any other as A and AAAA.' }),
      port: Type.Optional(Type.Integer({ ...Port, description: 'Port of the probe; wins over `probe.port`. SRV records bring their own.' })),
      servers: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { minItems: 1, maxItems: 8, description: 'DNS servers (`address` or `address:port`) in place of those of the system.' })),
      refreshMs: Milliseconds(100, 3_600_000, 5_000, 'How often the name is looked up, in milliseconds.'),
      maxAgeMs: Milliseconds(1_000, 86_400_000, 300_000, 'Readiness fails when the list is older than this, in milliseconds.'),
    }),
    strict({
      kind: Type.Literal('kubernetes', { description: 'EndpointSlices of a Service, or Pods by label, watched.' }),
      namespace: Type.Optional(Type.String({ minLength: 1, maxLength: 63, pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$', description: 'Namespace of the gateway; the own one when left out.' })),
      service: Type.Optional(Type.String({ minLength: 1, maxLength: 63, pattern: '^[a-z]([-a-z0-9]*[a-z0-9])?$', description: 'Name of the gateway’s Service.' })),
      selector: Type.Optional(Type.String({ minLength: 1, maxLength: 1024, description: 'Label selector of the gateway’s Pods, for a gateway without a Service, for example `app=gw`.' })),
      portName: Type.Optional(Type.String({ minLength: 1, maxLength: 63, description: 'Name of the port to probe; `probe.port` when left out.' })),
      maxAgeMs: Milliseconds(1_000, 86_400_000, 300_000, 'Readiness fails when nothing was heard of the API server for this long, in milliseconds.'),
    }),
  ],
  { description: 'Who the replicas are.' },
)

const ProbeSchema = strict(
  {
    scheme: Type.Enum(['https', 'http'], { default: 'https', description: 'Scheme of the probe.' }),
    host: Type.String({ minLength: 1, maxLength: 255, pattern: '^[A-Za-z0-9._:\\[\\]-]+$', description: 'Value of the `Host` header.' }),
    path: Type.String({ minLength: 1, maxLength: 2048, pattern: '^/[\\x21-\\x7E]*$', default: '/', description: 'Path of a location that answers 200 to a known token and 401 to an unknown one.' }),
    port: Type.Integer({ ...Port, default: 8443, description: 'Port of the probe where the replica has none of its own.' }),
    token: Type.String({ maxLength: 128, pattern: "^(bearer|(cookie|header):[!#$%&'*+.^_`|~0-9A-Za-z-]+)$", default: 'cookie:auth_token', description: 'Where the probe carries the token: `bearer`, `cookie:NAME` or `header:NAME`.' }),
    tls: Type.Optional(
      strict(
        {
          ca: Type.Optional(FileSchema),
          cert: Type.Optional(FileSchema),
          key: Type.Optional(FileSchema),
          servername: Type.Optional(Type.String({ minLength: 1, maxLength: 253, description: 'Name that the certificate must carry and that is sent as SNI; `probe.host` without its port when left out.' })),
        },
        { description: 'TLS towards the replicas; the certificate is always verified.' },
      ),
    ),
  },
  { description: 'What is asked of a replica.' },
)

const RetrySchema = Type.Union(
  [
    strict({ mode: Type.Literal('adaptive', { description: 'Probe when the answer is likely to have changed, until the deadline.' }) }),
    strict({
      mode: Type.Literal('fixed', { description: 'A fixed pause and a limited number of retries, as the original nginx-syncer.' }),
      intervalMs: Milliseconds(1, 60_000, 150, 'Pause between two tries of a replica, in milliseconds (`sync_timeout`).'),
      retries: Type.Integer({ minimum: 0, maximum: 10_000, default: 5, description: 'Tries after the first one (`retries`).' }),
    }),
  ],
  { description: 'When a replica is asked again.', default: { mode: 'adaptive' } },
)

export const GatewaySchema = strict(
  {
    discovery: DiscoverySchema,
    probe: ProbeSchema,
    deadlineMs: Milliseconds(10, 60_000, 1_000, 'A verdict is given at the latest after this, in milliseconds.'),
    connectTimeoutMs: Milliseconds(10, 60_000, 200, 'Connection time-out, in milliseconds; also how long a probe may be silent before its replica counts as unknown.'),
    retry: RetrySchema,
    maxConcurrentChecks: Type.Integer({ minimum: 1, maximum: 65_536, default: 1_024, description: 'Checks at the same time; one more is answered 503 at once.' }),
    maxProbesPerSecond: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000_000, description: 'Probes a second of the whole process; unlimited when left out. When it is reached, the pauses stretch and the deadline still holds.' })),
  },
  { description: '`GET /v1/synced`: has a token reached every gateway replica?' },
)

export const ConfigSchema = strict(
  {
    listen: Type.Optional(ListenSchema),
    auth: Type.Optional(AuthSchema),
    log: Type.Optional(strict({ level: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], { default: 'info', description: 'Least severe level that is logged.' }) }, { description: 'Logs, JSON lines on standard error.' })),
    kubernetes: Type.Optional(
      strict(
        {
          kubeConfig: Type.Optional(Type.String({ minLength: 1, maxLength: 4096, description: 'Path of a kubeconfig file. Left out: `KUBECONFIG`, else the Pod’s ServiceAccount, else `~/.kube/config`.' })),
          context: Type.Optional(Type.String({ minLength: 1, maxLength: 253, description: 'Context of the kubeconfig; its current one when left out.' })),
        },
        { description: 'How the Kubernetes API server is reached, where something needs it.' },
      ),
    ),
    shutdown: Type.Optional(
      strict(
        {
          readinessDelayMs: Milliseconds(0, 60_000, 1_000, 'After SIGTERM the service goes on answering for this long while /readyz fails, in milliseconds, so that load balancers look away first.'),
          graceMs: Milliseconds(0, 600_000, 5_000, 'What is in flight then has this long to end, in milliseconds.'),
        },
        { description: 'How the service stops.' },
      ),
    ),
    gateway: Type.Optional(GatewaySchema),
  },
  { description: 'Configuration of Syncer.' },
)

type DeepReadonly<T> = T extends (infer I)[] ? readonly DeepReadonly<I>[] : T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T

/** A reference to a secret, as the configuration carries it. */
export type SecretRef = DeepReadonly<Static<typeof SecretSchema>>
export type FileRef = { readonly file: string }
export type Scope = (typeof SCOPES)[number]
export type AuthConfig = DeepReadonly<Static<typeof AuthSchema>>
export type GatewayConfig = DeepReadonly<Static<typeof GatewaySchema>>
type Written = DeepReadonly<Static<typeof ConfigSchema>>
/** The configuration in force: defaults filled in, frozen. Sections of capabilities stay optional. */
export type Config = Written & Required<Pick<Written, 'listen' | 'auth' | 'log' | 'kubernetes' | 'shutdown'>>
