// A Waiter cluster without HTTP: the faithful store behind the interface of the client, with faults in between.
import type { Outcome, WaiterStore } from '../../../src/playground/waiter/store.ts'
import {
  ClusterUnreachable,
  type Description,
  type IndexEntry,
  type TokenRead,
  type WaiterCluster,
  type WriteAnswer,
} from '../../../src/tokens/contract.ts'
import { isDeleted } from '../../../src/tokens/description.ts'

/** What goes wrong with a request. `lost-before`, `lost-after`: nobody hears whether it was carried out; it was not, it was. `late`: it is, but later. */
export type Fault = 'refused' | 'unavailable' | 'lost-before' | 'lost-after' | 'late'

export interface Meeting {
  readonly cluster: string
  readonly kind: 'list' | 'read' | 'store' | 'delete'
  readonly token: string | undefined
}

export interface StoreClusterOptions {
  /** Called when a request arrives: lets time pass, lets people do things, decides what goes wrong. Throws when the run has died. */
  readonly arrive: (meeting: Meeting) => Promise<Fault | undefined>
  /** Called before the answer goes back. */
  readonly leave: (meeting: Meeting) => Promise<void>
  /** Does something later. */
  readonly later: (work: () => void) => void
}

const ADMIN = { name: 'syncer', isAdmin: true }

export class StoreCluster implements WaiterCluster {
  readonly url: string
  readonly holds: WaiterStore
  readonly skewMs = undefined
  /** Writes that were answered with 2xx: `kind token`. */
  readonly answered: string[] = []
  /** Writes that were carried out, answered or not. */
  changes = 0
  readonly #options: StoreClusterOptions

  constructor(url: string, holds: WaiterStore, options: StoreClusterOptions) {
    this.url = url
    this.holds = holds
    this.#options = options
  }

  async list(): Promise<readonly IndexEntry[]> {
    const meeting = { cluster: this.url, kind: 'list', token: undefined } as const
    if ((await this.#options.arrive(meeting)) !== undefined) throw new ClusterUnreachable(this.url, 'no answer')
    const entries = [...this.holds.all()].map(({ token, data, etag }) => ({
      token,
      deleted: isDeleted(data),
      etag: etag ?? null,
    }))
    await this.#options.leave(meeting)
    return entries
  }

  async read(token: string): Promise<TokenRead> {
    const meeting = { cluster: this.url, kind: 'read', token } as const
    const fault = await this.#options.arrive(meeting)
    if (fault === 'unavailable') return { kind: 'answered', status: 503, description: new Map() }
    if (fault !== undefined) return { kind: 'broken', message: 'no answer' }
    const kept = this.holds.get(token)
    await this.#options.leave(meeting)
    if (kept === undefined) return { kind: 'answered', status: 404, description: new Map() }
    const { data, etag } = kept
    return { kind: 'answered', status: 200, description: data, ...(etag !== undefined && { etag }) }
  }

  store(token: string, description: Description, ifMatch: string | undefined): Promise<WriteAnswer> {
    return this.#write({ cluster: this.url, kind: 'store', token }, ifMatch, () =>
      this.holds.post(new Map([...description, ['token', token]]), 'admin', { ifMatch, caller: ADMIN }),
    )
  }

  hardDelete(token: string, ifMatch: string | undefined): Promise<WriteAnswer> {
    return this.#write({ cluster: this.url, kind: 'delete', token }, ifMatch, () =>
      this.holds.delete(token, true, { ifMatch, caller: ADMIN }),
    )
  }

  async #write(meeting: Meeting, ifMatch: string | undefined, carryOut: () => Outcome): Promise<WriteAnswer> {
    const fault = await this.#options.arrive(meeting)
    if (fault === 'refused') return { kind: 'unknown', message: 'refused', sent: false }
    if (fault === 'unavailable') return { kind: 'answered', status: 503, message: 'busy' }
    const write = () => {
      const outcome = carryOut()
      if (outcome.status === 200) this.changes++
      return outcome
    }
    // Without a version nothing protects what was made meanwhile: no client of this protocol can.
    if (fault === 'late' && ifMatch !== undefined) this.#options.later(write)
    if (fault === 'lost-after') write()
    if (fault !== undefined) return { kind: 'unknown', message: 'no answer', sent: true }
    const { status, message } = write()
    await this.#options.leave(meeting)
    if (status === 200) this.answered.push(`${meeting.kind} ${meeting.token}`)
    return { kind: 'answered', status, message }
  }
}
