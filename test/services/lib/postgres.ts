// One real PostgreSQL of a test, from Debian's packages: on a folder and a port of its own, as a user that is not root.
import { chownSync, existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, type QueryResultRow } from 'pg'
import { installPackages } from './debian.ts'
import { findFreePort } from './free-port.ts'
import { runCommand } from './run-command.ts'
import { createRunFolder } from './run-folder.ts'
import { type ServerProcess, startProcess } from './server-process.ts'

/** Debian makes it with the package; PostgreSQL refuses to run as root. */
const USER = 'postgres'
const PASSWORD = 'hunter2'
const QUERY_MS = 10_000

export interface PostgresOptions {
  /** With these it speaks TLS, too. */
  readonly tls?: { readonly cert: string; readonly key: string }
}

export interface Postgres extends AsyncDisposable {
  readonly port: number
  /** Its first process now. */
  readonly pid: number
  /** Makes an empty database and gives its address, password included. */
  createDatabase(): Promise<string>
  /** Runs one statement as the superuser, in the database of that address. */
  query(url: string, sql: string, values?: readonly unknown[]): Promise<readonly QueryResultRow[]>
  /** Every process keeps its connections and says nothing more. */
  freeze(): void
  thaw(): void
  /** Ends it, with all connections; the data stay. */
  end(): Promise<void>
  /** Starts it again after `end`, on the same port. */
  start(): Promise<void>
}

/** Folder of the server's programs, or undefined when it is not installed. */
export function findPostgres(): string | undefined {
  return globSync('/usr/lib/postgresql/*/bin/postgres')
    .sort()
    .at(-1)
    ?.replace(/\/postgres$/, '')
}

/** Installs it unless it is there. Throws when it cannot be had. */
export async function installPostgres(log: (line: string) => void): Promise<void> {
  if (findPostgres() === undefined) await installPackages(['postgresql'], log)
  if (findPostgres() === undefined) throw new Error('PostgreSQL is still missing after the installation')
}

/** Starts it on loopback and resolves when it takes connections. Throws with its log when it does not. */
export async function startPostgres({ tls }: PostgresOptions = {}): Promise<Postgres> {
  const programs = findPostgres()
  if (programs === undefined) throw new Error('PostgreSQL is missing: `npm run test:services` installs it')
  const folder = createRunFolder('postgres')
  const port = await findFreePort()
  const own = ownerOf(folder.path)
  const write = (name: string, text: string) => {
    const path = join(folder.path, name)
    writeFileSync(path, text, { mode: 0o600 })
    own(path)
    return path
  }
  let server: ServerProcess | undefined
  const launch = async () => {
    const [command, args] = asServerUser(join(programs, 'postgres'), [
      ...['-D', join(folder.path, 'data'), '-p', String(port), '-k', folder.path],
      ...settings({
        listen_addresses: '127.0.0.1',
        // The machine will not lose its power in a test.
        fsync: 'off',
        max_connections: '60',
        ...(tls && { ssl: 'on', ssl_cert_file: write('tls.crt', tls.cert), ssl_key_file: write('tls.key', tls.key) }),
      }),
    ])
    const stdoutFile = join(folder.path, 'log')
    const ready = async () => (await ask(address('postgres'), 'SELECT 1 AS one')).length === 1
    server = await startProcess({ name: 'postgres', command, args, stdoutFile, ready, cwd: folder.path })
  }
  const end = async () => {
    await server?.stop(10_000)
    server = undefined
  }
  const address = (database: string) => `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`
  const ask = async (url: string, sql: string, values: readonly unknown[] = []) => {
    const client = new Client({ connectionString: url, query_timeout: QUERY_MS })
    await client.connect()
    try {
      return (await client.query(sql, [...values])).rows as readonly QueryResultRow[]
    } finally {
      await client.end()
    }
  }
  try {
    const password = write('password', PASSWORD)
    const init = ['-D', join(folder.path, 'data'), '-U', USER, '-A', 'scram-sha-256', '--pwfile', password, '--no-sync']
    // A language whose order of letters is not that of their bytes.
    await runCommand(
      ...asServerUser(join(programs, 'initdb'), [
        ...init,
        '-E',
        'UTF8',
        '--locale-provider',
        'icu',
        '--icu-locale',
        'en-US',
      ]),
    )
    await launch()
  } catch (error) {
    folder.remove()
    throw error
  }
  let databases = 0
  return {
    port,
    get pid() {
      return server?.pid ?? 0
    },
    createDatabase: async () => {
      const name = `test${++databases}`
      await ask(address('postgres'), `CREATE DATABASE ${name}`)
      return address(name)
    },
    query: ask,
    freeze: () => signalAll(server?.pid, 'SIGSTOP'),
    thaw: () => signalAll(server?.pid, 'SIGCONT'),
    end,
    start: launch,
    [Symbol.asyncDispose]: async () => {
      signalAll(server?.pid, 'SIGCONT')
      await end()
      folder.remove()
    },
  }
}

/** Signals a process and its children: those of PostgreSQL are groups of their own. */
function signalAll(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  process.kill(pid, signal)
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((text) => text !== '')
  for (const child of children) {
    try {
      process.kill(Number(child), signal)
    } catch (error) {
      // A connection that has just ended took its process with it.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
    }
  }
}

const settings = (values: Readonly<Record<string, string>>): string[] =>
  Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])

const isRoot = () => process.getuid?.() === 0

/** What starts the command as the user of the server, where we are root. */
function asServerUser(command: string, args: readonly string[]): readonly [string, readonly string[]] {
  return isRoot()
    ? ['setpriv', ['--reuid', USER, '--regid', USER, '--clear-groups', command, ...args]]
    : [command, args]
}

/** Hands the folder, and then files in it, to the user of the server. */
function ownerOf(folder: string): (path: string) => void {
  if (!isRoot()) return () => undefined
  const home = '/var/lib/postgresql'
  if (!existsSync(home)) throw new Error(`${home} is missing, whose owner is the user of PostgreSQL`)
  const { uid, gid } = statSync(home)
  const own = (path: string) => chownSync(path, uid, gid)
  own(folder)
  return own
}
