// What SIGTERM and SIGINT mean to a process that has something to end: once is a request, a second SIGINT is an order.
import type { Clock } from './clock.ts'

export type StopSignal = 'SIGINT' | 'SIGTERM'

/** The part of `process` that is needed. */
export interface SignalSource {
  on(signal: StopSignal, listener: () => void): unknown
  off(signal: StopSignal, listener: () => void): unknown
}

/**
 * One Ctrl-C reaches a process twice where a parent in the same terminal passes it on (`npm start` does, and so does our own
 * hand-over to another Node). What comes within this many milliseconds is one press.
 */
const SAME_PRESS_MS = 50

/** Calls `onStop` at the first signal and `onForce` at each further SIGINT, until disposed of. */
export function watchStopSignals(options: {
  readonly source: SignalSource
  readonly clock: Clock
  readonly onStop: (signal: StopSignal) => void
  readonly onForce: () => void
}): Disposable {
  const { source, clock, onStop, onForce } = options
  let firstAt: number | undefined
  const receive = (signal: StopSignal): void => {
    if (firstAt === undefined) {
      firstAt = clock.now()
      onStop(signal)
    } else if (signal === 'SIGINT' && clock.now() - firstAt >= SAME_PRESS_MS) onForce()
  }
  const onInt = (): void => receive('SIGINT')
  const onTerm = (): void => receive('SIGTERM')
  source.on('SIGINT', onInt)
  source.on('SIGTERM', onTerm)
  return {
    [Symbol.dispose]: () => {
      source.off('SIGINT', onInt)
      source.off('SIGTERM', onTerm)
    },
  }
}
