// Runs as they appear in answers: moments become ISO 8601, JSON that was kept as text is shown as it was written.
import type { components } from '../../generated/openapi.ts'
import type { RunProblem, Runs, Started } from '../runs/contract.ts'
import type { RunItem, RunRecord } from '../state/store.ts'
import type { Answer, Call } from './contract.ts'
import { PROBLEMS, PROBLEMS_OF_RUNS } from './problem-kinds.ts'
import { hrefOfRun, idempotencyKeyReused, MAX_DETAIL, notFound, runOverlaps } from './problems.ts'

type Schemas = components['schemas']

/** Seconds after which to ask for a run again. */
export const POLL_SECONDS = 1
/** What is no such id is no run, and the state need not be asked. */
const RUN_ID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/

/** Throws `not-found` when the run is not there. */
export async function findRun(runs: Runs, id: string): Promise<RunRecord> {
  return (RUN_ID.test(id) ? await runs.get(id) : undefined) ?? Promise.reject(noSuchRun())
}

export const noSuchRun = () => notFound('There is no run with this id, or none any more.')

/**
 * The answer to what starts a run: 200 when it has ended within `waitSeconds`, else 202.
 * Throws `run-overlaps` and `idempotency-key-reused` where none was started.
 */
export async function answerStarted(
  started: Started,
  waitSeconds: number | undefined,
  runs: Runs,
  call: Call,
): Promise<Answer<'syncTokens' | 'syncDb' | 'verifyDb'>> {
  if (started.outcome === 'overlaps') throw runOverlaps(started.run)
  if (started.outcome === 'keyReused') throw idempotencyKeyReused(started.run)
  const location = { Location: hrefOfRun(started.run.id) }
  if (waitSeconds === undefined) {
    return { status: 202, headers: { ...location, 'Retry-After': POLL_SECONDS }, ...writeRun(started.run) }
  }
  const run = (await runs.wait(started.run.id, waitSeconds * 1000, call.untilOver())) ?? started.run
  const headers = { ...location, 'Preference-Applied': `wait=${waitSeconds}` }
  if (run.endedAt !== null) return { status: 200, headers, ...writeRun(run) }
  return { status: 202, headers: { ...headers, 'Retry-After': POLL_SECONDS }, ...writeRun(run) }
}

/** JSON as text: what an older version has stored is shown as it is, whatever this one's document says of it. */
export const writeRun = (run: RunRecord) => ({
  type: 'application/json' as const,
  body: JSON.stringify(describeRun(run)),
})

export function describeRun(run: RunRecord): Schemas['Run'] {
  const { request, progress, summary, problem, cancelRequested, locks, takesUp } = run
  const { createdAt, startedAt, endedAt, ...head } = outlineRun(run)
  return {
    ...head,
    request: JSON.parse(request),
    progress: parse(progress),
    summary: parse(summary),
    ...(problem !== null && { problem: describeRunProblem(JSON.parse(problem)) }),
    ...(cancelRequested && endedAt === null && { cancelRequested }),
    ...(locks.length > 0 && { locks }),
    ...(takesUp !== null && { takesUp }),
    createdAt,
    startedAt,
    endedAt,
  }
}

/** As much of a run as a list of other things has room for. */
export function outlineRun(run: RunRecord): Schemas['RunOutline'] {
  const { id, kind, state, trigger, dryRun, createdAt, startedAt, endedAt } = run
  return {
    id,
    kind,
    state,
    trigger,
    dryRun,
    createdAt: new Date(createdAt).toISOString(),
    startedAt: toIso(startedAt),
    endedAt: toIso(endedAt),
  }
}

/** Items are JSON already, with the digits that numbers came with. */
export const writeItems = (items: readonly RunItem[]) => `[${items.map((item) => item.body).join(',')}]`

export const toIso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())

/** Its title is that of the catalogue; an unknown kind, of another version perhaps, has its own name for one. */
function describeRunProblem({ kind, detail }: RunProblem): Schemas['RunProblem'] {
  const known = Object.hasOwn(PROBLEMS_OF_RUNS, kind) ? PROBLEMS_OF_RUNS : PROBLEMS
  const { title } = (known as Readonly<Record<string, { readonly title: string } | undefined>>)[kind] ?? { title: kind }
  return { type: `/problems/${kind}`, title, detail: detail.slice(0, MAX_DETAIL) || title }
}

const parse = (json: string | null) => (json === null ? null : JSON.parse(json))
