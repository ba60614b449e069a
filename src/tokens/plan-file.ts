// A plan in a file: written by a dry run, read when it is to be carried out, perhaps by another release or after an edit by hand.
// Pure but for what it throws.
import { Ajv } from 'ajv'
import { type TSchema, Type } from 'typebox'
import type { Counts, PlanFile, SealedPlan, SyncRequest } from './contract.ts'
import { countResults } from './summary.ts'

/** The file is no plan that can be carried out; the message says what is wrong and where. */
export class InvalidPlanFile extends Error {
  override readonly name = 'InvalidPlanFile'
}

const VERSION = 1

const closed = (properties: Record<string, TSchema>) => Type.Object(properties, { additionalProperties: false })
const oneOf = (...values: readonly string[]) => Type.Unsafe({ type: 'string', enum: values })

const Name = Type.String({ minLength: 1 })
const Count = Type.Integer({ minimum: 0 })

const Request = closed({
  mode: oneOf('safe', 'compat'),
  dryRun: Type.Boolean(),
  limit: Type.Integer({ minimum: 1, maximum: 10_000 }),
  optOutMetadataName: Type.Optional(Name),
  onUnreachable: oneOf('fail', 'skip-writes'),
  onConflict: Type.Unsafe({
    if: { type: 'object' },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: closed({ prefer: Name }),
    else: oneOf('newest', 'fail'),
  }),
  maxDeletes: Type.Unsafe({
    type: 'object',
    if: { required: ['count'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: closed({ count: Count }),
    else: closed({ percent: Type.Number({ minimum: 0, maximum: 100 }), atLeast: Count }),
  }),
  allowEmpty: Type.Array(Name),
})

const SeenRead = Type.Unsafe({
  type: 'object',
  if: { required: ['broken'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: closed({ broken: Type.Literal(true) }),
  else: closed({
    status: Type.Integer({ minimum: 100, maximum: 599 }),
    etag: Type.Optional(Type.String()),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  }),
})

const Token = closed({
  token: Name,
  seen: Type.Unsafe({ type: 'object', additionalProperties: SeenRead }),
  latest: Name,
  steps: Type.Array(
    closed({
      cluster: Name,
      code: Type.String({ pattern: '^(success|error)/[a-z-]+$' }),
      effect: Type.Optional(oneOf('create', 'update', 'softDelete', 'hardDelete')),
    }),
  ),
})

const File = closed({
  version: Type.Literal(VERSION),
  counts: closed({ create: Count, update: Count, softDelete: Count, hardDelete: Count, skip: Count, conflict: Count }),
  request: Request,
  clusters: Type.Array(Name, { minItems: 1 }),
  total: Count,
  tokens: Type.Array(Token),
})

type Written = Omit<PlanFile, 'request'> & {
  readonly counts: Counts
  readonly request: Omit<SyncRequest, 'optOutMetadataName'> & Partial<SyncRequest>
}

/** The text of the file, for people and scripts to read as well: `counts` says what it would write. Ends with a newline. */
export function writePlanFile({ version, ...plan }: PlanFile): string {
  return `${JSON.stringify({ version, counts: countSteps(plan), ...plan }, undefined, 2)}\n`
}

const countSteps = ({ tokens }: Pick<PlanFile, 'tokens'>): Counts => countResults(tokens.flatMap(({ steps }) => steps))

/** Throws InvalidPlanFile; what is wrong is named, what the file says is not repeated. */
export function readPlanFile(text: string): PlanFile {
  const value = parse(text)
  const version = typeof value === 'object' && value !== null && 'version' in value ? value.version : undefined
  if (version !== VERSION) throw new InvalidPlanFile(`no plan of version ${VERSION}: make it again with this release`)
  const ajv = new Ajv({ strict: false })
  if (!ajv.validate<Written>(File, value)) {
    const [error] = ajv.errors ?? []
    const { instancePath = '', message = 'is wrong', params = {} } = error ?? {}
    const more = params['additionalProperty'] ?? params['allowedValues']
    throw new InvalidPlanFile(`${instancePath || '/'} ${message}${more === undefined ? '' : `: ${more}`}`)
  }
  value.tokens.forEach((plan, at) => {
    checkToken(plan, value.tokens[at - 1], value.clusters, `/tokens/${at}`)
  })
  const { counts, ...plan } = value
  if (Object.entries(countSteps(plan)).some(([key, count]) => counts[key as keyof Counts] !== count)) {
    throw new InvalidPlanFile('/counts is not what /tokens adds up to')
  }
  return { ...plan, request: { ...value.request, optOutMetadataName: value.request.optOutMetadataName } }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The message of JSON.parse repeats what it has read.
    throw new InvalidPlanFile('no JSON')
  }
}

function checkToken(
  { token, seen, latest, steps }: SealedPlan,
  before: SealedPlan | undefined,
  clusters: readonly string[],
  at: string,
): void {
  if (before !== undefined && before.token >= token)
    throw new InvalidPlanFile(`${at}/token is not behind the one before`)
  if (Object.keys(seen).length !== clusters.length || clusters.some((cluster) => !Object.hasOwn(seen, cluster))) {
    throw new InvalidPlanFile(`${at}/seen must have every one of /clusters, and nothing else`)
  }
  const named = [latest, ...steps.map(({ cluster }) => cluster)]
  if (named.some((cluster) => !clusters.includes(cluster))) {
    throw new InvalidPlanFile(`${at} names a cluster that is not in /clusters`)
  }
}
