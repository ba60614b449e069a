// `syncer runs list`: the runs of a service, the newest first.
import { type Command, Option } from 'commander'
import { RUN_KINDS, RUN_STATES, type RunKind, type RunState } from '../state/store.ts'
import type { CliIo } from './io.ts'
import { createOutputOption, type Output } from './options.ts'
import { needServer, within } from './run-service.ts'
import { runsText } from './run-text.ts'
import { createServerOption, parseWhole } from './tokens-options.ts'

interface Flags {
  readonly kind?: RunKind
  readonly state?: RunState
  readonly limit: number
  readonly cursor?: string
  readonly server?: string
  readonly output: Output
}

export function addRunsList(parent: Command, io: CliIo): void {
  parent
    .command('list')
    .summary('list runs, the newest first')
    .description('Lists the runs of a service, the newest first: those under way and those of the past.')
    .addHelpText(
      'beforeAll',
      `Examples:
  syncer runs list --server https://syncer.example     the newest of them
  syncer runs list --state failed --kind tokens        SYNCER_SERVER names the service
  syncer runs list --output json | jq -r .items[].id   for scripts
`,
    )
    .addOption(new Option('--kind <kind>', 'only runs of this kind').choices(RUN_KINDS))
    .addOption(new Option('--state <state>', 'only runs in this state').choices(RUN_STATES))
    .addOption(new Option('--limit <n>', 'most runs to list').argParser(parseWhole(1, 1_000)).default(20))
    .option('--cursor <cursor>', 'where to go on, as the page before says')
    .addOption(createServerOption())
    .addOption(createOutputOption())
    .action(async ({ kind, state, limit, cursor, server: flag, output }: Flags) => {
      const server = await needServer(flag, io, 'syncer runs list')
      const query = { limit, ...(kind && { kind }), ...(state && { state }), ...(cursor !== undefined && { cursor }) }
      const page = await server.call((client) => client.listRuns({ query }, within()))
      io.out(output === 'json' ? `${JSON.stringify(page, undefined, 2)}\n` : runsText(page.items))
      if (output === 'text' && page.nextCursor !== null) io.err(`there are more: add --cursor ${page.nextCursor}\n`)
    })
}
