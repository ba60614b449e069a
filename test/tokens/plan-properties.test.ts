import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Description, OnConflict, PlanPolicy, TokenPlan, TokenRead } from '../../src/tokens/contract.ts'
import { isDeleted } from '../../src/tokens/description.ts'
import { equalJson } from '../../src/tokens/json.ts'
import { planToken } from '../../src/tokens/plan.ts'
import { createModelCluster } from './lib/model-cluster.ts'
import { answered, broken, COMPAT, described, held, missing, SAFE } from './lib/reads.ts'

const NAMES = ['a', 'b', 'c', 'd']

/** Few values of everything, so that versions meet again in the histories of others. */
const anyVersion = fc.record({
  cmd: fc.constantFrom('x', 'y'),
  cluster: fc.option(fc.constantFrom('a', 'b'), { nil: undefined, freq: 3 }),
  root: fc.option(fc.constantFrom('a', 'b'), { nil: undefined, freq: 5 }),
  'last-update-user': fc.constantFrom('ann', 'bob'),
  'last-update-time': fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined, freq: 8 }),
  deleted: fc.option(fc.constantFrom(true, false), { nil: undefined, freq: 2 }),
  metadata: fc.option(fc.constant({ 'no-sync': 'true' }), { nil: undefined, freq: 1 }),
})
const anyDescription: fc.Arbitrary<Description> = fc
  .tuple(anyVersion, fc.array(anyVersion, { maxLength: 4 }), fc.boolean())
  .map(([version, history, endsEmpty]) =>
    [...history, version].reduce<Description>(
      (previous, fields) => described({ ...fields, ...((previous.size > 0 || endsEmpty) && { previous }) }),
      described({}),
    ),
  )
const anyHolding = fc.array(fc.option(anyDescription, { nil: undefined, freq: 4 }), { minLength: 2, maxLength: 4 })
/** Copies of one another and their edits: what clusters look like that have been kept in step. */
const anyRelated = fc
  .tuple(
    fc.array(anyVersion, { minLength: 2, maxLength: 6 }),
    fc.array(fc.nat({ max: 6 }), { minLength: 2, maxLength: 4 }),
  )
  .map(([edits, at]) => {
    const line: (Description | undefined)[] = [undefined]
    for (const fields of edits) line.push(described({ ...fields, previous: line.at(-1) ?? {} }))
    return at.map((index) => line[index % line.length])
  })
const anyState = fc.oneof(anyHolding, anyRelated)

/** A token that people edited on several clusters, each knowing of one version before; and the edit that each cluster holds. */
const anyEdits = fc
  .tuple(
    fc.array(
      fc.record({ of: fc.nat(), ms: fc.integer({ min: 1, max: 9 }), deleted: fc.constantFrom(undefined, true) }),
      {
        minLength: 1,
        maxLength: 5,
      },
    ),
    fc.array(fc.nat(), { minLength: 2, maxLength: 4 }),
  )
  .map(([drafts, at]) => {
    const edits: { readonly of: number; readonly description: Description }[] = []
    for (const [index, { of, ms, deleted }] of drafts.entries()) {
      const parent = index === 0 ? 0 : of % index
      const fields = { cmd: `v${index}`, root: 'a', 'last-update-time': ms, deleted }
      edits.push({ of: parent, description: described({ ...fields, previous: edits[parent]?.description ?? {} }) })
    }
    return { edits, at: at.map((edit) => edit % edits.length) }
  })

const anyRead: fc.Arbitrary<TokenRead> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.tuple(anyDescription, fc.constantFrom('E1', 'E2', undefined)).map(([d, etag]) => held(d, etag)),
  },
  { weight: 2, arbitrary: fc.constant(missing) },
  { weight: 1, arbitrary: fc.constantFrom(broken, answered(503), answered(403), answered(200)) },
)
const anyReads = fc
  .array(anyRead, { minLength: 2, maxLength: 4 })
  .map((reads) => new Map(reads.map((read, at): [string, TokenRead] => [NAMES[at] ?? '', read])))
const anyConflict = fc.constantFrom<OnConflict>('newest', 'fail', { prefer: 'a' }, { prefer: 'c' })
const anySafe: fc.Arbitrary<PlanPolicy> = fc.record({
  mode: fc.constant('safe'),
  optOutMetadataName: fc.constantFrom(undefined, 'no-sync'),
  onConflict: anyConflict,
})
const runs = { numRuns: 2_000 }

