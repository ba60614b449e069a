// `syncer tokens sanitize`: has a cluster store its tokens again, each as it is, in its present form.
import { type Command, InvalidArgumentError, Option } from 'commander'
import { DONE, FAILED } from './exit.ts'
import { endWithCode } from './exit-line.ts'
import type { CliIo } from './io.ts'
import { createOutputOption } from './options.ts'
import { count } from './plan-text.ts'
import type { ExitCode } from './program.ts'
import { createDryRunOption, createLimitOption, createTimeoutOptions, readClusterUrl } from './tokens-options.ts'
import { failureLines, namesLine, runTool, type ToolFlags } from './tokens-tool.ts'

const COMMAND = 'syncer tokens sanitize'

interface Flags extends ToolFlags {
  readonly limit: number
  readonly regex?: string
}

export function addTokensSanitize(parent: Command, io: CliIo, exit: ExitCode): void {
  const command = parent
    .command('sanitize')
    .summary('have a cluster store its tokens again in its present form')
    .description(
      'Reads tokens of a cluster and stores each as it is, so that the cluster keeps it in its present form. Exits with 1 when one could not be stored.',
    )
    .addHelpText(
      'beforeAll',
      `Examples:
  syncer tokens sanitize http://c1:9091 --dry-run              which tokens would be stored again?
  syncer tokens sanitize http://c1:9091 --regex 'team-a-.*'    those whose whole name matches
`,
    )
    .argument('<url>', 'address of the cluster')
    .addOption(createLimitOption('most tokens to store again'))
    .addOption(new Option('--regex <regex>', 'only tokens whose whole name matches').argParser(parseRegex))
    .addOption(createDryRunOption())
    .addOption(createOutputOption())
  for (const option of createTimeoutOptions()) command.addOption(option)
  command.action((address: string, flags: Flags) => {
    const url = readClusterUrl(address, COMMAND)
    return endWithCode(flags.output, io, exit, () => sanitize(url, flags, io))
  })
}

function parseRegex(text: string): string {
  try {
    new RegExp(`^(?:${text})$`, 'u')
    return text
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new InvalidArgumentError(`Allowed is a regular expression of JavaScript: ${why}.`)
  }
}

async function sanitize(url: string, flags: Flags, io: CliIo): Promise<number> {
  const { parseTokenPattern, sanitizeTokens } = await import('../tokens/sanitize.ts')
  const pattern = flags.regex === undefined ? undefined : parseTokenPattern(flags.regex)
  const result = await runTool(COMMAND, url, flags, io, (options) =>
    sanitizeTokens({ ...options, limit: flags.limit, pattern }),
  )
  const { processed, missing, updated, failed } = result
  if (flags.output === 'json') io.out(`${JSON.stringify({ cluster: url, ...result })}\n`)
  else {
    const lines = [
      `${count(processed.length, 'token')} of ${url} ${flags.dryRun ? 'would be' : 'were'} stored again: ${updated.length} changed by it, ${missing.length} missing, ${failed.length} failed`,
      ...namesLine('changed', updated),
      ...namesLine('missing', missing),
      ...failureLines(failed),
    ]
    io.out(`${lines.join('\n')}\n`)
  }
  return failed.length > 0 ? FAILED : DONE
}
