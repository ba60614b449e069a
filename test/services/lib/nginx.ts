// One real nginx, with every path that it writes to redirected into a folder of its own.
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRunFolder } from './run-folder.ts'
import { isListening, type ServerProcess, startProcess } from './server-process.ts'

/** Debian's modules, in the order in which they are loaded. */
const MODULES = {
  js: ['ngx_http_js_module.so'],
  lua: ['ndk_http_module.so', 'ngx_http_lua_module.so'],
} as const
export type NginxModule = keyof typeof MODULES

const MODULE_FOLDER = '/usr/lib/nginx/modules'

export interface NginxOptions {
  readonly name: string
  /** Where it listens, to see that it is ready. */
  readonly address: string
  readonly port: number
  readonly modules?: readonly NginxModule[]
  /** What goes into the `http` block. `folder` is its own folder: relative includes start there. */
  readonly http: (folder: string) => string
  /** Files to write beside nginx.conf before the start, by name. */
  readonly files?: Readonly<Record<string, string>>
}

export interface Nginx extends AsyncDisposable {
  readonly name: string
  /** Where its configuration and logs are. */
  readonly folder: string
  /** Its master process now. */
  readonly pid: number
  readonly running: boolean
  /** Sends a signal to master and workers: SIGSTOP freezes it, SIGCONT thaws it. */
  signal(signal: NodeJS.Signals): void
  /** SIGKILL to master and workers; the folder stays. */
  kill(): Promise<void>
  /** Starts it again after `kill`, with the same folder. */
  restart(): Promise<void>
  /** The text of a file in its folder; empty when there is none. */
  read(file: string): string
  /** Ends it and removes its folder. */
  stop(): Promise<void>
}

/** Path of the nginx binary, or undefined. */
export function findNginx(): string | undefined {
  return ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx'].find((path) => existsSync(path))
}

/** Whether Debian's dynamic module is installed. */
export function hasNginxModule(module: NginxModule): boolean {
  return MODULES[module].every((file) => existsSync(join(MODULE_FOLDER, file)))
}

/** Starts nginx in the foreground and resolves when it accepts connections. Throws with its error log when it does not. */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const binary = findNginx()
  if (binary === undefined) throw new Error('nginx is missing: `npm run test:services` installs it')
  const folder = createRunFolder(options.name)
  const conf = join(folder.path, 'nginx.conf')
  const log = join(folder.path, 'error.log')
  for (const [name, text] of Object.entries(options.files ?? {}))
    writeFileSync(join(folder.path, name), text, { mode: 0o600 })
  writeFileSync(conf, mainConfig(folder.path, log, options))
  const launch = () =>
    startProcess({
      name: `nginx ${options.name}`,
      command: binary,
      args: ['-p', folder.path, '-c', conf, '-e', log],
      stdoutFile: log,
      ready: () => isListening(options.address, options.port),
    })
  let server: ServerProcess
  try {
    server = await launch()
  } catch (error) {
    folder.remove()
    throw error
  }
  const stop = async () => {
    await server.stop(1_000)
    folder.remove()
  }
  return {
    name: options.name,
    folder: folder.path,
    get pid() {
      return server.pid
    },
    get running() {
      return server.exit === undefined
    },
    signal: (signal) => server.signal(signal),
    kill: async () => {
      server.signal('SIGKILL')
      await server.stop(1_000)
      // A killed nginx leaves its Unix sockets, and would refuse to start beside them.
      for (const path of globSync(join(folder.path, '*.sock'))) rmSync(path)
    },
    restart: async () => {
      if (server.exit === undefined) throw new Error(`${options.name} still runs`)
      server = await launch()
    },
    read: (file) => (existsSync(join(folder.path, file)) ? readFileSync(join(folder.path, file), 'utf8') : ''),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function mainConfig(folder: string, log: string, { modules = [], http }: NginxOptions): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `  ${kind}_temp_path ${folder}/${kind};`,
  )
  return `${modules.flatMap((module) => MODULES[module].map((file) => `load_module ${MODULE_FOLDER}/${file};`)).join('\n')}
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${log} warn;
events { worker_connections 4096; }
http {
${temporary.join('\n')}
${http(folder)}
}
`
}
