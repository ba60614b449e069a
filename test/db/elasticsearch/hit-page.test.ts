import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type HitPage, readHitPage } from '../../../src/db/elasticsearch/hit-page.ts'
import { BrokenAnswer } from '../../../src/db/elasticsearch/parts.ts'
import { writeExactJson } from '../../../src/db/exact-json.ts'
import { idOf } from './lib/scene.ts'

/** What a hit looks like in the answers of all servers. */
const hitOf = (nth: number, source: unknown) => ({
  ...{ _index: 'app-people', _id: idOf(nth), _score: null, _source: source },
  ...{ fields: { tmstmp: [String(1_700_000_000_000 + nth)] }, sort: [nth] },
})

function answerOf(sources: readonly unknown[], after: object = {}): string {
  return JSON.stringify({
    ...{ pit_id: 'pit', took: 1, timed_out: false, _shards: { total: 1, successful: 1, skipped: 0, failed: 0 } },
    ...{ hits: { max_score: null, hits: sources.map((source, nth) => hitOf(nth, source)) } },
    ...after,
  })
}

const OPTIONS = { size: 5_000, hasFractions: false }
const hitsOf = (page: HitPage) => [...page.parts()].flat()
const long = (nth: number) => ({ name: `name ${nth}`, text: 'x'.repeat(600) })
const many = (make: (nth: number) => unknown) => Array.from({ length: 1_000 }, (_, nth) => make(nth))

describe('a page of hits', () => {
  it.each([
    ['no hits', [], 1],
    ['a few', [long(0), long(1)], 1],
    ['many', many(long), 7],
    ['many with numbers that want an exact reading', many((nth) => ({ big: 2 ** 60 + nth, ...long(nth) })), 7],
  ])('has %s in their order, part by part', (_, sources, parts) => {
    const page = readHitPage(answerOf(sources), OPTIONS)
    expect([...page.parts()].length).toBeGreaterThanOrEqual(parts)
    expect(hitsOf(page).map(({ id }) => id)).toEqual(sources.map((_source, nth) => idOf(nth)))
    expect(hitsOf(page).map(({ dateMs }) => dateMs)).toEqual(sources.map((_source, nth) => 1_700_000_000_000 + nth))
    expect(page.last).toEqual(sources.length === 0 ? undefined : [sources.length - 1])
    expect(page).toMatchObject({ pit: 'pit', size: 5_000 })
    expect(Math.abs(page.count - sources.length)).toBeLessThanOrEqual(sources.length / 20)
  })

  it('counts exactly what is short', () => {
    expect(readHitPage(answerOf([1, 2, 3]), OPTIONS).count).toBe(3)
  })

  it('reads none of the middle before it is asked for', () => {
    const text = answerOf(many(long))
    const middle = text.indexOf('name 500')
    const page = readHitPage(`${text.slice(0, middle)}"${text.slice(middle)}`, OPTIONS)
    const parts = page.parts()
    expect(parts.next().value?.[0]?.id).toBe(idOf(0))
    expect(() => [...parts]).toThrow(BrokenAnswer)
  })

  it('is not led astray by documents that look like hits', () => {
    const alike = (nth: number) => ({ items: Array.from({ length: 20 }, () => ({ _index: `${nth}`, _id: 'x' })) })
    for (const source of [alike, (nth: number) => ({ ...long(nth), text: '},{"_index":"'.repeat(30) })])
      for (const hasFractions of [false, true]) {
        const hits = hitsOf(readHitPage(answerOf(many(source)), { size: 5_000, hasFractions }))
        expect(hits.map(({ id }) => id)).toEqual(many(idOf))
        expect(hits.map((hit) => hit.source)).toEqual(many(source))
      }
  })

  it('reads what comes after the hits, whatever it is', () => {
    const sources = many(long)
    for (const after of [{ x: 1 }, { x: { y: [1] } }, { x: [1] }, { x: { y: { z: [[]] } } }, { x: ']' }])
      expect(hitsOf(readHitPage(answerOf(sources, after), OPTIONS))).toHaveLength(1_000)
  })

  it('tells of an answer that ends in the middle, wherever it does', () => {
    const text = answerOf(many(long))
    fc.assert(
      fc.property(fc.integer({ min: 0, max: text.length - 1 }), (end) => {
        expect(() => readHitPage(text.slice(0, end), OPTIONS)).toThrow(BrokenAnswer)
      }),
      { numRuns: 200 },
    )
    for (let end = text.length - 800; end < text.length; end++)
      expect(() => readHitPage(text.slice(0, end), OPTIONS)).toThrow(BrokenAnswer)
  })

  it('has every document as it was written, whatever is in it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 5 })),
        fc.boolean(),
        (some, isLong) => {
          const sources = isLong
            ? some.flatMap((source) => Array.from({ length: 200 }, () => [source, 'y'.repeat(300)]))
            : some
          const hits = hitsOf(readHitPage(answerOf(sources), OPTIONS))
          expect(hits.map((hit) => writeExactJson(hit.source))).toEqual(sources.map((source) => JSON.stringify(source)))
        },
      ),
    )
  })
})
