// What a command that cannot go on leaves the user with: one line a problem, and the exit code.
import { CommanderError } from 'commander'
import { ConfigError } from '../config/error.ts'
import { CliError, DONE, FAILED, WRONG_USAGE } from './exit.ts'
import type { CliIo } from './io.ts'

/** Writes what is wrong to standard error; the exit code. */
export function reportError(error: unknown, io: Pick<CliIo, 'err'>): number {
  if (error instanceof CommanderError && error.exitCode === 0) return DONE
  if (error instanceof ConfigError) {
    for (const problem of error.problems) io.err(`syncer: ${error.source}: ${problem}\n`)
    return WRONG_USAGE
  }
  const message = error instanceof Error ? error.message : String(error)
  io.err(`${message.startsWith('syncer') ? '' : 'syncer: '}${message}\n`)
  return error instanceof CliError ? error.exitCode : FAILED
}
