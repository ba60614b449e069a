import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { every, WatchedFile } from '../../src/lib/watched-file.ts'
import { FakeClock } from './fake-clock.ts'

let folder: string
let path: string
let clock: FakeClock

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'watched-file-'))
  path = join(folder, 'secret')
  clock = new FakeClock()
})
afterEach(() => rmSync(folder, { recursive: true }))

/** The content after the next look. */
async function later(file: WatchedFile): Promise<string> {
  await clock.advance(1_000)
  return file.read()
}

describe('a watched file', () => {
  test('gives its new content after a change', async () => {
    writeFileSync(path, 'one')
    const file = new WatchedFile({ path, clock })
    expect(file.read()).toBe('one')
    writeFileSync(path, 'two!')
    expect(await later(file)).toBe('two!')
  })

  test('is looked at once a second at most', async () => {
    writeFileSync(path, 'one')
    const file = new WatchedFile({ path, clock })
    writeFileSync(path, 'two!')
    await clock.advance(999)
    expect(file.read()).toBe('one')
    await clock.advance(1)
    expect(file.read()).toBe('two!')
    writeFileSync(path, 'three')
    expect(file.read()).toBe('two!')
  })

  test('is not read again while nothing changes', async () => {
    writeFileSync(path, 'one')
    let reads = 0
    const refuse = () => {
      reads++
      return undefined
    }
    const file = new WatchedFile({ path, clock, refuse })
    await later(file)
    expect(reads).toBe(1)
    writeFileSync(path, 'two!')
    await later(file)
    await later(file)
    expect(reads).toBe(2)
  })

  test('sees a change that keeps size and modification time', async () => {
    writeFileSync(path, 'one')
    utimesSync(path, 1, 1)
    const file = new WatchedFile({ path, clock })
    writeFileSync(join(folder, 'next'), 'two')
    utimesSync(join(folder, 'next'), 1, 1)
    renameSync(join(folder, 'next'), path)
    expect(await later(file)).toBe('two')
  })

  test('follows the symbolic links that Kubernetes swaps', async () => {
    for (const [version, text] of [
      ['..1', 'one'],
      ['..2', 'two'],
    ] as const) {
      mkdirSync(join(folder, version))
      writeFileSync(join(folder, version, 'token'), text)
    }
    symlinkSync('..1', join(folder, '..data'))
    symlinkSync('..data/token', join(folder, 'token'))
    const file = new WatchedFile({ path: join(folder, 'token'), clock })
    expect(file.read()).toBe('one')
    symlinkSync('..2', join(folder, '..next'))
    renameSync(join(folder, '..next'), join(folder, '..data'))
    expect(await later(file)).toBe('two')
  })

  test('keeps the last good content while it is away, and says why', async () => {
    writeFileSync(path, 'one')
    const file = new WatchedFile({ path, clock })
    rmSync(path)
    expect(await later(file)).toBe('one')
    expect(file.problem).toBe(`file ${path} does not exist`)
    writeFileSync(path, 'two!')
    expect(await later(file)).toBe('two!')
    expect(file.problem).toBeUndefined()
  })

  test('keeps the last good content while the new one is refused', async () => {
    writeFileSync(path, 'one')
    const file = new WatchedFile({ path, clock, refuse: (text) => (text === '' ? 'is empty' : undefined) })
    writeFileSync(path, '')
    expect(await later(file)).toBe('one')
    expect(file.problem).toBe(`file ${path} is empty`)
  })

  test('has no problem any more when the old file comes back', async () => {
    writeFileSync(path, 'one')
    const file = new WatchedFile({ path, clock })
    renameSync(path, `${path}.away`)
    await later(file)
    renameSync(`${path}.away`, path)
    expect(await later(file)).toBe('one')
    expect(file.problem).toBeUndefined()
  })

  test.each([
    { what: 'nothing', make: () => undefined, problem: 'does not exist' },
    { what: 'a folder', make: () => mkdirSync(path), problem: 'is not a regular file' },
    {
      what: 'a path through a file',
      make: () => writeFileSync(path, ''),
      at: '/x',
      problem: 'cannot be read (ENOTDIR)',
    },
    {
      what: 'more than a mebibyte',
      make: () => writeFileSync(path, Buffer.alloc(1_048_577)),
      problem: 'is longer than 1048576 bytes',
    },
  ])('$what is refused at the start', ({ make, at = '', problem }) => {
    make()
    expect(() => new WatchedFile({ path: path + at, clock })).toThrow(`file ${path}${at} ${problem}`)
  })
})

describe('every', () => {
  test('calls again and again until it is disposed of, and leaves no timer', async () => {
    const calls: number[] = []
    const polling = every(clock, 10, () => calls.push(clock.now()))
    await clock.advance(35)
    polling[Symbol.dispose]()
    await clock.advance(100)
    expect(calls).toEqual([10, 20, 30])
    expect(clock.pending).toBe(0)
  })

  test('can be disposed of by what it calls', async () => {
    let calls = 0
    const polling = every(clock, 10, () => {
      calls++
      polling[Symbol.dispose]()
    })
    await clock.advance(100)
    expect(calls).toBe(1)
    expect(clock.pending).toBe(0)
  })
})
