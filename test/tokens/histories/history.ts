// One random history: people edit tokens on two to four clusters while syncs run between them, requests fail in every way, runs die
// in the middle, clocks are wrong. Whose work must be there in the end follows from who knew of whose work, which is written down here.

import { WaiterStore } from '../../../src/playground/waiter/store.ts'
import type { Mode, SyncMemory, SyncSummary, SyncSurroundings, TokenItem } from '../../../src/tokens/contract.ts'
import { isDeleted, lastUpdateMs, userOf } from '../../../src/tokens/description.ts'
import { equalJson, JsonNumber, type JsonValue } from '../../../src/tokens/json.ts'
import { syncTokens } from '../../../src/tokens/sync.ts'
import { Chance } from '../../lib/chance.ts'
import { JumpingClock, skew } from './clock.ts'
import { type Fault, type Meeting, StoreCluster } from './store-cluster.ts'

const TOKENS = ['alpha', 'beta', 'gamma', 'delta']
const FAULTS: readonly Fault[] = ['refused', 'unavailable', 'lost-before', 'lost-after', 'late']
/** All tokens have one root: what is made twice, apart, would be a dispute that only people can end. */
const ROOT = 'home'
const MAX_ROUNDS = 5
/** A cluster keeps four earlier versions: with wrong clocks, who is further behind cannot be told from who is ahead. */
const MAX_UNSEEN_EDITS = 3

/** The work of one person on one token. */
interface Work {
  readonly id: string
  readonly token: string
  /** What they saw when they did it. */
  readonly after: string | undefined
  readonly deleted: boolean
  /** Milliseconds since 1970, as their cluster's clock had it. */
  readonly at: number
}

class Died extends Error {
  override readonly name = 'Died'
}

export interface Played {
  readonly runs: number
  readonly works: number
  readonly faults: number
  readonly writes: number
}

/** Plays one history; throws an Error that says what went wrong, if anything did. The same seed plays the same history. */
export async function playHistory(seed: number, mode: Mode): Promise<Played> {
  return new History(seed, mode).play()
}

class History {
  readonly #chance: Chance
  readonly #mode: Mode
  readonly #clock = new JumpingClock()
  readonly #clusters: readonly StoreCluster[]
  readonly #skewed: boolean
  readonly #works = new Map<string, Work>()
  /** Work that a cluster has held last, even if it has forgotten it: `cluster token`. */
  readonly #seen = new Map<string, string>()
  readonly #delayed: (() => void)[] = []
  readonly #down = new Set<string>()
  /** Made again while the run is under way: `cluster token`. */
  readonly #remade = new Set<string>()
  #memory: SyncMemory | undefined
  #faultRate = 0
  #peopleRate = 0
  #dieAfter = Number.POSITIVE_INFINITY
  #unseenEdits = 0
  #faults = 0
  #runs = 0

