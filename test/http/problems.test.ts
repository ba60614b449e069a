import { describe, expect, it } from 'vitest'
import { PROBLEMS, PROBLEMS_OF_RUNS, type ProblemName } from '../../src/http/problem-kinds.ts'
import { describeProblem, HttpProblem, THROWN_BELOW, toProblem } from '../../src/http/problems.ts'
import { InvalidRunRequest, RunsStopping } from '../../src/runs/contract.ts'
import { DEFECT, ORPHANED, RUN_PROBLEMS } from '../../src/runs/problems.ts'
import { InvalidCursor, StateUnavailable, StateUnusable } from '../../src/state/store.ts'
import * as synced from '../../src/synced/contract.ts'
import { document, findBreaches } from '../openapi/document.ts'

const names = Object.keys(PROBLEMS) as ProblemName[]

describe('the catalogue', () => {
  it.each(names)('makes a body that the document allows: %s', (name) => {
    const problem = new HttpProblem(name, 'x'.repeat(5_000), {
      errors: Array.from({ length: 200 }, () => ({ query: 'a', detail: 'y'.repeat(5_000) })),
    })
    expect(findBreaches('/components/schemas/Problem', describeProblem(problem, '/v1/synced', 'id-1'))).toEqual([])
  })

  it('agrees with every example of the document', () => {
    const examples = Object.values(document.components.examples).map(
      (example) => example['value'] as { readonly type?: string; readonly title: string; readonly status: number },
    )
    const problems = examples.filter((value) => value.type?.startsWith('/problems/'))
    expect(problems.length).toBeGreaterThan(10)
    for (const { type, title, status } of problems)
      expect(PROBLEMS).toHaveProperty(
        [String(type).replace('/problems/', '')],
        expect.objectContaining({ title, status }),
      )
  })

  it.each(Object.entries(PROBLEMS_OF_RUNS))('has words that a run can show: %s', (name, { title }) => {
    expect(
      findBreaches('/components/schemas/RunProblem', { type: `/problems/${name}`, title, detail: 'what happened' }),
    ).toEqual([])
    expect(PROBLEMS).not.toHaveProperty([name])
  })

  it.each([...new Set(RUN_PROBLEMS.values()), ORPHANED.kind, String(DEFECT.problem?.kind)])(
    'knows what can become of a run: %s',
    (kind) => expect(Object.keys({ ...PROBLEMS, ...PROBLEMS_OF_RUNS })).toContain(kind),
  )

  it('knows every error of the gateway by the name of its class', () => {
    const classes = Object.values(synced).filter((value) => typeof value === 'function')
    expect([...THROWN_BELOW.keys()]).toEqual(expect.arrayContaining(classes.map((one) => new one('x').name)))
  })
})

describe('an error', () => {
  it.each([
    [new Error('x'), 'internal-error'],
    [undefined, 'internal-error'],
    ['text', 'internal-error'],
    [Object.assign(new Error('x'), { statusCode: 418 }), 'internal-error'],
    [Object.assign(new Error('x'), { code: 'ENOENT', statusCode: 404 }), 'internal-error'],
    [Object.assign(new Error('x'), { code: 'FST_ERR_REP_INVALID_PAYLOAD_TYPE', statusCode: 500 }), 'internal-error'],
    [Object.assign(new Error('x'), { code: 'FST_ERR_CTP_INVALID_CONTENT_LENGTH', statusCode: 400 }), 'bad-request'],
    [Object.assign(new Error('x'), { code: 'FST_ERR_MAX_PARAM_LENGTH', statusCode: 414 }), 'bad-request'],
    [Object.assign(new Error('x'), { code: 'FST_ERR_NOT_FOUND', statusCode: 404 }), 'not-found'],
    [new synced.TooManyChecks('x'), 'too-many-checks'],
    [new InvalidRunRequest('/clusters', 'are too few'), 'bad-request'],
    [new InvalidRunRequest('/plan', 'is none'), 'unusable-plan'],
    [new InvalidCursor('x'), 'bad-request'],
    [new RunsStopping('x'), 'stopping'],
    [new StateUnavailable('x'), 'state-unavailable'],
    [new StateUnusable('is damaged'), 'state-unavailable'],
  ])('%s is answered as %s', (error, kind) => expect(toProblem(error).kind).toBe(kind))

  it('of the framework is told in words of ours', () => {
    const error = Object.assign(new Error('secret'), { code: 'FST_ERR_BAD_URL', statusCode: 400 })
    expect(toProblem(error).message).not.toContain('secret')
  })
})
