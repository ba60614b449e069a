// `syncer runs show`: one run of a service, with what happened to each part of it, and if wanted when it has ended.
import type { Command } from 'commander'
import { isSyncItem, isVerifyItem, syncItemsText, verifyItemsText } from './db-text.ts'
import { DONE, FAILED } from './exit.ts'
import type { CliIo } from './io.ts'
import { createOutputOption, type Output } from './options.ts'
import { tokensText } from './plan-text.ts'
import type { ExitCode } from './program.ts'
import { awaitRun, needServer, readItems, within } from './run-service.ts'
import { type Run, type RunItem, runText, showItem, tokenItemsOf } from './run-text.ts'
import { withStopSignal } from './stop.ts'
import { createServerOption } from './tokens-options.ts'

interface Flags {
  readonly items?: true
  readonly follow?: true
  readonly server?: string
  readonly output: Output
}

export function addRunsShow(parent: Command, io: CliIo, exit: ExitCode): void {
  parent
    .command('show')
    .summary('show one run')
    .description(
      'Shows one run of a service. With --follow it waits for its end, and exits with 0 when the run succeeded and 1 when it did not.',
    )
    .addHelpText(
      'beforeAll',
      `Examples:
  syncer runs show RUN_ID --server https://syncer.example   how far is it, or how did it end?
  syncer runs show RUN_ID --items                           and what happened to each token, or each table?
  syncer runs show RUN_ID --follow                          wait for its end
`,
    )
    .argument('<run-id>', 'id of the run')
    .option('--items', 'with what happened to each token, or to each table and direction')
    .option('--follow', 'wait for the end of the run')
    .addOption(createServerOption())
    .addOption(createOutputOption())
    .action((id: string, { items: wantsItems, follow, server: flag, output }: Flags) =>
      withStopSignal(io, async (signal) => {
        const server = await needServer(flag, io, 'syncer runs show')
        const run = follow
          ? await awaitRun(server, id, io, signal)
          : await server.call((client) => client.getRun({ path: { id } }, within(signal)))
        const items = wantsItems ? await readItems(server, id, signal) : undefined
        if (output === 'json') io.out(`${JSON.stringify({ ...run, ...(items && { items }) }, undefined, 2)}\n`)
        else {
          io.out(runText(run))
          if (items !== undefined) io.out(`\n${itemsText(run, items, io.colours)}`)
        }
        exit.code = follow && run.state !== 'succeeded' ? FAILED : DONE
      }),
    )
}

function itemsText(run: Run, items: readonly RunItem[], colours: boolean): string {
  if (run.kind === 'tokens') return tokensText(tokenItemsOf(items).map(showItem), run.dryRun, colours)
  const compared = items.filter(isVerifyItem)
  return compared.length > 0 ? verifyItemsText(compared) : syncItemsText(items.filter(isSyncItem), run.dryRun)
}
