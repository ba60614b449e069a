// Who has which token, as nginx's zone_sync keeps it: a replica knows at once what was stored at itself, and tells its peers
// of it once per tick. State alone: no timer and no socket, so that tests decide when a tick happens.

/** How many tokens a replica keeps; the oldest go first, as a full keyval zone would have it. */
const MAX_TOKENS = 10_000

interface Change {
  readonly token: string
  readonly present: boolean
}

/** A zone of tokens shared by named replicas. Unknown names throw a RangeError. */
export interface Zone {
  readonly replicas: readonly string[]
  /** Stores the token at one replica; its peers learn it at that replica's next flush. */
  put(replica: string, token: string): void
  /** Forgets the token at one replica; its peers do at that replica's next flush. */
  remove(replica: string, token: string): void
  has(replica: string, token: string): boolean
  /** Tells the connected peers what was stored and forgotten at `replica` since its last flush. */
  flush(replica: string): void
  /** A replica that is cut off neither tells nor hears anything; what it missed stays missed, as with records too large to be sent. */
  setConnected(replica: string, connected: boolean): void
}

interface Member {
  readonly tokens: Set<string>
  outbox: Change[]
  connected: boolean
}

/** Makes an empty zone; `names` are the replicas that share it. */
export function createZone(names: readonly string[]): Zone {
  const members = new Map<string, Member>(
    names.map((name) => [name, { tokens: new Set(), outbox: [], connected: true }]),
  )

  const find = (name: string): Member => {
    const member = members.get(name)
    if (member === undefined) throw new RangeError(`no replica is called ${name}; there are ${names.join(', ')}`)
    return member
  }
  const change = (name: string, token: string, present: boolean): void => {
    const member = find(name)
    apply(member, { token, present })
    member.outbox.push({ token, present })
  }

  return {
    replicas: [...names],
    put: (name, token) => change(name, token, true),
    remove: (name, token) => change(name, token, false),
    has: (name, token) => find(name).tokens.has(token),
    flush: (name) => {
      const sender = find(name)
      const changes = sender.outbox
      sender.outbox = []
      if (!sender.connected) return
      for (const member of members.values()) {
        if (member === sender || !member.connected) continue
        for (const one of changes) apply(member, one)
      }
    },
    setConnected: (name, connected) => {
      find(name).connected = connected
    },
  }
}

function apply(member: Member, { token, present }: Change): void {
  if (!present) {
    member.tokens.delete(token)
    return
  }
  member.tokens.add(token)
  const oldest = member.tokens.values().next()
  if (member.tokens.size > MAX_TOKENS && oldest.done !== true) member.tokens.delete(oldest.value)
}
