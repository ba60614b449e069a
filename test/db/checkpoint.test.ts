import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeMark, encodeMark, openMarks, savedEnds } from '../../src/db/checkpoint.ts'
import { UnreadableMemory } from '../../src/db/remembered.ts'
import { createMemory } from './memory-store.ts'

const anyMs = fc.integer({ min: -(2 ** 45), max: 2 ** 45 })
const anyMark = fc.record({
  endMs: fc.option(anyMs, { nil: undefined }),
  sides: fc.option(fc.string(), { nil: undefined }),
  open: fc.option(
    fc.record({
      window: fc.record({ beginMs: anyMs, endMs: anyMs }),
      todo: fc.array(fc.string({ unit: 'binary' }).map((text) => text.toWellFormed())),
      total: fc.nat(),
    }),
    { nil: undefined },
  ),
})

describe('a mark', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(anyMark, (mark) => {
        const text = encodeMark(mark)
        if (text === undefined) expect([mark.endMs, mark.open]).toEqual([undefined, undefined])
        else expect(decodeMark(text)).toEqual(mark)
      }),
    )
  })

  it.each([
    ['is damaged', '{"v":1,'],
    ['another version', '{"v":2,"endMs":1}'],
    ['another version', '{"endMs":1}'],
    ['another version', '{"v":1,"endMs":"now"}'],
    ['another version', '{"v":1,"open":{"window":{"beginMs":1},"todo":[],"total":1}}'],
    ['another version', '{"v":1,"open":{"window":{"beginMs":1,"endMs":2},"todo":[1],"total":1}}'],
    ['another version', 'null'],
  ])('that %s is refused: %s', (why, text) => {
    expect(() => decodeMark(text)).toThrow(UnreadableMemory)
    expect(() => decodeMark(text)).toThrow(why)
  })
})

describe('the memory of a pair', () => {
  it('takes any names, and mixes up none', async () => {
    const memory = createMemory(new Map())
    const names = ['a', 'a b', 'a"b', `${'long '.repeat(200)}1`, `${'long '.repeat(200)}2`]
    for (const pair of names) {
      const marks = await openMarks(pair, memory)
      await marks.register(names)
      for (const [at, table] of names.entries()) {
        await marks.write(table, 'left-to-right', { endMs: at })
        await marks.write(table, 'right-to-left', { endMs: -at - 1 })
      }
    }
    for (const pair of names) {
      const list = await savedEnds(pair, memory).list()
      for (const [at, table] of names.entries())
        expect(list.filter((end) => end.table === table).map(({ endMs }) => endMs)).toEqual([at, -at - 1])
    }
    await savedEnds('a', memory).reset()
    expect(await savedEnds('a', memory).list()).toEqual([])
    expect(await savedEnds('a b', memory).list()).toHaveLength(10)
  })

  it('has an end that was set for all, until a run moves it, also where the first run dies as it begins', async () => {
    const values = new Map<string, string>()
    const memory = createMemory(values)
    await savedEnds('app', memory).set(7)
    const marks = await openMarks('app', memory)
    await marks.register(['notes'])
    // Another process.
    const again = await openMarks('app', memory)
    expect(await again.read('notes', 'right-to-left')).toMatchObject({ endMs: 7 })
    await again.write('notes', 'left-to-right', {})
    expect(await again.read('notes', 'left-to-right')).toEqual({})
  })
})
