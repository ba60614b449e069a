// The catalogue of problems: what each is called and what it means (docs/problems.md is made from this). Pure data: how an
// error becomes one of these is in problems.ts.

export interface ProblemKind {
  readonly status: number
  readonly title: string
  /** When it happens and what helps, for the page about problems. */
  readonly meaning: string
}

/** What requests are answered with, by the last part of their `type`. Neither a name nor a status changes once it is released. */
export const PROBLEMS = {
  'bad-request': {
    status: 400,
    title: 'Bad request',
    meaning:
      'A header, a query parameter, the body or the path is missing or malformed; `errors` names each. A query parameter or a field that the operation does not have is refused too, and so is a name that is not in the configuration. Asking again does not help.',
  },
  unauthorized: {
    status: 401,
    title: 'Unauthorized',
    meaning: 'The credentials are missing, malformed, unknown or expired. Send `Authorization: Bearer TOKEN`.',
  },
  forbidden: {
    status: 403,
    title: 'Forbidden',
    meaning: 'The caller is known and has not the scope that the operation needs. `WWW-Authenticate` names the scope.',
  },
  'not-found': {
    status: 404,
    title: 'Not found',
    meaning:
      'The service has nothing at this path; a run, for instance, is forgotten when the history has no room for it.',
  },
  'not-configured': {
    status: 404,
    title: 'Not configured',
    meaning: 'The operation belongs to a capability that has no section in the configuration of this service.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'Method not allowed',
    meaning:
      'The path exists and has no such method. `Allow` names those it has. HEAD and OPTIONS are methods like others.',
  },
  'request-timeout': {
    status: 408,
    title: 'Request time-out',
    meaning: 'The request came too slowly. The connection is closed.',
  },
  'run-overlaps': {
    status: 409,
    title: 'Run overlaps',
    meaning:
      'A run of the same kind is under way on one of the same clusters or pairs. `run` and `Location` say which: wait for its end, or cancel it.',
  },
  'payload-too-large': { status: 413, title: 'Payload too large', meaning: 'The body has more than 64 KiB.' },
  'unsupported-media-type': {
    status: 415,
    title: 'Unsupported media type',
    meaning: 'Bodies are read as `application/json` only.',
  },
  'expectation-failed': {
    status: 417,
    title: 'Expectation failed',
    meaning: 'Of the header `Expect` only `100-continue` is understood.',
  },
  'unknown-origin': {
    status: 422,
    title: 'Unknown origin',
    meaning:
      '`X-Nginx-Origin` is the name or address of no replica, not after the list was read again either. Compare it with `GET /v1/replicas`.',
  },
  'unknown-replica': {
    status: 422,
    title: 'Unknown replica',
    meaning: '`replica` limits the check to something that is not a replica, or to the origin, which is never asked.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'Idempotency key reused',
    meaning:
      'The `Idempotency-Key` came with another request before, and made the run that `run` names. Make up a new key for each request.',
  },
  'unusable-plan': {
    status: 422,
    title: 'Unusable plan',
    meaning:
      '`plan` is not the id of a dry run whose plan can be carried out: there is no such run (any more), it was no dry run, it has not ended well, or its clusters are others. Make a new dry run.',
  },
  'headers-too-large': {
    status: 431,
    title: 'Headers too large',
    meaning: 'The headers have more than 32 KiB together. The connection is closed.',
  },
  'internal-error': {
    status: 500,
    title: 'Internal error',
    meaning: 'A defect of the service. Its log has the reason under the `requestId`; please report it.',
  },
  'no-replicas': {
    status: 503,
    title: 'No replicas',
    meaning:
      'No replica of the gateway is known, or not yet, so that no verdict is possible. Try again after `Retry-After` seconds.',
  },
  'too-many-checks': {
    status: 503,
    title: 'Too many checks',
    meaning:
      'As many checks are in flight as `gateway.maxConcurrentChecks` allows. Try again after `Retry-After` seconds.',
  },
  'auth-unavailable': {
    status: 503,
    title: 'Authentication unavailable',
    meaning:
      'The issuer or the API server that knows the credentials cannot be asked. Try again after `Retry-After` seconds.',
  },
  stopping: {
    status: 503,
    title: 'Stopping',
    meaning:
      'The service is about to end and starts no run any more. Ask another replica, or again after `Retry-After` seconds.',
  },
  'state-unavailable': {
    status: 503,
    title: 'State unavailable',
    meaning:
      'The database in which the service keeps its runs cannot be reached. Try again after `Retry-After` seconds.',
  },
  'not-ready': {
    status: 503,
    title: 'Not ready',
    meaning:
      'A check of `/readyz` fails, or the service is stopping; `checks` names it. Send requests elsewhere meanwhile.',
  },
} as const satisfies Readonly<Record<string, ProblemKind>>

export type ProblemName = keyof typeof PROBLEMS

/** What the field `problem` of a run may be besides some of the above, by the last part of its `type`. The run is then not `succeeded`. */
export const PROBLEMS_OF_RUNS = {
  'cluster-unreachable': {
    title: 'Cluster unreachable',
    meaning:
      'A cluster did not give the list of its tokens, so that the run could not know what it holds; nothing was written. `onUnreachable: skip-writes` lets such a run go on with the clusters that answer.',
  },
  'too-many-deletes': {
    title: 'Too many deletes',
    meaning:
      'The plan deletes more tokens than `maxDeletes` allows; nothing was written. Look at a dry run, and allow more if that is what you want.',
  },
  'empty-list': {
    title: 'Empty list',
    meaning:
      'A cluster that had tokens at the last run lists none; nothing was written. Name it in `allowEmpty` if it is meant to be empty.',
  },
  'plan-outdated': {
    title: 'Plan outdated',
    meaning:
      'Something has changed since the dry run whose plan this run was to carry out; what has changed was left as it is. Make a new dry run.',
  },
  'store-failed': {
    title: 'Store failed',
    meaning:
      'One of the two stores of the pair could not be used, or not any more: a wrong address or credentials, or it was away for longer than `retryForMs`. What was written until then stays; the next run goes on where this one stopped.',
  },
  'workers-failed': {
    title: 'Workers failed',
    meaning:
      'The Job of Kubernetes whose workers carry the rows has failed, was deleted, or could not be made; `detail` says why. What the workers have told stays done; the next run goes on where this one stopped.',
  },
  'table-refused': {
    title: 'Table refused',
    meaning:
      'A table cannot be synced, and `detail` says which and why: it has no `id` or `tmstmp`, or a counter, or it is unknown; nothing was written. Change the table, or leave it out of `tables`.',
  },
  'not-possible': {
    title: 'Not possible',
    meaning:
      'The run was asked for something that cannot be done with what the stores hold and what is kept of earlier runs, such as a window that ends before it begins; nothing was written.',
  },
  'no-such-pair': {
    title: 'No such pair',
    meaning: 'The pair is not in the configuration any more.',
  },
  locked: {
    title: 'Locked',
    meaning:
      'Somebody else holds a lock that the run needs, another replica or a command line perhaps; nothing was written. Try again when they are done.',
  },
  'lock-lost': {
    title: 'Lock lost',
    meaning:
      'The run lost a lock that it held and stopped at once, since others may write now. What it had done is in its items; another run does the rest.',
  },
  interrupted: {
    title: 'Interrupted',
    meaning: 'The service ended before the run did. What it had done is in its items; another run does the rest.',
  },
} as const satisfies Readonly<Record<string, Omit<ProblemKind, 'status'>>>
