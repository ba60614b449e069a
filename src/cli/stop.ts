// SIGINT and SIGTERM while a command works: once is a request to end cleanly, a second SIGINT ends the process at once.
import { watchStopSignals } from '../lib/stop-signals.ts'
import { CliError, FAILED, INTERRUPTED } from './exit.ts'
import type { CliIo } from './io.ts'

/** Why the signal of a command aborted: somebody asked it to end. */
export class Stopped extends CliError {
  constructor(signal: string) {
    super(FAILED, `stopped by ${signal}`)
  }
}

/** Calls `fn` with a signal that aborts, with Stopped, when the process is asked to end. */
export async function withStopSignal<T>(io: CliIo, fn: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stopping = new AbortController()
  using _watch = watchStopSignals({
    source: io.process,
    clock: io.clock,
    onStop: (signal) => stopping.abort(new Stopped(signal)),
    onForce: () => io.process.exit(INTERRUPTED),
  })
  try {
    return await fn(stopping.signal)
  } catch (error) {
    // Some of what takes a signal throws an error of its own in place of the reason.
    if (error instanceof Error && error.name === 'AbortError') stopping.signal.throwIfAborted()
    throw error
  }
}
