// Starts a server as a process group of its own, waits until it is ready, and stops it with everything that it started.
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { guardGroup, signalGroup } from './watchdog.ts'

export interface ProcessOptions {
  /** What messages call it. */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** File that standard output is written to. */
  readonly stdoutFile: string
  /** File that standard error is written to; the same as `stdoutFile` when left out. */
  readonly stderrFile?: string
  /** Asked every 10 ms until it says true; an exception counts as false. */
  readonly ready: () => Promise<boolean>
  /** How long it may take to be ready, in milliseconds; 15 seconds when left out. */
  readonly readyTimeoutMs?: number
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface ServerProcess extends AsyncDisposable {
  readonly name: string
  readonly pid: number
  /** Resolves when the first process of the group has ended. */
  readonly exited: Promise<Exit>
  /** How it ended, or undefined while it runs. */
  readonly exit: Exit | undefined
  /** What it has written to standard error (or to both). */
  output(): string
  /** Sends a signal to every process of the group: SIGSTOP freezes nginx with its workers. */
  signal(signal: NodeJS.Signals): void
  /** SIGTERM to the group, SIGKILL after `graceMs` (5 seconds when left out). Resolves when no process of the group is left. */
  stop(graceMs?: number): Promise<Exit>
}

const deathSignal = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0

/** The command that is killed when the process that starts it dies, where the system can do that. */
export function tieToParent(
  command: string,
  args: readonly string[],
): readonly [command: string, args: readonly string[]] {
  return deathSignal ? ['setpriv', ['--pdeathsig', 'KILL', command, ...args]] : [command, args]
}

/** Starts a process and resolves when it is ready. Throws with the end of its output when it ends first or is too slow. */
export async function startProcess(options: ProcessOptions): Promise<ServerProcess> {
  const stdout = openSync(options.stdoutFile, 'a')
  const stderrFile = options.stderrFile ?? options.stdoutFile
  const stderr = openSync(stderrFile, 'a')
  const [command, args] = tieToParent(options.command, options.args)
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', stdout, stderr],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
  })
  closeSync(stdout)
  closeSync(stderr)
  let exit: Exit | undefined
  const exited = new Promise<Exit>((resolve) => {
    const settle = (end: Exit) => {
      exit = end
      resolve(end)
    }
    child.once('error', () => settle({ code: -1, signal: null }))
    child.once('exit', (code, signal) => settle({ code, signal }))
  })
  const pid = child.pid
  if (pid === undefined) {
    await exited
    throw new Error(`${options.name}: ${options.command} could not be started`)
  }
  const release = guardGroup(pid)
  const output = () => readFileSync(stderrFile, 'utf8')
  const server: ServerProcess = {
    name: options.name,
    pid,
    exited,
    get exit() {
      return exit
    },
    output,
    signal: (signal) => {
      signalGroup(pid, signal)
    },
    stop: async (graceMs = 5_000) => {
      signalGroup(pid, 'SIGTERM')
      signalGroup(pid, 'SIGCONT')
      if (!(await isGone(pid, graceMs))) signalGroup(pid, 'SIGKILL')
      const end = await exited
      await isGone(pid, 1_000)
      release()
      return end
    },
    [Symbol.asyncDispose]: async () => {
      await server.stop()
    },
  }
  try {
    await waitUntil(options.ready, options.readyTimeoutMs ?? 15_000, () => exit !== undefined)
  } catch (error) {
    const said = output().slice(-2_000)
    const ended = exit === undefined ? 'is not ready' : `ended with ${JSON.stringify(exit)}`
    await server.stop(100)
    throw new Error(`${options.name} ${ended}: ${said}`, { cause: error })
  }
  return server
}

/** Asks `condition` every 10 ms. Throws after `timeoutMs`, or at once when `hopeless` says so. */
export async function waitUntil(
  condition: () => Promise<boolean> | boolean,
  timeoutMs: number,
  hopeless?: () => boolean,
): Promise<void> {
  const end = performance.now() + timeoutMs
  let last: unknown
  for (;;) {
    if (hopeless?.() === true) throw new Error('it ended', { cause: last })
    try {
      if (await condition()) return
    } catch (error) {
      last = error
    }
    if (performance.now() > end) throw new Error(`not so within ${timeoutMs} ms`, { cause: last })
    await sleep(10)
  }
}

/** Whether somebody accepts connections there. */
export function isListening(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port })
    const settle = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.setTimeout(500, () => settle(false))
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
  })
}

async function isGone(pgid: number, timeoutMs: number): Promise<boolean> {
  const end = performance.now() + timeoutMs
  while (signalGroup(pgid, 0) && hasLiving(pgid)) {
    if (performance.now() > end) return false
    await sleep(5)
  }
  return true
}

/** Orphans that were killed stay in the process table until init takes notice: they do not count. */
function hasLiving(pgid: number): boolean {
  return readdirSync('/proc').some((entry) => {
    if (!/^\d+$/.test(entry)) return false
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8')
      const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return Number(group) === pgid && state !== 'Z' && state !== 'X'
    } catch {
      return false // it ended in between
    }
  })
}
