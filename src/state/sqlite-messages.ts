// What the thread with the SQLite file and the rest of the process say to each other.
import type { SqliteState } from './sqlite-state.ts'
import { InvalidCursor, OwnerLost, StateUnavailable, StateUnusable } from './store.ts'

export type Method = Exclude<keyof SqliteState, 'close'>

export interface Request {
  readonly id: number
  /** `open` is answered when the file is open, `close` when it is closed. */
  readonly method: Method | 'open' | 'close'
  readonly args: readonly unknown[]
}

export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: { readonly name: string; readonly message: string } }

/** The contract's errors, which the way between threads turns into plain ones. */
const ERRORS: Readonly<Record<string, new (message: string) => Error>> = {
  InvalidCursor,
  OwnerLost,
  StateUnavailable,
  StateUnusable,
}

/** What was thrown on the other side. */
export function rebuildError({ name, message }: { readonly name: string; readonly message: string }): Error {
  return new (ERRORS[name] ?? Error)(message)
}
