// A token sync as a run of a service: started, waited for, and told of as one in this process.
import type { components } from '../../generated/client.ts'
import { CHANGES_PENDING, DONE, FAILED } from './exit.ts'
import type { CliIo } from './io.ts'
import type { Output } from './options.ts'
import { planText } from './plan-text.ts'
import { awaitRun, readItems, within } from './run-service.ts'
import { type Run, runText, seedObjectOf, showRun } from './run-text.ts'
import { openServer, type Server } from './server.ts'
import { withStopSignal } from './stop.ts'

export type SyncTokensBody = components['schemas']['SyncTokensRequest']

export interface ThereSettings {
  /** Begins what is told of errors. */
  readonly command: string
  readonly server: string
  readonly body: SyncTokensBody
  readonly output: Output
  readonly detailedExitcode?: boolean | undefined
}

/**
 * Starts the run, waits for its end and tells of it; resolves with the exit code. When a signal ends the command, the run is asked
 * to end too.
 */
export async function syncAtService(settings: ThereSettings, io: CliIo): Promise<number> {
  const { command, body, output } = settings
  const server = await openServer(settings.server, io, command)
  const run = await withStopSignal(io, async (signal) => {
    const { id } = await server.call((client) => client.syncTokens(body, {}, within(signal)))
    io.err(`run ${id}\n`)
    try {
      return await awaitRun(server, id, io, signal)
    } catch (error) {
      if (signal.aborted) await server.call((client) => client.cancelRun({ path: { id } }, within()))
      throw error
    }
  })
  await tellRun(server, run, output, io)
  if (run.dryRun && run.summary !== null)
    io.err(`carry it out with: syncer tokens apply --server ${server.url} ${run.id}\n`)
  return exitCodeOf(settings, run)
}

async function tellRun(server: Server, run: Run, output: Output, io: CliIo): Promise<void> {
  const items = await readItems(server, run.id, new AbortController().signal)
  if (output === 'json') {
    const object = seedObjectOf(run, items)
    if (object !== undefined) io.out(`${JSON.stringify(object)}\n`)
  } else {
    const shown = showRun(run, items)
    io.out(shown === undefined ? runText(run) : planText(shown, io.colours))
  }
  if (run.problem !== undefined) io.err(`${run.problem.title}: ${run.problem.detail}\n`)
}

function exitCodeOf({ detailedExitcode }: ThereSettings, { state, dryRun, request, summary }: Run): number {
  if (state !== 'succeeded') return FAILED
  if (!detailedExitcode || !dryRun || request['mode'] === 'compat' || summary === null || !('sync' in summary))
    return DONE
  const { create, update, softDelete, hardDelete } = summary.counts
  return create + update + softDelete + hardDelete > 0 ? CHANGES_PENDING : DONE
}
