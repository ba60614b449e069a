// `syncer tokens apply`: carries out exactly what a dry run found, from a file, or from a run of a service.
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { CliError, WRONG_USAGE } from './exit.ts'
import { endWithCode } from './exit-line.ts'
import type { CliIo } from './io.ts'
import { createOutputOption, type Output } from './options.ts'
import type { ExitCode } from './program.ts'
import { findServer } from './server.ts'
import { createServerOption, createTimeoutOptions, readClusterUrl, type TimeoutFlags } from './tokens-options.ts'

interface Flags extends TimeoutFlags {
  readonly undoFile?: string | false
  readonly server?: string
  readonly output: Output
}

const COMMAND = 'syncer tokens apply'
const RUN_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

export function addTokensApply(parent: Command, io: CliIo, exit: ExitCode): void {
  const command = parent
    .command('apply')
    .summary('carry out the plan of a dry run')
    .description(
      'Carries out exactly what a dry run found: tokens that have changed since are refused, and then it exits with 1. With --server the plan is that of a dry run of a service, by its id.',
    )
    .addHelpText(
      'beforeAll',
      `Examples:
  syncer tokens sync --dry-run --plan-out plan.json http://c1:9091 http://c2:9093
  syncer tokens apply plan.json                                      that plan, and nothing else
  syncer tokens apply --server https://syncer.example RUN_ID         the plan of a dry run of a service
`,
    )
    .argument('<plan>', 'the file that --plan-out wrote; with --server the id of a dry run')
    .option('--undo-file <file>', 'where to keep what is overwritten or deleted (default: ./syncer-undo-TIME.jsonl)')
    .option('--no-undo-file', 'keep nothing of what is overwritten or deleted')
    .addOption(createServerOption().conflicts(['undoFile', 'connectionTimeoutMs', 'idleTimeoutMs']))
    .addOption(createOutputOption())
  for (const option of createTimeoutOptions()) command.addOption(option)
  command.action((plan: string, flags: Flags) =>
    endWithCode(flags.output, io, exit, () => {
      // What SYNCER_SERVER names is asked only for what cannot be meant as a file.
      const server = flags.server ?? (RUN_ID.test(plan) ? findServer(undefined, io) : undefined)
      return server === undefined ? applyHere(plan, flags, io) : applyThere(plan, server, flags, io)
    }),
  )
}

async function applyHere(path: string, flags: Flags, io: CliIo): Promise<number> {
  const [{ syncInProcess }, { applyPlan }, { readPlanFile }] = await Promise.all([
    import('./tokens-here.ts'),
    import('../tokens/carry-out.ts'),
    import('../tokens/plan-file.ts'),
  ])
  const plan = await readPlan(path, readPlanFile, io)
  for (const url of plan.clusters) readClusterUrl(url, `${COMMAND}: ${path}`)
  const { clusters, request } = plan
  const settings = { ...flags, command: COMMAND, clusters, mode: request.mode, dryRun: false }
  return syncInProcess(settings, io, (surroundings) => applyPlan(plan, surroundings))
}

async function readPlan<T>(path: string, read: (text: string) => T, io: CliIo): Promise<T> {
  try {
    return read(await readFile(resolve(io.cwd, path), 'utf8'))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new CliError(
      WRONG_USAGE,
      `${COMMAND}: ${path} cannot be carried out: ${why}; allowed is a file of --plan-out`,
      {
        cause: error,
      },
    )
  }
}

async function applyThere(plan: string, server: string, { output }: Flags, io: CliIo): Promise<number> {
  const { syncAtService } = await import('./tokens-there.ts')
  return syncAtService({ command: COMMAND, server, body: { plan }, output }, io)
}
