// Logs: JSON lines on standard error. Lines are gathered for a moment and written together in the background: a system call
// for each would cost more than making it. pino flushes what is left when the process exits.
import { type DestinationStream, destination, type Level, type Logger, pino, stdTimeFunctions } from 'pino'

export type { Logger } from 'pino'
export type LogLevel = Level | 'silent'

/** A line is written at the latest after this long, in milliseconds. */
const MAX_DELAY_MS = 20
/** What is written at once, in bytes. */
const BATCH_BYTES = 8_192

/** Lines go to `stream`; to standard error when it is left out. */
export function createLogger(level: LogLevel, stream: DestinationStream = createStandardError()): Logger {
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

function createStandardError(): DestinationStream {
  const file = destination({ dest: 2, sync: false, minLength: BATCH_BYTES })
  let isDue = false
  const flush = (): void => {
    isDue = false
    file.flush()
  }
  return {
    write(line) {
      file.write(line)
      if (isDue) return
      isDue = true
      setTimeout(flush, MAX_DELAY_MS).unref()
    },
  }
}
