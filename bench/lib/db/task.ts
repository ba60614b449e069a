// What a process of the benchmark is told to do. Nothing in this file does anything.
import type { DbSyncRequest } from '../../../src/db/contract.ts'
import type { Keyspace, Place } from './farm.ts'
import type { RowSet } from './rows.ts'

export type Task =
  /** A scan in frames and a bulk of prepared bytes, both at the same time. */
  | { readonly do: 'raw-there'; readonly keyspace: Keyspace; readonly index: string; readonly rows: RowSet }
  /** A read by `_shard_doc` and batches of prepared frames, both at the same time. */
  | { readonly do: 'raw-back'; readonly keyspace: Keyspace; readonly index: string; readonly rows: RowSet }
  | {
      readonly do: 'original-there' | 'original-back'
      readonly keyspace: Keyspace
      readonly index: string
      readonly limit: number
    }
  /** As the configuration has them. `begin` and `end` in milliseconds since 1970. */
  | {
      readonly do: 'sync'
      readonly keyspace: Keyspace
      /** With `{table}` in it. */
      readonly index: string
      readonly direction: DbSyncRequest['direction']
      readonly begin: number
      readonly end: number
      /** How many rows have to be applied: a measurement of anything else is none. */
      readonly applied: number
    }
  | {
      readonly do: 'verify'
      readonly keyspace: Keyspace
      readonly index: string
      readonly begin: number
      readonly end: number
      /** So many rows have to be equal, and none anything else. */
      readonly equal: number
    }
  | { readonly do: 'scan-cassandra'; readonly keyspace: Keyspace }
  | { readonly do: 'scan-search'; readonly index: string }
  | { readonly do: 'write-search'; readonly index: string; readonly rows: RowSet }

export type SyncTask = Extract<Task, { readonly do: 'sync' }>

export interface TaskCall {
  readonly task: Task
  readonly place: Place
}
