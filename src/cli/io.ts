// What a command may touch of the process it runs in; tests hand in their own.
import type { Env } from '../config/load.ts'
import type { Clock } from '../lib/clock.ts'
import type { SignalSource } from '../lib/stop-signals.ts'

/** The part of `process` that is needed. */
export interface HostProcess extends SignalSource {
  on(event: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
  on(event: 'uncaughtException', listener: (error: Error, origin: string) => void): unknown
  off(event: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
  off(event: 'uncaughtException', listener: (error: Error, origin: string) => void): unknown
  /** Ends the process at once. */
  exit(code: number): void
}

export interface CliIo {
  readonly env: Env
  /** Absolute. */
  readonly cwd: string
  readonly clock: Clock
  readonly process: HostProcess
  readonly fetch: typeof fetch
  /** Data, to standard output. */
  out(text: string): void
  /** Words, to standard error. */
  err(text: string): void
  /** All of standard input. */
  readInput(): Promise<string>
  /** Whether `out` may carry colours: a terminal, and NO_COLOR is not set. */
  readonly colours: boolean
  /** Width of the terminal that `err` writes to; undefined when it is none, and nothing may be drawn there. */
  readonly columns: number | undefined
  /** Puts a question to the person at the terminal and resolves with the line that comes back; undefined when nobody is there. */
  readonly ask: ((question: string, signal: AbortSignal) => Promise<string>) | undefined
}
