// `syncer tokens cleanup`: removes for good what was marked as deleted long ago, on one cluster.
import { type Command, InvalidArgumentError, Option } from 'commander'
import { DONE, FAILED } from './exit.ts'
import { endWithCode } from './exit-line.ts'
import type { CliIo } from './io.ts'
import { createOutputOption } from './options.ts'
import { count } from './plan-text.ts'
import type { ExitCode } from './program.ts'
import { createDryRunOption, createTimeoutOptions, readClusterUrl } from './tokens-options.ts'
import { failureLines, namesLine, runTool, type ToolFlags } from './tokens-tool.ts'

const COMMAND = 'syncer tokens cleanup'

interface Flags extends ToolFlags {
  /** Milliseconds since 1970. */
  readonly before?: number
}

export function addTokensCleanup(parent: Command, io: CliIo, exit: ExitCode): void {
  const command = parent
    .command('cleanup')
    .summary('remove tokens for good that were marked as deleted long ago')
    .description(
      'Removes tokens of a cluster for good that were marked as deleted before a moment, and not touched since. Exits with 1 when one could not be removed.',
    )
    .addHelpText(
      'beforeAll',
      `Examples:
  syncer tokens cleanup http://c1:9091 --dry-run              what was deleted more than a week ago?
  syncer tokens cleanup http://c1:9091 --before 2026-01-01    before this day (UTC)
`,
    )
    .argument('<url>', 'address of the cluster')
    .addOption(
      new Option('--before <iso>', 'moment before which they were deleted (default: a week ago)').argParser(
        parseMoment,
      ),
    )
    .addOption(createDryRunOption())
    .addOption(createOutputOption())
  for (const option of createTimeoutOptions()) command.addOption(option)
  command.action((address: string, flags: Flags) => {
    const url = readClusterUrl(address, COMMAND)
    return endWithCode(flags.output, io, exit, () => cleanUp(url, flags, io))
  })
}

/** A day, or a moment that says its offset from UTC: without one it would mean another moment on every machine. */
function parseMoment(text: string): number {
  const isWhole = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text)
  const at = isWhole ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at)) throw new InvalidArgumentError('Allowed are 2026-01-31 and 2026-01-31T12:00:00Z.')
  return at
}

async function cleanUp(url: string, flags: Flags, io: CliIo): Promise<number> {
  const { cleanUpTokens, DEFAULT_CLEANUP_AGE_MS } = await import('../tokens/cleanup.ts')
  const beforeMs = flags.before ?? io.clock.wallNow() - DEFAULT_CLEANUP_AGE_MS
  const before = new Date(beforeMs).toISOString()
  const result = await runTool(COMMAND, url, flags, io, (options) => cleanUpTokens({ ...options, beforeMs }))
  const { total, deleted, failed } = result
  if (flags.output === 'json') io.out(`${JSON.stringify({ cluster: url, before, ...result })}\n`)
  else {
    const lines = [
      `${deleted.length} of ${count(total, 'token')} of ${url}, deleted before ${before}, ${flags.dryRun ? 'would be' : 'were'} removed for good; ${failed.length} failed`,
      ...namesLine('removed', deleted),
      ...failureLines(failed),
    ]
    io.out(`${lines.join('\n')}\n`)
  }
  return failed.length > 0 ? FAILED : DONE
}
