import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readWait } from '../../src/http/prefer.ts'

describe('the preference wait', () => {
  it.each([
    ['wait=10', 10],
    ['wait=0', 0],
    ['wait=60', 60],
    ['wait=61', 60],
    ['wait=99999999999999999999', 60],
    ['WAIT = 7', 7],
    ['wait="5"', 5],
    ['wait="\\5"', 5],
    ['respond-async, wait=10', 10],
    ['wait=10;strict=1, respond-async', 10],
    ['return="a,b;wait=3\\"", wait=4', 4],
    ['  , wait=2 ,', 2],
    ['wait=1, wait=9', 1],
  ])('is %s', (header, seconds) => expect(readWait(header)).toBe(seconds))

  it.each([
    undefined,
    '',
    'respond-async',
    'wait',
    'wait=',
    'wait=""',
    'wait=-1',
    'wait=1.5',
    'wait=1e1',
    'wait=ten',
    'wait=0x10',
    'wait="5',
    'wait==5',
    'waiting=5',
    'x;wait=5',
    'x="wait=5"',
    'wait=soon, wait=5',
  ])('is ignored where it is malformed or none: %s', (header) => expect(readWait(header)).toBeUndefined())

  it('is never more than a minute, whatever is sent', () => {
    const piece = fc.constantFrom('wait', '=', '"', '\\', ',', ';', ' ', '7', '600', 'a')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const seconds = readWait(pieces.join('')) ?? 0
        expect(Number.isInteger(seconds) && seconds >= 0 && seconds <= 60).toBe(true)
      }),
    )
  })

  it('is found in the longest header there can be without losing time', () => {
    const before = performance.now()
    for (const header of ['"\\'.repeat(512), '="'.repeat(512), 'a,'.repeat(512), ' '.repeat(1024)]) readWait(header)
    expect(performance.now() - before).toBeLessThan(500)
  })
})
