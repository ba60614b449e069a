// One case of the chaos: fresh tables, users at work on both sides, some syncs that things happen to, and in the end a sync in peace.
// Everything that the checker has against it is in the report; a seed says what happens, though not to the microsecond.
import { setTimeout as sleep } from 'node:timers/promises'
import { Chance } from '../../lib/chance.ts'
import { CqlProxy, type CqlRequest } from './cql-proxy.ts'
import { drawFaults, type FaultKind, type RunFaults, type Strike } from './db-faults.ts'
import { COLUMNS } from './db-fields.ts'
import { History } from './db-history.ts'
import { type AskedRequest, HttpProxy } from './db-http-proxy.ts'
import { judgeDocumentChanges, judgeEnd, judgeSavedEnd, judgeSightings } from './db-judge.ts'
import { type Ended, judgeReport, readReport } from './db-report.ts'
import { DbScene, type DbServers } from './db-scene.ts'
import { loadBacklog, Onlooker, readSavedEnds, readSides, readTimes, toDocumentChanges } from './db-sight.ts'
import { Users } from './db-users.ts'
import { waitUntil } from './server-process.ts'

export interface CaseOptions {
  readonly servers: DbServers
  readonly seed: number
  /** To how many syncs things happen, or what happens to each. */
  readonly runs: number | readonly FaultKind[]
  /** No server is stopped, unless it is asked for by `runs`. */
  readonly sparesServers?: boolean
  /** Path of the syncer, where it is not that of this checkout. */
  readonly bin?: string
  readonly log?: (line: string) => void
}

export interface CaseReport {
  readonly seed: number
  readonly runs: number
  readonly writes: number
  /** How often each was drawn. */
  readonly faults: Readonly<Record<string, number>>
  /** How the runs ended. */
  readonly exits: Readonly<Record<string, number>>
  /** What must not have happened; empty when all is well. */
  readonly violations: readonly string[]
}

const RUN_MS = 240_000
const TABLES = {
  versions: `(id uuid, tmstmp timeuuid, ${COLUMNS}, PRIMARY KEY (id, tmstmp))`,
  descending: `(id uuid, tmstmp timeuuid, ${COLUMNS}, PRIMARY KEY (id, tmstmp)) WITH CLUSTERING ORDER BY (tmstmp DESC)`,
  latest: `(id uuid PRIMARY KEY, tmstmp timeuuid, ${COLUMNS})`,
  indexed: `(id uuid PRIMARY KEY, tmstmp timeuuid, ${COLUMNS}); CREATE INDEX ON {table} (tmstmp) USING 'sai'`,
} as const
type TableName = keyof typeof TABLES

/** Plays a case to its end. Leaves nothing behind; servers that it stops are started again. */
export async function playCase(options: CaseOptions): Promise<CaseReport> {
  await using stack = new AsyncDisposableStack()
  const game = await Case.open(options, stack)
  return await game.play()
}

class Case {
  readonly #options: CaseOptions
  readonly #chance: Chance
  readonly #history = new History()
  readonly #tables: readonly TableName[]
  readonly #lagMs: number
  readonly #overlapMs: number
  readonly #violations: string[] = []
  readonly #faults: Record<string, number> = {}
  readonly #exits: Record<string, number> = {}
  readonly #changes: Parameters<typeof judgeDocumentChanges>[1][number][] = []
  #run: { readonly faults: RunFaults; readonly onRequest: (writes: boolean) => void } | undefined
  #scene: DbScene | undefined
  #users: Users | undefined
  #http: HttpProxy | undefined

  private constructor(options: CaseOptions) {
    this.#options = options
    this.#chance = new Chance(options.seed)
    const first = this.#chance.pick(['versions', 'descending'] as const)
    this.#tables = [first, this.#chance.pick(['latest', 'indexed'] as const)]
    this.#lagMs = this.#chance.pick([0, 300, 1_000])
    this.#overlapMs = this.#chance.pick([2_000, 4_000])
  }

  static async open(options: CaseOptions, stack: AsyncDisposableStack): Promise<Case> {
    const game = new Case(options)
    await game.#open(stack)
    return game
  }

  async #open(stack: AsyncDisposableStack): Promise<void> {
    const { servers, bin, seed } = this.#options
    const decide = { decide: (request: CqlRequest) => this.#onCql(request) }
    const cql = stack.use(await CqlProxy.start(servers.cassandra.port, decide))
    this.#http = stack.use(
      await HttpProxy.start(servers.search.url, {
        decide: (asked) => this.#onHttp(asked),
        onExchange: (exchange) => this.#changes.push(...toDocumentChanges(this.#sceneNow.name, exchange)),
      }),
    )
    this.#scene = stack.use(
      await DbScene.open({
        servers,
        name: `chaos${seed}`,
        tables: Object.fromEntries(this.#tables.map((table) => [table, TABLES[table]])),
        cqlPort: cql.port,
        url: this.#http.url,
        pair: { lagMs: this.#lagMs, overlapMs: this.#overlapMs },
        side: { requestTimeoutMs: 3_000, retryForMs: 120_000 },
        ...(bin === undefined ? {} : { bin }),
      }),
    )
    const span = this.#lagMs + this.#overlapMs
    this.#users = new Users(
      {
        ...{ scene: this.#scene, history: this.#history, tables: this.#tables },
        ...{ skewMs: span * 0.5, lateMs: span * 0.9, perSide: 3, pauseMs: 30 },
        onDocument: (change) => this.#changes.push(change),
      },
      this.#chance,
    )
  }

