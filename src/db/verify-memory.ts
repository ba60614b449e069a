// What an interrupted verify has found so far, for the one that takes its place: the tables that are done, and its window. One value
// of the memory for a pair, written over by the next verify. Tables, not parts of them: a table is compared as a whole, from what was
// read of both sides, which nobody has any more. A verify that somebody asks for anew never uses it: what was found may be mended by now.
import type { DbVerifyRequest, Difference, Memory, VerifyItem } from './contract.ts'
import { digest, isMs, isText, readJson, UnreadableMemory, writeJson } from './remembered.ts'
import type { Window } from './window.ts'

/** What was found of one table. */
export interface TableFindings {
  readonly item: VerifyItem
  /** The first ones, by id. */
  readonly differences: readonly Difference[]
  readonly repaired: number
}

export interface VerifyState {
  readonly window: Window
  /** Of the tables that are done. */
  readonly done: readonly TableFindings[]
}

interface Written extends VerifyState {
  /** What was asked for. */
  readonly request: string
}

export interface VerifyMemory {
  /** What an interrupted verify of the same request has left, if one has: written by this version of the program. */
  read(): Promise<VerifyState | undefined>
  write(state: VerifyState): Promise<void>
  forget(): Promise<void>
}

/** For verifies of the pair with this key. */
export function openVerifyMemory(pairKey: string, request: DbVerifyRequest, memory: Memory): VerifyMemory {
  const key = `db verify ${digest(pairKey)}`
  const { tables, begin, end, maxDifferences, orphans } = request
  const asked = JSON.stringify([tables ?? null, begin ?? null, end ?? null, maxDifferences, orphans?.repair ?? null])
  return {
    async read() {
      const text = await memory.getValue(key)
      const written = text === undefined ? undefined : tryRead(text)
      return written?.request === asked ? { window: written.window, done: written.done } : undefined
    },
    write: (state) => memory.putValue(key, writeJson<Written>({ request: asked, ...state })),
    forget: () => memory.putValue(key, undefined),
  }
}

/** What cannot be read is found again: that takes time, and nothing else. */
function tryRead(text: string): Written | undefined {
  try {
    return readJson<Written>(text, isWritten)
  } catch (error) {
    if (error instanceof UnreadableMemory) return undefined
    throw error
  }
}

function isWritten({ request, window, done }: { readonly [Key in keyof Written]?: unknown }): boolean {
  if (!isText(request) || !Array.isArray(done) || typeof window !== 'object' || window === null) return false
  const { beginMs, endMs } = window as Partial<Window>
  return isMs(beginMs) && isMs(endMs)
}
