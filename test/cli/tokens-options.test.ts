import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  findCluster,
  gatherAll,
  parseMaxDeletes,
  parseOnConflict,
  parseOptOutMetadataName,
  parseWhole,
  readClusterUrls,
} from '../../src/cli/tokens-options.ts'

describe('addresses of clusters', () => {
  it.each([
    [['http://a', 'http://a/'], ['http://a']],
    [['http://A:80', 'http://a'], ['http://A:80']],
    [
      ['http://b, http://a', 'http://b'],
      ['http://b', 'http://a'],
    ],
    [
      ['https://a/waiter/', 'https://a'],
      ['https://a/waiter', 'https://a'],
    ],
    [[',', ''], []],
  ])('%j are %j: as they were first written, each once', (texts, urls) => {
    expect(readClusterUrls(texts, 'c')).toEqual(urls)
  })

  it('are found however they are written', () => {
    expect(findCluster('HTTP://A:80/', ['http://b', 'http://a'], '--x', 'c')).toBe('http://a')
    expect(() => findCluster('a', ['http://b', 'http://a'], '--x', 'c')).toThrow(
      'c: --x names a, which is none of the clusters; allowed are http://b, http://a',
    )
  })

  it('never throw anything but one line, whatever is given', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.webUrl(),
          fc.string().map((text) => `http://${text}`),
        ),
        (text) => {
          try {
            for (const url of readClusterUrls([text], 'c')) expect(url).not.toMatch(/\/$/)
          } catch (error) {
            expect(error).toMatchObject({ name: 'CliError', exitCode: 2 })
          }
        },
      ),
    )
  })
})

describe('the values of options', () => {
  it.each([
    ['10', { count: 10 }],
    ['0', { count: 0 }],
    ['5%', { percent: 5, atLeast: 0 }],
    ['0%', { percent: 0, atLeast: 0 }],
    ['0.25%', { percent: 0.25, atLeast: 0 }],
    ['100%', { percent: 100, atLeast: 0 }],
  ])('%s is so many deletes: %j', (text, max) => {
    expect(parseMaxDeletes(text)).toEqual(max)
  })

  it.each(['', '%', '101%', '100.5%', '-1', '1e3', '5 %', '1.5', '٣'])('%j is no number of deletes', (text) => {
    expect(() => parseMaxDeletes(text)).toThrow('Allowed is')
  })

  it('are whole numbers within their bounds', () => {
    const parse = parseWhole(5, 300)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000 }), (number) => {
        if (number >= 5 && number <= 300) expect(parse(String(number))).toBe(number)
        else expect(() => parse(String(number))).toThrow('Allowed is a whole number from 5 to 300.')
      }),
    )
    for (const text of ['', ' 7', '7.0', '0x7', '+7', '7n']) expect(() => parse(text)).toThrow('Allowed is')
  })

  it.each(['a', 'sync-opt-out', `a${'b'.repeat(98)}`])('%s is a name for metadata', (name) => {
    expect(parseOptOutMetadataName(name)).toBe(name)
  })

  it.each(['', '1a', '-a', 'A', 'a_b', `a${'b'.repeat(99)}`])('%j is none', (name) => {
    expect(() => parseOptOutMetadataName(name)).toThrow('Allowed are lower-case letters')
  })

  it('of conflicts are three', () => {
    for (const text of ['newest', 'fail', 'prefer:http://a']) expect(parseOnConflict(text)).toBe(text)
    for (const text of ['', 'Newest', 'prefer:', 'prefer']) expect(() => parseOnConflict(text)).toThrow('Allowed are')
  })

  it('may come with commas between them', () => {
    expect(gatherAll(['a, b', 'c', ',', ''])).toEqual(['a', 'b', 'c'])
  })
})
