import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KubeError } from '../../../src/lib/kube/error.ts'
import { compareRevisions, type KubeObject, keyOf } from '../../../src/lib/kube/object.ts'
import { applyEvents, beginFilling, EMPTY_SNAPSHOT, mergeList, type Snapshot } from '../../../src/lib/kube/snapshot.ts'
import type { WatchEvent } from '../../../src/lib/kube/watch-events.ts'

type Event = WatchEvent<KubeObject>
type Change = Extract<Event, { type: 'put' | 'delete' }>

const object = (name: string, revision: number): KubeObject => ({
  metadata: { name, resourceVersion: String(revision) },
})
const put = (name: string, revision: number): Change => ({ type: 'put', object: object(name, revision) })
const remove = (name: string, revision: number): Change => ({ type: 'delete', object: object(name, revision) })
const bookmark = (revision: number, initialEnd = false): Event => ({
  type: 'bookmark',
  revision: String(revision),
  initialEnd,
})

const told = (snapshot: Snapshot<KubeObject>) =>
  snapshot.items &&
  [...snapshot.items.values()].map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`).sort()
const apply = (snapshot: Snapshot<KubeObject>, ...events: Event[]) => applyEvents(snapshot, events).snapshot
const filled = (...events: Event[]) => apply(beginFilling<KubeObject>(EMPTY_SNAPSHOT), ...events)

describe('a snapshot', () => {
  it('is not known before the first part is complete', () => {
    expect(told(filled(put('a', 1), put('b', 2)))).toBeUndefined()
    expect(told(filled(put('a', 1), bookmark(3)))).toBeUndefined()
    expect(told(filled(put('a', 1), put('b', 2), bookmark(3, true)))).toEqual(['a@1', 'b@2'])
    expect(told(filled(bookmark(3, true)))).toEqual([])
  })

  it('follows changes', () => {
    const snapshot = apply(filled(put('a', 1), bookmark(3, true)), put('b', 4), put('a', 5), remove('b', 6))
    expect(told(snapshot)).toEqual(['a@5'])
    expect(snapshot.revision).toBe('6')
  })

  it('stays whole while a new stream tells its first part, and is then replaced at once', () => {
    const before = filled(put('a', 1), put('b', 2), bookmark(3, true))
    const during = apply(beginFilling(before), put('c', 9))
    expect(during.items).toBe(before.items)
    expect(told(apply(during, bookmark(9, true)))).toEqual(['c@9'])
  })

  it('takes the first part at its word, though it counts from an earlier revision', () => {
    const before = filled(put('a', 1000), bookmark(1000, true))
    expect(told(apply(beginFilling(before), put('a', 5), bookmark(7, true), put('b', 8)))).toEqual(['a@5', 'b@8'])
  })

  it('is the same object when nothing changed', () => {
    const before = filled(put('a', 1), bookmark(3, true))
    expect(apply(beginFilling(before), put('a', 1), bookmark(8, true)).items).toBe(before.items)
    expect(apply(before, bookmark(9)).items).toBe(before.items)
    expect(mergeList(before, [object('a', 1)], '9').items).toBe(before.items)
  })

  it('applies what came before an error, and nothing after it', () => {
    const error = new KubeError('gone', '')
    const applied = applyEvents(filled(bookmark(1, true)), [put('a', 2), { type: 'error', error }, put('b', 3)])
    expect(told(applied.snapshot)).toEqual(['a@2'])
    expect(applied.error).toBe(error)
  })

  it('never changes one that was shown', () => {
    const first = filled(put('a', 1), bookmark(3, true))
    const second = apply(first, put('b', 4), put('c', 5))
    apply(second, remove('a', 6), remove('b', 7))
    apply(beginFilling(first), put('a', 1), bookmark(8, true), put('d', 9))
    expect([told(first), told(second)]).toEqual([['a@1'], ['a@1', 'b@4', 'c@5']])
  })
})

describe('a list beside the stream', () => {
  const live = filled(put('a', 1), bookmark(10, true))

  it('counts when it is later, and what the stream then still tells of older things does not', () => {
    const merged = mergeList(live, [object('b', 12)], '15')
    expect(told(merged)).toEqual(['b@12'])
    expect(told(apply(merged, put('b', 12), put('a', 13), remove('a', 14), put('c', 15)))).toEqual(['b@12'])
    expect(told(apply(merged, bookmark(12), put('a', 13), put('c', 16)))).toEqual(['b@12', 'c@16'])
  })

  it('does not count when the stream is further, or nobody can say', () => {
    const ahead = apply(live, put('b', 20))
    expect(mergeList(ahead, [object('a', 1)], '15')).toBe(ahead)
    expect(mergeList(ahead, [object('a', 1)], undefined)).toBe(ahead)
    expect(mergeList(ahead, [object('a', 1)], 'abc')).toBe(ahead)
  })

  it('makes the state known before the stream does', () => {
    expect(told(mergeList(EMPTY_SNAPSHOT, [object('a', 1)], '5'))).toEqual(['a@1'])
    expect(told(mergeList(filled(put('b', 2)), [object('a', 1)], '5'))).toEqual(['a@1'])
  })

  it('outlives a first part that is as of an earlier moment', () => {
    const merged = mergeList(apply(beginFilling(live), put('a', 1)), [object('a', 1), object('b', 30)], '30')
    const ended = apply(merged, bookmark(25, true))
    expect(told(ended)).toEqual(['a@1', 'b@30'])
    expect(apply(ended, put('b', 30)).items).toBe(ended.items)
    expect(told(apply(ended, remove('b', 31)))).toEqual(['a@1'])
  })
})

describe('revisions', () => {
  it.each([
    ['9', '10', -1],
    ['10', '9', 1],
    ['10', '10', 0],
    ['9007199254740993', '9007199254740992', 1],
    ['a', '1', undefined],
    [undefined, '1', undefined],
    ['-1', '1', undefined],
  ])('%s and %s: %s', (a, b, order) => {
    expect(compareRevisions(a, b)).toBe(order)
  })

  it('objects of different namespaces are different objects', () => {
    expect(keyOf({ metadata: { name: 'a', namespace: 'x' } })).not.toBe(
      keyOf({ metadata: { name: 'a', namespace: 'y' } }),
    )
  })
})

/** A server that changes objects, and a client whose stream lags behind, breaks and is listed beside. */
type Step =
  | { readonly do: 'change' | 'delete'; readonly name: string }
  | { readonly do: 'deliver'; readonly count: number }
  | { readonly do: 'relist' | 'list-sent' | 'list-came' | 'bookmark' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('change' as const, 'delete' as const),
      name: fc.constantFrom('a', 'b', 'c'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('deliver' as const), count: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('relist' as const, 'list-sent' as const, 'list-came' as const, 'bookmark' as const),
    }),
  },
)

class Model {
  revision = 0
  readonly objects = new Map<string, KubeObject>()
  /** What the server was at each revision. */
  readonly states: string[] = ['']
  pending: Event[] = []
  listUnderWay: { readonly items: KubeObject[]; readonly revision: string } | undefined
  snapshot: Snapshot<KubeObject> = EMPTY_SNAPSHOT
  /** Revision of the state last shown. */
  shown = 0

  run(one: Step): void {
    if (one.do === 'change') this.change(put(one.name, this.revision + 1))
    else if (one.do === 'delete') {
      if (this.objects.has(one.name)) this.change(remove(one.name, this.revision + 1))
    } else if (one.do === 'deliver') this.snapshot = apply(this.snapshot, ...this.pending.splice(0, one.count))
    else if (one.do === 'bookmark') this.pending.push(bookmark(this.revision))
    else if (one.do === 'relist') this.relist()
    else if (one.do === 'list-sent')
      this.listUnderWay = { items: [...this.objects.values()], revision: String(this.revision) }
    else if (this.listUnderWay !== undefined) {
      this.snapshot = mergeList(this.snapshot, this.listUnderWay.items, this.listUnderWay.revision)
      this.listUnderWay = undefined
    }
    this.check()
  }

  change(event: Change): void {
    this.revision++
    if (event.type === 'put') this.objects.set(event.object.metadata.name, event.object)
    else this.objects.delete(event.object.metadata.name)
    this.states[this.revision] = describeState(this.objects.values())
    this.pending.push(event)
  }

  relist(): void {
    this.snapshot = beginFilling(this.snapshot)
    this.pending = [
      ...[...this.objects.values()].map((one): Event => ({ type: 'put', object: one })),
      bookmark(this.revision, true),
    ]
  }

  /** What is shown is always a state that the server once had, and never an earlier one than was shown before. */
  check(): void {
    if (this.snapshot.items === undefined) return
    const state = describeState(this.snapshot.items.values())
    const at = this.states.findIndex((one, revision) => revision >= this.shown && one === state)
    expect(at, `${state} is no state of the server since revision ${this.shown}`).not.toBe(-1)
    this.shown = at
  }
}

function describeState(objects: Iterable<KubeObject>): string {
  return [...objects]
    .map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`)
    .sort()
    .join()
}

it('through any changes, breaks, lags and lists, a snapshot is a state of the server, never goes back, and ends as the server did', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const model = new Model()
      model.relist()
      for (const one of steps) model.run(one)
      model.run({ do: 'deliver', count: Number.POSITIVE_INFINITY })
      expect(told(model.snapshot)?.join()).toBe(model.states[model.revision])
    }),
    { numRuns: 2_000 },
  )
})
