// `syncer db window`: where the next sync of a pair begins; shown, set or forgotten.
import { type Command, Option } from 'commander'
import type { SavedEnd } from '../db/checkpoint.ts'
import type { StateHere } from '../wiring/db-here.ts'
import { addPairOptions, choosePair, type PairFlags } from './db-options.ts'
import { directionText } from './db-text.ts'
import { CliError, DONE, WRONG_USAGE } from './exit.ts'
import type { CliIo } from './io.ts'
import { clean } from './plan-text.ts'
import type { ExitCode } from './program.ts'
import { tableLines } from './text-table.ts'

interface WindowFlags extends PairFlags {
  readonly set?: string
  readonly reset?: true
}

const COMMAND = 'syncer db window'

export function addDbWindow(parent: Command, io: CliIo, exit: ExitCode): void {
  const command = parent
    .command('window')
    .summary('show, set or forget where the next sync of a pair begins')
    .description(
      'Shows where the next sync of a pair begins, for each table and direction: the end of the last complete window. --set puts all of them to one moment, --reset forgets them, so that the next sync begins in 1970.',
    )
    .addHelpText(
      'beforeAll',
      `Examples:
  syncer db window app                     where does the next sync of the pair app begin?
  syncer db window app --set 2026-01-01    read again what has come since then
  syncer db window -k app -i app --reset   the next sync reads everything
`,
    )
  addPairOptions(command)
    .addOption(new Option('--set <time>', 'ISO 8601, epoch seconds or milliseconds').conflicts('reset'))
    .option('--reset', 'forget them, and the rows that wait to be tried again')
    .action(async (name: string | undefined, flags: WindowFlags) => {
      exit.code = await showWindow(name, flags, io)
    })
}

async function showWindow(name: string | undefined, flags: WindowFlags, io: CliIo): Promise<number> {
  const setMs = flags.set === undefined ? undefined : await readTime(flags.set)
  const { loaded, pair } = await choosePair(name, flags, io, COMMAND)
  const { openStateHere } = await import('../wiring/db-here.ts')
  await using state = await openStateHere(loaded, pair, { env: io.env, clock: io.clock, onError: () => {} })
  if (setMs !== undefined || flags.reset) {
    await refuseUnderWay(state, pair.name)
    if (setMs === undefined) await state.savedEnds.reset()
    else await state.savedEnds.set(setMs)
  }
  const ends = await state.savedEnds.list()
  const others = await state.savedEnds.others()
  io.out(flags.output === 'json' ? `${JSON.stringify(asJson(pair.name, ends, others))}\n` : asText(ends, others))
  return DONE
}

/** What it saves at its end would be lost, or bring back what is to be forgotten. */
async function refuseUnderWay(state: StateHere, pair: string): Promise<void> {
  const run = await state.findRunUnderWay()
  if (run === undefined) return
  const { underWay } = await import('./db-here.ts')
  throw underWay(COMMAND, run, pair)
}

async function readTime(text: string): Promise<number> {
  const { parseTime } = await import('../db/window.ts')
  try {
    return parseTime(text, '--set')
  } catch (error) {
    throw new CliError(WRONG_USAGE, `${COMMAND}: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const timeOf = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString())

function asJson(pair: string, ends: readonly SavedEnd[], others: number | undefined): object {
  return {
    pair,
    ends: ends.map(({ table, direction, endMs, open }) => ({
      ...{ table, direction, end: timeOf(endMs) },
      ...(open && {
        open: {
          window: { begin: timeOf(open.window.beginMs), end: timeOf(open.window.endMs) },
          ...{ done: open.done, total: open.total },
        },
      }),
    })),
    others: timeOf(others),
  }
}

function asText(ends: readonly SavedEnd[], others: number | undefined): string {
  const rest = `tables that no run has met yet begin ${others === undefined ? 'in 1970' : `at ${timeOf(others)}`}\n`
  if (ends.length === 0) return rest
  const rows = ends.map(({ table, direction, endMs, open }) => [
    clean(table),
    directionText(direction),
    timeOf(endMs) ?? 'begins in 1970',
    open === undefined ? '' : `${open.done} of ${open.total} parts done up to ${timeOf(open.window.endMs)}`,
  ])
  return `${tableLines([['TABLE', 'DIRECTION', 'SAVED END', ''], ...rows], 0).join('\n')}\n${rest}`
}
