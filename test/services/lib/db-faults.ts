// What is done to one run of the syncer, and to the servers under it: drawn by chance, so that a seed tells all of it.
import type { Chance } from '../../lib/chance.ts'
import type { CqlFault, CqlRequest } from './cql-proxy.ts'
import { type AskedRequest, EXPIRED_POINT_IN_TIME, type HttpFault } from './db-http-proxy.ts'

/** Something that happens once, when the syncer makes its n-th request of all, or the n-th that writes. */
export type Strike =
  | 'kill'
  | 'cancel'
  | 'freeze-search'
  | 'freeze-cassandra'
  | 'restart-search'
  | 'restart-cassandra'
  | 'reset-all'

export interface RunFaults {
  readonly name: string
  /** At which request, from 1. A kill comes `ms` after it, all else lasts as long. */
  readonly strikes: readonly {
    readonly strike: Strike
    readonly of: 'all' | 'writes'
    readonly at: number
    readonly ms: number
  }[]
  readonly http: (asked: AskedRequest) => HttpFault | undefined
  readonly cql: (request: CqlRequest) => CqlFault | undefined
}

const KINDS = [
  ['calm', 1],
  ['kill', 5],
  ['cancel', 2],
  ['bad-search', 4],
  ['bad-cassandra', 4],
  ['bad-both', 3],
  ['bad-both-kill', 4],
  ['freeze-search', 1],
  ['freeze-cassandra', 1],
  ['restart-search', 0.3],
  ['restart-cassandra', 0.3],
] as const

export type FaultKind = (typeof KINDS)[number][0]

/** Freezing longer would make users wait, not the syncer worse. */
const FREEZE_MS = [300, 5_000] as const
/** A kill in the middle of the first writes: among so many of them, so long after one. */
const FIRST_WRITES = 8
const KILL_MS = [50, 800] as const
/** What keeps a request waiting until it times out may happen so often in a run. */
const MAX_SILENCES = 2
const MAX_FAULTS = 15

/** One of all that can be done to a run, or what is wanted of it; `requests` is about how many a whole run makes. */
export function drawFaults(chance: Chance, requests: number, name: FaultKind = drawKind(chance)): RunFaults {
  const at = () => chance.whole(1, Math.max(2, requests))
  const strike = (what: Strike) => ({ strike: what, of: 'all' as const, at: at(), ms: chance.between(...FREEZE_MS) })
  const kill = () =>
    chance.is(0.5)
      ? ({ strike: 'kill', of: 'all', at: at(), ms: 0 } as const)
      : ({ strike: 'kill', of: 'writes', at: chance.whole(1, FIRST_WRITES), ms: chance.between(...KILL_MS) } as const)
  const isBad = (side: string) => name === `bad-${side}` || name.startsWith('bad-both')
  const kills = name === 'kill' || name === 'bad-both-kill'
  return {
    name,
    strikes: [
      ...(kills ? [kill()] : []),
      ...(name === 'cancel' || name.startsWith('freeze') || name.startsWith('restart') ? [strike(name as Strike)] : []),
      ...(name.startsWith('bad') && chance.is(0.5) ? [strike('reset-all')] : []),
    ],
    http: name === 'kill' ? drawLateness(chance, 'bulk') : isBad('search') ? drawHttpFaults(chance) : () => undefined,
    cql: name === 'kill' ? drawLateness(chance, 'BATCH') : isBad('cassandra') ? drawCqlFaults(chance) : () => undefined,
  }
}

function drawKind(chance: Chance): FaultKind {
  let left = chance.next() * KINDS.reduce((sum, [, weight]) => sum + weight, 0)
  for (const [name, weight] of KINDS) {
    left -= weight
    if (left < 0) return name
  }
  return 'calm'
}

/** Some writes come later than others: whoever is killed then has done some parts of a window, and not others. */
function drawLateness(chance: Chance, which: 'bulk' | 'BATCH') {
  return ({ kind }: { readonly kind: string }) =>
    kind === which && chance.is(0.4) ? ({ kind: 'slow', ms: chance.between(100, 1_500) } as const) : undefined
}

function drawHttpFaults(chance: Chance): RunFaults['http'] {
  const probability = chance.between(0.03, 0.3)
  let count = 0
  return ({ kind, body }) => {
    if (count >= MAX_FAULTS || !chance.is(probability)) return undefined
    count++
    const isPaged = kind === 'search' && body.includes('"pit"')
    if (isPaged && chance.is(0.3)) return EXPIRED_POINT_IN_TIME
    if (kind === 'bulk' && chance.is(0.3)) return { kind: 'reject-item', at: chance.whole(0, 10_000) }
    // Users write meanwhile.
    if (kind === 'bulk' && chance.is(0.4)) return { kind: 'late', ms: chance.between(100, 2_000) }
    switch (chance.whole(0, 5)) {
      case 0:
        return { kind: 'status', status: 429, ...(chance.is(0.3) ? { retryAfter: '1' } : {}) }
      case 1:
        return { kind: 'status', status: chance.pick([502, 503, 504]), body: chance.is(0.5) ? '' : '<html>busy</html>' }
      case 2:
        return { kind: 'reset' }
      case 3:
        return { kind: 'lose-answer' }
      case 4:
        return { kind: 'half-answer' }
      default:
        return { kind: 'slow', ms: chance.between(50, 1_000) }
    }
  }
}

/** Overloaded, a time-out of a write, one of a read. */
const CQL_ERRORS = [0x1001] as const

function drawCqlFaults(chance: Chance): RunFaults['cql'] {
  const probability = chance.between(0.03, 0.3)
  const empties = chance.is(0.7) ? 0.5 : 0
  let [count, silences] = [0, 0]
  return ({ kind, statement }) => {
    const isRead = (kind === 'EXECUTE' || kind === 'QUERY') && /^\s*select/i.test(statement)
    if (isRead && !/\bsystem/i.test(statement) && chance.is(empties)) return { kind: 'empty-page' }
    if (count >= MAX_FAULTS || !chance.is(probability)) return undefined
    count++
    switch (chance.whole(0, 4)) {
      case 0:
        return { kind: 'reset' }
      case 1:
        return { kind: 'lose-answer' }
      case 2:
        return { kind: 'slow', ms: chance.between(50, 1_000) }
      case 3:
        return kind === 'EXECUTE' || kind === 'BATCH' || kind === 'QUERY'
          ? { kind: 'error', code: chance.pick(CQL_ERRORS) }
          : undefined
      default:
        return silences++ < MAX_SILENCES ? { kind: chance.pick(['swallow', 'no-answer'] as const) } : undefined
    }
  }
}
