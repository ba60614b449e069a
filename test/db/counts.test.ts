import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { COUNTS } from '../../src/db/contract.ts'
import { createTally, type Label, NO_COUNTS, sumCounts } from '../../src/db/counts.ts'

const LABELS = COUNTS.filter((name): name is Label => name !== 'read')
const anyLabel = fc.constantFrom(...LABELS)

describe('counts', () => {
  it('add up, whatever is counted', () => {
    const anyStep = fc.record({
      how: fc.constantFrom('add', 'addRetried', 'addRow'),
      id: fc.constantFrom('a', 'b', 'c'),
      label: anyLabel,
    })
    fc.assert(
      fc.property(fc.array(anyStep), (steps) => {
        const tally = createTally()
        // Each id is tried again once at most.
        const retried = new Set<string>()
        for (const { how, id, label } of steps) {
          if (how === 'add') tally.add(label, 3)
          else if (how === 'addRow' || retried.has(id)) tally.addRow(id, label)
          else tally.addRetried(retried.add(id) && id, label)
        }
        const { read, ...parts } = tally.counts()
        expect(read).toBe(Object.values(parts).reduce((sum, part) => sum + part, 0))
        expect(Object.values(parts).every((part) => part >= 0)).toBe(true)
      }),
    )
  })

  it('sum up', () => {
    expect(sumCounts([])).toEqual(NO_COUNTS)
    const one = { read: 6, applied: 1, older: 1, equal: 2, echoed: 1, failed: 1 }
    expect(sumCounts([one, one])).toEqual({ read: 12, applied: 2, older: 2, equal: 4, echoed: 2, failed: 2 })
  })

  it.each<{ retried: Label; row: Label; counted: Label }>([
    { retried: 'failed', row: 'applied', counted: 'applied' },
    { retried: 'failed', row: 'failed', counted: 'failed' },
    { retried: 'equal', row: 'older', counted: 'older' },
    { retried: 'applied', row: 'equal', counted: 'applied' },
    { retried: 'applied', row: 'older', counted: 'applied' },
    { retried: 'applied', row: 'failed', counted: 'failed' },
  ])('has a row that was $retried when it was tried again, then $row, as $counted', ({ retried, row, counted }) => {
    const tally = createTally()
    tally.addRetried('id', retried)
    tally.addRow('id', row)
    expect(tally.counts()).toEqual({ ...NO_COUNTS, read: 1, [counted]: 1 })
    tally.addRow('id', 'equal')
    expect(tally.counts().read).toBe(2)
  })
})
