// `syncer tokens sync`: by this process over the clusters that are named, or as a run of a running service.
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import type { MaxDeletes, OnConflict, OnUnreachable, PlanFile, SyncRequest } from '../tokens/contract.ts'
import { CliError, FAILED, WRONG_USAGE } from './exit.ts'
import { endWithCode } from './exit-line.ts'
import type { CliIo } from './io.ts'
import { createOutputOption, type Output } from './options.ts'
import type { ExitCode } from './program.ts'
import { findServer } from './server.ts'
import {
  type ConflictFlag,
  createDryRunOption,
  createLimitOption,
  createServerOption,
  createTimeoutOptions,
  findCluster,
  gather,
  gatherAll,
  isWebAddress,
  parseMaxDeletes,
  parseOnConflict,
  parseOptOutMetadataName,
  readClusterUrls,
  type TimeoutFlags,
} from './tokens-options.ts'
import type { SyncTokensBody } from './tokens-there.ts'

export interface SyncFlags extends TimeoutFlags {
  readonly compat?: true
  readonly dryRun?: true
  readonly limit: number
  readonly optOutMetadataName?: string
  readonly onUnreachable: OnUnreachable
  readonly onConflict: ConflictFlag
  readonly maxDeletes: MaxDeletes
  readonly allowEmpty?: readonly string[]
  readonly planOut?: string
  readonly undoFile?: string | false
  readonly memoryFile?: string
  readonly detailedExitcode?: true
  readonly server?: string
  readonly output: Output
}

const COMMAND = 'syncer tokens sync'
const DEFAULT_MAX_DELETES: MaxDeletes = { percent: 20, atLeast: 5 }

export function addTokensSync(parent: Command, io: CliIo, exit: ExitCode): void {
  const command = parent
    .command('sync')
    .summary('bring the tokens of several clusters to their latest version')
    .description(
      'Brings the tokens of several Waiter clusters to their latest version: by itself over the clusters that are named, or with --server as a run of a service, by the names of its clusters (all when none is named). AUTHORIZATION_HEADER in the environment is sent to every cluster. Exits with 0 when all is well, 1 when anything failed, 3 for pending changes where --detailed-exitcode asks for it.',
    )
    .addHelpText(
      'beforeAll',
      `Examples:
  syncer tokens sync --dry-run http://c1:9091 http://c2:9093                  what would be written?
  syncer tokens sync http://c1:9091 http://c2:9093                            write it
  syncer tokens sync --dry-run --plan-out plan.json http://c1:9091,http://c2:9093
  syncer tokens apply plan.json                                               exactly that plan, later
  syncer tokens sync --compat http://c1:9091 http://c2:9093                   to the letter as the original token-syncer
  syncer tokens sync --server https://syncer.example c1 c2                    as a run of a service
`,
    )
    .argument('[clusters...]', 'addresses of at least two clusters, also with commas between them; with --server names')
    .option('--compat', 'as the original does it, its dangers included: exit code 0 or 1, nothing is tried again')
    .addOption(createDryRunOption())
    .addOption(createLimitOption('most tokens to sync in this run'))
    .addOption(
      new Option(
        '--opt-out-metadata-name <name>',
        'tokens with "true" under this name in their metadata are left alone',
      ).argParser(parseOptOutMetadataName),
    )
    .addOption(
      new Option(
        '--on-unreachable <what>',
        'when a cluster does not list its tokens: fail, or go on and write nothing for tokens that it may have',
      )
        .choices(['fail', 'skip-writes'])
        .default('fail')
        .conflicts('compat'),
    )
    .addOption(
      new Option(
        '--on-conflict <what>',
        'when two clusters were edited and neither knows of the other: newest, fail or prefer:URL',
      )
        .argParser(parseOnConflict)
        .default('newest')
        .conflicts('compat'),
    )
    .addOption(
      new Option('--max-deletes <n>', 'refuse to delete more tokens than this, a number or a part of all (5%)')
        .argParser(parseMaxDeletes)
        .default(DEFAULT_MAX_DELETES, '20%, at least 5')
        .conflicts('compat'),
    )
    .addOption(
      new Option('--allow-empty <url>', 'this cluster may have lost all its tokens since the last run (may come again)')
        .argParser(gather)
        .conflicts('compat'),
    )
    .option('--plan-out <file>', 'with --dry-run: write the plan to this file, for `syncer tokens apply`')
    .addOption(
      new Option(
        '--undo-file <file>',
        'where to keep what is overwritten or deleted (default: ./syncer-undo-TIME.jsonl)',
      ),
    )
    .option('--no-undo-file', 'keep nothing of what is overwritten or deleted')
    .addOption(
      new Option(
        '--memory-file <file>',
        'what one run remembers for the next: where a limited run went on, and how much each cluster listed',
      ).conflicts('compat'),
    )
    .option('--detailed-exitcode', 'exit with 3 when a dry run finds changes (never with --compat)')
    .addOption(createServerOption().conflicts(['planOut', 'undoFile', 'memoryFile']))
    .addOption(createOutputOption())
  for (const option of createTimeoutOptions()) command.addOption(option)
  command.action(async (clusters: readonly string[], flags: SyncFlags) => {
    if (flags.planOut !== undefined && !flags.dryRun)
      throw new CliError(WRONG_USAGE, `${COMMAND}: --plan-out needs --dry-run; allowed are both or neither`)
    const server = serverOf(flags, clusters, io)
    await endWithCode(flags.output, io, exit, () => {
      if (server === undefined) return syncHere(clusters, flags, io)
      const given = (name: keyof SyncFlags) => command.getOptionValueSource(name) === 'cli'
      return syncThere(server, createBody(clusters, flags, given), flags, io)
    })
  })
}

