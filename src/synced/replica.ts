// Who the gateway's replicas are, as every kind of discovery tells it.

/** One replica of the gateway. */
export interface Replica {
  /** What the replica calls itself (`X-Nginx-Origin`): pod name, or the name in the configuration. */
  readonly name: string
  /** IP address or host name. */
  readonly address: string
  /** Port of the probe. */
  readonly port: number
  /** Serving, but on its way out: it is asked and reported, not counted. */
  readonly terminating: boolean
}

/** A source of replicas. It keeps the last good list while its own source is away. */
export interface Discovery extends AsyncDisposable {
  readonly kind: 'static' | 'dns' | 'kubernetes'
  /** The last good list, sorted by name; undefined until the first one is known. The array is a new one after every change. */
  readonly replicas: readonly Replica[] | undefined
  /** Milliseconds since the source last confirmed the list; 0 for a list that cannot age, undefined without a list. */
  ageMs(): number | undefined
  /** Older than this and the service is not ready, in milliseconds; Infinity for a list that cannot age. */
  readonly maxAgeMs: number
  /** Why the source cannot be asked right now, in one line without secrets; undefined when all is well. */
  readonly problem: string | undefined
  /** Begins to follow the source. `onChange` is called after every change of `replicas`. Never throws, never rejects later. */
  start(onChange: () => void): void
  /** Asks the source once, now; concurrent calls share one request. Resolves when the list is as fresh as it can be, also when the source is away (then with the old list). */
  refresh(signal: AbortSignal): Promise<void>
}
