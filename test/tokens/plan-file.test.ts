import { describe, expect, test } from 'vitest'
import type { PlanFile } from '../../src/tokens/contract.ts'
import { planToken } from '../../src/tokens/plan.ts'
import { InvalidPlanFile, readPlanFile, writePlanFile } from '../../src/tokens/plan-file.ts'
import { sealPlan } from '../../src/tokens/seal.ts'
import { broken, held, missing, SAFE, token } from './lib/reads.ts'

const sealed = (name: string) => {
  const reads = new Map([
    ['http://a', held(token(), 'E1')],
    ['http://b', name === 't2' ? broken : missing],
  ])
  return sealPlan(planToken(name, reads, SAFE), reads)
}
const file: PlanFile = {
  version: 1,
  request: {
    mode: 'safe',
    dryRun: true,
    limit: 1_000,
    optOutMetadataName: undefined,
    onUnreachable: 'fail',
    onConflict: { prefer: 'http://a' },
    maxDeletes: { percent: 20, atLeast: 5 },
    allowEmpty: [],
  },
  clusters: ['http://a', 'http://b'],
  total: 2,
  tokens: [sealed('t1'), sealed('t2')],
}

/** The file with one place changed; undefined leaves it out. */
function changed(path: readonly (string | number)[], value: unknown): string {
  const copy = JSON.parse(writePlanFile(file))
  const last = path.at(-1) ?? ''
  const parent = path.slice(0, -1).reduce((node, key) => node[key], copy)
  if (value === undefined) delete parent[last]
  else parent[last] = value
  return JSON.stringify(copy)
}

describe('a plan in a file', () => {
  test('is read as it was written', () => {
    expect(readPlanFile(writePlanFile(file))).toStrictEqual(file)
  })

  test('says first what it would write', () => {
    expect(JSON.parse(writePlanFile(file)).counts).toEqual({
      ...{ create: 1, update: 0, softDelete: 0, hardDelete: 0, skip: 0, conflict: 0 },
    })
  })

  test.each([
    { ...file.request, optOutMetadataName: 'no-sync', onConflict: 'fail', maxDeletes: { count: 3 } } as const,
    {
      ...file.request,
      mode: 'compat',
      onConflict: 'newest',
      allowEmpty: ['http://a'],
      onUnreachable: 'skip-writes',
    } as const,
  ])('is read with every kind of request', (request) => {
    expect(readPlanFile(writePlanFile({ ...file, request }))).toStrictEqual({ ...file, request })
  })

  const cases: [string, string, string][] = [
    ['no JSON', '{"version":1,"secret"', 'no JSON'],
    ['no object', '[]', 'no plan of version 1'],
    ['another version', changed(['version'], 2), 'no plan of version 1'],
    ['no request', changed(['request'], undefined), "/ must have required property 'request'"],
    [
      'an unknown mode',
      changed(['request', 'mode'], 'fast'),
      '/request/mode must be equal to one of the allowed values: safe,compat',
    ],
    ['an unknown field', changed(['request', 'force'], true), '/request must NOT have additional properties: force'],
    [
      'an unknown policy',
      changed(['request', 'onConflict'], 'oldest'),
      '/request/onConflict must be equal to one of the allowed values: newest,fail',
    ],
    [
      'nobody to prefer',
      changed(['request', 'onConflict'], {}),
      "/request/onConflict must have required property 'prefer'",
    ],
    [
      'too many percent',
      changed(['request', 'maxDeletes'], { percent: 101, atLeast: 5 }),
      '/request/maxDeletes/percent must be <= 100',
    ],
    ['a limit of nothing', changed(['request', 'limit'], 0), '/request/limit must be >= 1'],
    ['no clusters', changed(['clusters'], []), '/clusters must NOT have fewer than 1 items'],
    [
      'a step that does what nobody does',
      changed(['tokens', 0, 'steps', 0, 'effect'], 'drop'),
      '/tokens/0/steps/0/effect must be equal',
    ],
    [
      'a hash that is none',
      changed(['tokens', 1, 'seen', 'http://a', 'sha256'], 'abc'),
      '/tokens/1/seen/http:~1~1a/sha256 must match pattern',
    ],
    ['a token twice', changed(['tokens', 1, 'token'], 't1'), '/tokens/1/token is not behind the one before'],
    [
      'a cluster that was not looked at',
      changed(['tokens', 0, 'seen', 'http://b'], undefined),
      '/tokens/0/seen must have every one of /clusters',
    ],
    [
      'a cluster that is none of the plan',
      changed(['tokens', 0, 'seen', 'http://c'], { broken: true }),
      '/tokens/0/seen must have every one of /clusters, and nothing else',
    ],
    [
      'a step elsewhere',
      changed(['tokens', 0, 'steps', 0, 'cluster'], 'http://c'),
      '/tokens/0 names a cluster that is not in /clusters',
    ],
    [
      'the latest elsewhere',
      changed(['tokens', 0, 'latest'], 'http://c'),
      '/tokens/0 names a cluster that is not in /clusters',
    ],
  ]
  test.each(cases)('is refused with %s', (_name, text, message) => {
    expect(() => readPlanFile(text)).toThrow(InvalidPlanFile)
    expect(() => readPlanFile(text)).toThrow(message)
    expect(() => readPlanFile(text)).toThrow(/^(?!.*secret)/)
  })
})
