// One run over a pair in this process: started among the runs of the state, followed on the terminal, told of at its end.
import type { Progress, Started } from '../runs/contract.ts'
import type { RunItem, RunRecord } from '../state/store.ts'
import { type DbHere, openDbHere, startHere } from '../wiring/db-here.ts'
import type { ChosenPair } from './db-options.ts'
import { inWordsOfOptions } from './db-words.ts'
import { CliError, FAILED } from './exit.ts'
import type { CliIo } from './io.ts'
import { createProgressBar, tellBeside } from './progress-bar.ts'
import { Stopped, withStopSignal } from './stop.ts'

/** A run that has ended, with what happened to each of its parts. */
export interface EndedHere {
  readonly run: RunRecord
  readonly items: readonly RunItem[]
  /** What asked the command to end; undefined when nothing did. */
  readonly stopped: Stopped | undefined
  /** Where tables stand that are not done, a line each. */
  readonly standing: readonly string[]
}

export interface HereSettings {
  /** Begins what is told of errors. */
  readonly command: string
  /** Of the progress bar. */
  readonly label: string
}

const PAGE = 1_000
/** How long a run may take to end that was asked to, in milliseconds; what it does then is told as it is. */
const END_MS = 60_000

/**
 * Starts a run, and resolves when it has ended. Throws CliError when it cannot be started: another run of the pair is under way, or
 * what was asked for cannot be.
 */
export async function runHere(
  { loaded, pair }: ChosenPair,
  { command, label }: HereSettings,
  io: CliIo,
  start: (here: DbHere) => Promise<Started>,
): Promise<EndedHere> {
  return await withStopSignal(io, async (signal) => {
    const onError = (error: unknown, what: string) => tellBeside(io, `${command}: ${what}: ${messageOf(error)}`)
    const surroundings = { env: io.env, clock: io.clock, onError }
    await using here = await openDbHere(loaded, pair, surroundings)
    const started = await startHere(here, () => start(here), io, signal).catch((error: unknown) => {
      throw inWordsOfOptions(error, command)
    })
    if (started.outcome !== 'started') throw underWay(command, started.run, pair.name)
    const { id } = started.run
    const stop = () => void here.runs.cancel(id).catch((error: unknown) => onError(error, `run ${id}`))
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    await showProgress(here, id, label, io)
    const stopped = signal.reason instanceof Stopped ? signal.reason : undefined
    const run = await here.runs.wait(id, stopped === undefined ? 0 : END_MS, new AbortController().signal)
    if (run === undefined) throw new CliError(FAILED, `${command}: the run ${id} is not there any more`)
    const standing = run.state === 'succeeded' ? [] : await describeStanding(here)
    return { run, items: await readItems(here, id), stopped, standing }
  })
}

/** Whoever else works on the pair. */
export const underWay = (command: string, run: RunRecord, pair: string): CliError =>
  new CliError(
    FAILED,
    `${command}: run ${run.id} is under way on ${pair} (${run.state}, started by ${run.trigger} at ${new Date(run.createdAt).toISOString()})`,
  )

/** Draws how far it is until it has ended. */
async function showProgress(here: DbHere, id: string, label: string, io: CliIo): Promise<void> {
  using bar = createProgressBar(io, label)
  const beganAt = io.clock.now()
  for await (const event of here.runs.follow(id, Number.MAX_SAFE_INTEGER, new AbortController().signal)) {
    if (event.type !== 'progress') continue
    const { done, total } = event.progress
    bar.show(done, total, progressText(event.progress, io.clock.now() - beganAt))
  }
}

/** Rows, their rate, and the time that is left if it goes on like this; `elapsedMs` since the beginning. */
export function progressText({ done, total, figures, message }: Progress, elapsedMs: number): string {
  const { read, rowsPerSecond } = figures ?? {}
  const parts = [
    ...(message === undefined ? [] : [message]),
    ...(read === undefined ? [] : [`${read} rows`]),
    ...(rowsPerSecond === undefined || rowsPerSecond === 0 ? [] : [`${rowsPerSecond} rows/s`]),
  ]
  if (total !== undefined && done > 0 && done < total)
    parts.push(`${spanText((elapsedMs * (total - done)) / done)} left`)
  return parts.join(', ')
}

function spanText(ms: number): string {
  const seconds = Math.ceil(ms / 1_000)
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.ceil(seconds / 60)
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

async function readItems({ runs }: DbHere, id: string): Promise<readonly RunItem[]> {
  const items: RunItem[] = []
  let cursor: string | undefined
  do {
    const page = await runs.items(id, { limit: PAGE, cursor })
    items.push(...(page?.items ?? []))
    cursor = page?.nextCursor ?? undefined
  } while (cursor !== undefined)
  return items
}

async function describeStanding({ savedEnds }: DbHere): Promise<readonly string[]> {
  const ends = await savedEnds.list()
  return ends.flatMap(({ table, direction, open }) =>
    open === undefined
      ? []
      : [
          `${table}, ${direction.replaceAll('-', ' ')}: ${open.done} of ${open.total} parts are done of the window up to ${new Date(open.window.endMs).toISOString()}; the next run goes on there`,
        ],
  )
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
