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
  /** What the caller must be allowed to, one of them; null where nobody is asked who they are. */
  readonly scopes: readonly ('synced' | 'read' | 'tokens' | 'db')[] | null
  /** Word of `auth.open` that frees it from credentials. */
  readonly open: 'metrics' | 'ui' | null
  /** Section of the configuration without which it is not configured. */
  readonly capability: "gateway" | "tokens" | "db" | "runs" | null
  /** Whether no body at all stands for the empty object, which may lack what is needed. */
  readonly bodyless: boolean
  readonly schema: { readonly headers?: JsonSchema; readonly querystring: JsonSchema; readonly params?: JsonSchema; readonly body?: JsonSchema }
  /** Schemas of application/json by status. */
  readonly response: Readonly<Record<string, JsonSchema>>
}

const $CallerStatus = {
  type: "object",
  additionalProperties: false,
  required: ["name", "scopes"],
  properties: {
    name: {
      type: "string",
      maxLength: 512,
    },
    scopes: {
      type: "array",
      maxItems: 4,
      uniqueItems: true,
      items: {
        type: "string",
        enum: ["synced", "read", "tokens", "db"],
      },
    },
  },
} as const

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

const $ClusterName = {
  type: "string",
  minLength: 1,
  maxLength: 253,
} as const

const $ClusterUrl = {
  type: "string",
  minLength: 1,
  maxLength: 2048,
} as const

const $DbCounts = {
  type: "object",
  additionalProperties: false,
  required: ["read", "applied", "older", "equal", "echoed", "failed"],
  properties: {
    read: {
      type: "integer",
      minimum: 0,
    },
    applied: {
      type: "integer",
      minimum: 0,
    },
    older: {
      type: "integer",
      minimum: 0,
    },
    equal: {
      type: "integer",
      minimum: 0,
    },
    echoed: {
      type: "integer",
      minimum: 0,
    },
    failed: {
      type: "integer",
      minimum: 0,
    },
  },
} as const

const $TableName = {
  type: "string",
  minLength: 1,
  maxLength: 222,
} as const

const $DbDifference = {
  type: "object",
  additionalProperties: false,
  required: ["table", "id", "kind"],
  properties: {
    table: $TableName,
    id: {
      type: "string",
      maxLength: 512,
    },
    kind: {
      type: "string",
      enum: ["leftNewer", "rightNewer", "onlyLeft", "onlyRight", "differs"],
    },
  },
} as const

const $DbDirection = {
  type: "string",
  enum: ["left-to-right", "right-to-left"],
} as const

const $DbWindow = {
  type: "object",
  additionalProperties: false,
  required: ["begin", "end"],
  properties: {
    begin: {
      type: "string",
      format: "date-time",
      maxLength: 32,
    },
    end: {
      type: "string",
      format: "date-time",
      maxLength: 32,
    },
  },
} as const

const $ItemStatus = {
  type: "string",
  enum: ["unmodified", "updated", "failed"],
} as const

const $DbItem = {
  type: "object",
  additionalProperties: false,
  required: [
    "table",
    "direction",
    "window",
    "read",
    "applied",
    "older",
    "equal",
    "echoed",
    "failed",
    "ms",
    "status",
  ],
  properties: {
    table: $TableName,
    direction: $DbDirection,
    window: $DbWindow,
    read: {
      type: "integer",
      minimum: 0,
    },
    applied: {
      type: "integer",
      minimum: 0,
    },
    older: {
      type: "integer",
      minimum: 0,
    },
    equal: {
      type: "integer",
      minimum: 0,
    },
    echoed: {
      type: "integer",
      minimum: 0,
    },
    failed: {
      type: "integer",
      minimum: 0,
    },
    ms: {
      type: "number",
      minimum: 0,
    },
    note: {
      type: "string",
      maxLength: 4096,
    },
    status: $ItemStatus,
  },
} as const

const $PairName = {
  type: "string",
  minLength: 1,
  maxLength: 128,
} as const

const $DbSideStatus = {
  type: "object",
  additionalProperties: false,
  required: ["kind", "address"],
  properties: {
    kind: {
      type: "string",
      enum: ["cassandra", "elasticsearch", "sqlite"],
    },
    address: {
      type: "string",
      minLength: 1,
      maxLength: 8192,
    },
  },
} as const

