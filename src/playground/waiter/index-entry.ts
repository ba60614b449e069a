// A token in the index of a Waiter cluster, as a client sees it. Pure.
import { isDeleted } from '../../tokens/description.ts'
import { JsonNumber, type JsonValue } from '../../tokens/json.ts'
import type { KeptToken } from './store.ts'
import { toIso } from './token-data.ts'

/** What an answer shows, by the query `include`. */
export interface Shown {
  readonly deleted: boolean
  readonly metadata: boolean
}

export function readShown(query: URLSearchParams): Shown {
  const includes = query.getAll('include')
  return { deleted: includes.includes('deleted'), metadata: includes.includes('metadata') }
}

export const isShown = ({ data }: KeptToken, { deleted }: Shown): boolean => deleted || !isDeleted(data)

export function indexEntry({ token, data, etag }: KeptToken, { metadata }: Shown): object {
  const facts = {
    maintenance: isThere(data.get('maintenance')),
    owner: plain(data.get('owner')),
    token,
  }
  if (!metadata) return facts
  return {
    deleted: data.get('deleted') === true,
    etag: etag ?? null,
    'last-update-time': plain(toIso(data.get('last-update-time') ?? null)),
    ...facts,
  }
}

const isThere = (value: JsonValue | undefined): boolean => value !== undefined && value !== null

/** Text as it is; what else there may be has no business in an index. */
const plain = (value: JsonValue | undefined): string | null =>
  typeof value === 'string' ? value : value instanceof JsonNumber ? value.source : null
