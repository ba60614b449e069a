// Which replica of the service leads: it runs what only one may run. Known here is only what is shown of it.
import { Counter, Gauge, type Registry } from 'prom-client'

export interface Leadership {
  readonly driver: 'memory' | 'kubernetes'
  /** Identity of the leader; undefined when there is none, or none is known yet. */
  readonly leader: string | undefined
  /** Whether this replica leads. */
  readonly isLeader: boolean
  /** The term in which this replica leads; a sole replica has none, for nobody could take it. */
  readonly term: { readonly token: bigint; readonly remainingMs: number } | undefined
  /** Why the store of Leases cannot be asked right now, in one line. */
  readonly problem: string | undefined
  /** Terms that this replica has led. */
  readonly termsLed: number
  /** Calls `listener` whenever this replica begins or ceases to lead; gives a function that takes it back. */
  onChange(listener: () => void): () => void
}

/** Leadership of a replica that has no others: it always leads. */
export function createSoleLeadership(instance: string): Leadership {
  return {
    driver: 'memory',
    leader: instance,
    isLeader: true,
    term: undefined,
    problem: undefined,
    termsLed: 1,
    onChange: () => () => {},
  }
}

/**
 * Calls `begin` when this replica leads, and whenever it begins to; what it gives is disposed of when leadership ends. Disposing of the
 * result ends both.
 */
export function whileLeading(
  leadership: Pick<Leadership, 'isLeader' | 'onChange'>,
  begin: () => Disposable,
): Disposable {
  let duty: Disposable | undefined
  const end = () => {
    const ended = duty
    duty = undefined
    ended?.[Symbol.dispose]()
  }
  const look = () => {
    if (!leadership.isLeader) end()
    else duty ??= begin()
  }
  const forget = leadership.onChange(look)
  look()
  return {
    [Symbol.dispose]: () => {
      forget()
      end()
    },
  }
}

/** Leadership in a sentence, for people. */
export function describeLeadership({ leader, isLeader, term, problem }: Leadership): string {
  const trouble = problem === undefined ? '' : `; ${problem}`
  if (!isLeader) return `${leader === undefined ? 'no leader is known' : `${leader} leads`}${trouble}`
  if (term === undefined) return `this replica leads${trouble}`
  return `this replica leads, term ${term.token}, for ${Math.ceil(term.remainingMs / 1000)} s unless it is renewed${trouble}`
}

/** Registers `syncer_dsync_*`. */
export function registerLeadershipMetrics(registry: Registry, leadership: Leadership): void {
  const registers = [registry]
  const gauge = (name: string, help: string, value: () => number | undefined) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.remove()
        const now = value()
        if (now !== undefined) this.set(now)
      },
    })
  gauge('syncer_dsync_is_leader', '1 while this replica leads, else 0.', () => (leadership.isLeader ? 1 : 0))
  gauge('syncer_dsync_leader_known', '1 while it is known who leads, else 0.', () =>
    leadership.leader === undefined ? 0 : 1,
  )
  gauge('syncer_dsync_term', 'Fencing token of the term that this replica leads; absent when it does not.', () =>
    leadership.term === undefined ? undefined : Number(leadership.term.token),
  )
  gauge(
    'syncer_dsync_term_remaining_seconds',
    'Time until the term ends unless it is renewed; absent when this replica does not lead.',
    () => (leadership.term === undefined ? undefined : leadership.term.remainingMs / 1000),
  )
  gauge('syncer_dsync_store_up', '1 while the store of Leases can be asked, else 0.', () =>
    leadership.problem === undefined ? 1 : 0,
  )
  new Counter({
    name: 'syncer_dsync_terms_total',
    help: 'Terms that this replica has led.',
    registers,
    collect() {
      this.reset()
      this.inc(leadership.termsLed)
    },
  })
}
