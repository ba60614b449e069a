// What a sync or a verify of a pair is asked for: the request that the run keeps, by the names of the bodies of `POST /v1/db/…`, and
// from it what src/db takes. Times stay as they were written: a run that is taken up means the same window. Pure.
import type { DbSyncRequest, DbVerifyRequest, Repair } from '../db/contract.ts'
import { formatTime, parseTime } from '../db/window.ts'
import { InvalidRunRequest, type SyncDbBody, type VerifyDbBody } from './contract.ts'

/** What a request may leave out, as the configuration of a pair has it. */
export interface PairSettings {
  readonly name: string
  readonly tables: 'all' | readonly string[]
  /** A sync without an explicit end ends so long ago, in milliseconds. */
  readonly lagMs: number
}

export interface SyncRunRequest {
  readonly operation: 'sync'
  readonly pair: string
  readonly tables?: readonly string[]
  readonly direction: DbSyncRequest['direction']
  readonly begin?: string
  readonly end?: string
  readonly dryRun: boolean
}

export interface VerifyRunRequest {
  readonly operation: 'verify'
  readonly pair: string
  readonly tables?: readonly string[]
  readonly begin?: string
  readonly end?: string
  readonly maxDifferences: number
  readonly orphans?: true
  readonly repair?: Repair
}

export type DbRunRequest = SyncRunRequest | VerifyRunRequest

const MAX_DIFFERENCES = 100

/** Throws InvalidRunRequest for an unknown pair, a table that is none of it, and times that are none or leave nothing in between. */
export function resolveSync(body: SyncDbBody, pairs: readonly PairSettings[], nowMs: number): SyncRunRequest {
  const settings = findPair(body.pair, pairs)
  checkWindow(body, nowMs - settings.lagMs)
  const { direction = 'both', dryRun = false } = body
  return { operation: 'sync', ...resolveCommon(body, settings), direction, dryRun }
}

/** Throws InvalidRunRequest as resolveSync does, and for a repair of what is not looked for. */
export function resolveVerify(body: VerifyDbBody, pairs: readonly PairSettings[], nowMs: number): VerifyRunRequest {
  const settings = findPair(body.pair, pairs)
  checkWindow(body, nowMs)
  const { maxDifferences = MAX_DIFFERENCES, orphans, repair } = body
  if (repair !== undefined && repair !== 'none' && orphans !== true)
    throw new InvalidRunRequest('/repair', 'needs orphans: it is they that are repaired')
  return {
    ...{ operation: 'verify', ...resolveCommon(body, settings), maxDifferences },
    ...(orphans && { orphans }),
    ...(repair !== undefined && { repair }),
  }
}

/** What src/db takes. */
export function toDbSyncRequest({ tables, direction, begin, end, dryRun }: SyncRunRequest): DbSyncRequest {
  return { tables, direction, begin, end, dryRun }
}

/** What src/db takes. */
export function toDbVerifyRequest(request: VerifyRunRequest): DbVerifyRequest {
  const { tables, begin, end, maxDifferences, orphans, repair = 'none' } = request
  return { tables, begin, end, maxDifferences, orphans: orphans && { repair } }
}

/** Whether it may write: such a run is not made anew by somebody else than who asked for it. */
export const isDestructive = (request: DbRunRequest): boolean =>
  request.operation === 'verify' && request.repair !== undefined && request.repair.startsWith('delete')

function findPair(name: string, pairs: readonly PairSettings[]): PairSettings {
  const found = pairs.find((pair) => pair.name === name)
  if (found !== undefined) return found
  const names = pairs.map((pair) => pair.name)
  throw new InvalidRunRequest('/pair', `is no pair of the configuration: they are ${names.join(', ')}`)
}

type Common = Pick<SyncDbBody, 'tables' | 'begin' | 'end'>

function resolveCommon({ tables, begin, end }: Common, settings: PairSettings) {
  tables?.forEach((table, at) => {
    if (settings.tables !== 'all' && !settings.tables.includes(table)) {
      const known = settings.tables.join(', ')
      throw new InvalidRunRequest(`/tables/${at}`, `is no table of the pair ${settings.name}: they are ${known}`)
    }
    if (tables.indexOf(table) < at) throw new InvalidRunRequest(`/tables/${at}`, 'names a table a second time')
  })
  return {
    pair: settings.name,
    ...(tables !== undefined && { tables }),
    ...(begin !== undefined && { begin: String(begin) }),
    ...(end !== undefined && { end: String(end) }),
  }
}

function checkWindow({ begin, end }: Common, defaultEndMs: number): void {
  const beginMs = begin === undefined ? 0 : readTime(begin, 'begin')
  const endMs = end === undefined ? defaultEndMs : readTime(end, 'end')
  if (beginMs <= endMs) return
  if (begin === undefined) throw new InvalidRunRequest('/end', 'is before 1970: there is nothing')
  const shown = end === undefined ? `${formatTime(endMs)}, where the window ends` : 'end'
  throw new InvalidRunRequest('/begin', `is after ${shown}: nothing lies in between`)
}

function readTime(written: string | number, name: 'begin' | 'end'): number {
  try {
    return parseTime(String(written), name)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new InvalidRunRequest(`/${name}`, error.message)
  }
}