const writesOf = ({ steps }: TokenPlan) => steps.filter((step) => step.do !== 'nothing')
const isKnown = (read: TokenRead) =>
  read.kind === 'answered' && (read.status === 404 || (read.status === 200 && read.description.size > 0))
const isLive = (read: TokenRead) =>
  read.kind === 'answered' && read.description.size > 0 && !isDeleted(read.description)
const descriptionOf = (read: TokenRead | undefined): Description =>
  read?.kind === 'answered' ? read.description : new Map()
/** Plans and carries out until a plan writes nothing; how many plans wrote. A write that is refused is a failure. */
function settle(state: readonly (Description | undefined)[], policy: PlanPolicy, limit: number) {
  const clusters = state.map((description, at) => {
    const name = NAMES[at] ?? ''
    return { name, model: createModelCluster(name, description) }
  })
  const look = () => new Map(clusters.map(({ name, model }) => [name, model.read()]))
  let nowMs = 10
  for (let rounds = 0; ; rounds++) {
    const reads = look()
    const plan = planToken('t', reads, policy)
    if (writesOf(plan).length === 0) return { rounds, plan, reads }
    if (rounds === limit) return { rounds: Number.POSITIVE_INFINITY, plan, reads }
    for (const step of plan.steps) {
      const cluster = clusters.find(({ name }) => name === step.cluster)
      expect(cluster?.model.carryOut(step, nowMs++)).toBe(200)
    }
  }
}

describe('a safe plan', () => {
  test('that is carried out leaves nothing to write, after five rounds at most; no write of it is refused', () => {
    fc.assert(
      fc.property(anyState, anySafe, (state, policy) => {
        expect(settle(state, policy, 5).rounds).toBeLessThanOrEqual(5)
      }),
      { numRuns: 5_000 },
    )
  })

  test('that is carried out leaves nothing to write after two rounds, nearly always', () => {
    const rounds = fc.sample(anyState, { numRuns: 1_000, seed: 1 }).map((state) => settle(state, SAFE, 5).rounds)
    expect(rounds.filter((count) => count <= 2).length).toBeGreaterThan(950)
  })

  test('that finds nothing to complain of at the end has made all clusters the same', () => {
    fc.assert(
      fc.property(anyState, (state) => {
        const { plan, reads } = settle(state, SAFE, 5)
        fc.pre(plan.steps.every(({ code }) => code.startsWith('success/')))
        const copies = [...reads.values()].map(descriptionOf)
        expect(copies.every((copy) => equalJson(copy, copies[0] ?? null))).toBe(true)
      }),
      runs,
    )
  })

  test('writes nothing unless every cluster has said what it holds, and then says which has not', () => {
    fc.assert(
      fc.property(anyReads, anySafe, (reads, policy) => {
        const plan = planToken('t', reads, policy)
        const unknown = [...reads].filter(([, read]) => !isKnown(read)).map(([cluster]) => cluster)
        if (unknown.length > 0) expect(writesOf(plan)).toEqual([])
        for (const cluster of unknown) {
          expect(plan.steps.find((step) => step.cluster === cluster)?.code).toBe('error/token-read')
        }
      }),
      runs,
    )
  })

  test('hard-deletes nothing while a copy lives, and every tombstone by its own version', () => {
    fc.assert(
      fc.property(anyReads, anySafe, (reads, policy) => {
        const deletes = writesOf(planToken('t', reads, policy)).filter((step) => step.do === 'hardDelete')
        if (deletes.length > 0) expect([...reads.values()].filter(isLive)).toEqual([])
        for (const { cluster, ifMatch } of deletes) {
          const read = reads.get(cluster)
          expect(ifMatch).toBe(read?.kind === 'answered' ? read.etag : 'no such read')
        }
      }),
      runs,
    )
  })

  test('overwrites no version by one that it came out of, whatever the clocks say', () => {
    fc.assert(
      fc.property(anyEdits, anySafe, ({ edits, at }, policy) => {
        const reads = new Map(
          at.map((edit, index) => [NAMES[index] ?? '', held(edits[edit]?.description ?? described({}), 'E')]),
        )
        const comesOutOf = (younger: number, elder: number): boolean =>
          younger > elder && ((edits[younger]?.of ?? 0) === elder || comesOutOf(edits[younger]?.of ?? 0, elder))
        const { latest } = planToken('t', reads, policy)
        const latestEdit = at[NAMES.indexOf(latest.cluster)] ?? 0
        expect(at.filter((edit) => comesOutOf(edit, latestEdit))).toEqual([])
      }),
      runs,
    )
  })

  test('deletes a live copy only where the latest version is deleted', () => {
    fc.assert(
      fc.property(anyReads, anySafe, (reads, policy) => {
        const plan = planToken('t', reads, policy)
        const isSoft = writesOf(plan).some(({ effect }) => effect === 'softDelete')
        if (isSoft) expect(isDeleted(descriptionOf(reads.get(plan.latest.cluster)))).toBe(true)
      }),
      runs,
    )
  })
})

