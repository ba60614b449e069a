// Deletes documents that have not become newer meanwhile: each delete is bound to the revision that was compared.

import { backoffMs } from '../../lib/backoff.ts'
import { delay } from '../../lib/clock.ts'
import { decide, holdDocument } from '../compare.ts'
import { deriveVersion } from '../document.ts'
import { StoreFailed } from '../store.ts'
import type { Version } from '../timeuuid.ts'
import type { BatchContext } from './batch.ts'
import { deleteLine, type Fate, readFates } from './bulk.ts'
import { lookUpDocuments, lookUpTimes } from './lookup.ts'
import type { TimeFields } from './search-index.ts'

export interface RemovableRow {
  readonly id: string
  readonly version: Version
}

const AT_ONCE = 1_000
const PAUSES = { baseMs: 100, capMs: 10_000 }
const NO_FIELDS: ReadonlySet<string> = new Set()

/** Gives the ids that are gone. One whose document has no date any more stays: nobody can tell that it is not newer. */
export async function removeDocuments(
  rows: readonly RemovableRow[],
  context: BatchContext,
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const gone = new Set<string>()
  for (let at = 0; at < rows.length; at += AT_ONCE)
    await removeSome(rows.slice(at, at + AT_ONCE), gone, context, signal)
  return gone
}

async function removeSome(
  rows: readonly RemovableRow[],
  gone: Set<string>,
  context: BatchContext,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, retryForMs } = context
  const began = clock.now()
  let left = rows
  for (let round = 0; left.length > 0; round++) {
    if (round > 0) await delay(clock, backoffMs(round, PAUSES, random), signal)
    if (round > 0 && clock.now() - began > retryForMs) throw fail(context, 'deletes no documents')
    left = await removeOnce(left, gone, context, signal)
  }
}

/** Gives those of which it is not certain yet. */
async function removeOnce(
  rows: readonly RemovableRow[],
  gone: Set<string>,
  context: BatchContext,
  signal: AbortSignal,
): Promise<readonly RemovableRow[]> {
  const { lookup, transport } = context
  const times = await lookUpTimes(
    rows.map(({ id }) => id),
    lookup,
    signal,
  )
  const removable: RemovableRow[] = []
  const lines: string[] = []
  for (const row of rows) {
    const found = times.get(row.id)
    if (found === undefined) gone.add(row.id)
    else if (await isNoNewer(row, found, context, signal)) {
      removable.push(row)
      lines.push(deleteLine(row.id, found))
    }
  }
  if (removable.length === 0) return []
  const ids = removable.map(({ id }) => id)
  const path = `/${encodeURIComponent(lookup.index.name)}/_bulk`
  const fates = await transport.send(
    {
      ...{ method: 'POST', path, body: lines.join(''), isLines: true },
      read: ({ text }) => readFates(text, ids, NO_FIELDS),
    },
    signal,
  )
  return removable.filter((row, at) => !isGone(row, fates[at], gone, context))
}

/** A conflict may be a delete that was carried out without an answer: it is looked at again. */
function isGone({ id }: RemovableRow, fate: Fate | undefined, gone: Set<string>, context: BatchContext): boolean {
  if (fate?.kind === 'closed') throw fail(context, `refuses to delete documents (${fate.type})`)
  if (fate?.kind !== 'done') return false
  gone.add(id)
  return true
}

async function isNoNewer(
  { id, version }: RemovableRow,
  { dateMs, version: field, seqNo, primaryTerm }: TimeFields,
  { table, lookup }: BatchContext,
  signal: AbortSignal,
): Promise<boolean> {
  if (dateMs === undefined) return false
  const { outcome } = decide(version, holdDocument(dateMs, field))
  if (outcome !== 'undecided') return outcome !== 'older'
  const document = (await lookUpDocuments([id], lookup, signal)).get(id)
  if (document === undefined || document.seqNo !== seqNo || document.primaryTerm !== primaryTerm) return true
  return (
    decide(version, { kind: 'version', version: deriveVersion(table, id, document.source, dateMs) }).outcome !== 'older'
  )
}

function fail({ transport, lookup }: BatchContext, message: string): StoreFailed {
  return new StoreFailed(`elasticsearch ${transport.url}: index ${lookup.index.name} ${message}`)
}
