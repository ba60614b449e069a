// One real Cassandra node of a test, from Maven Central: on a folder and ports of its own, without authentication, loopback only.
import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { stringify } from 'yaml'
import { makeCachedFolder } from './cached-folder.ts'
import { findTwoFreePorts } from './free-port.ts'
import { findJava, installJava, type JavaRange } from './java.ts'
import { copyJars, installMaven } from './maven.ts'
import { type RestartableServer, startRestartable } from './restartable.ts'
import { cacheFolder } from './run-folder.ts'
import { isListening, startProcess } from './server-process.ts'

export interface CassandraOptions {
  /** Ranges of the ring that it owns: 16 when left out, which makes one range that wraps around the end. */
  readonly numTokens?: number
  /** Of its Java; with what Cassandra itself makes of so much memory, as users have it. Small in all things when left out. */
  readonly heapMb?: number
}

export interface Cassandra extends RestartableServer {
  readonly host: string
  /** Where it speaks CQL. */
  readonly port: number
  /** Drivers want to be told. */
  readonly dataCenter: string
}

/** Cassandra 5 runs on 11 and 17; the options beside the pom are those of 17. */
const JAVA: JavaRange = { from: 17, to: 17 }
const HOST = '127.0.0.1'
const SETTINGS = join(import.meta.dirname, '../cassandra')
const POM = join(SETTINGS, 'pom.xml')
/** Eight seconds on two idle cores. */
const READY_MS = 180_000

/** Downloads it unless it is there. Throws when it cannot be had. */
export async function installCassandra(log: (line: string) => void): Promise<void> {
  await installJava(JAVA, log)
  await makeCachedFolder(jarsFolder(), async (unfinished) => {
    await installMaven(log)
    log('downloading Cassandra')
    await copyJars(POM, unfinished)
  })
}

/** Starts it and resolves when it takes statements. Throws with its log when it does not. */
export async function startCassandra({ numTokens = 16, heapMb }: CassandraOptions = {}): Promise<Cassandra> {
  const jars = jarsFolder()
  if (!existsSync(jars)) throw new Error('Cassandra is missing: `npm run test:services` installs it')
  const java = join(findJava(JAVA), 'bin/java')
  const [port, storagePort] = await findTwoFreePorts()
  const server = await startRestartable('cassandra', {
    prepare: async (folder) => {
      await mkdir(join(folder, 'tmp'))
      const settings = { ...describeNode({ numTokens, port, storagePort, folder }), ...(heapMb === undefined && SMALL) }
      await writeFile(join(folder, 'cassandra.yaml'), stringify(settings))
    },
    launch: (folder) =>
      startProcess({
        name: 'cassandra',
        // What the user of the machine sets for Java is not for this one.
        command: 'env',
        args: ['-i', 'PATH=/usr/bin:/bin', `HOME=${folder}`, java, ...describeJava(jars, folder, heapMb)],
        cwd: folder,
        stdoutFile: join(folder, 'log'),
        ready: () => isListening(HOST, port),
        readyTimeoutMs: READY_MS,
      }),
  })
  return Object.assign(server, { host: HOST, port, dataCenter: 'datacenter1' })
}

function describeJava(jars: string, folder: string, heapMb: number | undefined): string[] {
  const [agent = ''] = globSync(join(jars, 'jamm-*.jar'))
  const properties = {
    'cassandra.config': pathToFileURL(join(folder, 'cassandra.yaml')).href,
    'cassandra.storagedir': join(folder, 'data'),
    'cassandra.logdir': folder,
    'cassandra-foreground': 'yes',
    'logback.configurationFile': pathToFileURL(join(SETTINGS, 'logback.xml')).href,
    // Libraries that are unpacked to be loaded: they are gone with the folder.
    'java.io.tmpdir': join(folder, 'tmp'),
  }
  return [
    `@${join(SETTINGS, 'jvm17.args')}`,
    // The last one counts.
    ...(heapMb === undefined ? [] : [`-Xms${heapMb}m`, `-Xmx${heapMb}m`]),
    `-javaagent:${agent}`,
    ...Object.entries(properties).map(([name, value]) => `-D${name}=${value}`),
    ...['-cp', join(jars, '*'), 'org.apache.cassandra.service.CassandraDaemon'],
  ]
}

interface NodeSettings {
  readonly numTokens: number
  readonly port: number
  readonly storagePort: number
  readonly folder: string
}

/** Many of them fit on one machine. */
const SMALL = {
  commitlog_segment_size: '16MiB',
  commitlog_total_space: '256MiB',
  memtable_heap_space: '128MiB',
  memtable_offheap_space: '128MiB',
  key_cache_size: '8MiB',
  file_cache_size: '32MiB',
  networking_cache_size: '16MiB',
  concurrent_reads: 8,
  concurrent_writes: 16,
  concurrent_compactors: 1,
  compaction_throughput: '0MiB/s',
}

/** Its cassandra.yaml: alone in its ring. */
function describeNode({ numTokens, port, storagePort, folder }: NodeSettings) {
  const data = join(folder, 'data')
  return {
    cluster_name: 'test',
    num_tokens: numTokens,
    partitioner: 'org.apache.cassandra.dht.Murmur3Partitioner',
    endpoint_snitch: 'SimpleSnitch',
    seed_provider: [
      {
        class_name: 'org.apache.cassandra.locator.SimpleSeedProvider',
        parameters: [{ seeds: `${HOST}:${storagePort}` }],
      },
    ],
    listen_address: HOST,
    storage_port: storagePort,
    start_native_transport: true,
    rpc_address: HOST,
    native_transport_port: port,
    data_file_directories: [join(data, 'data')],
    commitlog_directory: join(data, 'commitlog'),
    saved_caches_directory: join(data, 'saved_caches'),
    hints_directory: join(data, 'hints'),
    cdc_raw_directory: join(data, 'cdc_raw'),
    commitlog_sync: 'periodic',
    commitlog_sync_period: '10000ms',
    memtable_allocation_type: 'heap_buffers',
    auto_snapshot: false,
    incremental_backups: false,
    hinted_handoff_enabled: false,
  }
}

function jarsFolder(): string {
  const key = createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, 12)
  return join(cacheFolder(), `cassandra-${key}`)
}
