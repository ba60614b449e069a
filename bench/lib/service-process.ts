// A service under measurement: a process of its own, told where the gateway is, ready when it answers.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { request } from 'undici'
import { findFreePort } from '../../test/services/lib/free-port.ts'
import type { NginxGateway } from '../../test/services/lib/nginx-gateway.ts'
import { createRunFolder } from '../../test/services/lib/run-folder.ts'
import { startProcess } from '../../test/services/lib/server-process.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface MeasuredService extends AsyncDisposable {
  readonly name: string
  readonly url: string
  readonly pid: number
}

interface Settings {
  readonly gateway: NginxGateway
  /** Added to the section `gateway` of the configuration. */
  readonly options?: Record<string, unknown>
}

/** This project's service, as it is installed: its command, a configuration file, logs to a file at level info. */
export async function startSyncer(name: string, { gateway, options = {} }: Settings): Promise<MeasuredService> {
  return start(name, gateway, (port, folder) => {
    const config = {
      listen: { host: '127.0.0.1', port },
      gateway: {
        discovery: {
          kind: 'static',
          replicas: gateway.replicas.map(({ name, address, port }) => ({ name, address, port })),
        },
        probe: {
          host: gateway.host,
          path: gateway.path,
          token: 'cookie:auth_token',
          tls: { ca: { file: join(folder, 'ca.pem') }, servername: gateway.host },
        },
        ...options,
      },
    }
    const path = join(folder, 'syncer.yaml')
    // JSON is YAML.
    writeFileSync(path, JSON.stringify(config))
    return [join(ROOT, 'bin/syncer'), 'serve', '--config', path]
  })
}

/** The naive way: a request of its own for every probe, each with an AbortSignal. */
export async function startNaive(name: string, { gateway }: Settings): Promise<MeasuredService> {
  return start(name, gateway, (port, folder) => {
    const settings = {
      port,
      ca: join(folder, 'ca.pem'),
      host: gateway.host,
      path: gateway.path,
      replicas: gateway.replicas.map(({ name, address, port }) => ({ name, address, port })),
    }
    return [join(ROOT, 'bench/lib/naive-service.ts'), JSON.stringify(settings)]
  })
}

async function start(
  name: string,
  gateway: NginxGateway,
  prepare: (port: number, folder: string) => string[],
): Promise<MeasuredService> {
  const folder = createRunFolder(`bench-${name}`)
  const port = await findFreePort()
  writeFileSync(join(folder.path, 'ca.pem'), gateway.tls?.ca ?? '')
  const url = `http://127.0.0.1:${port}`
  const child = await startProcess({
    name,
    command: process.execPath,
    args: prepare(port, folder.path),
    env: { NODE_ENV: 'production' },
    stdoutFile: join(folder.path, 'out.log'),
    readyTimeoutMs: 30_000,
    ready: async () => {
      const { statusCode, body } = await request(`${url}/readyz`)
      await body.dump()
      return statusCode === 200
    },
  })
  return {
    name,
    url,
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      await child.stop()
      folder.remove()
    },
  }
}