/** Addresses are for this process; what SYNCER_SERVER names is asked only where no address is given. */
function serverOf({ server, compat }: SyncFlags, clusters: readonly string[], io: CliIo): string | undefined {
  if (server !== undefined) return server
  return compat || clusters.some(isWebAddress) ? undefined : findServer(undefined, io)
}

async function syncHere(texts: readonly string[], flags: SyncFlags, io: CliIo): Promise<number> {
  const clusters = readClusterUrls(texts, COMMAND)
  if (clusters.length < 2)
    throw new CliError(
      flags.compat ? FAILED : WRONG_USAGE,
      `${COMMAND}: at least two different clusters are needed, ${clusters.length} given; allowed are addresses as http://HOST:PORT`,
    )
  const request = createRequest(clusters, flags)
  const [{ syncInProcess }, { syncTokens }] = await Promise.all([
    import('./tokens-here.ts'),
    import('../tokens/sync.ts'),
  ])
  const settings = { ...flags, command: COMMAND, clusters, mode: request.mode, dryRun: request.dryRun }
  return syncInProcess(
    settings,
    io,
    (surroundings) => syncTokens(request, surroundings),
    ({ summary, plans }) =>
      flags.planOut === undefined
        ? Promise.resolve()
        : savePlan(
            flags.planOut,
            { version: 1, request, clusters, total: summary.tokens.total.length, tokens: plans },
            io,
          ),
  )
}

async function savePlan(path: string, plan: PlanFile, io: CliIo): Promise<void> {
  const [{ replaceFile }, { writePlanFile }] = await Promise.all([
    import('../lib/replace-file.ts'),
    import('../tokens/plan-file.ts'),
  ])
  await replaceFile(resolve(io.cwd, path), writePlanFile(plan))
  io.err(`the plan is in ${path}; carry it out with: syncer tokens apply ${path}\n`)
}

async function syncThere(server: string, body: SyncTokensBody, flags: SyncFlags, io: CliIo): Promise<number> {
  const { syncAtService } = await import('./tokens-there.ts')
  return syncAtService({ ...flags, command: COMMAND, server, body }, io)
}

function createRequest(clusters: readonly string[], flags: SyncFlags): SyncRequest {
  const { compat, dryRun, limit, optOutMetadataName, onUnreachable, onConflict, maxDeletes, allowEmpty = [] } = flags
  return {
    mode: compat ? 'compat' : 'safe',
    dryRun: dryRun ?? false,
    limit,
    optOutMetadataName,
    onUnreachable,
    onConflict: readOnConflict(onConflict, clusters),
    maxDeletes,
    allowEmpty: allowEmpty.map((url) => findCluster(url, clusters, '--allow-empty', COMMAND)),
  }
}

function readOnConflict(flag: ConflictFlag, clusters: readonly string[]): OnConflict {
  if (flag === 'newest' || flag === 'fail') return flag
  return { prefer: findCluster(flag.slice('prefer:'.length), clusters, '--on-conflict', COMMAND) }
}

/** What was not given is as the configuration of the service has it. */
function createBody(
  texts: readonly string[],
  flags: SyncFlags,
  given: (name: keyof SyncFlags) => boolean,
): SyncTokensBody {
  const clusters = gatherAll(texts)
  const { compat, dryRun, limit, optOutMetadataName, onUnreachable, onConflict, maxDeletes, allowEmpty } = flags
  const { connectionTimeoutMs, idleTimeoutMs } = flags
  return {
    ...(clusters.length > 0 && { clusters }),
    ...(compat && { mode: 'compat' }),
    ...(dryRun && { dryRun }),
    ...(given('limit') && { limit }),
    ...(optOutMetadataName !== undefined && { optOutMetadataName }),
    ...(given('onUnreachable') && { onUnreachable }),
    ...(given('onConflict') && { onConflict }),
    ...(given('maxDeletes') && { maxDeletes: 'count' in maxDeletes ? maxDeletes.count : `${maxDeletes.percent}%` }),
    ...(allowEmpty !== undefined && { allowEmpty }),
    ...(given('connectionTimeoutMs') && { connectionTimeoutMs }),
    ...(given('idleTimeoutMs') && { idleTimeoutMs }),
  }
}
