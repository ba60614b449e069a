// Stopping in named phases, each with its own time-out: one that hangs or fails never keeps the next from its turn.
import type { Clock } from './clock.ts'

export interface Phase {
  readonly name: string
  /** Milliseconds after which the next phase begins whatever this one does. */
  readonly timeoutMs: number
  /** The signal aborts at the time-out: end by force what did not end by itself. */
  run(signal: AbortSignal): PromiseLike<void> | void
}

/** Some phases failed or were too slow; each is among `errors` with its name. */
export class PhasesFailed extends AggregateError {
  override readonly name = 'PhasesFailed'
}

/** Runs the phases in order, all of them; throws PhasesFailed at the end when any of them failed or was too slow. */
export async function runPhases(phases: readonly Phase[], clock: Clock): Promise<void> {
  const errors: Error[] = []
  for (const phase of phases) {
    try {
      await runPhase(phase, clock)
    } catch (error) {
      errors.push(
        new Error(`${phase.name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error }),
      )
    }
  }
  if (errors.length > 0) throw new PhasesFailed(errors, errors.map((error) => error.message).join('; '))
}

async function runPhase(phase: Phase, clock: Clock): Promise<void> {
  const late = new AbortController()
  const { promise: timedOut, reject } = Promise.withResolvers<never>()
  const timer = clock.setTimer(phase.timeoutMs, () => {
    const reason = new Error(`did not end within ${phase.timeoutMs} ms`)
    reject(reason)
    late.abort(reason)
  })
  try {
    // A phase that fails after its time-out is already counted: race() has a handler on it, so that nothing is unhandled.
    await Promise.race([Promise.resolve().then(() => phase.run(late.signal)), timedOut])
  } finally {
    timer.cancel()
  }
}
