// Generated from openapi/syncer.yaml by `npm run generate`; do not edit.
import type { operations } from './openapi.ts'

export type OperationId = keyof operations

type JsonSchema = Readonly<Record<string, unknown>>

/** What the document says of one operation, as the application needs it. */
export interface Route {
  readonly operationId: OperationId
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'PATCH'
  /** Path in the form of the router: `/v1/runs/:id`. */
  readonly url: string
  /** What the caller must be allowed to; null where nobody is asked who they are. */
  readonly scope: 'synced' | 'read' | 'tokens' | 'db' | null
  /** Word of `auth.open` that frees it from credentials. */
  readonly open: 'metrics' | 'ui' | null
  /** Section of the configuration without which it is not configured. */
  readonly capability: "gateway" | null
  readonly schema: { readonly headers?: JsonSchema; readonly querystring: JsonSchema; readonly params?: JsonSchema; readonly body?: JsonSchema }
  /** Schemas of application/json by status. */
  readonly response: Readonly<Record<string, JsonSchema>>
}

const $Check = {
  type: "object",
  additionalProperties: false,
  required: ["name", "ok"],
  properties: {
    name: {
      type: "string",
      minLength: 1,
      maxLength: 64,
    },
    ok: {
      type: "boolean",
    },
    detail: {
      type: "string",
      maxLength: 2048,
    },
  },
} as const

const $CheckList = {
  type: "array",
  maxItems: 100,
  items: $Check,
} as const

const $TokenStatus = {
  type: "string",
  enum: ["Synced", "Partialy", "NotSynced", "Timeout"],
} as const

const $UnknownReason = {
  type: "string",
  enum: [
    "pending",
    "silent",
    "refused",
    "reset",
    "tls",
    "garbage",
    "redirect",
    "throttled",
    "server-error",
    "unexpected-status",
    "not-asked",
  ],
} as const

const $ReplicaAnswer = {
  type: "object",
  additionalProperties: false,
  required: ["name", "state", "counted", "attempts", "ms"],
  properties: {
    name: {
      type: "string",
      minLength: 1,
      maxLength: 253,
    },
    state: {
      type: "string",
      enum: ["present", "absent", "unknown"],
    },
    reason: $UnknownReason,
    counted: {
      type: "boolean",
    },
    attempts: {
      type: "integer",
      minimum: 0,
    },
    ms: {
      type: ["number", "null"],
      minimum: 0,
    },
  },
} as const

const $CheckResult = {
  type: "object",
  additionalProperties: false,
  required: ["status", "origin", "expect", "ms", "replicas"],
  properties: {
    status: $TokenStatus,
    origin: {
      type: "string",
      minLength: 1,
      maxLength: 253,
    },
    expect: {
      type: "string",
      enum: ["present", "absent"],
    },
    ms: {
      type: "number",
      minimum: 0,
    },
    replicas: {
      type: "array",
      maxItems: 10000,
      items: $ReplicaAnswer,
    },
  },
} as const

const $Checks = {
  type: "object",
  additionalProperties: false,
  required: ["status", "checks"],
  properties: {
    status: {
      type: "string",
      enum: ["ok"],
    },
    checks: $CheckList,
  },
} as const

const $Document = {
  type: "object",
  additionalProperties: true,
  required: ["openapi", "info", "paths"],
  properties: {
    openapi: {
      type: "string",
      maxLength: 16,
    },
    info: {
      type: "object",
      additionalProperties: true,
    },
    paths: {
      type: "object",
      additionalProperties: true,
    },
  },
} as const

const $ReplicaSource = {
  type: "object",
  additionalProperties: false,
  required: ["kind", "ageMs"],
  properties: {
    kind: {
      type: "string",
      enum: ["static", "dns", "kubernetes"],
    },
    ageMs: {
      type: ["number", "null"],
      minimum: 0,
    },
    problem: {
      type: "string",
      maxLength: 2048,
    },
  },
} as const

const $Lag = {
  type: "object",
  additionalProperties: false,
  required: ["p50Ms", "p99Ms", "samples"],
  properties: {
    p50Ms: {
      type: "number",
      minimum: 0,
    },
    p99Ms: {
      type: "number",
      minimum: 0,
    },
    samples: {
      type: "integer",
      minimum: 0,
    },
  },
} as const

