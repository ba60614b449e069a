// The undo file of a command: there only when something is overwritten or deleted, and told of at the end.
import { resolve } from 'node:path'
import type { UndoEntry } from '../tokens/contract.ts'
import { openUndoFile } from '../tokens/undo.ts'
import type { CliIo } from './io.ts'

export interface UndoRecorder extends AsyncDisposable {
  /** Resolves when the entries are on disk. */
  keep(entries: readonly UndoEntry[]): Promise<void>
  /** Says where they are, when there are any. */
  tell(): void
}

/** `undoFile`: false keeps nothing; left out, a file of its own for this moment in the working directory. */
export async function openUndoRecorder(undoFile: string | false | undefined, io: CliIo): Promise<UndoRecorder> {
  if (undoFile === false) return { keep: async () => {}, tell: () => {}, [Symbol.asyncDispose]: async () => {} }
  const name = undoFile ?? `syncer-undo-${new Date(io.clock.wallNow()).toISOString().replace(/[-:.]/g, '')}.jsonl`
  const file = await openUndoFile(resolve(io.cwd, name))
  let kept = false
  return {
    keep: async (entries) => {
      await file.keep(entries)
      kept ||= entries.length > 0
    },
    tell: () => {
      if (kept)
        io.err(
          `what was overwritten or deleted is in ${name}; bring it back with: syncer tokens restore ${name} URL --force\n`,
        )
    },
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  }
}
