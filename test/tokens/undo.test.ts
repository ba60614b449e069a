import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { UndoEntry } from '../../src/tokens/contract.ts'
import { fromPlain, isObject, parseJson } from '../../src/tokens/json.ts'
import { openUndoFile, readUndoFile } from '../../src/tokens/undo.ts'

let folder: string
let path: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'syncer-undo-'))
  path = join(folder, 'deep', 'run.jsonl')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const entry = (token: string, etag: string | undefined = 'E-1'): UndoEntry => ({
  cluster: 'http://c1',
  token,
  etag,
  description: new Map([['cmd', 'run\n']]),
})
const modeOf = async (of: string) => (await stat(of)).mode & 0o777

describe('an undo file', () => {
  it('is made with its first entry, for its owner alone', async () => {
    await using file = await openUndoFile(path)
    await file.keep([])
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' })
    await file.keep([entry('a')])
    expect(await modeOf(path)).toBe(0o600)
    expect(await modeOf(join(folder, 'deep'))).toBe(0o700)
  })

  it('holds what was kept as soon as that is said', async () => {
    await using file = await openUndoFile(path)
    await file.keep([entry('a'), entry('b', undefined)])
    expect(readUndoFile(await readFile(path, 'utf8'))).toEqual([entry('a'), entry('b', undefined)])
    await file.keep([entry('c')])
    expect(readUndoFile(await readFile(path, 'utf8'))).toHaveLength(3)
  })

  it('keeps what comes at once together, each whole', async () => {
    await using file = await openUndoFile(path)
    const names = Array.from({ length: 200 }, (_, i) => `t${i}`)
    const keeping: Promise<void>[] = []
    for (const [at, name] of names.entries()) {
      keeping.push(file.keep([entry(name), entry(`${name}b`)]))
      if (at % 20 === 0) await turn()
    }
    await Promise.all(keeping)
    const kept = readUndoFile(await readFile(path, 'utf8')).map(({ token }) => token)
    expect(kept).toEqual(names.flatMap((name) => [name, `${name}b`]))
  })

  it('is never added to by another run', async () => {
    const first = await openUndoFile(path)
    await first.keep([entry('a')])
    await first[Symbol.asyncDispose]()
    await using second = await openUndoFile(path)
    await expect(second.keep([entry('b')])).rejects.toMatchObject({ code: 'EEXIST' })
    await expect(second.keep([entry('c')])).rejects.toMatchObject({ code: 'EEXIST' })
    expect(readUndoFile(await readFile(path, 'utf8'))).toEqual([entry('a')])
  })

  it('says so when it cannot be written', async () => {
    await writeFile(join(folder, 'deep'), 'in the way')
    await using file = await openUndoFile(path)
    const all = await Promise.allSettled([file.keep([entry('a')]), file.keep([entry('b')])])
    expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  })

  it('is closed only after what is being written', async () => {
    const file = await openUndoFile(path)
    const keeping = [file.keep([entry('a')]), file.keep([entry('b')])]
    await file[Symbol.asyncDispose]()
    await Promise.all(keeping)
    expect(readUndoFile(await readFile(path, 'utf8'))).toHaveLength(2)
  })
})

describe('reading it', () => {
  const line = '{"cluster":"http://c1","token":"a","etag":"E-1","description":{"cpus":1.0}}\n'

  it('leaves out a last line that was cut short', () => {
    for (let length = 0; length < line.length; length++) {
      expect(readUndoFile(line + line.slice(0, length))).toHaveLength(1)
    }
    expect(readUndoFile(line + line)).toHaveLength(2)
    expect(readUndoFile('')).toEqual([])
  })

  it.each(['{}', '[]', 'x', '', '{"cluster":"c","token":"a"}', '{"cluster":"c","token":"a","description":[]}'])(
    'names the line that is %j',
    (bad) => expect(() => readUndoFile(`${line}${bad}\n${line}`)).toThrow('line 2 is no entry of an undo file'),
  )

  it('gives back what was kept, whatever it is', async () => {
    const descriptions = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }))
    let count = 0
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record({ token: fc.string(), description: descriptions })), async (all) => {
        const entries = all.map(({ token, description }): UndoEntry => {
          const value = fromPlain(parseJson(JSON.stringify(description)))
          return { cluster: 'http://c1', token, etag: undefined, description: isObject(value) ? value : new Map() }
        })
        const own = join(folder, `run-${count++}`)
        await using file = await openUndoFile(own)
        await file.keep(entries)
        const text = await readFile(own, 'utf8').catch(() => '')
        expect(readUndoFile(text)).toEqual(entries)
      }),
      { numRuns: 30 },
    )
  })
})