const $TableNames = {
  type: "array",
  minItems: 1,
  maxItems: 1000,
  uniqueItems: true,
  items: $TableName,
} as const

const $DbSavedEnd = {
  type: "object",
  additionalProperties: false,
  required: ["table", "direction", "end"],
  properties: {
    table: $TableName,
    direction: $DbDirection,
    end: {
      type: ["string", "null"],
      format: "date-time",
      maxLength: 32,
    },
    open: {
      type: "object",
      additionalProperties: false,
      required: ["window", "done", "total"],
      properties: {
        window: $DbWindow,
        done: {
          type: "integer",
          minimum: 0,
        },
        total: {
          type: "integer",
          minimum: 0,
        },
      },
    },
  },
} as const

const $RunId = {
  type: "string",
  format: "uuid",
  minLength: 36,
  maxLength: 36,
} as const

const $RunKind = {
  type: "string",
  enum: ["tokens", "db"],
} as const

const $RunState = {
  type: "string",
  enum: ["queued", "running", "succeeded", "failed", "cancelled", "interrupted"],
} as const

const $RunTrigger = {
  type: "string",
  enum: ["api", "schedule", "cli"],
} as const

const $RunOutline = {
  type: "object",
  additionalProperties: false,
  required: ["id", "kind", "state", "trigger", "dryRun", "createdAt", "startedAt", "endedAt"],
  properties: {
    id: $RunId,
    kind: $RunKind,
    state: $RunState,
    trigger: $RunTrigger,
    dryRun: {
      type: "boolean",
    },
    createdAt: {
      type: "string",
      format: "date-time",
      maxLength: 32,
    },
    startedAt: {
      type: ["string", "null"],
      format: "date-time",
      maxLength: 32,
    },
    endedAt: {
      type: ["string", "null"],
      format: "date-time",
      maxLength: 32,
    },
  },
} as const

const $LastRun = {
  anyOf: [
    $RunOutline,
    {
      type: "null",
    },
  ],
} as const

const $DbPairStatus = {
  type: "object",
  additionalProperties: false,
  required: ["name", "left", "right", "tables", "execution", "savedEnds", "deadLetters", "lastRun"],
  properties: {
    name: $PairName,
    left: $DbSideStatus,
    right: $DbSideStatus,
    tables: {
      anyOf: [
        {
          type: "string",
          enum: ["all"],
        },
        $TableNames,
      ],
    },
    execution: {
      type: "string",
      enum: ["process", "kubernetes-job"],
    },
    savedEnds: {
      type: "array",
      maxItems: 10000,
      items: $DbSavedEnd,
    },
    deadLetters: {
      type: ["integer", "null"],
      minimum: 0,
    },
    lastRun: $LastRun,
    problem: {
      type: "string",
      maxLength: 2048,
    },
  },
} as const

const $DbProgress = {
  type: "object",
  additionalProperties: false,
  required: ["table", "direction", "done", "total", "read", "applied", "older", "equal", "echoed", "failed"],
  properties: {
    table: $TableName,
    direction: $DbDirection,
    done: {
      type: "integer",
      minimum: 0,
    },
    total: {
      type: "integer",
      minimum: 0,
    },
    read: {
      type: "integer",
      minimum: 0,
    },
    applied: {
      type: "integer",
      minimum: 0,
    },
    older: {
      type: "integer",
      minimum: 0,
    },
    equal: {
      type: "integer",
      minimum: 0,
    },
    echoed: {
      type: "integer",
      minimum: 0,
    },
    failed: {
      type: "integer",
      minimum: 0,
    },
  },
} as const

const $DbStatus = {
  type: "object",
  additionalProperties: false,
  required: ["pairs"],
  properties: {
    pairs: {
      type: "array",
      maxItems: 64,
      items: $DbPairStatus,
    },
  },
} as const

const $DbSummary = {
  type: "object",
  additionalProperties: false,
  required: ["window", "counts", "deadLetters"],
  properties: {
    window: $DbWindow,
    counts: $DbCounts,
    deadLetters: {
      type: "integer",
      minimum: 0,
    },
  },
} as const

