// `syncer db verify`: are the two sides of a pair in step? Compared by this process, and mended where that is asked for.
import { type Command, Option } from 'commander'
import type { components } from '../../generated/client.ts'
import type { VerifyDbBody } from '../runs/contract.ts'
import type { EndedHere } from './db-here.ts'
import { addPairOptions, addWindowOptions, choosePair, type WindowFlags } from './db-options.ts'
import { countsText, differencesText, type VerifyItem, verifyItemsText, windowText } from './db-text.ts'
import { CliError, DONE, FAILED, WRONG_USAGE } from './exit.ts'
import { orFailedObject } from './failed-object.ts'
import type { CliIo } from './io.ts'
import type { ExitCode } from './program.ts'
import { parseWhole } from './tokens-options.ts'

export interface VerifyFlags extends WindowFlags {
  readonly orphans?: true
  readonly repair?: NonNullable<VerifyDbBody['repair']>
  readonly maxDifferences: number
}

type Summary = components['schemas']['DbVerifySummary']

const COMMAND = 'syncer db verify'

export function addDbVerify(parent: Command, io: CliIo, exit: ExitCode): void {
  const command = parent
    .command('verify')
    .summary('compare the two sides of a pair')
    .description(
      'Compares the two sides of a pair, every id by its newest version, and lists the first differences. Writes nothing unless --repair says so, and leaves what the next sync begins with as it is. Exits with 0 when all is equal, 1 when anything differs.',
    )
    .addHelpText(
      'beforeAll',
      `Examples:
  syncer db verify app                               is the pair app in step?
  syncer db verify app -b 2026-01-01 -e 2026-02-01   was it, in January?
  syncer db verify -k app -i app                     keyspace app and indexes app-TABLE on this machine
  syncer db verify app --orphans                     which ids does one side alone have?
  syncer db verify app --orphans --repair copy       and bring them to the other
`,
    )
  addPairOptions(command)
  addWindowOptions(command, { begin: '1970', end: 'now' })
    .option('--orphans', 'ids that one side alone has, those whose row is marked as deleted left aside')
    .addOption(
      new Option(
        '--repair <how>',
        'bring orphans to the other side, or delete those of one side (needs --orphans)',
      ).choices(['none', 'copy', 'delete-left', 'delete-right']),
    )
    .addOption(
      new Option('--max-differences <n>', 'most differences that are listed')
        .argParser(parseWhole(0, 10_000))
        .default(100),
    )
    .action(async (name: string | undefined, flags: VerifyFlags) => {
      if (flags.repair !== undefined && flags.repair !== 'none' && !flags.orphans)
        throw new CliError(WRONG_USAGE, `${COMMAND}: --repair needs --orphans; allowed are both or neither`)
      exit.code = await verify(name, flags, io)
    })
}

async function verify(name: string | undefined, flags: VerifyFlags, io: CliIo): Promise<number> {
  const chosen = await choosePair(name, flags, io, COMMAND)
  const { tables, begin, end, orphans, repair, maxDifferences } = flags
  const body: VerifyDbBody = {
    ...{ pair: chosen.pair.name, maxDifferences },
    ...(tables && { tables }),
    ...(begin !== undefined && { begin }),
    ...(end !== undefined && { end }),
    ...(orphans && { orphans }),
    ...(repair !== undefined && { repair }),
  }
  const { runHere } = await import('./db-here.ts')
  const settings = { command: COMMAND, label: 'comparing' }
  const ended = await orFailedObject(
    { command: COMMAND, output: flags.output },
    io,
    (problem) => asJson(false, [], undefined, [problem]),
    () => runHere(chosen, settings, io, ({ db }) => db.verify(body, { trigger: 'cli' })),
  )
  return tell(ended, flags, io)
}

function tell({ run, items: stored, stopped }: EndedHere, { output, repair }: VerifyFlags, io: CliIo): number {
  const items = stored.map(({ body }) => JSON.parse(body) as VerifyItem)
  const summary = run.summary === null ? undefined : (JSON.parse(run.summary) as Summary)
  const problem = run.problem === null ? undefined : (JSON.parse(run.problem) as { readonly detail: string })
  const problems = [
    ...(stopped === undefined || run.state === 'succeeded' ? [] : [stopped.message]),
    ...(problem === undefined ? [] : [problem.detail]),
  ]
  const succeeded = run.state === 'succeeded'
  if (output === 'json') io.out(`${JSON.stringify(asJson(succeeded, items, summary, problems))}\n`)
  else if (summary !== undefined) io.out(verifyText(items, summary, repair))
  for (const one of problems) io.err(`${COMMAND}: ${one}\n`)
  return succeeded ? DONE : FAILED
}

function verifyText(items: readonly VerifyItem[], summary: Summary, repair: VerifyFlags['repair']): string {
  const { window, counts, differences, repaired } = summary
  const { equal, ...others } = counts
  const all = Object.values(others).reduce((sum, count) => sum + count, 0)
  const mended = repair === undefined || repair === 'none' ? '' : `; ${repaired} repaired (${repair})`
  return `${windowText(window)}\n${verifyItemsText(items)}${differencesText(differences, all)}${countsText(counts)}${mended}\n`
}

function asJson(
  succeeded: boolean,
  items: readonly VerifyItem[],
  summary: Summary | undefined,
  problems: readonly string[],
): object {
  const none = { equal: 0, leftNewer: 0, rightNewer: 0, onlyLeft: 0, onlyRight: 0, differs: 0 }
  const { window = null, counts = none, differences = [], repaired = 0 } = summary ?? {}
  return {
    state: succeeded ? 'succeeded' : 'failed',
    ...{ window, items: items.map(({ status: _, ...item }) => item), counts, differences, repaired },
    ...(problems.length > 0 && { problem: problems.join('; ') }),
  }
}