const $Replica = {
  type: "object",
  additionalProperties: false,
  required: ["name", "address", "port", "terminating", "state", "since", "lag"],
  properties: {
    name: {
      type: "string",
      minLength: 1,
      maxLength: 253,
    },
    address: {
      type: "string",
      minLength: 1,
      maxLength: 253,
    },
    port: {
      type: "integer",
      minimum: 1,
      maximum: 65535,
    },
    terminating: {
      type: "boolean",
    },
    state: {
      type: "string",
      enum: ["up", "down", "unknown"],
    },
    reason: $UnknownReason,
    since: {
      type: "string",
      format: "date-time",
      maxLength: 32,
    },
    lag: {
      anyOf: [
        $Lag,
        {
          type: "null",
        },
      ],
    },
  },
} as const

const $ReplicaList = {
  type: "array",
  maxItems: 10000,
  items: $Replica,
} as const

const $VerdictCounts = {
  type: "object",
  additionalProperties: false,
  required: ["Synced", "Partialy", "NotSynced", "Timeout"],
  properties: {
    Synced: {
      type: "integer",
      minimum: 0,
    },
    Partialy: {
      type: "integer",
      minimum: 0,
    },
    NotSynced: {
      type: "integer",
      minimum: 0,
    },
    Timeout: {
      type: "integer",
      minimum: 0,
    },
  },
} as const

const $GatewayStatus = {
  type: "object",
  additionalProperties: false,
  required: ["source", "replicas", "verdicts"],
  properties: {
    source: $ReplicaSource,
    replicas: $ReplicaList,
    verdicts: $VerdictCounts,
  },
} as const

const $Health = {
  type: "object",
  additionalProperties: false,
  required: ["status"],
  properties: {
    status: {
      type: "string",
      enum: ["Up"],
    },
  },
} as const

const $LeaderStatus = {
  type: "object",
  additionalProperties: false,
  required: ["driver", "name", "isLeader", "term", "expiresInMs"],
  properties: {
    driver: {
      type: "string",
      enum: ["memory", "kubernetes"],
    },
    name: {
      type: ["string", "null"],
      minLength: 1,
      maxLength: 512,
    },
    isLeader: {
      type: "boolean",
    },
    term: {
      type: ["string", "null"],
      maxLength: 32,
      pattern: "^[0-9]+$",
    },
    expiresInMs: {
      type: ["integer", "null"],
      minimum: 0,
    },
    problem: {
      type: "string",
      maxLength: 2048,
    },
  },
} as const

const $ReplicaPage = {
  type: "object",
  additionalProperties: false,
  required: ["items", "nextCursor", "source"],
  properties: {
    items: $ReplicaList,
    nextCursor: {
      type: "null",
    },
    source: $ReplicaSource,
  },
} as const

const $ServiceStatus = {
  type: "object",
  additionalProperties: false,
  required: ["version", "instance", "startedAt"],
  properties: {
    version: {
      type: "string",
      minLength: 1,
      maxLength: 64,
    },
    instance: {
      type: "string",
      minLength: 1,
      maxLength: 253,
    },
    startedAt: {
      type: "string",
      format: "date-time",
      maxLength: 32,
    },
  },
} as const

const $Status = {
  type: "object",
  additionalProperties: false,
  required: ["service", "leader"],
  properties: {
    service: $ServiceStatus,
    leader: $LeaderStatus,
    gateway: $GatewayStatus,
  },
} as const

