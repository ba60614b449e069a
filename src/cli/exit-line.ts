// The last line of text output, `exiting with code N`: scripts around the original token-syncer look for it.
import { CliError, FAILED, WRONG_USAGE } from './exit.ts'
import type { CliIo } from './io.ts'
import type { Output } from './options.ts'
import type { ExitCode } from './program.ts'

/**
 * Sets the exit code that `run` gives, and ends text output with it, also when `run` throws. Wrong usage is answered with one line, and
 * JSON with nothing but JSON: they have no such line.
 */
export async function endWithCode(
  output: Output,
  io: CliIo,
  exit: ExitCode,
  run: () => Promise<number>,
): Promise<void> {
  const tell = (code: number): void => {
    if (output === 'text' && code !== WRONG_USAGE) io.out(`exiting with code ${code}\n`)
  }
  try {
    exit.code = await run()
  } catch (error) {
    tell(error instanceof CliError ? error.exitCode : FAILED)
    throw error
  }
  tell(exit.code)
}
