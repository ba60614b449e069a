import { describe, expect, it } from 'vitest'
import { parseIndexPattern } from '../../../src/db/elasticsearch/index-name.ts'
import { TableRefusedError } from '../../../src/db/table.ts'

describe('a pattern of indexes', () => {
  it('gives the index of a table and the table of an index', () => {
    const pattern = parseIndexPattern('app-{table}-v1')
    expect(pattern.nameOf('people')).toBe('app-people-v1')
    expect(pattern.tableOf('app-people-v1')).toBe('people')
    expect(pattern.wildcard).toBe('app-*-v1')
  })

  it.each(['app-v1', 'app--v1', 'other-people-v1', 'app-people', ''])('has no table for the index %j', (index) => {
    expect(parseIndexPattern('app-{table}-v1').tableOf(index)).toBeUndefined()
  })

  it.each(['app', '', '{table}{table}', '{Table}'])('is not %j', (text) => {
    expect(() => parseIndexPattern(text)).toThrow(TypeError)
  })

  it.each([
    ['Users', 'upper case'],
    ['a/b', 'blanks or any of'],
    ['a b', 'blanks or any of'],
    ['a,b', 'blanks or any of'],
    ['a*', 'blanks or any of'],
    ['a#b', 'blanks or any of'],
    ['a:b', 'blanks or any of'],
    ['a\u0000', 'blanks or any of'],
    ['\ud800', 'half a character'],
    ['é'.repeat(128), 'longer than 255 bytes'],
    ['', 'is empty'],
  ])('refuses table %j by name, for its index %s', (table, why) => {
    const name = () => parseIndexPattern('app-{table}').nameOf(table)
    expect(name).toThrow(TableRefusedError)
    expect(name).toThrow(why)
    expect(name).toThrow(`table ${table} `)
  })

  it.each(['-a', '_a', '+a', '.', '..'])('refuses table %j where nothing stands before it', (table) => {
    expect(() => parseIndexPattern('{table}').nameOf(table)).toThrow(TableRefusedError)
  })

  it('takes the longest name there can be', () => {
    expect(parseIndexPattern('{table}').nameOf('a'.repeat(255))).toHaveLength(255)
  })
})
