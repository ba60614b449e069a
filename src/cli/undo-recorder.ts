// The undo file of a sync in this process: there only when something is overwritten or deleted, and told of at the end.
import { type FileHandle, open } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { UndoEntry } from '../tokens/contract.ts'
import { fromPlain, writeJson } from '../tokens/json.ts'
import type { CliIo } from './io.ts'

export interface UndoRecorder extends AsyncDisposable {
  /** Resolves when the entries are on disk. */
  keep(entries: readonly UndoEntry[]): Promise<void>
  /** Says where they are, when there are any. */
  finish(): Promise<void>
}

/** `undoFile`: false keeps nothing; left out, a file of its own for this moment in the working directory. */
export function createUndoRecorder(undoFile: string | false | undefined, io: CliIo): UndoRecorder {
  if (undoFile === false) return { keep: async () => {}, finish: async () => {}, [Symbol.asyncDispose]: async () => {} }
  const name = undoFile ?? `syncer-undo-${new Date(io.clock.wallNow()).toISOString().replace(/[-:.]/g, '')}.jsonl`
  let file: FileHandle | undefined
  let last = Promise.resolve()
  const write = async (entries: readonly UndoEntry[]): Promise<void> => {
    file ??= await open(resolve(io.cwd, name), 'a', 0o600)
    await file.appendFile(entries.map((entry) => `${writeJson(fromPlain({ ...entry }))}\n`).join(''))
    await file.datasync()
  }
  return {
    keep: (entries) => {
      last = last.then(() => write(entries))
      return last
    },
    finish: async () => {
      if (file !== undefined)
        io.err(
          `what was overwritten or deleted is in ${name}; bring it back with: syncer tokens restore ${name} URL --force\n`,
        )
    },
    [Symbol.asyncDispose]: async () => {
      await file?.close()
    },
  }
}
