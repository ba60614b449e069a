// The catalogue of problems: what each is called and what it means (docs/problems.md is made from this). Pure data: how an
// error becomes one of these is in problems.ts.

export interface ProblemKind {
  readonly status: number
  readonly title: string
  /** When it happens, for the page about problems. */
  readonly meaning: string
  /** What whoever meets it is to do. */
  readonly remedy: string
}

/** What requests are answered with, by the last part of their `type`. Neither a name nor a status changes once it is released. */
export const PROBLEMS = {
  'bad-request': {
    status: 400,
    title: 'Bad request',
    meaning:
      'A header, a query parameter, the body or the path is missing or malformed; `errors` names each. A query parameter or a field that the operation does not have is refused too, and so is a name that is not in the configuration.',
    remedy:
      'Correct what `errors` names; asking again as it was does not help. `syncer config check` prints the names of the configuration.',
  },
  unauthorized: {
    status: 401,
    title: 'Unauthorized',
    meaning: 'The credentials are missing, malformed, unknown or expired.',
    remedy:
      'Send `Authorization: Bearer TOKEN`, with a token of the kind that `auth.mode` asks for: a static one whose SHA-256 is in `auth.callers`, one of the issuer for this audience, or one of a ServiceAccount.',
  },
  forbidden: {
    status: 403,
    title: 'Forbidden',
    meaning: 'The caller is known and has not the scope that the operation needs. `WWW-Authenticate` names the scope.',
    remedy:
      'Give the caller that scope (`auth.callers`, `auth.grants`, or the claim of its token), or ask as somebody who has it.',
  },
  'not-found': {
    status: 404,
    title: 'Not found',
    meaning:
      'The service has nothing at this path; a run, for instance, is forgotten when the history has no room for it.',
    remedy:
      'Look at the path, or for the run in `GET /v1/runs`; `runs.history` says how many are kept, and for how long.',
  },
  'not-configured': {
    status: 404,
    title: 'Not configured',
    meaning: 'The operation belongs to a capability that has no section in the configuration of this service.',
    remedy: 'Add the section to the configuration and restart the service, or ask the service that has it.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'Method not allowed',
    meaning:
      'The path exists and has no such method. `Allow` names those it has. HEAD and OPTIONS are methods like others.',
    remedy: 'Use a method that `Allow` names.',
  },
  'request-timeout': {
    status: 408,
    title: 'Request time-out',
    meaning: 'The request came too slowly. The connection is closed.',
    remedy:
      'Send the whole request at once, on a new connection. If proxies are in between, look at what they hold back.',
  },
  'run-overlaps': {
    status: 409,
    title: 'Run overlaps',
    meaning: 'A run of the same kind is under way on one of the same clusters or pairs.',
    remedy: '`run` and `Location` say which: wait for its end, or cancel it (`syncer runs cancel ID`).',
  },
  'payload-too-large': {
    status: 413,
    title: 'Payload too large',
    meaning: 'The body has more than 64 KiB.',
    remedy: 'Send less; no request of this service needs as much.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'Unsupported media type',
    meaning: 'Bodies are read as `application/json` only.',
    remedy: 'Send JSON, with `Content-Type: application/json`.',
  },
  'expectation-failed': {
    status: 417,
    title: 'Expectation failed',
    meaning: 'Of the header `Expect` only `100-continue` is understood.',
    remedy: 'Leave the header out.',
  },
  'unknown-origin': {
    status: 422,
    title: 'Unknown origin',
    meaning: '`X-Nginx-Origin` is the name or address of no replica, not after the list was read again either.',
    remedy:
      'Compare it with `GET /v1/replicas`. In Kubernetes it is the name of the Pod (`$hostname` in nginx); with `dns` discovery it is the address.',
  },
  'unknown-replica': {
    status: 422,
    title: 'Unknown replica',
    meaning: '`replica` limits the check to something that is not a replica, or to the origin, which is never asked.',
    remedy: 'Name replicas as `GET /v1/replicas` does, and not the origin.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'Idempotency key reused',
    meaning: 'The `Idempotency-Key` came with another request before, and made the run that `run` names.',
    remedy: 'Make up a new key for each request, and send an old one only to repeat the same request.',
  },
  'unusable-plan': {
    status: 422,
    title: 'Unusable plan',
    meaning:
      '`plan` is not the id of a dry run whose plan can be carried out: there is no such run (any more), it was no dry run, it has not ended well, or its clusters are others.',
    remedy: 'Make a new dry run on the same clusters, and carry out that one.',
  },
  'headers-too-large': {
    status: 431,
    title: 'Headers too large',
    meaning: 'The headers have more than 32 KiB together. The connection is closed.',
    remedy: 'Send fewer or shorter headers. A proxy that adds cookies is often the reason: see docs/gateway/README.md.',
  },
  'internal-error': {
    status: 500,
    title: 'Internal error',
    meaning: 'A defect of the service.',
    remedy:
      'Look for the `requestId` in the log of the service, whose `err` has the reason, and report it with the version. Asking again may help, and does no harm.',
  },
  'no-replicas': {
    status: 503,
    title: 'No replicas',
    meaning: 'No replica of the gateway is known, or not yet, so that no verdict is possible.',
    remedy:
      'Try again after `Retry-After` seconds. If it stays, `/readyz?verbose` says what the source of the list answers: a wrong name, a right that is missing, an API server or a DNS server that is away.',
  },
  'too-many-checks': {
    status: 503,
    title: 'Too many checks',
    meaning: 'As many checks are in flight as `gateway.maxConcurrentChecks` allows.',
    remedy:
      'Try again after `Retry-After` seconds. If it stays, look for replicas that answer slowly, and add replicas of the service.',
  },
  'auth-unavailable': {
    status: 503,
    title: 'Authentication unavailable',
    meaning: 'The issuer or the API server that knows the credentials cannot be asked.',
    remedy:
      "Try again after `Retry-After` seconds. If it stays, look at the issuer or the API server, the way to it, and the ServiceAccount's right to create TokenReviews.",
  },
  stopping: {
    status: 503,
    title: 'Stopping',
    meaning: 'The service is about to end and starts no run any more.',
    remedy: 'Ask another replica, or again after `Retry-After` seconds.',
  },
  'state-unavailable': {
    status: 503,
    title: 'State unavailable',
    meaning: 'The database in which the service keeps its runs cannot be reached.',
    remedy:
      'Try again after `Retry-After` seconds. If it stays, look at PostgreSQL and its address in `state.url`, or at the disk of the file. Checks are answered meanwhile.',
  },
  'not-ready': {
    status: 503,
    title: 'Not ready',
    meaning: 'A check of `/readyz` fails, or the service is stopping; `checks` names it.',
    remedy: 'Send requests elsewhere meanwhile; `/readyz?verbose` says what is missing.',
  },
} as const satisfies Readonly<Record<string, ProblemKind>>

