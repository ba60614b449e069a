import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openMarks } from '../../src/db/checkpoint.ts'
import { writeDeadLetterFile } from '../../src/db/dead-letter-file.ts'
import { openLetterBoxes, readDeadLetters } from '../../src/db/dead-letters.ts'
import { createMemory } from './memory-store.ts'

const AT = Date.UTC(2026, 0, 1)

describe('the dead letters of a pair', () => {
  it('are kept by table and direction, and read by the next run', async () => {
    const memory = createMemory(new Map())
    await (await openMarks('app', memory)).register(['b', 'a'])
    const boxes = await openLetterBoxes('app', memory, [])
    const boxesOf = [boxes.of('b', 'left-to-right'), boxes.of('a', 'right-to-left'), boxes.of('a', 'left-to-right')]
    for (const box of boxesOf) for (const id of ['2', '1']) box.add(id, `reason ${id}`, AT)
    boxesOf[0]?.forget('1')
    for (const box of boxesOf) await box.save()
    const letters = await readDeadLetters('app', memory)
    expect(letters.map(({ table, direction, id }) => `${table} ${direction} ${id}`)).toEqual([
      'a left-to-right 1',
      'a left-to-right 2',
      'a right-to-left 1',
      'a right-to-left 2',
      'b left-to-right 2',
    ])
    expect(letters[0]).toMatchObject({ reason: 'reason 1', at: AT })
    expect(boxes.list()).toEqual(letters)
    expect(await readDeadLetters('other', memory)).toEqual([])
  })

  it('have room for so many in all; one that is there already always has', async () => {
    const boxes = await openLetterBoxes('app', undefined, [], 3)
    const [one, other] = [boxes.of('a', 'left-to-right'), boxes.of('a', 'right-to-left')]
    expect([one.add('1', 'x', AT), one.add('2', 'x', AT), other.add('1', 'x', AT)]).toEqual([true, true, true])
    expect(other.add('2', 'x', AT)).toBe(false)
    expect(one.add('2', 'again', AT + 1)).toBe(true)
    expect(boxes.size).toBe(3)
    one.forget('unknown')
    one.forget('1')
    expect(other.add('2', 'x', AT)).toBe(true)
    expect(one.size + other.size).toBe(boxes.size)
  })

  it('are cut where they are longer than anybody reads, and still forgotten by their id', async () => {
    const boxes = await openLetterBoxes('app', undefined, [])
    const box = boxes.of('a', 'left-to-right')
    box.add('i'.repeat(5_000), 'r'.repeat(5_000), AT)
    const [letter] = boxes.list()
    expect([letter?.id.length, letter?.reason.length]).toEqual([512, 512])
    box.forget('i'.repeat(5_000))
    expect(boxes.size).toBe(0)
  })

  it('are written when something has changed, and again after a write that failed', async () => {
    let writes = 0
    let isAway = false
    const memory = createMemory(new Map(), (what) => {
      if (isAway) throw new Error('away')
      if (what === 'memory put') writes++
    })
    const boxes = await openLetterBoxes('app', memory, ['a'])
    const box = boxes.of('a', 'left-to-right')
    await box.save()
    expect(writes).toBe(0)
    box.add('1', 'x', AT)
    isAway = true
    await expect(box.save()).rejects.toThrow('away')
    isAway = false
    await box.save()
    await box.save()
    expect(writes).toBe(1)
    box.forget('1')
    await box.save()
    expect((await openLetterBoxes('app', memory, ['a'])).size).toBe(0)
  })
})

describe('the file of dead letters', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'syncer-letters-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('has a line for each, replaces what it said before, and goes when there is none', async () => {
    const path = join(folder, 'new', 'dead-letters.jsonl')
    const letter = { table: 'a', direction: 'left-to-right', id: '1', reason: 'a "reason"\n', at: AT } as const
    await writeDeadLetterFile(path, [])
    await writeDeadLetterFile(path, [letter, { ...letter, id: '2' }])
    await writeDeadLetterFile(path, [letter, { ...letter, id: '3' }])
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { ...letter, at: '2026-01-01T00:00:00.000Z' },
      { ...letter, id: '3', at: '2026-01-01T00:00:00.000Z' },
    ])
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    await writeDeadLetterFile(path, [])
    await expect(stat(path)).rejects.toThrow('ENOENT')
  })
})
