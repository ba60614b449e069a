// Reads a collection of a Kubernetes API server to its end, page by page, or one object of it.
import type { KubeClient } from './client.ts'
import { KubeError } from './error.ts'
import { isKubeObject, isObject, type KubeObject } from './object.ts'

/** What is read or watched. */
export interface Selection {
  /** The collection: `/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices`. */
  readonly path: string
  readonly labelSelector?: string
  /** Only this object. Needs the right to get and watch it, not to list. */
  readonly name?: string
}

export interface ListResult<T extends KubeObject> {
  readonly items: readonly T[]
  /** What a watch goes on from; undefined where there is no such object, for an absence has no version. */
  readonly revision: string | undefined
}

const PAGE_SIZE = 500
/** Half a million objects: more pages than this are a server that never ends. */
const MAX_PAGES = 1_000

/** Parameters that choose the same objects in a list and in a watch. */
export function selectorsOf({ labelSelector, name }: Selection): Readonly<Record<string, string>> {
  return {
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(name === undefined ? {} : { fieldSelector: `metadata.name=${name}` }),
  }
}

/**
 * All there is, as of one revision; each page has `timeoutMs`. The server reads it from a majority of its store, not from a cache.
 * Throws KubeError (`gone` when the pages expired under way) or the reason of `signal`.
 */
export async function readAll<T extends KubeObject>(
  client: KubeClient,
  selection: Selection,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<ListResult<T>> {
  if (selection.name !== undefined)
    return readOne<T>(client, `${selection.path}/${encodeURIComponent(selection.name)}`, timeoutMs, signal)
  const items: T[] = []
  let next = ''
  for (let page = 0; page < MAX_PAGES; page++) {
    const query = { ...selectorsOf(selection), limit: String(PAGE_SIZE), ...(next === '' ? {} : { continue: next }) }
    const list = parseList<T>(
      selection.path,
      await client.request({ method: 'GET', path: selection.path, query, timeoutMs, signal }),
    )
    for (const item of list.items) items.push(item)
    next = list.next
    if (next === '') return { items, revision: list.revision }
  }
  throw new KubeError('garbage', `the list of ${selection.path} has no end`)
}

async function readOne<T extends KubeObject>(
  client: KubeClient,
  path: string,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<ListResult<T>> {
  try {
    const object = await client.request({ method: 'GET', path, timeoutMs, signal })
    if (!isKubeObject(object)) throw new KubeError('garbage', `${path} is not an object with a name`)
    // The server checks objects against their schema before it stores them: their shape is taken on trust.
    return { items: [object as T], revision: object.metadata.resourceVersion }
  } catch (error) {
    if (error instanceof KubeError && error.code === 'not-found') return { items: [], revision: undefined }
    throw error
  }
}

function parseList<T extends KubeObject>(
  path: string,
  body: unknown,
): { readonly items: readonly T[]; readonly revision: string; readonly next: string } {
  const { items, metadata } = isObject(body) ? body : {}
  const { resourceVersion, continue: next } = isObject(metadata) ? metadata : {}
  // Go writes an empty slice as null.
  const objects: unknown = items ?? []
  if (!isListOf<T>(objects) || typeof resourceVersion !== 'string')
    throw new KubeError('garbage', `the answer to a list of ${path} is not a list`)
  return { items: objects, revision: resourceVersion, next: typeof next === 'string' ? next : '' }
}

function isListOf<T extends KubeObject>(value: unknown): value is readonly T[] {
  return Array.isArray(value) && value.every(isKubeObject)
}
