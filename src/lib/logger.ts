// Logs: JSON lines on standard error, written in the background and flushed when the process exits.
import { type DestinationStream, destination, type Level, type Logger, pino, stdTimeFunctions } from 'pino'

export type { Logger } from 'pino'
export type LogLevel = Level | 'silent'

/** Lines are written together: a write for each one costs as much as half of what else a request costs. */
const BATCH_BYTES = 4096
/** No line waits longer, in milliseconds. */
const FLUSH_MS = 100

/** Lines go to `stream`; to standard error when it is left out. pino itself flushes that one at exit. */
export function createLogger(
  level: LogLevel,
  stream: DestinationStream = destination({ dest: 2, sync: false, minLength: BATCH_BYTES, periodicFlush: FLUSH_MS }),
): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  )
}

/** Resolves when all lines so far are written; rejects when they cannot be. */
export function flushLogger(logger: Logger): Promise<void> {
  return new Promise((resolve, reject) => {
    logger.flush((error) => {
      // After it has written, the destination syncs the file; pipes and terminals have nothing to sync.
      const isWritten = error === undefined || error === null || ('code' in error && error.code === 'EINVAL')
      if (isWritten) resolve()
      else reject(error)
    })
  })
}
