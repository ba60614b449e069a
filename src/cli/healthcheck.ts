// What an image has run to see whether its service lives: exits with 0 when /livez of this very machine answers 200, else with 1. It goes
// by the configuration that process 1 serves: its `--config`, else what the environment says, as the service itself does.
import { readFile } from 'node:fs/promises'
import { get as getHttp } from 'node:http'
import { get as getHttps } from 'node:https'
import { connect } from 'node:net'
import { loadConfig } from '../config/load.ts'
import { readProcessEnvironment } from '../config/process-environment.ts'
import type { Config } from '../config/schema.ts'

const TIMEOUT_MS = 4_000
const SERVICE = '/proc/1/cmdline'

export type LivenessProbe = {
  readonly kind: 'http' | 'https' | 'connect'
  readonly host: string
  readonly port: number
}

/** Where the service is asked, from inside. Without a client certificate, which nobody gives out for this, only that it listens can be seen. */
export function planProbe({ host, port, tls }: Config['listen']): LivenessProbe {
  const local = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return { kind: tls === undefined ? 'http' : tls.clientCa === undefined ? 'https' : 'connect', host: local, port }
}

/** The file that a command line names with `--config`, as it is in /proc. */
export function findConfigPath(cmdline: string): string | undefined {
  const words = cmdline.split('\0')
  const at = words.findLastIndex((word) => word === '--config' || word.startsWith('--config='))
  return words[at] === '--config' ? words[at + 1] : words[at]?.slice('--config='.length)
}

/** Resolves when the service lives. Rejects when it does not within a few seconds. */
export function probe({ kind, host, port }: LivenessProbe, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const give = (error?: Error) => (error === undefined ? resolve() : reject(error))
    if (kind === 'connect') {
      const socket = connect({ host, port, signal })
      socket.once('error', give).once('connect', () => {
        socket.destroy()
        give()
      })
      return
    }
    const get = kind === 'http' ? getHttp : getHttps
    // The name in the certificate is for callers from elsewhere; nothing is sent that others may not see.
    const request = get({ host, port, path: '/livez', agent: false, signal, rejectUnauthorized: false }, (response) => {
      response.resume()
      give(response.statusCode === 200 ? undefined : new Error(`/livez answers ${response.statusCode}`))
    })
    request.once('error', give)
  })
}

/** Looks once, and leaves the result as the exit code of this process, with the reason on standard error. */
export async function main(): Promise<void> {
  try {
    const { config } = await loadConfig({
      path: findConfigPath(await readFile(SERVICE, 'utf8')),
      env: readProcessEnvironment(),
      cwd: process.cwd(),
      readFile: (file) => readFile(file, 'utf8'),
    })
    await probe(planProbe(config.listen), AbortSignal.timeout(TIMEOUT_MS))
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}

if (import.meta.main) await main()
