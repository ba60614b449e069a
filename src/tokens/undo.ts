// The undo file of a run: what was overwritten or deleted, a line of JSON each. A write is sent only when its line is safe on disk.
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { syncFolder } from '../lib/replace-file.ts'
import type { UndoEntry } from './contract.ts'
import { isObject, type JsonValue, parseJson, writeJson } from './json.ts'

export interface UndoFile extends AsyncDisposable {
  /** Resolves when the entries are safe on disk. Rejects when they may not be; then nothing more is kept either. */
  keep(entries: readonly UndoEntry[]): Promise<void>
}

/**
 * Writes to a new file, which is made with the first entry: for its owner alone, folders as well. A file that is there already is
 * never added to.
 */
export async function openUndoFile(path: string): Promise<UndoFile> {
  let file: FileHandle | undefined
  let waiting: string[] = []
  /** Writes all that waits, after what is being written now. */
  let next: Promise<void> | undefined
  let current: Promise<void> = Promise.resolve()

  const write = async (): Promise<void> => {
    await current
    next = undefined
    const lines = waiting
    waiting = []
    current = writeLines(lines)
    await current
  }
  const writeLines = async (lines: readonly string[]): Promise<void> => {
    file ??= await create(path)
    await file.appendFile(lines.join(''))
    await file.datasync()
  }
  return {
    keep: async (entries) => {
      if (entries.length === 0) return
      waiting.push(...entries.map(writeLine))
      // Those who come while others are written share the next write: a disk syncs a hundred lines as fast as one.
      next ??= write()
      await next
    },
    [Symbol.asyncDispose]: async () => {
      await (next ?? current).catch(() => undefined)
      await file?.close()
      file = undefined
    },
  }
}

async function create(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = await open(path, 'ax', 0o600)
  await syncFolder(dirname(path))
  return file
}

function writeLine({ cluster, token, etag, description }: UndoEntry): string {
  const fields: [string, JsonValue][] = [
    ['cluster', cluster],
    ['token', token],
    ...(etag === undefined ? [] : [['etag', etag] as [string, JsonValue]]),
    ['description', description],
  ]
  return `${writeJson(new Map(fields))}\n`
}

/**
 * Entries in the order in which they were kept. A last line that was cut short is left out: what it was kept for was never sent.
 * Throws SyntaxError, which names the line.
 */
export function readUndoFile(text: string): readonly UndoEntry[] {
  const lines = text.split('\n')
  lines.pop()
  return lines.map((line, index) => {
    const entry = readEntry(line)
    if (entry === undefined) throw new SyntaxError(`line ${index + 1} is no entry of an undo file`)
    return entry
  })
}

function readEntry(line: string): UndoEntry | undefined {
  let fields: JsonValue
  try {
    fields = parseJson(line)
  } catch {
    return undefined
  }
  if (!isObject(fields)) return undefined
  const [cluster, token, etag, description] = ['cluster', 'token', 'etag', 'description'].map((key) => fields.get(key))
  if (typeof cluster !== 'string' || typeof token !== 'string' || !isObject(description)) return undefined
  return { cluster, token, etag: typeof etag === 'string' ? etag : undefined, description }
}
