// The state in a SQLite file: for one replica of the service, and the command line beside it. SQLite works, and waits for the disk, in
// a thread of its own: the event loop of the service has answers to give within milliseconds.
import { SqliteThread } from './sqlite-thread.ts'
import type { Owner, StateStore } from './store.ts'

export interface SqliteOptions {
  /** Of the file; it and its folder are made when they are missing. */
  readonly path: string
}

/** Items that are removed in one transaction: others have their turn in between. */
const REMOVED_AT_ONCE = 1_000

/** Opens the file and brings it to the newest version. Throws StateUnusable when it cannot be used as it is. */
export async function openSqliteStore({ path }: SqliteOptions): Promise<StateStore> {
  return createStore(await SqliteThread.open(path))
}

function createStore(thread: SqliteThread): StateStore {
  return {
    kind: 'sqlite',
    openOwner: async () => openOwner(thread),
    interruptOrphans: (endedAt, problem) => thread.call('interruptOrphans', endedAt, problem),
    createRun: (draft) => thread.call('createRun', draft),
    getRun: (id) => thread.call('getRun', id),
    listRuns: (filter) => thread.call('listRuns', filter),
    listCancelled: (owner) => thread.call('listCancelled', owner),
    changeRun: (id, change) => thread.call('changeRun', id, change),
    endRun: (id, end) => thread.call('endRun', id, end),
    requestCancel: (id) => thread.call('requestCancel', id),
    putItems: (runId, items) => thread.call('putItems', runId, items),
    listItems: (runId, filter) => thread.call('listItems', runId, filter),
    readItemsAfter: (runId, seq, limit) => thread.call('readItemsAfter', runId, seq, limit),
    getValue: (key) => thread.call('getValue', key),
    putValue: (key, value) => thread.call('putValue', key, value),
    prune: async ({ maxRuns, endedBefore }) => {
      const forgotten: string[] = []
      for (const id of await thread.call('findForgettable', maxRuns, endedBefore)) {
        while ((await thread.call('removeItems', id, REMOVED_AT_ONCE)) > 0);
        if (await thread.call('removeRun', id)) forgotten.push(id)
      }
      return forgotten
    },
    [Symbol.asyncDispose]: () => thread[Symbol.asyncDispose](),
  }
}

async function openOwner(thread: SqliteThread): Promise<Owner> {
  const id = await thread.call('openOwner')
  return {
    id,
    beat: () => thread.call('beat', id),
    [Symbol.asyncDispose]: async () => {
      // A store that is closed has given up its owners.
      if (!thread.isClosed) await thread.call('closeOwner', id)
    },
  }
}
