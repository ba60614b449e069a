import { describe, expect, it } from 'vitest'
import type { Row } from '../../../src/db/document.ts'
import { Draft } from '../../../src/db/elasticsearch/draft.ts'

const version = { high: 1, low: 2, tieHigh: 3, tieLow: 4 }
const row = (id: string): Row => ({ id, version, values: ['x'.repeat(1_000)] })
const bodyOf = (draft: Draft, items = draft.items) => Buffer.from(draft.writeBody(items)).toString()

function draftOf(...ids: string[]): Draft {
  const draft = new Draft()
  for (const id of ids) draft.add(row(id), `{"id":"${id}","é":"💧"}`)
  for (const item of draft.items) item.state = 'absent'
  return draft
}

describe('a draft of rows that are written out', () => {
  it('is the body of a bulk that creates them all', () => {
    const draft = draftOf('a', 'b')
    expect(bodyOf(draft)).toBe(
      '{"create":{"_id":"a"}}\n{"id":"a","é":"💧"}\n{"create":{"_id":"b"}}\n{"id":"b","é":"💧"}\n',
    )
    expect(draft.items.map((item) => item.row)).toEqual([undefined, undefined])
  })

  it.each([
    ['the first', [0]],
    ['the last', [2]],
    ['all but one between them', [0, 2]],
    ['all in another order', [2, 1, 0]],
    ['none', []],
  ])('gives the body of %s of them', (_, places) => {
    const draft = draftOf('a', 'b', 'c')
    const items = places.flatMap((at) => draft.items[at] ?? [])
    const lines = items.map(({ id }) => `{"create":{"_id":"${id}"}}\n{"id":"${id}","é":"💧"}\n`)
    expect(bodyOf(draft, items)).toBe(lines.join(''))
  })

  it('binds what is replaced to its revision, among those that are created', () => {
    const draft = draftOf('a', 'b')
    const [, second] = draft.items
    if (second !== undefined) second.state = { seqNo: 5, primaryTerm: 1 }
    expect(bodyOf(draft)).toBe(
      '{"create":{"_id":"a"}}\n{"id":"a","é":"💧"}\n' +
        '{"index":{"_id":"b","if_seq_no":5,"if_primary_term":1}}\n{"id":"b","é":"💧"}\n',
    )
  })
})

describe('a draft of rows that are kept', () => {
  it('writes them out when they are to be written, in whatever order', () => {
    const draft = new Draft()
    for (const id of ['a', 'b', 'c']) draft.add(row(id), undefined)
    const items = [...draft.items].reverse()
    for (const item of items) {
      item.state = 'absent'
      draft.writeOut(item, `{"id":"${item.id}"}`)
    }
    expect(bodyOf(draft, items)).toBe(
      ['c', 'b', 'a'].map((id) => `{"create":{"_id":"${id}"}}\n{"id":"${id}"}\n`).join(''),
    )
    expect(bodyOf(draft)).toBe(['a', 'b', 'c'].map((id) => `{"create":{"_id":"${id}"}}\n{"id":"${id}"}\n`).join(''))
  })

  it('tells about how many bytes there are before they are written out', () => {
    const draft = new Draft()
    draft.add(row('a'), undefined)
    expect(draft.bytes).toBeGreaterThan(1_000)
  })
})
