// Replicas from DNS: the A and AAAA records of a name (a headless Service), or its SRV records when it begins with `_`.
// The name is looked up as it is written, without the search domains of the system. "There is no such name" is a good answer, the
// empty list; when a look-up fails the last good list stays.
import { Resolver } from 'node:dns/promises'
import type { Clock, Timer } from '../../lib/clock.ts'
import type { Discovery, Replica } from '../replica.ts'
import { compareReplicas, isSameList } from './candidates.ts'
import { createSharedRefresh } from './shared-refresh.ts'

export interface DnsDiscoveryOptions {
  /** Fully qualified. */
  readonly name: string
  /** Port of the replicas; `defaultPort` when left out. SRV records bring their own. */
  readonly port?: number | undefined
  /** DNS servers, `address` or `address:port`, in place of those of the system. */
  readonly servers?: readonly string[] | undefined
  readonly refreshMs: number
  readonly maxAgeMs: number
  readonly defaultPort: number
  readonly clock: Clock
}

/** For one look-up with all its questions, in milliseconds. */
const LOOKUP_MS = 2_000
/** First time-out of a question, in milliseconds; a lost datagram is asked again within LOOKUP_MS. */
const QUESTION_MS = 400
const REFRESH_PAUSE_MS = 100

/** Throws an Error when one of `servers` is no address. */
export function createDnsDiscovery(options: DnsDiscoveryOptions): Discovery {
  return new DnsDiscovery(options)
}

class DnsDiscovery implements Discovery {
  readonly kind = 'dns'
  readonly maxAgeMs: number
  readonly refresh: (signal: AbortSignal) => Promise<void>
  readonly #options: DnsDiscoveryOptions
  readonly #resolver: Resolver
  #replicas: readonly Replica[] | undefined
  #confirmedAt: number | undefined
  #problem: string | undefined
  #onChange: () => void = () => undefined
  #timer: Timer | undefined
  #stopped = false
  #looking: Promise<void> | undefined

  constructor(options: DnsDiscoveryOptions) {
    this.#options = options
    this.maxAgeMs = options.maxAgeMs
    this.#resolver = openResolver(options.servers)
    this.refresh = createSharedRefresh(options.clock, REFRESH_PAUSE_MS, () => this.#look())
  }

  get replicas(): readonly Replica[] | undefined {
    return this.#replicas
  }

  get problem(): string | undefined {
    return this.#problem
  }

  ageMs(): number | undefined {
    return this.#confirmedAt === undefined ? undefined : this.#options.clock.now() - this.#confirmedAt
  }

  start(onChange: () => void): void {
    this.#onChange = onChange
    void this.#followOnce()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true
    this.#onChange = () => undefined
    this.#timer?.cancel()
    this.#resolver.cancel()
    await this.#looking
  }

  async #followOnce(): Promise<void> {
    await this.#look()
    if (this.#stopped) return
    this.#timer = this.#options.clock.setTimer(this.#options.refreshMs, () => void this.#followOnce())
  }

  /** Looks the name up; whoever wants that meanwhile waits for the same answer. Never rejects. */
  #look(): Promise<void> {
    this.#looking ??= this.#lookUp().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #lookUp(): Promise<void> {
    const { clock, name } = this.#options
    // Cancelling ends every question that is under way with ECANCELLED.
    const timer = clock.setTimer(LOOKUP_MS, () => this.#resolver.cancel())
    try {
      const found = (await (name.startsWith('_') ? this.#lookUpServices() : this.#lookUpAddresses())).sort(
        compareReplicas,
      )
      if (this.#stopped) return
      this.#problem = undefined
      this.#confirmedAt = clock.now()
      if (isSameList(this.#replicas, found)) return
      this.#replicas = found
      this.#onChange()
    } catch (error) {
      const code = codeOf(error)
      this.#problem = `${name} cannot be looked up: ${code === 'ECANCELLED' ? `no answer within ${LOOKUP_MS} ms` : code}`
    } finally {
      timer.cancel()
    }
  }

  async #lookUpAddresses(): Promise<Replica[]> {
    const { name, port, defaultPort } = this.#options
    const addresses = new Set(await this.#addressesOf(name))
    return [...addresses].map((address) => ({ name: address, address, port: port ?? defaultPort, terminating: false }))
  }

  async #lookUpServices(): Promise<Replica[]> {
    const records = await emptyWhenAbsent(this.#resolver.resolveSrv(this.#options.name))
    const services = new Map(
      records.map(({ name, port }) => [`${withoutDot(name)}:${port}`, { host: withoutDot(name), port }]),
    )
    const hosts = [...services.values()].map(({ host }) => host)
    return Promise.all(
      [...services].map(async ([hostAndPort, { host, port }]): Promise<Replica> => {
        const [address] = (await this.#addressesOf(host)).sort(compareFamily)
        const isOnlyOne = hosts.indexOf(host) === hosts.lastIndexOf(host)
        // A target without an address stays in the list: it is a replica that cannot be asked, not one that is not there.
        return { name: isOnlyOne ? host : hostAndPort, address: address ?? host, port, terminating: false }
      }),
    )
  }

  /** Both families; fails when one of them cannot be looked up, for half a list reads as too few replicas. */
  async #addressesOf(name: string): Promise<string[]> {
    const found = await Promise.all([
      emptyWhenAbsent(this.#resolver.resolve4(name)),
      emptyWhenAbsent(this.#resolver.resolve6(name)),
    ])
    return found.flat()
  }
}

function openResolver(servers: readonly string[] | undefined): Resolver {
  const resolver = new Resolver({ timeout: QUESTION_MS, tries: 4 })
  if (servers !== undefined) resolver.setServers(servers)
  return resolver
}

/** No such name, or no record of that type: the server knows, and the answer is nothing. */
async function emptyWhenAbsent<T>(answer: Promise<T[]>): Promise<T[]> {
  try {
    return await answer
  } catch (error) {
    if (['ENOTFOUND', 'ENODATA'].includes(codeOf(error))) return []
    throw error
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}

const withoutDot = (name: string) => name.replace(/\.$/, '')

/** IPv4 first, then by text, so that one target keeps its address from look-up to look-up. */
function compareFamily(a: string, b: string): number {
  return Number(a.includes(':')) - Number(b.includes(':')) || (a < b ? -1 : 1)
}
