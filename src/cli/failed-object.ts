// With JSON as output, standard output carries one object also where a command failed before it had anything to tell of.
import { ConfigError } from '../config/error.ts'
import { CliError, FAILED } from './exit.ts'
import type { CliIo } from './io.ts'
import type { Output } from './options.ts'

/**
 * Runs `fn`, which throws before it has written any data, or not at all. Where it fails, the object that `describe` makes of the reason
 * is written, and the error thrown on; wrong usage and a wrong configuration stay words alone.
 */
export async function orFailedObject<T>(
  { command, output }: { readonly command: string; readonly output: Output },
  io: CliIo,
  describe: (problem: string) => object,
  fn: () => Promise<T>,
): Promise<T> {
  try {
    return await fn()
  } catch (error) {
    const isWrong = error instanceof ConfigError || (error instanceof CliError && error.exitCode !== FAILED)
    if (output === 'json' && !isWrong) {
      const message = error instanceof Error ? error.message : String(error)
      const prefix = `${command}: `
      io.out(`${JSON.stringify(describe(message.startsWith(prefix) ? message.slice(prefix.length) : message))}\n`)
    }
    throw error
  }
}
