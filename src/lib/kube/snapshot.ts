// What a collection holds, from the events of a watch and from lists: `(snapshot, event) → snapshot`, pure.
// It is never seen half filled, and never goes back:
//
//   filling   a new stream first tells all that there is; meanwhile `items` stays what was known, and the end replaces it at once
//   a list    read beside the stream counts when it is later; what the stream then still tells of older things is passed over
import { compareRevisions, type KubeObject, keyOf } from './object.ts'
import type { WatchEvent } from './watch-events.ts'

export interface Snapshot<T extends KubeObject> {
  /** Undefined until the first part of a stream, or a list, was complete. The same map as long as nothing changed. */
  readonly items: ReadonlyMap<string, T> | undefined
  /** What `items` is as of. */
  readonly revision: string | undefined
  /** What the stream has told so far of its first part; undefined when that is complete. */
  readonly filling: ReadonlyMap<string, T> | undefined
  /** Revision of a list that came in while filling. */
  readonly listedMeanwhile: string | undefined
}

export const EMPTY_SNAPSHOT: Snapshot<never> = {
  items: undefined,
  revision: undefined,
  filling: undefined,
  listedMeanwhile: undefined,
}

/** A stream begins that will tell everything anew. Its word then counts, even if its revision is smaller: a restored etcd counts from an earlier one. */
export function beginFilling<T extends KubeObject>(snapshot: Snapshot<T>): Snapshot<T> {
  return { ...snapshot, filling: new Map(), listedMeanwhile: undefined }
}

export interface Applied<T extends KubeObject> {
  readonly snapshot: Snapshot<T>
  /** The event after which nothing more can be applied. */
  readonly error: Extract<WatchEvent<T>, { type: 'error' }>['error'] | undefined
}

/** Applies what arrived together, in its order, up to the first error. Maps are copied once for all of it. */
export function applyEvents<T extends KubeObject>(snapshot: Snapshot<T>, events: readonly WatchEvent<T>[]): Applied<T> {
  let current = snapshot
  let copied = false
  for (const event of events) {
    if (event.type === 'error') return { snapshot: current, error: event.error }
    if (event.type === 'bookmark') {
      current = applyBookmark(current, event.revision, event.initialEnd)
      copied = false
    } else if (!isOld(current, event.object)) {
      current = applyChange(current, event.type, event.object, copied)
      copied = true
    }
  }
  return { snapshot: current, error: undefined }
}

/** A list of the whole collection was read beside the stream, which is at some other revision. */
export function mergeList<T extends KubeObject>(
  snapshot: Snapshot<T>,
  objects: readonly T[],
  revision: string | undefined,
): Snapshot<T> {
  if (snapshot.items !== undefined) {
    const order = compareRevisions(revision, snapshot.revision)
    if (order === undefined || order < 0) return snapshot
  }
  const items = toMap(objects)
  return {
    ...snapshot,
    items: isSame(snapshot.items, items) ? snapshot.items : items,
    revision,
    listedMeanwhile: snapshot.filling === undefined ? undefined : revision,
  }
}

/** The first part is complete, as of `revision` (undefined: nobody can say). */
export function endFilling<T extends KubeObject>(
  snapshot: Snapshot<T>,
  objects: ReadonlyMap<string, T>,
  revision: string | undefined,
): Snapshot<T> {
  const order = compareRevisions(revision, snapshot.listedMeanwhile)
  // The list is complete too, and later: it stays, and the stream goes on to tell all that came after it.
  if (order !== undefined && order < 0) return { ...snapshot, filling: undefined, listedMeanwhile: undefined }
  const items = isSame(snapshot.items, objects) ? snapshot.items : objects
  return { items, revision, filling: undefined, listedMeanwhile: undefined }
}

export function toMap<T extends KubeObject>(objects: readonly T[]): ReadonlyMap<string, T> {
  return new Map(objects.map((object) => [keyOf(object), object]))
}

function applyBookmark<T extends KubeObject>(
  snapshot: Snapshot<T>,
  revision: string,
  initialEnd: boolean,
): Snapshot<T> {
  if (snapshot.filling !== undefined) return initialEnd ? endFilling(snapshot, snapshot.filling, revision) : snapshot
  const order = compareRevisions(revision, snapshot.revision)
  return order !== undefined && order <= 0 ? snapshot : { ...snapshot, revision }
}

/** Told by the stream after a list had it already. While filling nothing is old: the first part may hold objects of any age. */
function isOld<T extends KubeObject>(snapshot: Snapshot<T>, object: T): boolean {
  if (snapshot.filling !== undefined) return false
  const order = compareRevisions(object.metadata.resourceVersion, snapshot.revision)
  return order !== undefined && order <= 0
}

function applyChange<T extends KubeObject>(
  snapshot: Snapshot<T>,
  type: 'put' | 'delete',
  object: T,
  copied: boolean,
): Snapshot<T> {
  const before = snapshot.filling ?? snapshot.items ?? new Map<string, T>()
  // `copied`: the map was made a moment ago by the caller and nobody has seen it yet.
  const after = copied ? (before as Map<string, T>) : new Map(before)
  if (type === 'put') after.set(keyOf(object), object)
  else after.delete(keyOf(object))
  return snapshot.filling === undefined
    ? { ...snapshot, items: after, revision: object.metadata.resourceVersion ?? snapshot.revision }
    : { ...snapshot, filling: after }
}

function isSame<T extends KubeObject>(
  known: ReadonlyMap<string, T> | undefined,
  told: ReadonlyMap<string, T>,
): boolean {
  if (known === undefined || known.size !== told.size) return false
  for (const [key, object] of told) {
    const { uid, resourceVersion } = object.metadata
    const before = known.get(key)?.metadata
    if (
      before === undefined ||
      resourceVersion === undefined ||
      before.resourceVersion !== resourceVersion ||
      before.uid !== uid
    )
      return false
  }
  return true
}
