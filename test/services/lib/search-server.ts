// One real Elasticsearch or OpenSearch of a test: a single node on loopback, without authentication, on a folder and ports of its own.
// The distributions hold the modules of the core alone: no scripts, no reindexing, and Elasticsearch answers `GET /` with 405.
import { rmSync } from 'node:fs'
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { findTwoFreePorts } from './free-port.ts'
import { type RestartableServer, startRestartable } from './restartable.ts'
import { runCommand } from './run-command.ts'
import { findSearch, type SearchRelease } from './search-releases.ts'
import { type ServerProcess, startProcess } from './server-process.ts'
import { asSystemUser, giveToSystemUser } from './system-user.ts'
import { guardFolder } from './watchdog.ts'

export type SearchOptions = SearchRelease & {
  /** Its memory for objects, in MiB: 1,024 when left out. With half of it servers refuse requests of the suites. */
  readonly heapMb?: number
  /** Settings of the node beside those that every one has. */
  readonly settings?: Readonly<Record<string, unknown>>
  /** A folder with a plugin of its own. */
  readonly plugin?: string
}

export interface SearchServer extends RestartableServer {
  /** `http://127.0.0.1:port`. */
  readonly url: string
  readonly version: string
}

const HOST = '127.0.0.1'
/** What the server writes to, below its home. */
const OWN_FOLDERS = ['config', 'data', 'logs', 'tmp']
/** Below its home, written by itself: the start script of Elasticsearch stays its parent. */
const PID_FILE = 'tmp/pid'
const REQUEST_MS = 5_000
/** Ten to twenty seconds on two idle cores. */
const READY_MS = 180_000
/** What begins the names of its variables, and the settings that the other kind does not know: an unknown one is fatal. */
const KINDS = {
  elasticsearch: { prefix: 'ES', settings: { 'xpack.security.enabled': false } },
  opensearch: { prefix: 'OPENSEARCH', settings: {} },
} as const

/** Starts it and resolves when it takes documents. Throws with its log when it does not. */
export async function startSearch({
  heapMb = 1_024,
  settings = {},
  plugin,
  ...release
}: SearchOptions): Promise<SearchServer> {
  const { kind } = release
  const { distribution, version, java } = findSearch(release)
  const [port, transportPort] = await findTwoFreePorts()
  const url = `http://${HOST}:${port}`
  const server = await startRestartable(kind, {
    prepare: async (folder) => {
      const home = await makeHome(distribution, folder)
      if (plugin !== undefined) await cp(plugin, join(home, 'plugins/own'), { recursive: true })
      const node = { ...describeNode(port, transportPort), ...KINDS[kind].settings, ...settings }
      await writeFile(join(home, `config/${kind}.yml`), stringify(node))
      await writeFile(join(home, 'config/jvm.options.d/test.options'), describeJava(heapMb))
      await giveToSystemUser([folder, home])
      await giveToSystemUser(
        OWN_FOLDERS.map((name) => join(home, name)),
        { recursive: true },
      )
    },
    launch: async (folder) => {
      const home = join(folder, 'home')
      const { prefix } = KINDS[kind]
      const env = {
        PATH: '/usr/bin:/bin',
        HOME: home,
        [`${prefix}_JAVA_HOME`]: java,
        [`${prefix}_TMPDIR`]: join(home, 'tmp'),
        // Heard by every Java that the start scripts run, too: none leaves anything in /tmp.
        JDK_JAVA_OPTIONS: `-XX:-UsePerfData -Djava.io.tmpdir=${join(home, 'tmp')}`,
      }
      // What the user of the machine sets for Java is not for this one.
      const clean = ['-i', ...Object.entries(env).map(([name, value]) => `${name}=${value}`)]
      const [command, args] = asSystemUser('env', [...clean, join(home, 'bin', kind), '-p', join(home, PID_FILE)])
      const started = await startProcess({
        name: `${kind} ${version}`,
        command,
        args,
        cwd: home,
        stdoutFile: join(folder, 'log'),
        ready: () => isReady(url),
        readyTimeoutMs: READY_MS,
      })
      removeSocket(Number(await readFile(join(home, PID_FILE), 'utf8')), started)
      return started
    },
  })
  return Object.assign(server, { url, version })
}

/** The distribution as it sees it: the big files are those of the cache, for which a user without rights needs no way there. */
async function makeHome(distribution: string, folder: string): Promise<string> {
  const home = join(folder, 'home')
  try {
    await runCommand('cp', ['-a', '--link', distribution, home])
  } catch {
    // The cache is on another file system.
    await rm(home, { recursive: true, force: true })
    await runCommand('cp', ['-a', distribution, home])
  }
  // What is written to may not be shared with the cache.
  for (const name of OWN_FOLDERS) await rm(join(home, name), { recursive: true, force: true })
  await cp(join(distribution, 'config'), join(home, 'config'), { recursive: true })
  for (const name of [...OWN_FOLDERS, 'config/jvm.options.d']) await mkdir(join(home, name), { recursive: true })
  return home
}

function describeNode(port: number, transportPort: number) {
  return {
    'cluster.name': 'test',
    'node.name': 'node-1',
    'network.host': HOST,
    'http.port': port,
    'transport.port': transportPort,
    'discovery.type': 'single-node',
    // A full disk of the machine would make every index read-only.
    'cluster.routing.allocation.disk.threshold_enabled': false,
  }
}

const describeJava = (heapMb: number) => `-Xms${heapMb}m\n-Xmx${heapMb}m\n`

/** Elasticsearch talks to itself over a socket that Java always puts there, and that it leaves when it is killed. */
function removeSocket(pid: number, server: ServerProcess): void {
  const socket = `/tmp/.java_pid${pid}`
  const release = guardFolder(socket)
  void server.exited.then(() => {
    rmSync(socket, { force: true })
    release()
  })
}

async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/_cluster/health?wait_for_status=yellow&timeout=1s`, {
    signal: AbortSignal.timeout(REQUEST_MS),
  })
  await answer.arrayBuffer()
  return answer.status === 200
}
