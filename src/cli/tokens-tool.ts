// What the tools for the tokens of one cluster have in common: its client, signals, progress, and errors in one line.
import type { ToolOptions } from '../tokens/backup.ts'
import type { ClusterUrl } from '../tokens/contract.ts'
import { openClusters, retryReads } from './clusters.ts'
import { CliError, FAILED } from './exit.ts'
import type { CliIo } from './io.ts'
import type { Output } from './options.ts'
import { clean } from './plan-text.ts'
import { createProgressBar } from './progress-bar.ts'
import { withStopSignal } from './stop.ts'
import type { TimeoutFlags } from './tokens-options.ts'

export interface ToolFlags extends TimeoutFlags {
  readonly dryRun?: true
  readonly output: Output
}

/** Runs a tool on one cluster. Throws CliError, which begins with `command`, for what the tool throws. */
export async function runTool<T>(
  command: string,
  url: ClusterUrl,
  flags: ToolFlags,
  io: CliIo,
  fn: (options: Required<ToolOptions>) => Promise<T>,
): Promise<T> {
  await using stack = new AsyncDisposableStack()
  return await inOneLine(command, () =>
    withStopSignal(io, async (signal) => {
      const [client] = await openClusters([url], flags, io, stack)
      if (client === undefined) throw new RangeError('a tool works on one cluster')
      using bar = createProgressBar(io, command.split(' ').at(-1) ?? '')
      return await fn({
        cluster: await retryReads(client, io),
        signal,
        dryRun: flags.dryRun ?? false,
        concurrency: CONCURRENCY,
        onProgress: (done, total) => bar.show(done, total),
      })
    }),
  )
}

/** Tokens under way at a time: as many as a client has requests at a time. */
const CONCURRENCY = 16

/** Throws CliError, which begins with `command`, for whatever `fn` throws. */
export async function inOneLine<T>(command: string, fn: () => Promise<T>): Promise<T> {
  try {
    return await fn()
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError(FAILED, `${command}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
}

/** Pure: a line for the names under a word, when there are any. */
export const namesLine = (word: string, names: readonly string[]): readonly string[] =>
  names.length === 0 ? [] : [`  ${word}: ${names.map(clean).join(', ')}`]

/** Pure: a line for each failure. */
export const failureLines = (
  failed: readonly { readonly token: string; readonly message: string }[],
): readonly string[] => failed.map(({ token, message }) => `  failed: ${clean(token)}: ${clean(message)}`)
