// Records in partitions, beyond what memory may hold.
import { chmodSync, mkdtempSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSpill } from '../../src/db/spill.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'syncer-test-spill-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const record = (text: string) => Buffer.from(text)
const texts = (records: readonly Buffer[]) => records.map(String)
/** The files without a name that this process has open in the folder. */
const openFiles = () =>
  readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`)
      return target.startsWith(folder) ? [statSync(`/proc/self/fd/${fd}`).mode & 0o777] : []
    } catch {
      return [] // the folder of descriptors itself
    }
  })

test('what fits into memory touches no disk', async () => {
  await using spill = openSpill({ partitions: 2, memoryBytes: 1_000, folder: join(folder, 'is-not-there') })
  expect(spill.append(1, record('one'))).toBeUndefined()
  expect(spill.append(1, record('two'))).toBeUndefined()
  expect(spill.recordCount(0)).toBe(0)
  expect(spill.recordCount(1)).toBe(2)
  expect(texts(await spill.read(1))).toEqual(['one', 'two'])
  expect(spill.recordCount(1)).toBe(0)
  expect(await spill.read(0)).toEqual([])
})

test('takes a copy of a record', async () => {
  await using spill = openSpill({ partitions: 1, memoryBytes: 1_000, folder })
  const bytes = record('one')
  spill.append(0, bytes)
  bytes.fill(0)
  expect(texts(await spill.read(0))).toEqual(['one'])
})

test('a partition takes nothing once it was read', async () => {
  await using spill = openSpill({ partitions: 2, memoryBytes: 1_000, folder })
  spill.append(0, record('one'))
  await spill.read(0)
  expect(() => spill.append(0, record('two'))).toThrow(RangeError)
  expect(() => spill.append(2, record('two'))).toThrow(RangeError)
  expect(await spill.read(0)).toEqual([])
})

test('leaves nothing on the disk that has a name, and for its owner alone what has none', async () => {
  {
    await using spill = openSpill({ partitions: 1, memoryBytes: 100, folder })
    for (let at = 0; at < 100; at++) await spill.append(0, record(`record ${at}`))
    expect(await spill.read(0)).toHaveLength(100)
    expect(readdirSync(folder)).toEqual([])
    expect(openFiles()).toEqual([0o600])
  }
  expect(openFiles()).toEqual([])
})

test('makes somebody wait only when both halves of the memory are full', async () => {
  await using spill = openSpill({ partitions: 1, memoryBytes: 2_000, folder })
  const waits = Array.from({ length: 30 }, () => spill.append(0, Buffer.alloc(92)))
  // Twenty records of a hundred bytes with what goes before each fill the two halves.
  expect(waits.findIndex((wait) => wait !== undefined)).toBe(20)
  await Promise.all(waits)
  expect(await spill.read(0)).toHaveLength(30)
})

test('says what the file system said, and goes on saying it', async () => {
  const missing = join(folder, 'is-not-there')
  await using spill = openSpill({ partitions: 1, memoryBytes: 10, folder: missing })
  spill.append(0, record('one'))
  await expect(spill.append(0, record('two'))).rejects.toThrow('ENOENT')
  await expect(spill.append(0, record('three'))).rejects.toThrow('ENOENT')
  await expect(spill.read(0)).rejects.toThrow('ENOENT')
})

test('is of no use any more when it is closed', async () => {
  const spill = openSpill({ partitions: 1, memoryBytes: 10, folder })
  spill.append(0, record('one'))
  await spill[Symbol.asyncDispose]()
  await expect(spill.append(0, record('two'))).rejects.toThrow('closed')
  await expect(spill.read(0)).rejects.toThrow('closed')
  await spill[Symbol.asyncDispose]()
})

test('gives back what it was given, by partition and in order, whatever the memory', async () => {
  chmodSync(folder, 0o700)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(4), fc.uint8Array({ maxLength: 60 }), fc.boolean()), { maxLength: 80 }),
      fc.integer({ min: 0, max: 1_000 }),
      async (records, memoryBytes) => {
        await using spill = openSpill({ partitions: 5, memoryBytes, folder })
        for (const [partition, bytes, waits] of records) {
          const wait = spill.append(partition, bytes)
          if (waits) await wait
        }
        for (let partition = 0; partition < 5; partition++) {
          const own = records.filter(([of]) => of === partition).map(([, bytes]) => Buffer.from(bytes))
          expect(spill.recordCount(partition)).toBe(own.length)
          expect((await spill.read(partition)).map((one) => Buffer.from(one))).toEqual(own)
        }
      },
    ),
    { numRuns: 200 },
  )
})

test('goes on with other partitions after one was read', async () => {
  await using spill = openSpill({ partitions: 2, memoryBytes: 200, folder })
  for (let at = 0; at < 20; at++) await spill.append(at % 2, record(`before ${at}`))
  expect(await spill.read(0)).toHaveLength(10)
  for (let at = 0; at < 20; at++) await spill.append(1, record(`after ${at}`))
  expect(texts(await spill.read(1)).slice(9, 12)).toEqual(['before 19', 'after 0', 'after 1'])
})
