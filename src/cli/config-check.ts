// `syncer config check`: what is in force, or everything that is wrong with it.
import type { Command } from 'commander'
import type { CliIo } from './io.ts'
import { createConfigOption, createOutputOption, loadWholeConfig, type Output } from './options.ts'

interface Flags {
  readonly config?: string
  readonly output: Output
}

export function addConfigCheck(parent: Command, io: CliIo): void {
  parent
    .command('check')
    .summary('print the configuration in force, or everything that is wrong with it')
    .description(
      'Prints the configuration in force, secrets masked. Exits with 2 and one line a problem when it is wrong.',
    )
    .addHelpText(
      'beforeAll',
      `Examples:
  syncer config check                              what is in force here
  syncer config check --config syncer.yaml         is this file all right?
  syncer config check --output json | jq .config   for scripts
`,
    )
    .addOption(createConfigOption())
    .addOption(createOutputOption())
    .action(async (flags: Flags) => {
      const loaded = await loadWholeConfig(io, flags.config)
      const { describeConfig } = await import('../config/describe.ts')
      io.out(describeConfig(loaded, flags.output === 'json' ? 'json' : 'yaml'))
    })
}
