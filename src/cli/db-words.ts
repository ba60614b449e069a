// Pure: what is wrong with a request about two databases, in the words of the command line.
import { CliError, WRONG_USAGE } from './exit.ts'

/** A field of the request is an option here. Any other error is given back as it is. */
export function inWordsOfOptions(error: unknown, command: string): unknown {
  if (!(error instanceof Error) || error.name !== 'InvalidRunRequest') return error
  const { pointer = '' } = error as { readonly pointer?: string }
  const option = pointer.split('/')[1] ?? ''
  const said = error.message.startsWith(`${option} `) ? error.message.slice(option.length + 1) : error.message
  return new CliError(WRONG_USAGE, `${command}: --${option} ${said}`, { cause: error })
}
