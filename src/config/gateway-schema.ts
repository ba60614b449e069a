// The section `gateway`: who the replicas are, what is asked of them, and how long that may take.
import { type Static, Type } from 'typebox'
import { ClientTls, type DeepReadonly, Milliseconds, Port, strict } from './schema-parts.ts'

const ReplicaSchema = strict({
  name: Type.String({
    minLength: 1,
    maxLength: 253,
    // What the header `X-Nginx-Origin` may be, as the API document has it.
    pattern: String.raw`^(?:[A-Za-z0-9_]+(?:-+[A-Za-z0-9_]+)*(?:\.[A-Za-z0-9_]+(?:-+[A-Za-z0-9_]+)*)*|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]+)$`,
    description: 'Name of the replica: what it sends as `X-Nginx-Origin` (nginx `$hostname`).',
  }),
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
      name: Type.String({
        minLength: 1,
        maxLength: 253,
        description: 'Name to look up. A name that starts with `_` is looked up as SRV, any other as A and AAAA.',
      }),
      port: Type.Optional(
        Type.Integer({
          ...Port,
          description: 'Port of the probe; wins over `probe.port`. SRV records bring their own.',
        }),
      ),
      servers: Type.Optional(
        Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
          minItems: 1,
          maxItems: 8,
          description: 'DNS servers (`address` or `address:port`) in place of those of the system.',
        }),
      ),
      refreshMs: Milliseconds(100, 3_600_000, 5_000, 'How often the name is looked up, in milliseconds.'),
      maxAgeMs: Milliseconds(
        1_000,
        86_400_000,
        300_000,
        'Readiness fails when the list is older than this, in milliseconds.',
      ),
    }),
    strict({
      kind: Type.Literal('kubernetes', { description: 'EndpointSlices of a Service, or Pods by label, watched.' }),
      namespace: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 63,
          pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
          description: 'Namespace of the gateway; the own one when left out.',
        }),
      ),
      service: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 63,
          pattern: '^[a-z]([-a-z0-9]*[a-z0-9])?$',
          description: 'Name of the gateway’s Service.',
        }),
      ),
      selector: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 1024,
          description: 'Label selector of the gateway’s Pods, for a gateway without a Service, for example `app=gw`.',
        }),
      ),
      portName: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 63,
          description: 'Name of the port to probe; `probe.port` when left out.',
        }),
      ),
      // An API server in quiet says a word a minute: less than two of those would fail a service that is well.
      maxAgeMs: Milliseconds(
        120_000,
        86_400_000,
        300_000,
        'Readiness fails when nothing was heard of the API server for this long, in milliseconds; in quiet it says a word a minute.',
      ),
    }),
  ],
  { description: 'Who the replicas are.' },
)

const ProbeSchema = strict(
  {
    scheme: Type.Enum(['https', 'http'], { default: 'https', description: 'Scheme of the probe.' }),
    host: Type.String({
      minLength: 1,
      maxLength: 255,
      pattern: '^[A-Za-z0-9._:\\[\\]-]+$',
      description: 'Value of the `Host` header.',
    }),
    path: Type.String({
      minLength: 1,
      maxLength: 2048,
      pattern: '^/[\\x21-\\x7E]*$',
      default: '/',
      description: 'Path of a location that answers 200 to a known token and 401 to an unknown one.',
    }),
    port: Type.Integer({
      ...Port,
      default: 8443,
      description: 'Port of the probe where the replica has none of its own.',
    }),
    token: Type.String({
      maxLength: 128,
      pattern: "^(bearer|(cookie|header):[!#$%&'*+.^_`|~0-9A-Za-z-]+)$",
      default: 'cookie:auth_token',
      description: 'Where the probe carries the token: `bearer`, `cookie:NAME` or `header:NAME`.',
    }),
    tls: Type.Optional(
      ClientTls({
        description: 'TLS towards the replicas; the certificate is always verified.',
        ca: 'Authorities that may sign the certificates of the replicas, in place of the well-known ones.',
        cert: 'Client certificate of the probe.',
        servername:
          'Name that the certificate must carry and that is sent as SNI; `probe.host` without its port when left out.',
      }),
    ),
  },
  { description: 'What is asked of a replica.' },
)

const RetrySchema = Type.Union(
  [
    strict({
      mode: Type.Literal('adaptive', {
        description: 'Probe when the answer is likely to have changed, until the deadline.',
      }),
    }),
    strict({
      mode: Type.Literal('fixed', {
        description: 'A fixed pause and a limited number of retries, as the original nginx-syncer.',
      }),
      intervalMs: Milliseconds(
        1,
        60_000,
        150,
        'Pause between two tries of a replica, in milliseconds (`sync_timeout`).',
      ),
      retries: Type.Integer({
        minimum: 0,
        maximum: 10_000,
        default: 5,
        description: 'Tries after the first one (`retries`).',
      }),
    }),
  ],
  { description: 'When a replica is asked again.', default: { mode: 'adaptive' } },
)

export const GatewaySchema = strict(
  {
    discovery: DiscoverySchema,
    probe: ProbeSchema,
    deadlineMs: Milliseconds(10, 60_000, 1_000, 'A verdict is given at the latest after this, in milliseconds.'),
    connectTimeoutMs: Milliseconds(
      10,
      60_000,
      200,
      'Connection time-out, in milliseconds; also how long a probe may be silent before its replica counts as unknown.',
    ),
    retry: RetrySchema,
    maxConcurrentChecks: Type.Integer({
      minimum: 1,
      maximum: 65_536,
      default: 1_024,
      description: 'Checks at the same time; one more is answered 503 at once.',
    }),
    maxProbesPerSecond: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000_000,
        description:
          'Probes a second of the whole process; unlimited when left out. When it is reached, the pauses stretch and the deadline still holds.',
      }),
    ),
  },
  { description: '`GET /v1/synced`: has a token reached every gateway replica?' },
)

export type GatewayConfig = DeepReadonly<Static<typeof GatewaySchema>>