export type ProblemName = keyof typeof PROBLEMS

/** What the field `problem` of a run may be besides some of the above, by the last part of its `type`. The run is then not `succeeded`. */
export const PROBLEMS_OF_RUNS = {
  'cluster-unreachable': {
    title: 'Cluster unreachable',
    meaning:
      'A cluster did not give the list of its tokens, so that the run could not know what it holds; nothing was written.',
    remedy:
      'Bring the cluster back, or correct its `url` or `authorization`. `onUnreachable: skip-writes` lets such a run go on with the clusters that answer.',
  },
  'too-many-deletes': {
    title: 'Too many deletes',
    meaning: 'The plan deletes more tokens than `maxDeletes` allows; nothing was written.',
    remedy: 'Look at a dry run, and allow more with `maxDeletes` if that is what you want.',
  },
  'empty-list': {
    title: 'Empty list',
    meaning: 'A cluster that had tokens at the last run lists none; nothing was written.',
    remedy: 'Find out where its tokens went. Name it in `allowEmpty` if it is meant to be empty.',
  },
  'plan-outdated': {
    title: 'Plan outdated',
    meaning:
      'Something has changed since the dry run whose plan this run was to carry out; what has changed was left as it is.',
    remedy: 'Make a new dry run, look at it, and carry that one out.',
  },
  'store-failed': {
    title: 'Store failed',
    meaning:
      'One of the two stores of the pair could not be used, or not any more: a wrong address or credentials, or it was away for longer than `retryForMs`. What was written until then stays; the next run goes on where this one stopped.',
    remedy: 'Read `detail`, and look at that store, its address and credentials. The next run needs nothing else.',
  },
  'workers-failed': {
    title: 'Workers failed',
    meaning:
      'The Job of Kubernetes whose workers carry the rows has failed, was deleted, or could not be made; `detail` says why. What the workers have told stays done; the next run goes on where this one stopped.',
    remedy:
      "Read `detail` and the logs of the Job's Pods, which stay for an hour. docs/db-jobs.md lists what may go wrong.",
  },
  'table-refused': {
    title: 'Table refused',
    meaning:
      'A table cannot be synced, and `detail` says which and why: it has no `id` or `tmstmp`, or a counter, or it is unknown; nothing was written.',
    remedy: 'Change the table, or leave it out of `tables`.',
  },
  'not-possible': {
    title: 'Not possible',
    meaning:
      'The run was asked for something that cannot be done with what the stores hold and what is kept of earlier runs, such as a window that ends before it begins; nothing was written.',
    remedy: 'Read `detail`, and ask for something else.',
  },
  'no-such-pair': {
    title: 'No such pair',
    meaning: 'The pair is not in the configuration any more.',
    remedy: 'Ask for a pair that `syncer config check` prints, or put this one back.',
  },
  locked: {
    title: 'Locked',
    meaning:
      'Somebody else holds a lock that the run needs, another replica or a command line perhaps; nothing was written.',
    remedy:
      'Try again when they are done; `GET /v1/runs` of the service shows who that may be. A process that died gives its lock up after half a minute.',
  },
  'lock-lost': {
    title: 'Lock lost',
    meaning:
      'The run lost a lock that it held and stopped at once, since others may write now. What it had done is in its items; another run does the rest.',
    remedy:
      'Start another run, or wait for the schedule. If it happens often, the API server cannot be reached in time: see SyncerLeadershipMoves in docs/operate.md.',
  },
  interrupted: {
    title: 'Interrupted',
    meaning: 'The service ended before the run did. What it had done is in its items; another run does the rest.',
    remedy: 'Wait for the schedule, or start another run. A run of a pair goes on from where it was.',
  },
} as const satisfies Readonly<Record<string, Omit<ProblemKind, 'status'>>>
