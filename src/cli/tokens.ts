// `syncer tokens …`: the service tokens of Waiter clusters.
import type { Command } from 'commander'
import type { CliIo } from './io.ts'
import type { ExitCode } from './program.ts'
import { addTokensApply } from './tokens-apply.ts'
import { addTokensBackup } from './tokens-backup.ts'
import { addTokensCleanup } from './tokens-cleanup.ts'
import { addTokensPing } from './tokens-ping.ts'
import { addTokensRestore } from './tokens-restore.ts'
import { addTokensSanitize } from './tokens-sanitize.ts'
import { addTokensSync } from './tokens-sync.ts'

export function addTokens(program: Command, io: CliIo, exit: ExitCode): void {
  const tokens = program
    .command('tokens')
    .description('Syncs, keeps and looks after the tokens of Waiter clusters.')
    .helpCommand(false)
  addTokensSync(tokens, io, exit)
  addTokensApply(tokens, io, exit)
  addTokensBackup(tokens, io, exit)
  addTokensRestore(tokens, io, exit)
  addTokensCleanup(tokens, io, exit)
  addTokensPing(tokens, io, exit)
  addTokensSanitize(tokens, io, exit)
}
