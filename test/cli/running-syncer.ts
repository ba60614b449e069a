// The real command in a process of its own, for what only a process can show: signals, exit codes, what it loads.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Readable } from 'node:stream'

const BIN = join(import.meta.dirname, '../../bin/syncer')

export interface RunningSyncer {
  readonly child: ChildProcessByStdio<null, Readable, Readable>
  /** Everything on standard error so far. */
  readonly err: () => string
  /** Resolves with the first log line whose message this is; rejects when the process ends before. */
  logged(message: string): Promise<Record<string, unknown>>
  readonly exit: Promise<{
    readonly code: number | null
    readonly signal: NodeJS.Signals | null
    readonly out: string
    readonly err: string
  }>
}

export interface RunOptions {
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
  /** Modules that are loaded before, as URLs. */
  readonly preload?: readonly string[]
  /** Path of another one than that of this checkout. */
  readonly bin?: string
}

/** Nothing of the environment of the tests gets in. End it by signal; it is killed when its test process goes. */
export function runSyncer(
  args: readonly string[],
  { cwd, env = {}, preload = [], bin = BIN }: RunOptions,
): RunningSyncer {
  const before = preload.flatMap((url) => ['--import', url])
  const child = spawn(process.execPath, [...before, bin, ...args], {
    cwd,
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  let out = ''
  let err = ''
  const waiting = new Set<() => void>()
  const notify = () => {
    for (const look of waiting) look()
  }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
    notify()
  })
  const exit = once(child, 'close').then(([code, signal]) => {
    process.off('exit', kill)
    return { code, signal, out, err }
  })
  const find = (message: string) =>
    err
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line): Record<string, unknown> => JSON.parse(line))
      .find((line) => line['msg'] === message)
  const logged = (message: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<Record<string, unknown>>()
    const look = () => {
      const line = find(message)
      if (line !== undefined) resolve(line)
    }
    waiting.add(look)
    look()
    exit.then(() => reject(new Error(`syncer ended without logging ${JSON.stringify(message)}:\n${err}`)))
    return promise.finally(() => waiting.delete(look))
  }
  return { child, err: () => err, logged, exit }
}
