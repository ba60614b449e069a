// What is taken out of the answers of a search server: each is looked at before it is believed. Pure.
import { isJsonObject, parseExactJson } from '../exact-json.ts'
import { BrokenAnswer } from './parts.ts'

type JsonObject = Readonly<Record<string, unknown>>

/** As parseExactJson. Throws BrokenAnswer for what is no JSON. */
export function parseItem(text: string, fractions: boolean): JsonObject {
  let item: unknown
  try {
    item = parseExactJson(text, { fractions })
  } catch {
    throw new BrokenAnswer('the answer is no JSON')
  }
  if (!isJsonObject(item)) throw new BrokenAnswer('the answer has what is no object')
  return item
}

/** An answer of all shards in time. Gives the field `key` of it. Throws BrokenAnswer. */
export function checkShards(answer: JsonObject, key: string): unknown
export function checkShards(answer: JsonObject, key: undefined): undefined
export function checkShards(answer: JsonObject, key: string | undefined): unknown {
  const shards = objectIn(answer, '_shards')
  if (answer['timed_out'] === true || shards['failed'] !== 0)
    throw new BrokenAnswer('the answer is one of some shards alone', { passes: true })
  return key === undefined ? undefined : answer[key]
}

/** The hits of a search. Throws BrokenAnswer. */
export function hitsOf(answer: JsonObject): readonly JsonObject[] {
  const outer = checkShards(answer, 'hits')
  return checkHits(isJsonObject(outer) ? outer['hits'] : undefined)
}

/** Throws BrokenAnswer for what is no array of objects. */
export function checkHits(hits: unknown): readonly JsonObject[] {
  if (!Array.isArray(hits) || !hits.every(isJsonObject)) throw new BrokenAnswer('the answer has no hits')
  return hits
}

/** Throws BrokenAnswer where there is none. */
export function idOf(hit: JsonObject): string {
  if (typeof hit['_id'] !== 'string') throw new BrokenAnswer('the answer has a document without _id')
  return hit['_id']
}

/** An empty one where there is none. */
export function objectIn(object: JsonObject, key: string): JsonObject {
  const value = ownOf(object, key)
  return isJsonObject(value) ? value : {}
}

export function ownOf(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined
}
