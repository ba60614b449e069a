// Bodies of `_bulk`, and what its answers say of each document. Pure.
import { isJsonObject } from '../exact-json.ts'
import { BrokenAnswer, parseObject } from './parts.ts'
import type { Revision } from './search-index.ts'

/**
 * What became of one document: `done`, `conflict` where it is not as the write expected it, `again` where another try may help,
 * `refused` where none will.
 */
export type Fate =
  | { readonly kind: 'done' }
  | { readonly kind: 'conflict' }
  /** `status` is 429 where the server is busy, 500 where it may be this very document that it cannot get over. */
  | { readonly kind: 'again'; readonly status: number; readonly type: string }
  | { readonly kind: 'refused'; readonly reason: string }
  /** It is not this document that is refused, but all of them. */
  | { readonly kind: 'closed'; readonly type: string }

const AGAIN = new Set([429, 500, 502, 503, 504])
/** The name of the field and its type are the mapping's; all else in a reason can be the document's. */
const FIELD = /failed to parse field \[([^\]]{1,200})\] of type \[([a-z_]{1,40})\]/

/** The line before a document that is not to be there yet. */
export function createLine(id: string): string {
  return `{"create":{"_id":${JSON.stringify(id)}}}\n`
}

/** The line before a document in place of this revision, and no other. */
export function replaceLine(id: string, revision: Revision): string {
  return `{"index":{"_id":${JSON.stringify(id)},${boundTo(revision)}}}\n`
}

export function deleteLine(id: string, revision: Revision): string {
  return `{"delete":{"_id":${JSON.stringify(id)},${boundTo(revision)}}}\n`
}

function boundTo({ seqNo, primaryTerm }: Revision): string {
  return `"if_seq_no":${seqNo},"if_primary_term":${primaryTerm}`
}

/**
 * The fates of the documents of a bulk with these ids, in their order. `fields` are names that a reason may tell.
 * Throws BrokenAnswer where the answer is not one to this bulk.
 */
export function readFates(text: string, ids: readonly string[], fields: ReadonlySet<string>): readonly Fate[] {
  const { items } = parseObject(text)
  if (!Array.isArray(items) || items.length !== ids.length)
    throw new BrokenAnswer('the answer tells of other documents')
  return items.map((item: unknown, at) => {
    const [result] = isJsonObject(item) ? Object.values(item) : []
    if (!isJsonObject(result) || result['_id'] !== ids[at] || typeof result['status'] !== 'number')
      throw new BrokenAnswer('the answer tells of other documents')
    return fateOf(result['status'], result['error'], fields)
  })
}

const DONE: Fate = { kind: 'done' }
const CONFLICT: Fate = { kind: 'conflict' }

function fateOf(status: number, error: unknown, fields: ReadonlySet<string>): Fate {
  if (status < 300) return DONE
  if (status === 409) return CONFLICT
  const type = isJsonObject(error) && typeof error['type'] === 'string' ? error['type'] : `status ${status}`
  if (AGAIN.has(status)) return { kind: 'again', status, type }
  // A document that was to be deleted and is not there says so without an error.
  if (status === 404 && error === undefined) return CONFLICT
  if (status === 401 || status === 403 || status === 404 || type === 'index_closed_exception')
    return { kind: 'closed', type }
  return { kind: 'refused', reason: describeRefusal(type, error, fields) }
}

function describeRefusal(type: string, error: unknown, fields: ReadonlySet<string>): string {
  const reason = isJsonObject(error) && typeof error['reason'] === 'string' ? error['reason'] : ''
  const [, field, kind] = FIELD.exec(reason) ?? []
  const where = field !== undefined && fields.has(field) ? `, field ${field}, which its index has as ${kind}` : ''
  return `the server refuses the document: ${/^[a-z_ 0-9]{1,80}$/.test(type) ? type : 'no reason'}${where}`
}
