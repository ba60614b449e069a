// The last line of text output, `exiting with code N`: scripts around the original token-syncer look for it.
import { WRONG_USAGE } from './exit.ts'
import type { CliIo } from './io.ts'
import type { Output } from './options.ts'
import type { ExitCode } from './program.ts'
import { reportError } from './report.ts'

/**
 * Sets the exit code that `run` gives, or that of what it throws, and ends text output with it. Wrong usage is answered with one line, and
 * JSON with nothing but JSON: they have no such line.
 */
export async function endWithCode(
  output: Output,
  io: CliIo,
  exit: ExitCode,
  run: () => Promise<number>,
): Promise<void> {
  // What went wrong is told before: where both are read together, the last line is the last.
  exit.code = await run().catch((error: unknown) => reportError(error, io))
  if (output === 'text' && exit.code !== WRONG_USAGE) io.out(`exiting with code ${exit.code}\n`)
}
