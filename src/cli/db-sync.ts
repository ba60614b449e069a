// `syncer db sync`: a pair of the configuration, or a keyspace and its indexes, brought in step by this process.
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { SyncDbBody } from '../runs/contract.ts'
import type { EndedHere } from './db-here.ts'
import { addPairOptions, addWindowOptions, choosePair, type WindowFlags } from './db-options.ts'
import { countsText, type SyncItem, syncItemsText, windowText } from './db-text.ts'
import { CHANGES_PENDING, CliError, DONE, FAILED, WRONG_USAGE } from './exit.ts'
import { orFailedObject } from './failed-object.ts'
import type { CliIo } from './io.ts'
import type { ExitCode } from './program.ts'
import { createDryRunOption } from './tokens-options.ts'

export interface SyncFlags extends WindowFlags {
  readonly direction: NonNullable<SyncDbBody['direction']>
  readonly dryRun?: true
  readonly detailedExitcode?: true
  readonly shard?: { readonly index: number; readonly of: number }
}

const COMMAND = 'syncer db sync'
const MAX_SHARDS = 1_000_000

export function addDbSync(parent: Command, io: CliIo, exit: ExitCode): void {
  const command = parent
    .command('sync')
    .summary('bring the tables of two databases to the newest version of every row')
    .description(
      'Brings the tables of a pair to the newest version of every row, in this process: first what the left side has goes to the right, then the right side’s goes back. It begins where the last complete run ended. Deletes are not carried over. Exits with 0 when all is well, 1 when anything failed.',
    )
    .addHelpText(
      'beforeAll',
      `Examples:
  syncer db sync app                                       all tables of the pair app, since the last time
  syncer db sync app --dry-run --detailed-exitcode         is there anything to do?
  syncer db sync app --tables users,orders --direction left-to-right
  syncer db sync -k app -i app                             keyspace app and indexes app-TABLE on this machine
  syncer db sync -k app -i app --cassandra 10.0.0.1:9042 --elasticsearch http://10.0.0.2:9200 -b 1447300800
  syncer db sync app -b 2026-01-01 -e 2026-02-01 --shard 0/8
`,
    )
  addPairOptions(command)
  addWindowOptions(command, { begin: 'the end of the last complete run', end: 'now' })
    .addOption(
      new Option('--direction <which>', 'whose rows are carried')
        .choices(['both', 'left-to-right', 'right-to-left'])
        .default('both'),
    )
    .addOption(createDryRunOption())
    .option('--detailed-exitcode', 'exit with 3 when a dry run finds something to write')
    .addOption(
      new Option(
        '--shard <i/n>',
        'only part i (from 0) of n of an explicit window: no run is recorded, and the parts may run anywhere at once',
      ).argParser(parseShard),
    )
    .action(async (name: string | undefined, flags: SyncFlags) => {
      if (flags.shard !== undefined && (flags.begin === undefined || flags.end === undefined))
        throw new CliError(
          WRONG_USAGE,
          `${COMMAND}: --shard needs --begin and --end; allowed are all three, or neither`,
        )
      exit.code = await sync(name, flags, io)
    })
}

/** `i/n`, i from 0 to n - 1. */
export function parseShard(text: string): { readonly index: number; readonly of: number } {
  const [, index, of] = /^(\d{1,7})\/(\d{1,7})$/.exec(text) ?? []
  const shard = { index: Number(index), of: Number(of) }
  if (!(shard.of >= 1 && shard.of <= MAX_SHARDS && shard.index < shard.of))
    throw new InvalidArgumentError('Allowed is i/n with i from 0 to n - 1, as 0/4, 1/4, 2/4 and 3/4.')
  return shard
}

