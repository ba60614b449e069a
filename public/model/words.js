// Pure: the words of the API as people read them, each with its tone. What a newer service says and this page does not know is shown as
// it came.
/** @import { Replica, RunOutline, TokenStatus, Tone, Word } from '../types.ts' */

/** @type {Readonly<Record<string, string>>} */
const REASONS = {
  pending: 'was asked and has not answered yet',
  silent: 'does not answer in time',
  refused: 'refuses connections',
  reset: 'broke the connection',
  tls: 'has a certificate that does not verify',
  garbage: 'answers something that is not HTTP',
  redirect: 'redirects, which is not followed',
  throttled: 'answers 429, too many requests',
  'server-error': 'answers with a server error',
  'unexpected-status': 'answers neither 200 nor 401',
  'not-asked': 'could not be asked in time',
}

/**
 * Why nothing is known of a token at a replica, or why a replica is down.
 * @param {string | undefined} reason
 */
export const describeReason = (reason) => (reason === undefined ? '' : (REASONS[reason] ?? reason))

/**
 * @param {Pick<Replica, 'state' | 'terminating'>} replica
 * @returns {Word}
 */
export function describeReplica({ state, terminating }) {
  if (state === 'down') return { word: terminating ? 'down, leaving' : 'down', tone: terminating ? 'warn' : 'bad' }
  if (state === 'up') return { word: terminating ? 'up, leaving' : 'up', tone: terminating ? 'warn' : 'good' }
  return { word: state === 'unknown' ? 'not asked yet' : state, tone: 'idle' }
}

/** In the order in which they are told. The spelling is that of the service. */
export const VERDICTS = /** @type {const} */ (['Synced', 'Partialy', 'NotSynced', 'Timeout'])

/** @type {Readonly<Record<TokenStatus, Word & { means: string }>>} */
const VERDICT_WORDS = {
  Synced: { word: 'Synced', tone: 'good', means: 'every replica that was asked has it as expected' },
  Partialy: { word: 'Partialy', tone: 'warn', means: 'more than half of the replicas have it as expected' },
  NotSynced: { word: 'NotSynced', tone: 'bad', means: 'half of the replicas or fewer have it as expected' },
  Timeout: { word: 'Timeout', tone: 'bad', means: 'for some replica it could not be found out in time' },
}

/** @param {TokenStatus} status */
export const describeVerdict = (status) =>
  VERDICT_WORDS[status] ?? { word: status, tone: /** @type {Tone} */ ('idle'), means: '' }

/** @type {Readonly<Record<string, Tone>>} */
const RUN_TONES = {
  queued: 'busy',
  running: 'busy',
  succeeded: 'good',
  failed: 'bad',
  cancelled: 'idle',
  interrupted: 'warn',
}

export const RUN_STATES = /** @type {const} */ ([
  'queued',
  'running',
  'succeeded',
  'failed',
  'cancelled',
  'interrupted',
])

/**
 * @param {Pick<RunOutline, 'state'> & { cancelRequested?: boolean }} run
 * @returns {Word}
 */
export const describeRunState = ({ state, cancelRequested }) => ({
  word: cancelRequested === true && !isEnded({ state }) ? `${state}, asked to end` : state,
  tone: RUN_TONES[state] ?? 'idle',
})

/** @param {Pick<RunOutline, 'state'>} run */
export const isEnded = ({ state }) => state !== 'queued' && state !== 'running'

/** @type {Readonly<Record<string, string>>} */
const TRIGGERS = { api: 'a call', schedule: 'the schedule', cli: 'the command line' }

/** @param {string} trigger */
export const describeTrigger = (trigger) => TRIGGERS[trigger] ?? trigger

/** What a run is of, in a few words. @param {{ kind: string, dryRun: boolean, request?: unknown }} run */
export function describeKind({ kind, dryRun, request }) {
  const { operation, pair, plan } = /** @type {Record<string, string | undefined>} */ (request ?? {})
  const what =
    kind === 'tokens'
      ? plan === undefined
        ? 'token sync'
        : 'token plan'
      : kind === 'db'
        ? `database ${operation ?? 'run'}${pair === undefined ? '' : ` of ${pair}`}`
        : kind
  return dryRun ? `${what}, dry run` : what
}

/** @type {Readonly<Record<string, string>>} */
const DIFFERENCES = {
  leftNewer: 'newer on the left',
  rightNewer: 'newer on the right',
  onlyLeft: 'only on the left',
  onlyRight: 'only on the right',
  differs: 'same version, other values',
}

/** @param {string} kind */
export const describeDifference = (kind) => DIFFERENCES[kind] ?? kind
