// `syncer runs cancel`: asks a run of a service to end.
import type { Command } from 'commander'
import type { CliIo } from './io.ts'
import { createOutputOption, type Output } from './options.ts'
import { needServer, within } from './run-service.ts'
import { runText } from './run-text.ts'
import { createServerOption } from './tokens-options.ts'

interface Flags {
  readonly server?: string
  readonly output: Output
}

export function addRunsCancel(parent: Command, io: CliIo): void {
  parent
    .command('cancel')
    .summary('ask a run to end')
    .description(
      'Asks a run of a service to end; what it is writing is still written. A run that has ended stays as it is.',
    )
    .addHelpText(
      'beforeAll',
      `Examples:
  syncer runs cancel RUN_ID --server https://syncer.example
  syncer runs show RUN_ID --follow                           wait until it has ended
`,
    )
    .argument('<run-id>', 'id of the run')
    .addOption(createServerOption())
    .addOption(createOutputOption())
    .action(async (id: string, { server: flag, output }: Flags) => {
      const server = await needServer(flag, io, 'syncer runs cancel')
      const run = await server.call((client) => client.cancelRun({ path: { id } }, within()))
      io.out(output === 'json' ? `${JSON.stringify(run, undefined, 2)}\n` : runText(run))
    })
}
