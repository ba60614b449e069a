import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BrokenAnswer, parseObject, takeArray } from '../../../src/db/elasticsearch/parts.ts'

const anyObject = fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 5 })

describe('an answer taken apart', () => {
  it('has the elements of the array as they are, whatever they hold', () => {
    fc.assert(
      fc.property(fc.array(anyObject, { maxLength: 8 }), anyObject, (items, rest) => {
        const text = JSON.stringify({ took: 1, hits: items, ...without(rest, 'hits', 'took') })
        const parts = takeArray(text, 'hits')
        expect(parts.items.map((item) => JSON.parse(item))).toEqual(JSON.parse(JSON.stringify(items)))
        expect(JSON.parse(parts.rest)).toEqual({ ...JSON.parse(text), hits: [] })
      }),
    )
  })

  it('is not led astray by texts that look like its own', () => {
    const items = [{ a: '"hits":[{', b: '\\"', c: '\\\\' }, { hits: [{ d: '}]' }] }]
    const { items: taken } = takeArray(JSON.stringify({ x: '"hits":[', hits: items }), 'hits')
    expect(taken.map((item) => JSON.parse(item))).toEqual(items)
  })

  it('tells of an answer that ends in the middle, wherever it does', () => {
    const text = JSON.stringify({ hits: [{ a: 'x"y' }, { b: [1, { c: 2 }] }], more: 1 })
    for (let end = 0; end < text.length; end++) {
      const cut = text.slice(0, end)
      expect(() => parseObject(takeArray(cut, 'hits').rest), cut).toThrow(BrokenAnswer)
    }
  })

  it.each(['', 'null', '[]', '1', '<html>', '{'])('takes %j for no answer', (text) => {
    expect(() => parseObject(text)).toThrow(BrokenAnswer)
  })
})

function without(object: Record<string, unknown>, ...keys: string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !keys.includes(key)))
}
