import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseWatchEvent, splitLines } from '../../../src/lib/kube/watch-events.ts'

describe('the lines of a watch', () => {
  it.each([
    ['', 'a\nb\nc', ['a', 'b'], 'c'],
    ['a', 'b\n', ['ab'], ''],
    ['', '\n \r\n\n', [], ''],
    ['rest', '', [], 'rest'],
  ])('%j and %j', (rest, text, lines, left) => {
    expect(splitLines(rest, text)).toEqual({ lines, rest: left })
  })

  it('are the same wherever the network cuts them', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.array(fc.nat({ max: 300 })), (values, cuts) => {
        const lines = values.map((value) => JSON.stringify(value))
        const text = lines.map((line) => `${line}\n`).join('')
        const places = [0, ...cuts.filter((cut) => cut < text.length).sort((a, b) => a - b), text.length]
        let rest = ''
        const found: string[] = []
        for (const [index, at] of places.entries()) {
          const split = splitLines(rest, text.slice(at, places[index + 1] ?? at))
          found.push(...split.lines)
          rest = split.rest
        }
        expect(rest).toBe('')
        expect(found).toEqual(lines)
      }),
    )
  })

  it('end somewhere', () => {
    expect(() => splitLines('x'.repeat(17 * 1_048_576), 'x')).toThrow(/longer than/)
  })
})

describe('an event of a watch', () => {
  const pod = { metadata: { name: 'a', resourceVersion: '7' } }
  it.each([
    [
      { type: 'ADDED', object: pod },
      { type: 'put', object: pod },
    ],
    [
      { type: 'MODIFIED', object: pod },
      { type: 'put', object: pod },
    ],
    [
      { type: 'DELETED', object: pod },
      { type: 'delete', object: pod },
    ],
    [
      { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } },
      { type: 'bookmark', revision: '9', initialEnd: false },
    ],
    [
      {
        type: 'BOOKMARK',
        object: { metadata: { resourceVersion: '9', annotations: { 'k8s.io/initial-events-end': 'true' } } },
      },
      { type: 'bookmark', revision: '9', initialEnd: true },
    ],
  ])('%j', (line, event) => {
    expect(parseWatchEvent(JSON.stringify(line))).toEqual(event)
  })

  const status = (code: unknown, more = {}) =>
    JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code, message: 'too\nold', ...more } })
  it.each<[string, string, { code: string; status?: number; retryAfterMs?: number }, RegExp]>([
    ['an expired revision', status(410), { code: 'gone', status: 410 }, /^the watch ended with 410: too old$/],
    ['an error', status(500), { code: 'server-error', status: 500 }, /500/],
    [
      'a pause',
      status(429, { details: { retryAfterSeconds: 3 } }),
      { code: 'throttled', status: 429, retryAfterMs: 3_000 },
      /429/,
    ],
    ['an ERROR without a code', '{"type":"ERROR"}', { code: 'garbage' }, /without a code/],
    ['half an object', '{"type":"ADDED","object":{"metad', { code: 'garbage' }, /not JSON/],
    ['HTML', '<html>', { code: 'garbage' }, /not JSON/],
    ['a number', '7', { code: 'garbage' }, /not an object/],
    ['an unknown type', '{"type":"RENAMED"}', { code: 'garbage' }, /type RENAMED/],
    ['no type', '{}', { code: 'garbage' }, /type undefined/],
    ['an object without metadata', '{"type":"ADDED","object":{}}', { code: 'garbage' }, /without a name/],
    [
      'an object without a name',
      '{"type":"DELETED","object":{"metadata":{"name":7}}}',
      { code: 'garbage' },
      /without a name/,
    ],
    [
      'a bookmark of nothing',
      '{"type":"BOOKMARK","object":{"metadata":{}}}',
      { code: 'garbage' },
      /without a resourceVersion/,
    ],
    ['a bookmark without an object', '{"type":"BOOKMARK"}', { code: 'garbage' }, /without a resourceVersion/],
  ])('that is %s ends the watch', (_, line, error, message) => {
    const event = parseWatchEvent(line)
    expect(event).toMatchObject({ type: 'error', error })
    expect(event.type === 'error' && event.error.message).toMatch(message)
  })

  it('never throws', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (line) => void parseWatchEvent(line)))
  })
})
