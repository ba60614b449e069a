// `syncer tokens …`: the service tokens of Waiter clusters.
import type { Command } from 'commander'
import type { CliIo } from './io.ts'
import type { ExitCode } from './program.ts'
import { addTokensApply } from './tokens-apply.ts'
import { addTokensSync } from './tokens-sync.ts'

export function addTokens(program: Command, io: CliIo, exit: ExitCode): void {
  const tokens = program
    .command('tokens')
    .description('Syncs, keeps and looks after the tokens of Waiter clusters.')
    .helpCommand(false)
  addTokensSync(tokens, io, exit)
  addTokensApply(tokens, io, exit)
}
