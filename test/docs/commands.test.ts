// Every command that a page shows is run by a test.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { allCommandBlocks, blocksFor, CLAIMS, claimantsOf, commandsOf, shownBy } from './claims.ts'
import { ROOT } from './pages.ts'

const blocks = allCommandBlocks().map((block) => ({ ...block, first: commandsOf(block)[0] ?? '' }))

describe('commands of pages', () => {
  it.each(blocks)('are run by one test: $page:$line $first', (block) => {
    expect(claimantsOf(block)).toHaveLength(1)
  })

  it.each(Object.keys(CLAIMS))('that %s is to run are there, and so is it', (file) => {
    expect(existsSync(join(ROOT, file))).toBe(true)
    const claimed = Object.entries(CLAIMS[file] ?? {}).flatMap(([page, firsts]) =>
      firsts.map((one) => `${page}: ${one}`),
    )
    const found = blocksFor(file).map(({ page, first }) => `${page}: ${first}`)
    expect([...new Set(found)].toSorted()).toEqual(claimed.toSorted())
  })
})

describe('a block', () => {
  it('is commands, or prompts with what they print', () => {
    expect(commandsOf({ text: 'a\nb\n' })).toEqual(['a', 'b'])
    expect(shownBy({ text: 'a\nb\n' })).toEqual([])
    expect(commandsOf({ text: '$ a b\nc\n\nd\n' })).toEqual(['a b'])
    expect(shownBy({ text: '$ a b\nc\n\nd\n' })).toEqual(['c', 'd'])
  })
})
