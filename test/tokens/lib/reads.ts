// Short ways to say in a test what clusters hold of a token, and what came of it.
import type { ClusterUrl, Description, PlanPolicy, Step, TokenPlan, TokenRead } from '../../../src/tokens/contract.ts'
import { fromPlain, isObject, type PlainJson, parseJson } from '../../../src/tokens/json.ts'
import { planToken } from '../../../src/tokens/plan.ts'

/** A description with a root, a time and a user, unless `fields` say otherwise; what is undefined in them is left out. */
export function token(fields: { readonly [key: string]: PlainJson | undefined } = {}): Description {
  const all = { cmd: 'run', root: 'r1', 'last-update-time': 1_000, 'last-update-user': 'ann', ...fields }
  return described(all)
}

/** A description with these fields and no others. */
export function described(fields: { readonly [key: string]: PlainJson | undefined }): Description {
  const value = fromPlain(fields)
  return isObject(value) ? value : new Map()
}

/** A description as a text has it, with every digit and in its order. */
export function parsed(text: string): Description {
  const value = parseJson(text)
  return isObject(value) ? value : new Map()
}

/** What an edit of `before` makes of it: a token with these fields, and `before` as its history. */
export function editOf(before: Description, fields: { readonly [key: string]: PlainJson | undefined }): Description {
  return token({ ...fields, previous: before })
}

export const held = (description: Description, etag?: string): TokenRead => ({
  kind: 'answered',
  status: 200,
  description,
  ...(etag !== undefined && { etag }),
})
export const answered = (status: number): TokenRead => ({ kind: 'answered', status, description: new Map() })
export const missing = answered(404)
export const broken: TokenRead = { kind: 'broken', message: 'connection reset' }

export const COMPAT: PlanPolicy = { mode: 'compat', optOutMetadataName: undefined, onConflict: 'newest' }
export const SAFE: PlanPolicy = { mode: 'safe', optOutMetadataName: undefined, onConflict: 'newest' }

/** The plan of the token `t`; clusters are called a, b, c … and given from the last to the first. */
export function plan(policy: PlanPolicy, ...reads: readonly TokenRead[]): TokenPlan {
  const names = 'abcdefgh'
  const entries = reads.map((read, at): [ClusterUrl, TokenRead] => [names[at] ?? '', read])
  return planToken('t', new Map(entries.reverse()), policy)
}

/** The latest cluster and each step: its code, and `= EFFECT [IF-MATCH]` where something is written. */
export function tell({ latest, steps }: TokenPlan): Readonly<Record<string, string>> {
  return { latest: latest.cluster, ...Object.fromEntries(steps.map((step) => [step.cluster, tellStep(step)])) }
}

function tellStep(step: Step): string {
  if (step.do === 'nothing') return step.code
  return `${step.code} = ${step.effect}${step.ifMatch === undefined ? '' : ` ${step.ifMatch}`}`
}
