// One part of a sync whose window is cut by hand: what a batch scheduler runs many of, side by side and again where one was lost. It
// records no run, holds no lock and moves no saved end.

import type { DbItem, DbSurroundings, DeadLetter, Memory } from '../db/contract.ts'
import { DbSyncFailed } from '../db/contract.ts'
import { writeDeadLetterFile } from '../db/dead-letter-file.ts'
import { formatTime } from '../db/window.ts'
import type { SyncDbBody } from '../runs/contract.ts'
import { resolveSync, toDbSyncRequest } from '../runs/db-request.ts'
import type { ChosenPair } from './db-options.ts'
import { type SyncOutcome, spanOf, sumOf } from './db-sync.ts'
import type { SyncItem } from './db-text.ts'
import { inWordsOfOptions } from './db-words.ts'
import type { CliIo } from './io.ts'
import { withStopSignal } from './stop.ts'

/** Carries one part over. Throws CliError for what cannot be asked for, and what the stores throw before anything is written. */
export async function syncShard(
  { pair }: ChosenPair,
  body: SyncDbBody,
  shard: { readonly index: number; readonly of: number },
  command: string,
  io: CliIo,
): Promise<SyncOutcome> {
  const request = orInWords(() => resolveSync(body, [pair], io.clock.wallNow()), command)
  const items: SyncItem[] = []
  let letters: readonly DeadLetter[] = []
  const outcome = (problems: readonly string[]): SyncOutcome => {
    const counts = sumOf(items)
    // They came as they were done.
    items.sort((a, b) => (`${a.table} ${a.direction}` < `${b.table} ${b.direction}` ? -1 : 1))
    return {
      ...{ succeeded: problems.length === 0 && counts.failed === 0, window: spanOf(items), items, counts, problems },
      deadLetters: letters.length,
    }
  }
  return await withStopSignal(io, async (signal) => {
    const surroundings: DbSurroundings = {
      ...{ memory: forgetful(), clock: io.clock, signal, onProgress: () => {} },
      onItem: async (item) => void items.push(showItem(item)),
      onDeadLetters: async (met) => {
        letters = met
        await keep(met, `${pair.deadLetterFile.replace(/\.jsonl$/, '')}-shard-${shard.index}-of-${shard.of}.jsonl`, io)
      },
    }
    await using opened = await pair.open(signal)
    try {
      await pair.sync(opened, { ...toDbSyncRequest(request), shard }, surroundings)
      return outcome([])
    } catch (error) {
      if (!(error instanceof DbSyncFailed)) throw error
      return outcome([error.message])
    }
  })
}

async function keep(letters: readonly DeadLetter[], path: string, io: CliIo): Promise<void> {
  await writeDeadLetterFile(path, letters)
  if (letters.length > 0) io.err(`rows that could not be carried are in ${path}; no other run tries them again\n`)
}

function showItem({ window, note, ...item }: DbItem): SyncItem {
  const { applied, failed } = item
  return {
    ...item,
    window: { begin: formatTime(window.beginMs), end: formatTime(window.endMs) },
    ...(note !== undefined && { note }),
    status: failed > 0 ? 'failed' : applied > 0 ? 'updated' : 'unmodified',
  }
}

/** A part has nothing to remember for others. */
function forgetful(): Memory {
  const values = new Map<string, string>()
  return {
    getValue: async (key) => values.get(key),
    putValue: async (key, value) => {
      if (value === undefined) values.delete(key)
      else values.set(key, value)
    },
  }
}

function orInWords<T>(resolve: () => T, command: string): T {
  try {
    return resolve()
  } catch (error) {
    throw inWordsOfOptions(error, command)
  }
}