const $DbVerdictCounts = {
  type: "object",
  additionalProperties: false,
  required: ["equal", "leftNewer", "rightNewer", "onlyLeft", "onlyRight", "differs"],
  properties: {
    equal: {
      type: "integer",
      minimum: 0,
    },
    leftNewer: {
      type: "integer",
      minimum: 0,
    },
    rightNewer: {
      type: "integer",
      minimum: 0,
    },
    onlyLeft: {
      type: "integer",
      minimum: 0,
    },
    onlyRight: {
      type: "integer",
      minimum: 0,
    },
    differs: {
      type: "integer",
      minimum: 0,
    },
  },
} as const

const $DbVerifyItem = {
  type: "object",
  additionalProperties: false,
  required: ["table", "counts", "ms", "status"],
  properties: {
    table: $TableName,
    counts: $DbVerdictCounts,
    ms: {
      type: "number",
      minimum: 0,
    },
    status: $ItemStatus,
  },
} as const

const $DbVerifySummary = {
  type: "object",
  additionalProperties: false,
  required: ["window", "counts", "differences", "repaired"],
  properties: {
    window: $DbWindow,
    counts: $DbVerdictCounts,
    differences: {
      type: "array",
      maxItems: 10000,
      items: $DbDifference,
    },
    repaired: {
      type: "integer",
      minimum: 0,
    },
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

const $VerdictsOfStep = {
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

const $HistoryStep = {
  type: "object",
  additionalProperties: false,
  required: ["startedAt", "checks", "lag"],
  properties: {
    startedAt: {
      type: "string",
      format: "date-time",
      maxLength: 32,
    },
    checks: $VerdictsOfStep,
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

const $GatewayHistory = {
  type: "object",
  additionalProperties: false,
  required: ["stepMs", "items"],
  properties: {
    stepMs: {
      type: "integer",
      minimum: 1,
    },
    items: {
      type: "array",
      maxItems: 91,
      items: $HistoryStep,
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
    lastSeen: {
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

const $NextCursor = {
  type: ["string", "null"],
  minLength: 1,
  maxLength: 8192,
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

const $RunProgress = {
  type: "object",
  additionalProperties: false,
  required: ["done"],
  properties: {
    done: {
      type: "number",
      minimum: 0,
    },
    total: {
      type: "number",
      minimum: 0,
    },
    message: {
      type: "string",
      maxLength: 2048,
    },
    figures: {
      type: "object",
      maxProperties: 100,
      additionalProperties: {
        type: "number",
      },
    },
    tables: {
      type: "array",
      maxItems: 100,
      items: $DbProgress,
    },
  },
} as const

const $TokenNames = {
  type: "array",
  maxItems: 10000,
  items: {
    type: "string",
    minLength: 1,
    maxLength: 4096,
  },
} as const

const $TokensSummary = {
  type: "object",
  additionalProperties: false,
  required: ["sync", "tokens", "counts"],
  properties: {
    sync: {
      type: "object",
      additionalProperties: false,
      required: ["unmodified", "updated", "failed"],
      properties: {
        unmodified: $TokenNames,
        updated: $TokenNames,
        failed: $TokenNames,
      },
    },
    tokens: {
      type: "object",
      additionalProperties: false,
      required: ["pending", "previously-synced", "processed", "selected", "total"],
      properties: {
        pending: {
          type: "integer",
          minimum: 0,
        },
        "previously-synced": {
          type: "integer",
          minimum: 0,
        },
        processed: {
          type: "integer",
          minimum: 0,
        },
        selected: {
          type: "integer",
          minimum: 0,
        },
        total: {
          type: "integer",
          minimum: 0,
        },
      },
    },
    counts: {
      type: "object",
      additionalProperties: false,
      required: ["create", "update", "softDelete", "hardDelete", "skip", "conflict"],
      properties: {
        create: {
          type: "integer",
          minimum: 0,
        },
        update: {
          type: "integer",
          minimum: 0,
        },
        softDelete: {
          type: "integer",
          minimum: 0,
        },
        hardDelete: {
          type: "integer",
          minimum: 0,
        },
        skip: {
          type: "integer",
          minimum: 0,
        },
        conflict: {
          type: "integer",
          minimum: 0,
        },
      },
    },
    clockSkew: {
      type: "array",
      maxItems: 100,
      items: {
        type: "object",
        additionalProperties: false,
        required: ["cluster", "skewMs"],
        properties: {
          cluster: $ClusterUrl,
          skewMs: {
            type: "number",
          },
        },
      },
    },
  },
} as const

const $RunProblem = {
  type: "object",
  additionalProperties: false,
  required: ["type", "title", "detail"],
  properties: {
    type: {
      type: "string",
      format: "uri-reference",
      pattern: "^/problems/[a-z][a-z0-9-]*$",
      maxLength: 64,
    },
    title: {
      type: "string",
      minLength: 1,
      maxLength: 128,
    },
    detail: {
      type: "string",
      minLength: 1,
      maxLength: 2048,
    },
  },
} as const

const $RunLock = {
  type: "object",
  additionalProperties: false,
  required: ["name", "token"],
  properties: {
    name: {
      type: "string",
      minLength: 1,
      maxLength: 512,
    },
    token: {
      type: "string",
      maxLength: 32,
      pattern: "^[0-9]+$",
    },
  },
} as const

const $Run = {
  type: "object",
  additionalProperties: false,
  required: [
    "id",
    "kind",
    "state",
    "trigger",
    "request",
    "dryRun",
    "progress",
    "summary",
    "createdAt",
    "startedAt",
    "endedAt",
  ],
  properties: {
    id: $RunId,
    kind: $RunKind,
    state: $RunState,
    trigger: $RunTrigger,
    request: {
      type: "object",
      additionalProperties: true,
    },
    dryRun: {
      type: "boolean",
    },
    progress: {
      anyOf: [
        $RunProgress,
        {
          type: "null",
        },
      ],
    },
    summary: {
      anyOf: [
        $TokensSummary,
        $DbSummary,
        $DbVerifySummary,
        {
          type: "null",
        },
      ],
    },
    problem: $RunProblem,
    cancelRequested: {
      type: "boolean",
      enum: [true],
    },
    locks: {
      type: "array",
      maxItems: 1000,
      items: $RunLock,
    },
    takesUp: {
      type: "string",
      format: "uuid",
      minLength: 36,
      maxLength: 36,
    },
    createdAt: {
      type: "string",
      format: "date-time",
      maxLength: 32,
    },
    startedAt: {
      type: ["string", "null"],
      format: "date-time",
      maxLength: 32,
    },
    endedAt: {
      type: ["string", "null"],
      format: "date-time",
      maxLength: 32,
    },
  },
} as const

const $TokenCode = {
  type: "string",
  enum: [
    "success/token-match",
    "success/sync-update",
    "success/soft-delete",
    "success/hard-delete",
    "success/skip-missing",
    "success/skip-opt-out",
    "success/skip-hard-delete",
    "error/token-read",
    "error/token-sync",
    "error/tokens-deleted",
    "error/root-mismatch",
    "error/hard-delete",
    "error/conflict",
    "error/plan-outdated",
    "error/max-deletes",
  ],
} as const

const $TokenResult = {
  type: "object",
  additionalProperties: false,
  required: ["code"],
  properties: {
    code: $TokenCode,
    effect: {
      type: "string",
      enum: ["create", "update", "softDelete", "hardDelete"],
    },
    details: {
      type: "object",
      additionalProperties: true,
    },
  },
} as const

const $TokenItem = {
  type: "object",
  additionalProperties: false,
  required: ["id", "status", "latest", "results"],
  properties: {
    id: {
      type: "string",
      minLength: 1,
      maxLength: 4096,
    },
    status: $ItemStatus,
    latest: {
      type: "object",
      additionalProperties: false,
      required: ["cluster"],
      properties: {
        cluster: $ClusterUrl,
        etag: {
          type: "string",
          maxLength: 4096,
        },
        lastUpdateTime: {
          type: "string",
          maxLength: 64,
        },
      },
    },
    results: {
      type: "object",
      maxProperties: 100,
      additionalProperties: $TokenResult,
    },
  },
} as const

const $RunItem = {
  anyOf: [$TokenItem, $DbItem, $DbVerifyItem],
} as const

const $RunItemPage = {
  type: "object",
  additionalProperties: false,
  required: ["items", "nextCursor"],
  properties: {
    items: {
      type: "array",
      maxItems: 1000,
      items: $RunItem,
    },
    nextCursor: $NextCursor,
  },
} as const

const $RunPage = {
  type: "object",
  additionalProperties: false,
  required: ["items", "nextCursor"],
  properties: {
    items: {
      type: "array",
      maxItems: 1000,
      items: $Run,
    },
    nextCursor: $NextCursor,
  },
} as const

const $ScheduleStatus = {
  type: "object",
  additionalProperties: false,
  required: ["name", "cron", "timeZone", "nextAt", "lastRun", "missed"],
  properties: {
    name: {
      type: "string",
      minLength: 1,
      maxLength: 512,
    },
    cron: {
      type: "string",
      minLength: 1,
      maxLength: 256,
    },
    timeZone: {
      type: "string",
      minLength: 1,
      maxLength: 64,
    },
    nextAt: {
      type: ["string", "null"],
      format: "date-time",
      maxLength: 32,
    },
    lastRun: $LastRun,
    missed: {
      type: "integer",
      minimum: 0,
    },
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

const $TokensStatus = {
  type: "object",
  additionalProperties: false,
  required: ["clusters", "lastRun"],
  properties: {
    clusters: {
      type: "array",
      maxItems: 100,
      items: {
        type: "object",
        additionalProperties: false,
        required: ["name", "url"],
        properties: {
          name: $ClusterName,
          url: $ClusterUrl,
        },
      },
    },
    lastRun: $LastRun,
    problem: {
      type: "string",
      maxLength: 2048,
    },
  },
} as const

const $Status = {
  type: "object",
  additionalProperties: false,
  required: ["service", "leader"],
  properties: {
    service: $ServiceStatus,
    caller: $CallerStatus,
    leader: $LeaderStatus,
    gateway: $GatewayStatus,
    tokens: $TokensStatus,
    db: $DbStatus,
    schedules: {
      type: "array",
      maxItems: 1000,
      items: $ScheduleStatus,
    },
  },
} as const

const $WindowTime = {
  type: ["string", "integer"],
  minLength: 4,
  maxLength: 40,
  minimum: 1000000000,
  maximum: 9999999999999,
} as const

const $SyncDbRequest = {
  type: "object",
  additionalProperties: false,
  required: ["pair"],
  properties: {
    pair: $PairName,
    tables: $TableNames,
    direction: {
      type: "string",
      enum: ["both", "left-to-right", "right-to-left"],
    },
    begin: $WindowTime,
    end: $WindowTime,
    dryRun: {
      type: "boolean",
    },
  },
} as const

const $SyncTokensRequest = {
  type: "object",
  additionalProperties: false,
  properties: {
    clusters: {
      type: "array",
      minItems: 2,
      maxItems: 100,
      uniqueItems: true,
      items: $ClusterName,
    },
    mode: {
      type: "string",
      enum: ["safe", "compat"],
    },
    dryRun: {
      type: "boolean",
    },
    limit: {
      type: "integer",
      minimum: 1,
      maximum: 10000,
    },
    optOutMetadataName: {
      type: "string",
      minLength: 1,
      maxLength: 99,
      pattern: "^[a-z][a-z0-9-]*$",
      "x-syncer-expects": "at most 99 lower-case letters, digits and hyphens, a letter first",
    },
    onUnreachable: {
      type: "string",
      enum: ["fail", "skip-writes"],
    },
    onConflict: {
      type: "string",
      minLength: 4,
      maxLength: 260,
      pattern: "^(?:newest|fail|prefer:[!-~]+)$",
      "x-syncer-expects": "newest, fail, or prefer:NAME with the name of a cluster",
    },
    maxDeletes: {
      type: ["integer", "string"],
      minimum: 0,
      maxLength: 9,
      pattern: "^(?:100(?:\\.0{1,4})?|0?[0-9]{1,2}(?:\\.[0-9]{1,4})?)%$",
      "x-syncer-expects": "a whole number of tokens, or a percentage from \"0%\" to \"100%\" with four decimals at most",
    },
    allowEmpty: {
      type: "array",
      maxItems: 100,
      uniqueItems: true,
      items: $ClusterName,
    },
    connectionTimeoutMs: {
      type: "integer",
      minimum: 1,
      maximum: 3600000,
    },
    idleTimeoutMs: {
      type: "integer",
      minimum: 250,
      maximum: 3600000,
    },
    plan: {
      type: "string",
      format: "uuid",
      minLength: 36,
      maxLength: 36,
      "x-syncer-expects": "the id of a run",
    },
  },
} as const

const $VerifyDbRequest = {
  type: "object",
  additionalProperties: false,
  required: ["pair"],
  properties: {
    pair: $PairName,
    tables: $TableNames,
    begin: $WindowTime,
    end: $WindowTime,
    maxDifferences: {
      type: "integer",
      minimum: 0,
      maximum: 10000,
    },
    orphans: {
      type: "boolean",
    },
    repair: {
      type: "string",
      enum: ["none", "copy", "delete-left", "delete-right"],
    },
  },
} as const

export const routes = {
  getSynced: {
    operationId: "getSynced",
    method: "GET",
    url: "/v1/synced",
    scopes: ["synced"],
    open: null,
    capability: "gateway",
    bodyless: false,
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
    scopes: ["read"],
    open: null,
    capability: "gateway",
    bodyless: false,
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
  getGatewayHistory: {
    operationId: "getGatewayHistory",
    method: "GET",
    url: "/v1/gateway/history",
    scopes: ["read"],
    open: null,
    capability: "gateway",
    bodyless: false,
    schema: {
      querystring: {
        type: "object",
        additionalProperties: false,
        properties: {},
      },
    },
    response: {
      "200": $GatewayHistory,
    },
  },
  syncTokens: {
    operationId: "syncTokens",
    method: "POST",
    url: "/v1/tokens/sync",
    scopes: ["tokens"],
    open: null,
    capability: "tokens",
    bodyless: true,
    schema: {
      headers: {
        type: "object",
        additionalProperties: true,
        properties: {
          prefer: {
            type: "string",
            maxLength: 1024,
          },
          "idempotency-key": {
            type: "string",
            minLength: 1,
            maxLength: 255,
            pattern: "^[!-~]+$",
            "x-syncer-expects": "1 to 255 visible ASCII characters without spaces",
          },
        },
      },
      querystring: {
        type: "object",
        additionalProperties: false,
        properties: {},
      },
      body: $SyncTokensRequest,
    },
    response: {
      "200": $Run,
      "202": $Run,
    },
  },
  syncDb: {
    operationId: "syncDb",
    method: "POST",
    url: "/v1/db/sync",
    scopes: ["db"],
    open: null,
    capability: "db",
    bodyless: true,
    schema: {
      headers: {
        type: "object",
        additionalProperties: true,
        properties: {
          prefer: {
            type: "string",
            maxLength: 1024,
          },
          "idempotency-key": {
            type: "string",
            minLength: 1,
            maxLength: 255,
            pattern: "^[!-~]+$",
            "x-syncer-expects": "1 to 255 visible ASCII characters without spaces",
          },
        },
      },
      querystring: {
        type: "object",
        additionalProperties: false,
        properties: {},
      },
      body: $SyncDbRequest,
    },
    response: {
      "200": $Run,
      "202": $Run,
    },
  },
  verifyDb: {
    operationId: "verifyDb",
    method: "POST",
    url: "/v1/db/verify",
    scopes: ["db"],
    open: null,
    capability: "db",
    bodyless: true,
    schema: {
      headers: {
        type: "object",
        additionalProperties: true,
        properties: {
          prefer: {
            type: "string",
            maxLength: 1024,
          },
          "idempotency-key": {
            type: "string",
            minLength: 1,
            maxLength: 255,
            pattern: "^[!-~]+$",
            "x-syncer-expects": "1 to 255 visible ASCII characters without spaces",
          },
        },
      },
      querystring: {
        type: "object",
        additionalProperties: false,
        properties: {},
      },
      body: $VerifyDbRequest,
    },
    response: {
      "200": $Run,
      "202": $Run,
    },
  },
  listRuns: {
    operationId: "listRuns",
    method: "GET",
    url: "/v1/runs",
    scopes: ["read"],
    open: null,
    capability: "runs",
    bodyless: false,
    schema: {
      querystring: {
        type: "object",
        additionalProperties: false,
        properties: {
          kind: $RunKind,
          state: $RunState,
          limit: {
            type: "integer",
            minimum: 1,
            maximum: 1000,
            default: 100,
          },
          cursor: {
            type: "string",
            minLength: 1,
            maxLength: 8192,
          },
        },
      },
    },
    response: {
      "200": $RunPage,
    },
  },
  getRun: {
    operationId: "getRun",
    method: "GET",
    url: "/v1/runs/:id",
    scopes: ["read"],
    open: null,
    capability: "runs",
    bodyless: false,
    schema: {
      querystring: {
        type: "object",
        additionalProperties: false,
        properties: {},
      },
      params: {
        type: "object",
        additionalProperties: false,
        required: ["id"],
        properties: {
          id: {
            type: "string",
            minLength: 1,
            maxLength: 100,
          },
        },
      },
    },
    response: {
      "200": $Run,
    },
  },
  cancelRun: {
    operationId: "cancelRun",
    method: "POST",
    url: "/v1/runs/:id/cancel",
    scopes: ["tokens", "db"],
    open: null,
    capability: "runs",
    bodyless: false,
    schema: {
      querystring: {
        type: "object",
        additionalProperties: false,
        properties: {},
      },
      params: {
        type: "object",
        additionalProperties: false,
        required: ["id"],
        properties: {
          id: {
            type: "string",
            minLength: 1,
            maxLength: 100,
          },
        },
      },
    },
    response: {
      "200": $Run,
      "202": $Run,
    },
  },
  listRunItems: {
    operationId: "listRunItems",
    method: "GET",
    url: "/v1/runs/:id/items",
    scopes: ["read"],
    open: null,
    capability: "runs",
    bodyless: false,
    schema: {
      querystring: {
        type: "object",
        additionalProperties: false,
        properties: {
          status: $ItemStatus,
          limit: {
            type: "integer",
            minimum: 1,
            maximum: 1000,
            default: 100,
          },
          cursor: {
            type: "string",
            minLength: 1,
            maxLength: 8192,
          },
        },
      },
      params: {
        type: "object",
        additionalProperties: false,
        required: ["id"],
        properties: {
          id: {
            type: "string",
            minLength: 1,
            maxLength: 100,
          },
        },
      },
    },
    response: {
      "200": $RunItemPage,
    },
  },
  streamRunEvents: {
    operationId: "streamRunEvents",
    method: "GET",
    url: "/v1/runs/:id/events",
    scopes: ["read"],
    open: null,
    capability: "runs",
    bodyless: false,
    schema: {
      headers: {
        type: "object",
        additionalProperties: true,
        properties: {
          "last-event-id": {
            type: "string",
            minLength: 1,
            maxLength: 9,
            pattern: "^[0-9]+$",
            "x-syncer-expects": "the id of an event, at most 9 digits",
          },
        },
      },
      querystring: {
        type: "object",
        additionalProperties: false,
        properties: {},
      },
      params: {
        type: "object",
        additionalProperties: false,
        required: ["id"],
        properties: {
          id: {
            type: "string",
            minLength: 1,
            maxLength: 100,
          },
        },
      },
    },
    response: {},
  },
  getStatus: {
    operationId: "getStatus",
    method: "GET",
    url: "/v1/status",
    scopes: ["read"],
    open: null,
    capability: null,
    bodyless: false,
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
    scopes: null,
    open: null,
    capability: null,
    bodyless: false,
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
    scopes: null,
    open: null,
    capability: null,
    bodyless: false,
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
    scopes: null,
    open: null,
    capability: null,
    bodyless: false,
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
    scopes: ["read"],
    open: "metrics",
    capability: null,
    bodyless: false,
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
    scopes: ["read"],
    open: "ui",
    capability: null,
    bodyless: false,
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
    scopes: ["read"],
    open: "ui",
    capability: null,
    bodyless: false,
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
    scopes: ["read"],
    open: "ui",
    capability: null,
    bodyless: false,
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
  getGatewayHistory: never
  syncTokens: never
  syncDb: never
  verifyDb: never
  listRuns: "limit"
  getRun: never
  cancelRun: never
  listRunItems: "limit"
  streamRunEvents: never
  getStatus: never
  getHealth: never
  getLivez: never
  getReadyz: never
  getMetrics: never
  getOpenapiJson: never
  getOpenapiYaml: never
  getRoot: never
}