  constructor(seed: number, mode: Mode) {
    this.#chance = new Chance(seed)
    this.#mode = mode
    this.#skewed = this.#chance.is(0.3)
    this.#clusters = Array.from({ length: this.#chance.whole(2, 4) }, (_, index) => {
      const clock = this.#skewed ? skew(this.#clock, this.#chance.whole(-3_600_000, 3_600_000)) : this.#clock
      const store = new WaiterStore(`c${index}`, clock)
      store.watch((token) => {
        const kept = store.get(token)
        if (kept !== undefined) this.#seen.set(`http://c${index} ${token}`, workOf(kept.data))
      })
      return new StoreCluster(`http://c${index}`, store, {
        arrive: (meeting) => this.#arrive(meeting),
        leave: () => this.#pass(),
        later: (work) => void this.#delayed.push(work),
      })
    })
  }

  async play(): Promise<Played> {
    const first = this.#chance.pick(this.#clusters)
    for (const token of TOKENS) this.#work(first, token, false)
    await this.#syncUntilQuiet()
    for (let chapter = this.#chance.whole(1, 4); chapter > 0; chapter--) await this.#playChapter()
    await this.#syncUntilQuiet()
    this.#judge()
    const writes = this.#clusters.reduce((sum, { changes }) => sum + changes, 0)
    return { runs: this.#runs, works: this.#works.size, faults: this.#faults, writes }
  }

  /** People work apart, then some runs try their best among faults and further work. */
  async #playChapter(): Promise<void> {
    for (let i = this.#chance.whole(0, 5); i > 0; i--) this.#workSomewhere()
    this.#faultRate = this.#chance.pick([0, 0.05, 0.3])
    this.#peopleRate = this.#chance.pick([0, 0.02, 0.1])
    for (let run = this.#chance.whole(1, 4); run > 0; run--) {
      this.#down.clear()
      if (this.#chance.is(0.3)) this.#down.add(this.#chance.pick(this.#clusters).url)
      this.#dieAfter = this.#chance.is(0.3) ? this.#chance.whole(1, 40) : Number.POSITIVE_INFINITY
      await this.#sync(this.#chance.pick([1, 2, 1_000])).catch(refuseOther)
    }
    this.#faultRate = 0
    this.#peopleRate = 0
    this.#down.clear()
    this.#dieAfter = Number.POSITIVE_INFINITY
    for (const work of this.#delayed.splice(0)) work()
    if (this.#skewed) await this.#syncUntilQuiet()
  }

  async #syncUntilQuiet(): Promise<void> {
    for (let round = 0; ; round++) {
      const before = this.#changes()
      await this.#sync(1_000)
      if (this.#changes() === before) break
      if (round === MAX_ROUNDS) throw new Error(`run ${round} without faults still writes`)
    }
    this.#unseenEdits = 0
  }

  async #sync(limit: number): Promise<SyncSummary> {
    this.#runs++
    this.#remade.clear()
    const items: TokenItem[] = []
    for (const { answered } of this.#clusters) answered.length = 0
    const surroundings: SyncSurroundings = {
      clusters: this.#clusters,
      signal: new AbortController().signal,
      clock: this.#clock,
      random: this.#chance.next,
      memory: this.#memory,
      remember: async (memory) => {
        this.#memory = memory
      },
      keepForUndo: async () => {},
      onItem: async (item) => void items.push(item),
      onProgress: () => {},
    }
    const summary = await syncTokens(
      {
        mode: this.#mode,
        dryRun: false,
        limit,
        optOutMetadataName: undefined,
        onUnreachable: this.#chance.pick(['fail', 'skip-writes']),
        onConflict: 'newest',
        maxDeletes: { percent: 100, atLeast: 0 },
        allowEmpty: this.#clusters.map(({ url }) => url),
      },
      surroundings,
    )
    for (const item of items) this.#checkClaims(item)
    return summary
  }

  /** Success is claimed only for a write that was answered with it. */
  #checkClaims({ token, results }: TokenItem): void {
    for (const [url, { code, effect }] of results) {
      if (effect === undefined || !code.startsWith('success/')) continue
      const kind = effect === 'hardDelete' ? 'delete' : 'store'
      if (!this.#clusters.some((one) => one.url === url && one.answered.includes(`${kind} ${token}`))) {
        throw new Error(`${token}: ${code} on ${url}, which answered no such write`)
      }
    }
  }

  async #arrive({ cluster, kind }: Meeting): Promise<Fault | undefined> {
    await this.#pass()
    if (--this.#dieAfter < 0) throw new Died()
    if (this.#down.has(cluster)) return 'refused'
    if (this.#delayed.length > 0 && this.#chance.is(0.1)) this.#delayed.shift()?.()
    if (!this.#chance.is(kind === 'list' ? this.#faultRate / 4 : this.#faultRate)) return undefined
    this.#faults++
    return this.#chance.pick(FAULTS)
  }

  async #pass(): Promise<void> {
    for (let i = this.#chance.whole(1, 4); i > 0; i--) await undefined
    this.#clock.pass(this.#chance.whole(1, 20))
    if (this.#chance.is(this.#peopleRate)) this.#workSomewhere()
  }

  #workSomewhere(): void {
    const cluster = this.#chance.pick(this.#clusters)
    const token = this.#chance.pick(TOKENS)
    // A tombstone has no version: one that is made during a run cannot be told from the one that the run has read.
    const wantsDelete = this.#chance.is(0.35) && !this.#remade.has(`${cluster.url} ${token}`)
    if (this.#skewed) {
      // A token that is made again over a tombstone has no `previous`: only the clocks could tell which of the two is newer.
      const kept = cluster.holds.get(token)
      if (this.#unseenEdits >= MAX_UNSEEN_EDITS || kept === undefined || isDeleted(kept.data)) return
    }
    this.#unseenEdits++
    this.#work(cluster, token, wantsDelete)
  }

  /** Somebody edits or deletes a token, or makes it again when it is not there, and knows of what their cluster shows. */
  #work(cluster: StoreCluster, token: string, wantsDelete: boolean): void {
    this.#clock.pass(1)
    const kept = cluster.holds.get(token)
    const isThere = kept !== undefined && !isDeleted(kept.data)
    const id = `w${this.#works.size}`
    const after = this.#seen.get(`${cluster.url} ${token}`)
    if (!isThere) this.#remade.add(`${cluster.url} ${token}`)
    const caller = { name: id, isAdmin: true }
    const outcome =
      isThere && wantsDelete
        ? cluster.holds.delete(token, false, { ifMatch: kept.etag, caller })
        : cluster.holds.post(describeWork(token, id), 'admin', { ifMatch: kept?.etag, caller })
    if (outcome.status !== 200) throw new Error(`${cluster.url} refuses ${id}: ${outcome.message}`)
    const made = cluster.holds.get(token)
    if (made === undefined) throw new Error(`${cluster.url} has lost ${id}`)
    this.#works.set(id, { id, token, after, deleted: isDeleted(made.data), at: lastUpdateMs(made.data) })
  }

  #changes(): number {
    return this.#clusters.reduce((sum, { changes }) => sum + changes, 0)
  }

  #judge(): void {
    for (const token of TOKENS) {
      const [first, ...others] = this.#clusters.map(({ holds }) => holds.get(token)?.data)
      for (const other of others) {
        if (!equalJson(strip(first), strip(other))) throw new Error(`${token}: the clusters have not converged`)
      }
      const survivors = this.#survivorsOf(token)
      if (first === undefined) {
        if (!survivors.some(({ deleted }) => deleted))
          throw new Error(`${token}: lost; ${tell(survivors)} should be there`)
        continue
      }
      const survivor = survivors.find(({ id }) => id === workOf(first))
      if (survivor === undefined) {
        throw new Error(
          `${token}: ${workOf(first)} overwrites or outlives ${tell(survivors)}, which knew of it or is newer`,
        )
      }
    }
  }

  /**
   * Works that nobody has built upon and that may be left in the end: of those that did not know of each other the newest. With wrong
   * clocks a work may also go because what another one is built upon was newer than what it is built upon itself.
   */
  #survivorsOf(token: string): readonly Work[] {
    const works = [...this.#works.values()].filter((work) => work.token === token)
    const builtUpon = new Set(works.map(({ after }) => after))
    const heads = works.filter(({ id }) => !builtUpon.has(id))
    if (!this.#skewed) {
      const newest = Math.max(...heads.map(({ at }) => at))
      return heads.filter(({ at }) => at === newest)
    }
    return heads.filter((head) => heads.every((other) => other === head || this.#mayBeat(head, other)))
  }

  #mayBeat(work: Work, other: Work): boolean {
    const [line, otherLine] = [this.#lineOf(work), this.#lineOf(other)]
    const own = line.filter((one) => !otherLine.includes(one))
    const theirs = otherLine.filter((one) => !line.includes(one))
    return own.some(({ at }) => theirs.some((one) => at >= one.at))
  }

  /** The work and all that it is built upon. */
  #lineOf(work: Work): readonly Work[] {
    const before = work.after === undefined ? undefined : this.#works.get(work.after)
    return before === undefined ? [work] : [work, ...this.#lineOf(before)]
  }
}

function describeWork(token: string, id: string): ReadonlyMap<string, JsonValue> {
  return new Map<string, JsonValue>([
    ['token', token],
    ['cmd', `run ${id}`],
    ['cpus', new JsonNumber('1.0')],
    ['mem', new JsonNumber('128')],
    ['run-as-user', 'svc'],
    ['version', id],
    ['root', ROOT],
  ])
}

const workOf = (data: ReadonlyMap<string, JsonValue>): string => String(userOf(data))

const strip = (data: ReadonlyMap<string, JsonValue> | undefined): JsonValue =>
  data === undefined ? null : new Map([...data].filter(([key]) => key !== 'previous'))

const tell = (works: readonly Work[]): string =>
  works.map(({ id, deleted }) => `${id}${deleted ? ' (a delete)' : ''}`).join(', ')

/** Runs may fail as a whole; anything but that is a defect. */
function refuseOther(error: unknown): void {
  const name = error instanceof Error ? error.name : ''
  if (!['Died', 'ClusterUnreachable'].includes(name)) throw error
}
