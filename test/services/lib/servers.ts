// The servers of the tests by name, so that they can be had outside a test too: `node test/services/start.ts NAME`.
// Every one listens on free ports of loopback, is ready when its promise resolves, and is gone with the process that started it.
import { installCassandra, startCassandra } from './cassandra.ts'
import { type FaultReplica, startFaultReplica } from './fault-replica.ts'
import { BLINDING, TRUTHFUL } from './faults.ts'
import { type NginxGateway, startGateway } from './nginx-gateway.ts'
import { installSearch, type SearchRelease } from './search-releases.ts'
import { startSearch } from './search-server.ts'
import { startStandIn } from './stand-in.ts'
import { caFile, gatewaySection, type ListedReplica, type Syncer, startSyncer } from './syncer.ts'
import { createTestTls, type TestTls } from './test-tls.ts'

export interface StartedServer extends AsyncDisposable {
  /** What to tell whoever wants to use it: addresses, and how to ask. */
  readonly lines: readonly string[]
}

export type ServerName = keyof typeof SERVERS

/** By name: how each is started with what is usual in the tests. */
export const SERVERS = {
  'nginx-gateway': async (): Promise<StartedServer> => {
    const gateway = await startGateway()
    return { lines: describeGateway(gateway), [Symbol.asyncDispose]: () => gateway.stop() }
  },
  'nginx-gateway-lua': async (): Promise<StartedServer> => {
    const gateway = await startGateway({ propagation: 'lua' })
    return { lines: describeGateway(gateway), [Symbol.asyncDispose]: () => gateway.stop() }
  },
  'fault-replicas': async (): Promise<StartedServer> => {
    const replicas = await startEveryFault(await createTestTls())
    const lines = replicas.map(({ name, address, port }) => `${address}:${port}  ${name}`)
    return { lines, [Symbol.asyncDispose]: () => stopAll(replicas.map((replica) => () => replica.stop())) }
  },
  'stand-in': async (): Promise<StartedServer> => {
    const standIn = await startStandIn()
    const lines = [`http://${standIn.authority}/v1/synced answers Synced`]
    return { lines, [Symbol.asyncDispose]: () => standIn[Symbol.asyncDispose]() }
  },
  syncer: async (): Promise<StartedServer> => {
    const gateway = await startGateway()
    const syncer = await startSyncer(syncerOf(gateway.replicas, gateway.tls))
    const lines = [...describeGateway(gateway), '', ...describeSyncer(syncer)]
    return { lines, [Symbol.asyncDispose]: () => stopAll([() => syncer.stop(), () => gateway.stop()]) }
  },
  cassandra: async (): Promise<StartedServer> => {
    await installCassandra(say)
    const cassandra = await startCassandra()
    const lines = [`cassandra  ${cassandra.host}:${cassandra.port}  (data centre ${cassandra.dataCenter})`]
    return { lines, [Symbol.asyncDispose]: () => cassandra[Symbol.asyncDispose]() }
  },
  'elasticsearch-8': () => startSearchByHand({ kind: 'elasticsearch', major: 8 }),
  'elasticsearch-9': () => startSearchByHand({ kind: 'elasticsearch', major: 9 }),
  'opensearch-2': () => startSearchByHand({ kind: 'opensearch', major: 2 }),
  'opensearch-3': () => startSearchByHand({ kind: 'opensearch', major: 3 }),
} satisfies Record<string, () => Promise<StartedServer>>

/** Whether there is a server of that name. */
export function isServerName(name: string): name is ServerName {
  return Object.hasOwn(SERVERS, name)
}

async function startSearchByHand(release: SearchRelease): Promise<StartedServer> {
  await installSearch(release, say)
  const server = await startSearch(release)
  const lines = [`${release.kind} ${server.version}  ${server.url}`, `look:  curl ${server.url}/_cat/indices?v`]
  return { lines, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

function syncerOf(replicas: readonly ListedReplica[], tls: TestTls | undefined) {
  return { config: { gateway: gatewaySection(replicas, tls) }, files: caFile(tls) }
}

function describeGateway({ replicas, path, host, tls }: NginxGateway): string[] {
  const [first] = replicas
  const scheme = tls === undefined ? 'http' : 'https'
  const url = `${scheme}://${first?.address}:${first?.port}`
  return [
    ...replicas.map(({ name, address, port }) => `${name}  ${scheme}://${address}:${port}`),
    `log in:  curl -k -X PUT -d '' ${url}/_store/TOKEN   (at one replica: the harness does not hear of it)`,
    `probe:   curl -k -i -H 'Host: ${host}' -b auth_token=TOKEN ${url}${path}`,
  ]
}

function describeSyncer({ baseUrl }: Syncer): string[] {
  return [
    `syncer   ${baseUrl}`,
    `check:   curl -i -H 'X-Auth-Token: TOKEN' -H 'X-Nginx-Origin: gw-0' ${baseUrl}/v1/synced`,
  ]
}

async function startEveryFault(tls: TestTls): Promise<FaultReplica[]> {
  const replicas: FaultReplica[] = []
  for (const { name, fault } of [...TRUTHFUL, ...BLINDING]) {
    const replica = await startFaultReplica({ name, tls, fault })
    replica.hasAll = true
    replicas.push(replica)
  }
  return replicas
}

async function stopAll(stops: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const stop of stops) await stop()
}
