import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { IdSet } from '../../../src/db/elasticsearch/id-set.ts'
import { idOf } from './lib/scene.ts'

const anyId = fc.oneof(
  fc.uuid(),
  fc.nat(200).map(idOf),
  fc.nat(20).map((at) => idOf(at).toUpperCase()),
  fc.string(),
  fc.constantFrom('00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', ''),
)

describe('a set of ids', () => {
  it('knows each id that was added, and no other one', () => {
    fc.assert(
      fc.property(fc.array(anyId, { maxLength: 2_000, size: 'max' }), (ids) => {
        const [set, model] = [new IdSet(), new Set<string>()]
        for (const id of ids) {
          expect(set.add(id), id).toBe(!model.has(id))
          model.add(id)
        }
      }),
      { numRuns: 50 },
    )
  })

  it('knows those that were noted before it was asked', () => {
    fc.assert(
      fc.property(fc.uniqueArray(anyId, { maxLength: 500 }), fc.array(anyId), (noted, ids) => {
        const [set, model] = [new IdSet(), new Set(noted)]
        for (const id of noted) set.note(id)
        for (const id of [...noted, ...ids]) {
          expect(set.add(id), id).toBe(!model.has(id))
          model.add(id)
        }
      }),
    )
  })

  it('has room for many, whether they were counted up or came by chance', () => {
    const set = new IdSet()
    for (let at = 0; at < 50_000; at++) if (!set.add(idOf(at))) expect.unreachable(idOf(at))
    for (let at = 0; at < 50_000; at++) if (set.add(idOf(at))) expect.unreachable(idOf(at))
  })
})
