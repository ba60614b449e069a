// `syncer tokens restore`: tokens of a cluster from a backup, or from the undo file of a sync.
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { Description } from '../tokens/contract.ts'
import type { RestoreItem } from '../tokens/restore.ts'
import { CliError, DONE, FAILED, WRONG_USAGE } from './exit.ts'
import { endWithCode } from './exit-line.ts'
import type { CliIo } from './io.ts'
import { createOutputOption } from './options.ts'
import { clean, count } from './plan-text.ts'
import type { ExitCode } from './program.ts'
import { withStopSignal } from './stop.ts'
import { tableLines } from './text-table.ts'
import { createDryRunOption, createTimeoutOptions, readClusterUrl } from './tokens-options.ts'
import { runTool, type ToolFlags } from './tokens-tool.ts'
import { openUndoRecorder } from './undo-recorder.ts'

const COMMAND = 'syncer tokens restore'

interface Flags extends ToolFlags {
  readonly force?: true
  readonly yes?: true
  readonly undoFile?: string | false
}

export function addTokensRestore(parent: Command, io: CliIo, exit: ExitCode): void {
  const command = parent
    .command('restore')
    .summary('bring tokens of a cluster back from a backup or an undo file')
    .description(
      'Writes tokens of a backup, or what an undo file has of this cluster, where the cluster lacks them or has an older version; with --force in place of newer versions too. What is overwritten is kept in an undo file again. Exits with 1 when a token could not be restored.',
    )
    .addHelpText(
      'beforeAll',
      `Examples:
  syncer tokens restore tokens.json http://c1:9091                         what is missing or older
  syncer tokens restore syncer-undo-TIME.jsonl http://c1:9091 --force      as it was before that sync
  syncer tokens restore tokens.json http://c1:9091 --force --dry-run       what would that be?
`,
    )
    .argument('<file>', 'the backup, or the undo file of a sync')
    .argument('<url>', 'address of the cluster')
    .option('--force', 'write tokens of which the cluster has a newer version too (asks first on a terminal)')
    .option('--yes', 'do not ask')
    .option('--undo-file <file>', 'where to keep what is overwritten (default: ./syncer-undo-TIME.jsonl)')
    .option('--no-undo-file', 'keep nothing of what is overwritten')
    .addOption(createDryRunOption())
    .addOption(createOutputOption())
  for (const option of createTimeoutOptions()) command.addOption(option)
  command.action((file: string, address: string, flags: Flags) => {
    const url = readClusterUrl(address, COMMAND)
    return endWithCode(flags.output, io, exit, () => restore(file, url, flags, io))
  })
}

async function restore(file: string, url: string, flags: Flags, io: CliIo): Promise<number> {
  const { readRestorable, restoreTokens } = await import('../tokens/restore.ts')
  const tokens = await readTokens(file, (text) => readRestorable(text, url), io)
  if (flags.force && !flags.yes && !flags.dryRun) await confirm(tokens.size, file, url, io)
  await using undo = await openUndoRecorder(flags.undoFile, io)
  const { summary, items } = await runTool(COMMAND, url, flags, io, (options) =>
    restoreTokens({ ...options, tokens, force: flags.force, keepForUndo: (entries) => undo.keep(entries) }),
  ).finally(() => undo.tell())
  if (flags.output === 'json') io.out(`${JSON.stringify({ cluster: url, file, summary, items })}\n`)
  else io.out(restoreText(items, summary, flags.dryRun ?? false))
  return summary.error > 0 ? FAILED : DONE
}

async function readTokens(
  file: string,
  read: (text: string) => ReadonlyMap<string, Description>,
  io: CliIo,
): Promise<ReadonlyMap<string, Description>> {
  try {
    return read(await readFile(resolve(io.cwd, file), 'utf8'))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new CliError(WRONG_USAGE, `${COMMAND}: ${file}: ${why}; allowed are a backup and an undo file`, {
      cause: error,
    })
  }
}

/** Asks whoever is at the terminal; a script that says --force has said it all. Throws CliError for anything but yes. */
async function confirm(tokens: number, file: string, url: string, io: CliIo): Promise<void> {
  const { ask } = io
  if (ask === undefined) return
  const question = `${count(tokens, 'token')} of ${url} will be as they are in ${file}, also where the cluster has newer ones. Go on? [y/N] `
  const answer = await withStopSignal(io, (signal) => ask(question, signal))
  if (!/^y(es)?$/i.test(answer.trim())) throw new CliError(FAILED, `${COMMAND}: not confirmed: nothing was written`)
}

function restoreText(
  items: readonly RestoreItem[],
  { success, skip, error }: { readonly success: number; readonly skip: number; readonly error: number },
  dryRun: boolean,
): string {
  const rows = items.map(({ token, code, message }) => [clean(token), wordsOf(code, dryRun), clean(message ?? '')])
  return `${[...tableLines(rows), `restored ${success}${dryRun ? ' (dry run)' : ''}, left alone ${skip}, failed ${error}`].join('\n')}\n`
}

function wordsOf(code: RestoreItem['code'], dryRun: boolean): string {
  switch (code) {
    case 'success/restored':
      return dryRun ? 'to be restored' : 'restored'
    case 'skip/not-newer':
      return 'left alone: the cluster has a version that is as new'
    case 'skip/empty':
      return 'left alone: the file has nothing but its name'
    case 'error/restore':
      return 'could not be restored'
  }
}
