// Who is asked: the list of replicas with a connection to each, kept in step with discovery.
import { isIP } from 'node:net'
import type { Member } from './asked.ts'
import { UnknownReplica } from './contract.ts'
import type { Replica } from './replica.ts'
import type { ProbeConnection } from './replica-connection.ts'

export class Membership implements AsyncDisposable {
  readonly #connect: (replica: Replica) => ProbeConnection
  #members: readonly Member[] = []
  #byName = new Map<string, Member>()
  /** By address, and by the first label of a full name (DNS tells `gw-0.gw.prod.svc`, nginx `$hostname` says `gw-0`). What two share names neither. */
  #byOtherName = new Map<string, Member | undefined>()

  constructor(connect: (replica: Replica) => ProbeConnection) {
    this.#connect = connect
  }

  /** Sorted by name. */
  get members(): readonly Member[] {
    return this.#members
  }

  /** Takes over a list: endpoints that stay keep their connection, those that went lose it at once. */
  update(replicas: readonly Replica[]): void {
    const before = new Map(this.#members.map((member) => [endpoint(member.replica), member.connection]))
    this.#members = replicas.map((replica) => {
      const known = before.get(endpoint(replica))
      const connection = known ?? this.#connect(replica)
      if (known === undefined) connection.warm()
      before.delete(endpoint(replica))
      return { replica, connection }
    })
    this.#byName = new Map(this.#members.map((member) => [member.replica.name, member]))
    this.#byOtherName = new Map()
    for (const member of this.#members) {
      const { name, address } = member.replica
      for (const other of new Set([address, ...(isFullName(name) ? [name.slice(0, name.indexOf('.'))] : [])])) {
        this.#byOtherName.set(other, this.#byOtherName.has(other) ? undefined : member)
      }
    }
    for (const connection of before.values()) void connection.close()
  }

  /** The replica that calls itself so: by name, else by address or short name. */
  find(origin: string): Member | undefined {
    return this.#byName.get(origin) ?? this.#byOtherName.get(origin)
  }

  /**
   * Everybody but the origin, or those of `only`.
   * Throws UnknownReplica when `only` names a replica that is not in the list, or nobody but the origin.
   */
  others(origin: Member | undefined, only: readonly string[] | undefined): readonly Member[] {
    if (only === undefined) return this.#members.filter((member) => member !== origin)
    for (const name of only) {
      if (!this.#byName.has(name))
        throw new UnknownReplica(`no replica is called ${JSON.stringify(name)}; there are ${this.names()}`)
    }
    const chosen = this.#members.filter((member) => member !== origin && only.includes(member.replica.name))
    if (chosen.length === 0) throw new UnknownReplica('the origin is never asked: name another replica')
    return chosen
  }

  /** The names of the first replicas, for an error. */
  names(): string {
    const shown = this.#members.slice(0, 10).map((member) => member.replica.name)
    const rest = this.#members.length - shown.length
    return rest > 0 ? `${shown.join(', ')} and ${rest} more` : shown.join(', ')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const members = this.#members
    this.#members = []
    await Promise.all(members.map((member) => member.connection.close()))
  }
}

function isFullName(name: string): boolean {
  return name.includes('.') && isIP(name) === 0
}

function endpoint(replica: Replica): string {
  return `${replica.name} ${replica.address} ${replica.port}`
}