describe('the plan of either mode', () => {
  const anyPolicy = fc.oneof(anySafe, fc.constant(COMPAT), fc.constant({ ...COMPAT, optOutMetadataName: 'no-sync' }))

  test('does not depend on the order in which clusters are given, and has its steps in theirs', () => {
    fc.assert(
      fc.property(anyReads, anyPolicy, (reads, policy) => {
        const plan = planToken('t', reads, policy)
        expect(planToken('t', new Map([...reads].reverse()), policy)).toEqual(plan)
        const clusters = plan.steps.map(({ cluster }) => cluster)
        expect(clusters).toEqual([...new Set(clusters)].sort())
      }),
      runs,
    )
  })

  test('depends on the names of clusters only where times tie', () => {
    const newName = (name: string) => NAMES[NAMES.length - 1 - NAMES.indexOf(name)] ?? ''
    fc.assert(
      fc.property(
        anyReads,
        fc.constantFrom(SAFE, COMPAT, { ...SAFE, onConflict: 'fail' } as const),
        (reads, policy) => {
          const present = [...reads.values()].map(descriptionOf).filter(({ size }) => size > 0)
          const times = present.map((copy) => String(copy.get('last-update-time') ?? 0))
          fc.pre(present.length > 0 && new Set(times).size === times.length && !times.includes('0'))
          const renamed = new Map([...reads].map(([name, read]) => [newName(name), read]))
          const before = planToken('t', reads, policy)
          const after = planToken('t', renamed, policy)
          expect(after.latest.cluster).toBe(newName(before.latest.cluster))
          const tell = ({ cluster, code }: { cluster: string; code: string }) => [cluster, code]
          const moved = before.steps.map((step) => tell({ ...step, cluster: newName(step.cluster) }))
          expect(after.steps.map(tell)).toEqual(moved.sort())
        },
      ),
      runs,
    )
  })

  test('has one step a cluster: all but the latest, and that one where something happens to it', () => {
    fc.assert(
      fc.property(anyReads, anyPolicy, (reads, policy) => {
        const { latest, steps } = planToken('t', reads, policy)
        const others = [...reads.keys()].filter((cluster) => cluster !== latest.cluster)
        const decided = steps.map(({ cluster }) => cluster)
        expect(decided).toEqual(expect.arrayContaining(others))
        expect(decided.length - others.length).toBeLessThanOrEqual(1)
      }),
      runs,
    )
  })
})

test('the original breaks these rules, so they can be broken', () => {
  const someBreak = (rule: (reads: ReadonlyMap<string, TokenRead>, plan: TokenPlan) => boolean) =>
    fc.check(
      fc.property(anyReads, (reads) => rule(reads, planToken('t', reads, COMPAT))),
      { ...runs, seed: 1 },
    ).failed
  const writesUnknowing = (reads: ReadonlyMap<string, TokenRead>, plan: TokenPlan) =>
    [...reads.values()].every(isKnown) || writesOf(plan).length === 0
  const deletesUnknowing = (reads: ReadonlyMap<string, TokenRead>, plan: TokenPlan) =>
    [...reads.values()].every(isKnown) || !plan.steps.some((step) => step.do === 'hardDelete')
  expect([someBreak(writesUnknowing), someBreak(deletesUnknowing)]).toEqual([true, true])
})