  get #sceneNow(): DbScene {
    if (this.#scene === undefined) throw new Error('there is no scene yet')
    return this.#scene
  }

  async play(): Promise<CaseReport> {
    const { seed, runs, log } = this.#options
    const [scene, users] = [this.#sceneNow, this.#users]
    if (users === undefined) throw new Error('there are no users yet')
    // Else the first sync makes them, and users of Elasticsearch come after it.
    if (this.#chance.is(0.5)) await this.#makeIndexes()
    else {
      await this.#sync('first', drawNothing())
      // The backlog is older than the end of that.
      await scene.run(['db', 'window', 'app', '--reset'])
    }
    await loadBacklog(scene, this.#history, this.#tables, this.#chance, users.hot)
    const onlookers = this.#tables.slice(1).map((table) => new Onlooker(scene, table, users.hot.get(table) ?? []))
    const createChance = () => new Chance(this.#chance.whole(0, 2 ** 31))
    users.start(createChance)
    let requests = 60
    const kinds = typeof runs === 'number' ? Array.from({ length: runs }, () => undefined) : runs
    for (const [at, kind] of kinds.entries()) {
      await sleep(this.#chance.between(0, 1_500))
      const faults = kind === undefined ? this.#draw(requests) : drawFaults(this.#chance, requests, kind)
      this.#faults[faults.name] = (this.#faults[faults.name] ?? 0) + 1
      const { ended, made, ms } = await this.#sync(String(at), faults)
      if (ended.code === 0 && faults.name === 'calm') requests = made
      log?.(
        `  ${at}: ${faults.name} ${faults.strikes.map((one) => `${one.strike}@${one.at}`)} -> ${describeEnd(ended)} in ${ms} ms, ${made} requests`,
      )
      await users.pause()
      await this.#quiet()
      await this.#judgeMoment()
      if (this.#chance.is(0.5)) await this.#deleteSome(users)
      users.start(createChance)
    }
    await sleep(this.#chance.between(0, 1_000))
    await users.pause()
    const sightings = (await Promise.all(onlookers.map((one) => one.stop()))).flat()
    await this.#finish()
    this.#violations.push(...judgeSightings(this.#history, sightings))
    this.#violations.push(...judgeDocumentChanges(this.#history, this.#changes))
    return {
      ...{ seed, runs: kinds.length, writes: this.#history.size, faults: this.#faults, exits: this.#exits },
      violations: this.#violations.map((one) => one.replaceAll('\n', ' ')),
    }
  }

  #draw(requests: number): RunFaults {
    for (;;) {
      const faults = drawFaults(this.#chance, requests)
      const isRough = faults.strikes.some(({ strike }) => strike.startsWith('restart'))
      if (!isRough || this.#options.sparesServers !== true) return faults
    }
  }

  async #makeIndexes(): Promise<void> {
    const body = {
      mappings: { properties: { id: { type: 'keyword' }, tmstmp: { type: 'date' } } },
      // Nothing is found that nobody has refreshed.
      settings: { refresh_interval: '-1' },
    }
    for (const table of this.#tables) await this.#sceneNow.http('PUT', `/${this.#sceneNow.index(table)}`, body)
  }

  #onHttp(asked: AskedRequest) {
    this.#run?.onRequest(asked.kind === 'bulk')
    return this.#run?.faults.http(asked)
  }

  #onCql(request: CqlRequest) {
    this.#run?.onRequest(request.kind === 'BATCH')
    return this.#run?.faults.cql(request)
  }

  /** One run of the syncer with what is to happen to it. */
  async #sync(name: string, faults: RunFaults): Promise<{ ended: Ended; made: number; ms: number }> {
    const startedAt = performance.now()
    const running = this.#sceneNow.begin(['db', 'sync', 'app', '--output', 'json'])
    const { child } = running
    const struck: Promise<void>[] = []
    let [made, written] = [0, 0]
    const onRequest = (writes: boolean) => {
      made++
      if (writes) written++
      for (const { strike, of, at, ms } of faults.strikes)
        if (of === 'all' ? at === made : writes && at === written)
          struck.push(this.#strike(strike, ms, (signal) => child.kill(signal)))
    }
    this.#run = { faults, onRequest }
    const tooLong = setTimeout(() => {
      this.#violations.push(
        `run ${name} (${faults.name}) is still going on after ${RUN_MS} ms: ${running.err().slice(-500)}`,
      )
      child.kill('SIGKILL')
    }, RUN_MS)
    const ended = await running.exit
    clearTimeout(tooLong)
    this.#run = undefined
    await Promise.all(struck)
    const exit = describeEnd(ended)
    this.#exits[exit] = (this.#exits[exit] ?? 0) + 1
    this.#judgeRun(name, faults, ended)
    return { ended, made, ms: Math.round(performance.now() - startedAt) }
  }

  async #strike(strike: Strike, ms: number, signal: (signal: NodeJS.Signals) => void): Promise<void> {
    const { search, cassandra } = this.#options.servers
    switch (strike) {
      case 'kill':
        await sleep(ms)
        signal('SIGKILL')
        return
      case 'cancel':
        return signal('SIGINT')
      case 'reset-all':
        return this.#http?.resetAll()
      case 'restart-search':
        await search.kill()
        return await search.restart()
      case 'restart-cassandra':
        // Killed, it would lose what it has acknowledged in the last tenth of a second.
        await cassandra.stop()
        return await cassandra.restart()
      default: {
        const server = strike === 'freeze-search' ? search : cassandra
        server.freeze()
        await sleep(ms)
        server.thaw()
      }
    }
  }

  #judgeRun(name: string, faults: RunFaults, ended: Ended): void {
    const where = `run ${name} (${faults.name})`
    this.#violations.push(...judgeReport(ended).map((one) => `${where}: ${one}`))
    const isEnded = faults.strikes.some(({ strike }) => strike === 'kill' || strike === 'cancel')
    if (isEnded || ended.code === 0) return
    this.#violations.push(
      `${where} ended with ${describeEnd(ended)}: ${ended.out.slice(0, 600)} ${ended.err.slice(-600)}`,
    )
  }

  /** Resolves when nothing that a run has sent is still on its way. */
  async #quiet(): Promise<void> {
    await waitUntil(() => this.#http?.underWay === 0, 30_000)
    await sleep(100)
  }

  /** Whatever the saved ends say is carried has to be. */
  async #judgeMoment(): Promise<void> {
    const ends = await readSavedEnds(this.#sceneNow)
    for (const end of ends) {
      const sides = await readSides(this.#sceneNow, end.table)
      this.#violations.push(...judgeSavedEnd(this.#history, end, sides, this.#lagMs))
    }
  }

  async #deleteSome(users: Users): Promise<void> {
    const table = this.#chance.pick(this.#tables)
    const id = this.#chance.pick(users.hot.get(table) ?? [])
    const newest = this.#history.newestOf(table, id)
    if (newest !== undefined && newest.ms < Date.now() - 1) await users.deleteEverywhere(table, id)
  }

  /** A sync in peace brings all together, one more has nothing to do, and a verify says the same as we. */
  async #finish(): Promise<void> {
    const newest = Math.max(
      ...this.#tables.flatMap((table) =>
        this.#history.idsOf(table).map((id) => this.#history.newestOf(table, id)?.ms ?? 0),
      ),
    )
    await sleep(Math.max(0, newest - Date.now() + this.#lagMs + 20))
    await this.#quiet()
    await this.#sync('in peace', drawNothing())
    let gone = 0
    for (const table of this.#tables) {
      const sides = await readSides(this.#sceneNow, table)
      this.#violations.push(...judgeEnd(this.#history, table, sides))
      gone += this.#history
        .idsOf(table)
        .filter((id) => this.#history.lastDeletion(table, id, 'cassandra') !== undefined).length
    }
    const { ended } = await this.#sync('once more', drawNothing())
    if (ended.code !== 0) return
    const { counts } = readReport(ended)
    // Whoever deleted a row in Cassandra keeps it away from there: it is tried, and stays deleted.
    if (counts.applied > gone)
      this.#violations.push(`a sync with nothing new applied ${counts.applied} rows: ${ended.out}`)
    await this.#judgeWindow()
  }

  /** A window has what lies after its begin, and up to and with its end: both are taken from rows. */
  async #judgeWindow(): Promise<void> {
    const [table] = this.#tables
    if (table === undefined) return
    const times = await readTimes(this.#sceneNow, table)
    for (const direction of ['left-to-right', 'right-to-left'] as const) {
      const some = [this.#chance.pick(times[direction]), this.#chance.pick(times[direction])] as const
      const [begin, end] = [Math.min(...some), Math.max(...some)]
      const bounds = ['-b', new Date(begin).toISOString(), '-e', String(end)]
      const ended = await this.#sceneNow.run([
        ...['db', 'sync', 'app', '--output', 'json', '--dry-run', '--tables', table, '--direction', direction],
        ...bounds,
      ])
      const read = ended.code === 0 ? readReport(ended).counts.read : ended.err
      const expected = times[direction].filter((ms) => ms > begin && ms <= end).length
      if (read === expected) continue
      this.#violations.push(`${table} ${direction} has ${expected} rows in (${begin}, ${end}], ${read} were read`)
    }
  }
}

function drawNothing(): RunFaults {
  return { name: 'none', strikes: [], http: () => undefined, cql: () => undefined }
}

const describeEnd = ({ code, signal }: Ended): string => signal ?? `exit ${code}`
