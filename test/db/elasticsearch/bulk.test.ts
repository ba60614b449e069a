import { describe, expect, it } from 'vitest'
import { createLine, deleteLine, readFates, replaceLine } from '../../../src/db/elasticsearch/bulk.ts'
import { BrokenAnswer } from '../../../src/db/elasticsearch/parts.ts'

const FIELDS = new Set(['name', 'tmstmp'])
const answer = (...items: { status: number; error?: unknown; _id?: string }[]) =>
  JSON.stringify({ errors: true, items: items.map((item) => ({ create: { _id: 'a', ...item } })) })
const fateOf = (status: number, error?: unknown) => readFates(answer({ status, error }), ['a'], FIELDS)[0]

describe('the lines of a bulk', () => {
  it('bind a write to what was seen, and end in a newline', () => {
    const revision = { seqNo: 7, primaryTerm: 2 }
    expect(createLine('a')).toBe('{"create":{"_id":"a"}}\n')
    expect(replaceLine('a"', revision)).toBe('{"index":{"_id":"a\\"","if_seq_no":7,"if_primary_term":2}}\n')
    expect(deleteLine('a', revision)).toBe('{"delete":{"_id":"a","if_seq_no":7,"if_primary_term":2}}\n')
  })
})

describe('the fate of a document', () => {
  it.each([
    [200, 'done'],
    [201, 'done'],
    [409, 'conflict'],
    [400, 'refused'],
    [413, 'refused'],
    [429, 'again'],
    [500, 'again'],
    [503, 'again'],
    [403, 'closed'],
    [404, 'closed'],
  ])('with status %i is %s', (status, kind) => {
    const error = status < 300 ? undefined : { type: 'some_exception', reason: 'because' }
    expect(fateOf(status, error)?.kind).toBe(kind)
  })

  it('is a conflict where what was to be deleted is not there', () => {
    expect(fateOf(404)).toEqual({ kind: 'conflict' })
  })

  it('is that of all documents where the index is closed', () => {
    expect(fateOf(400, { type: 'index_closed_exception', reason: 'closed' })?.kind).toBe('closed')
  })

  it('names the field and the type of the error, and never what the document holds', () => {
    const reason = "[1:11] failed to parse field [name] of type [date] in document with id 'u1'. Preview: 'geheim'"
    expect(fateOf(400, { type: 'document_parsing_exception', reason })).toEqual({
      kind: 'refused',
      reason: 'the server refuses the document: document_parsing_exception, field name, which its index has as date',
    })
    const hidden = [
      { type: 'document_parsing_exception', reason: reason.replace('[name]', '[geheim]') },
      { type: 'geheim: no type', reason: 'geheim' },
      { type: 'strict_dynamic_mapping_exception', reason: 'dynamic introduction of [geheim]' },
      'geheim',
    ]
    for (const error of hidden) expect(JSON.stringify(fateOf(400, error))).not.toContain('geheim')
  })

  it('is not read from an answer to another bulk, or from half of one', () => {
    const broken = [
      answer(),
      answer({ status: 200 }, { status: 200 }),
      answer({ status: 200, _id: 'b' }),
      '{"items":[{}]}',
      '{"items":[null]}',
      '{}',
      '[]',
      '{"items":[{"create":{"_id":"a"}}]}',
    ]
    for (const text of broken) expect(() => readFates(text, ['a'], FIELDS), text).toThrow(BrokenAnswer)
  })
})
