// `syncer tokens backup`: all tokens of a cluster into a file.
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { DONE, FAILED } from './exit.ts'
import { endWithCode } from './exit-line.ts'
import type { CliIo } from './io.ts'
import { createOutputOption } from './options.ts'
import { count } from './plan-text.ts'
import type { ExitCode } from './program.ts'
import { createDryRunOption, createTimeoutOptions, readClusterUrl } from './tokens-options.ts'
import { failureLines, namesLine, runTool, type ToolFlags } from './tokens-tool.ts'

const COMMAND = 'syncer tokens backup'

interface Flags extends ToolFlags {
  readonly accrete?: true
}

export function addTokensBackup(parent: Command, io: CliIo, exit: ExitCode): void {
  const command = parent
    .command('backup')
    .summary('keep all tokens of a cluster in a file')
    .description(
      'Brings a file up to date with all tokens of a cluster. It is replaced as a whole, and keeps what it had of a token that cannot be read; then it exits with 1.',
    )
    .addHelpText(
      'beforeAll',
      `Examples:
  syncer tokens backup tokens.json http://c1:9091             tokens that are gone from the cluster go from the file
  syncer tokens backup tokens.json http://c1:9091 --accrete   they stay
`,
    )
    .argument('<file>', 'the backup')
    .argument('<url>', 'address of the cluster')
    .option('--accrete', 'keep tokens in the file that are gone from the cluster')
    .addOption(createDryRunOption())
    .addOption(createOutputOption())
  for (const option of createTimeoutOptions()) command.addOption(option)
  command.action((file: string, address: string, flags: Flags) => {
    const url = readClusterUrl(address, COMMAND)
    return endWithCode(flags.output, io, exit, () => backUp(file, url, flags, io))
  })
}

async function backUp(file: string, url: string, flags: Flags, io: CliIo): Promise<number> {
  const { backUpTokens } = await import('../tokens/backup.ts')
  const path = resolve(io.cwd, file)
  const result = await runTool(COMMAND, url, flags, io, (options) =>
    backUpTokens({ ...options, path, accrete: flags.accrete }),
  )
  const { total, unchanged, read, failed, gone } = result
  if (flags.output === 'json') io.out(`${JSON.stringify({ cluster: url, file, ...result })}\n`)
  else {
    const lines = [
      `${count(total, 'token')} of ${url} ${flags.dryRun ? 'would be' : 'are'} in ${file}: ${read.length} read, ${unchanged.length} unchanged, ${failed.length} failed, ${gone.length} gone from the cluster${flags.accrete ? ' and kept' : ''}`,
      ...namesLine('gone', gone),
      ...failureLines(failed),
    ]
    io.out(`${lines.join('\n')}\n`)
  }
  return failed.length > 0 ? FAILED : DONE
}