export const routes = {
  getSynced: {
    operationId: "getSynced",
    method: "GET",
    url: "/v1/synced",
    scope: "synced",
    open: null,
    capability: "gateway",
    schema: {
      headers: {
        type: "object",
        additionalProperties: true,
        required: ["x-auth-token", "x-nginx-origin"],
        properties: {
          "x-auth-token": {
            type: "string",
            minLength: 1,
            maxLength: 8192,
            pattern: "^[!-~]+$",
            "x-syncer-expects": "1 to 8192 visible ASCII characters without spaces",
          },
          "x-nginx-origin": {
            type: "string",
            minLength: 1,
            maxLength: 253,
            pattern: "^(?:[A-Za-z0-9_]+(?:-+[A-Za-z0-9_]+)*(?:\\.[A-Za-z0-9_]+(?:-+[A-Za-z0-9_]+)*)*|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]+)$",
            "x-syncer-expects": "a host name or an address of at most 253 characters",
          },
        },
      },
      querystring: {
        type: "object",
        additionalProperties: false,
        properties: {
          expect: {
            type: "string",
            enum: ["present", "absent"],
            default: "present",
          },
          replica: {
            type: "array",
            minItems: 1,
            maxItems: 100,
            items: {
              type: "string",
              minLength: 1,
              maxLength: 253,
            },
          },
          denyStatus: {
            type: "integer",
            enum: [401, 403],
          },
        },
      },
    },
    response: {
      "200": $CheckResult,
      "401": $CheckResult,
      "403": $CheckResult,
    },
  },
  listReplicas: {
    operationId: "listReplicas",
    method: "GET",
    url: "/v1/replicas",
    scope: "read",
    open: null,
    capability: "gateway",
    schema: {
      querystring: {
        type: "object",
        additionalProperties: false,
        properties: {},
      },
    },
    response: {
      "200": $ReplicaPage,
    },
  },
  getStatus: {
    operationId: "getStatus",
    method: "GET",
    url: "/v1/status",
    scope: "read",
    open: null,
    capability: null,
    schema: {
      querystring: {
        type: "object",
        additionalProperties: false,
        properties: {},
      },
    },
    response: {
      "200": $Status,
    },
  },
  getHealth: {
    operationId: "getHealth",
    method: "GET",
    url: "/health",
    scope: null,
    open: null,
    capability: null,
    schema: {
      querystring: {
        type: "object",
        additionalProperties: false,
        properties: {},
      },
    },
    response: {
      "200": $Health,
    },
  },
  getLivez: {
    operationId: "getLivez",
    method: "GET",
    url: "/livez",
    scope: null,
    open: null,
    capability: null,
    schema: {
      querystring: {
        type: "object",
        additionalProperties: false,
        properties: {
          verbose: {
            type: "string",
            enum: ["", "true", "1", "false", "0"],
          },
        },
      },
    },
    response: {
      "200": $Checks,
    },
  },
  getReadyz: {
    operationId: "getReadyz",
    method: "GET",
    url: "/readyz",
    scope: null,
    open: null,
    capability: null,
    schema: {
      querystring: {
        type: "object",
        additionalProperties: false,
        properties: {
          verbose: {
            type: "string",
            enum: ["", "true", "1", "false", "0"],
          },
        },
      },
    },
    response: {
      "200": $Checks,
    },
  },
  getMetrics: {
    operationId: "getMetrics",
    method: "GET",
    url: "/metrics",
    scope: "read",
    open: "metrics",
    capability: null,
    schema: {
      querystring: {
        type: "object",
        additionalProperties: false,
        properties: {},
      },
    },
    response: {},
  },
  getOpenapiJson: {
    operationId: "getOpenapiJson",
    method: "GET",
    url: "/openapi.json",
    scope: "read",
    open: "ui",
    capability: null,
    schema: {
      querystring: {
        type: "object",
        additionalProperties: false,
        properties: {},
      },
    },
    response: {
      "200": $Document,
    },
  },
  getOpenapiYaml: {
    operationId: "getOpenapiYaml",
    method: "GET",
    url: "/openapi.yaml",
    scope: "read",
    open: "ui",
    capability: null,
    schema: {
      querystring: {
        type: "object",
        additionalProperties: false,
        properties: {},
      },
    },
    response: {},
  },
  getRoot: {
    operationId: "getRoot",
    method: "GET",
    url: "/",
    scope: "read",
    open: "ui",
    capability: null,
    schema: {
      querystring: {
        type: "object",
        additionalProperties: false,
        properties: {},
      },
    },
    response: {},
  },
} as const satisfies { readonly [Id in OperationId]: Route & { readonly operationId: Id } }

/** Query parameters that are always there, because the document gives them a default. */
export interface QueryDefaults {
  getSynced: "expect"
  listReplicas: never
  getStatus: never
  getHealth: never
  getLivez: never
  getReadyz: never
  getMetrics: never
  getOpenapiJson: never
  getOpenapiYaml: never
  getRoot: never
}
