// A backup of a cluster's tokens as text: a JSON object, by name `{"description": {...}, "token-etag": "E-..."}`, as the original
// writes it. Pure.
import type { Description } from './contract.ts'
import { compareUrls } from './description.ts'
import { isObject, type JsonValue, parseJson, writeJson } from './json.ts'

export interface BackupEntry {
  /** Empty where the original could not read the token. */
  readonly description: Description
  /** Undefined for a soft-deleted token. */
  readonly etag: string | undefined
}

/** By name. */
export type Backup = ReadonlyMap<string, BackupEntry>

/** A blank text is an empty backup. Throws SyntaxError for what is no backup. */
export function readBackup(text: string): Backup {
  if (text.trim() === '') return new Map()
  const fields = parseJson(text)
  if (!isObject(fields)) throw new SyntaxError('a backup is a JSON object with a field for each token')
  return new Map([...fields].map(([token, value]) => [token, readEntry(token, value)]))
}

function readEntry(token: string, value: JsonValue): BackupEntry {
  if (!isObject(value)) throw new SyntaxError(`the backup of ${JSON.stringify(token)} is no JSON object`)
  const description = value.get('description') ?? new Map<string, JsonValue>()
  const etag = value.get('token-etag')
  if (!isObject(description)) throw new SyntaxError(`the description of ${JSON.stringify(token)} is no JSON object`)
  return { description, etag: typeof etag === 'string' && etag.trim() !== '' ? etag : undefined }
}

/** Sorted by name. */
export function writeBackup(backup: Backup): string {
  const sorted = [...backup].sort(([a], [b]) => compareUrls(a, b))
  const fields = sorted.map(([token, { description, etag }]): [string, JsonValue] => {
    const entry = new Map<string, JsonValue>([['description', description]])
    return [token, etag === undefined ? entry : entry.set('token-etag', etag)]
  })
  return `${writeJson(new Map(fields))}\n`
}
