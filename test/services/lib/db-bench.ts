// What the tests of database syncs on real servers share: fresh scenes behind proxies, runs of the syncer, and what they said.
import { afterAll, beforeAll, expect } from 'vitest'
import type { CassandraOptions } from './cassandra.ts'
import { type CqlFault, CqlProxy, type CqlRequest } from './cql-proxy.ts'
import { type AskedRequest, type HttpFault, HttpProxy } from './db-http-proxy.ts'
import { judgeReport, type Report, readReport } from './db-report.ts'
import { DbScene, type DbSceneOptions, type DbServers, startDbServers } from './db-scene.ts'
import type { SearchRelease } from './search-releases.ts'

export interface OpenOptions extends Omit<DbSceneOptions, 'servers' | 'name' | 'cqlPort' | 'url'> {
  readonly http?: (asked: AskedRequest) => HttpFault | undefined
  readonly cql?: (request: CqlRequest) => CqlFault | undefined
  /** Shares the indexes of that scene. */
  readonly like?: DbScene
}

export interface Run {
  readonly code: number | null
  /** Of a run that ended by itself. */
  readonly report: Report
  readonly err: string
}

/** A scene behind two proxies. */
export interface Bench extends AsyncDisposable {
  readonly scene: DbScene
  readonly http: HttpProxy
  readonly cql: CqlProxy
  /** `syncer db sync app` with more arguments; what it says of itself has to add up. */
  sync(...args: string[]): Promise<Run>
}

let count = 0

/** Starts the servers of a file of tests, and gives what opens scenes on them. */
export function useDbServers(options: CassandraOptions = {}, release?: SearchRelease) {
  let servers: DbServers | undefined
  beforeAll(async () => {
    servers = await startDbServers(options, release)
  })
  afterAll(async () => await servers?.[Symbol.asyncDispose]())
  const get = (): DbServers => {
    if (servers === undefined) throw new Error('the servers are not there')
    return servers
  }
  return {
    get servers() {
      return get()
    },
    open: (bench: OpenOptions) => openBench(get(), bench),
  }
}

export async function openBench(servers: DbServers, { http, cql, ...options }: OpenOptions): Promise<Bench> {
  await using stack = new AsyncDisposableStack()
  const cqlProxy = stack.use(await CqlProxy.start(servers.cassandra.port, cql && { decide: cql }))
  const httpProxy = stack.use(await HttpProxy.start(servers.search.url, http && { decide: http }))
  const places = { cqlPort: cqlProxy.port, url: httpProxy.url }
  const scene = stack.use(await DbScene.open({ ...options, ...places, servers, name: `t${process.pid}x${count++}` }))
  const all = stack.move()
  return {
    scene,
    http: httpProxy,
    cql: cqlProxy,
    sync: (...args) => sync(scene, ['app', ...args]),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}

/** `syncer db sync` with these arguments, in the folder of the scene. */
export async function sync(scene: DbScene, args: readonly string[]): Promise<Run> {
  const ended = await scene.run(['db', 'sync', ...args, '--output', 'json'])
  expect(judgeReport(ended)).toEqual([])
  return { code: ended.code, report: readReport(ended), err: ended.err }
}

/** Requests that ask for rows or write some: not those that connect or look at the schema. */
export function countData({ seen }: CqlProxy): number {
  return seen.filter(
    ({ kind, statement }) => ['QUERY', 'EXECUTE', 'BATCH'].includes(kind) && !/\bsystem/i.test(statement),
  ).length
}
