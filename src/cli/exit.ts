// How a command ends: 0 done, 1 failed, 2 wrong usage or configuration, 3 done and changes are pending (only where it is asked for).

export const DONE = 0
export const FAILED = 1
export const WRONG_USAGE = 2
export const CHANGES_PENDING = 3
/** Of a process that a second SIGINT ended. */
export const INTERRUPTED = 130

/** The command cannot go on; the message, one line, is all that the user needs to read. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exitCode: typeof FAILED | typeof WRONG_USAGE

  constructor(exitCode: typeof FAILED | typeof WRONG_USAGE, message: string, options?: ErrorOptions) {
    super(message, options)
    this.exitCode = exitCode
  }
}