async function sync(name: string | undefined, flags: SyncFlags, io: CliIo): Promise<number> {
  const chosen = await choosePair(name, flags, io, COMMAND)
  const { tables, direction, begin, end, dryRun } = flags
  const body: SyncDbBody = {
    ...{ pair: chosen.pair.name, direction },
    ...(tables && { tables }),
    ...(begin !== undefined && { begin }),
    ...(end !== undefined && { end }),
    ...(dryRun && { dryRun }),
  }
  if (flags.shard !== undefined) {
    const { shard } = flags
    const { syncShard } = await import('./db-shard.ts')
    return tell(await orFailed(flags, io, () => syncShard(chosen, body, shard, COMMAND, io)), flags, io)
  }
  const { runHere } = await import('./db-here.ts')
  const settings = { command: COMMAND, label: dryRun ? 'comparing' : 'syncing' }
  const ended = await orFailed(flags, io, () =>
    runHere(chosen, settings, io, ({ db }) => db.sync(body, { trigger: 'cli' })),
  )
  const told = outcomeOf(ended)
  if (told.deadLetters > 0) io.err(`rows that could not be carried are in ${chosen.pair.deadLetterFile}\n`)
  return tell(told, flags, io)
}

const orFailed = <T>({ output }: SyncFlags, io: CliIo, fn: () => Promise<T>): Promise<T> =>
  orFailedObject({ command: COMMAND, output }, io, (problem) => asJson(nothingDone(problem)), fn)

const nothingDone = (problem: string): SyncOutcome => ({
  ...{ succeeded: false, window: undefined, items: [], counts: sumOf([]), deadLetters: 0, problems: [problem] },
})

export interface SyncOutcome {
  readonly succeeded: boolean
  readonly window: { readonly begin: string; readonly end: string } | undefined
  readonly items: readonly SyncItem[]
  readonly counts: Readonly<Record<(typeof COUNTS)[number], number>>
  readonly deadLetters: number
  /** Why it did not come to its end, and where it stands, a line each. */
  readonly problems: readonly string[]
}

const COUNTS = ['read', 'applied', 'older', 'equal', 'echoed', 'failed'] as const

function outcomeOf({ run, items: stored, stopped, standing }: EndedHere): SyncOutcome {
  const items = stored.map(({ body }) => JSON.parse(body) as SyncItem)
  const summary = run.summary === null ? undefined : JSON.parse(run.summary)
  const problem = run.problem === null ? undefined : (JSON.parse(run.problem) as { readonly detail: string })
  return {
    succeeded: run.state === 'succeeded',
    window: summary?.window ?? spanOf(items),
    items,
    counts: summary?.counts ?? sumOf(items),
    deadLetters: summary?.deadLetters ?? 0,
    problems: [
      ...(stopped === undefined || run.state === 'succeeded' ? [] : [stopped.message]),
      ...(problem === undefined ? [] : [problem.detail]),
      ...standing,
    ],
  }
}

/** The sum of the items. */
export const sumOf = (items: readonly SyncItem[]): SyncOutcome['counts'] => {
  const sum = { read: 0, applied: 0, older: 0, equal: 0, echoed: 0, failed: 0 }
  for (const item of items) for (const name of COUNTS) sum[name] += item[name]
  return sum
}

/** From the earliest begin to the latest end. */
export function spanOf(items: readonly SyncItem[]): SyncOutcome['window'] {
  const begin = items.map(({ window }) => window.begin).sort()[0]
  const end = items
    .map(({ window }) => window.end)
    .sort()
    .at(-1)
  return begin === undefined || end === undefined ? undefined : { begin, end }
}

function tell(outcome: SyncOutcome, flags: SyncFlags, io: CliIo): number {
  const { succeeded, window, items, counts, problems } = outcome
  if (flags.output === 'json') io.out(`${JSON.stringify(asJson(outcome))}\n`)
  else if (succeeded || window !== undefined) {
    if (window !== undefined) io.out(`${windowText(window)}\n`)
    io.out(syncItemsText(items, flags.dryRun === true))
    io.out(`${counts.read} read: ${countsText(counts, flags.dryRun)}${flags.dryRun ? '; nothing was written' : ''}\n`)
  }
  for (const problem of problems) io.err(`${COMMAND}: ${problem}\n`)
  if (!succeeded) return FAILED
  return flags.dryRun && flags.detailedExitcode && counts.applied > 0 ? CHANGES_PENDING : DONE
}

function asJson({ succeeded, window, items, counts, problems }: SyncOutcome): object {
  return {
    state: succeeded ? 'succeeded' : 'failed',
    window: window ?? null,
    items: items.map(({ window: _, status: __, ...item }) => item),
    counts,
    ...(problems.length > 0 && { problem: problems.join('; ') }),
  }
}
