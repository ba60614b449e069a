import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type BackupOptions, backUpTokens } from '../../src/tokens/backup.ts'
import { readBackup, writeBackup } from '../../src/tokens/backup-file.ts'
import { never, openScene, type Scene, token } from './lib/waiter-scene.ts'

let folder: string
let path: string
let scene: Scene
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'syncer-backup-'))
  path = join(folder, 'tokens.json')
  scene = await openScene()
})
afterEach(async () => {
  await scene[Symbol.asyncDispose]()
  await rm(folder, { recursive: true, force: true })
})

const backUp = (options: Partial<BackupOptions> = {}) =>
  backUpTokens({ cluster: scene.cluster, path, signal: never, ...options })
const inFile = async (): Promise<Record<string, { readonly description: { readonly cmd: string } }>> =>
  JSON.parse(await readFile(path, 'utf8'))

describe('a backup', () => {
  it('has every token with its version, tombstones too, sorted, as the original writes it', async () => {
    scene.fake.put('b', token(2))
    scene.fake.put('a', { ...token(1), deleted: true })
    expect(await backUp()).toEqual({ total: 2, unchanged: [], read: ['a', 'b'], failed: [], gone: [] })
    expect(await readFile(path, 'utf8')).toBe(
      `{"a":{"description":{"cmd":"run","owner":"alice","cluster":"c1","root":"c1","last-update-user":"alice","last-update-time":1,"deleted":true,"previous":{}}},` +
        `"b":{"description":{"cmd":"run","owner":"alice","cluster":"c1","root":"c1","last-update-user":"alice","last-update-time":2,"previous":{}},"token-etag":"${scene.fake.etag('b')}"}}\n`,
    )
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).toEqual(['tokens.json'])
  })

  it('reads only what it does not have in this version', async () => {
    for (const name of ['a', 'b', 'c']) scene.fake.put(name, token(1))
    scene.fake.put('d', { ...token(1), deleted: true })
    await backUp()
    const before = await inFile()
    scene.fake.put('b', token(2, { cmd: 'new' }))
    const requests = scene.fake.requests.read
    expect(await backUp()).toEqual({ total: 4, unchanged: ['a', 'c'], read: ['b', 'd'], failed: [], gone: [] })
    expect(scene.fake.requests.read - requests).toBe(2)
    expect(await inFile()).toEqual({ ...before, b: (await inFile())['b'] })
    expect((await inFile())['b']?.description.cmd).toBe('new')
  })

  it('keeps the good entry of a token that cannot be read, and says so', async () => {
    for (const name of ['a', 'b', 'c']) scene.fake.put(name, token(1))
    await backUp()
    const before = await inFile()
    for (const name of ['a', 'b', 'c', 'new']) scene.fake.put(name, token(2, { cmd: 'new' }))
    scene.fake.fault = ({ kind, token: name }) =>
      kind !== 'read' || name === 'b' ? undefined : name === 'a' ? 'reset' : name === 'c' ? { status: 503 } : 'html'
    expect(await backUp()).toEqual({
      total: 3,
      unchanged: [],
      read: ['b'],
      failed: [
        { token: 'a', message: 'the connection broke' },
        { token: 'c', message: 'answered 503' },
        { token: 'new', message: 'answered 502 with what is no JSON' },
      ],
      gone: [],
    })
    expect(await inFile()).toMatchObject({ a: before['a'], b: { description: { cmd: 'new' } }, c: before['c'] })
  })

  it('drops what is gone, or accretes', async () => {
    for (const name of ['a', 'b', 'c']) scene.fake.put(name, token(1))
    await backUp()
    scene.fake.hardDelete('a')
    scene.fake.put('b', token(2))
    // Listed, and gone before it is read.
    scene.fake.fault = ({ kind, token: name }) => (kind === 'read' && name === 'b' ? { status: 404 } : undefined)
    expect(await backUp({ accrete: true })).toMatchObject({ total: 3, gone: ['a', 'b'] })
    expect(await backUp()).toMatchObject({ total: 1, gone: ['a', 'b'], unchanged: ['c'] })
    expect(Object.keys(await inFile())).toEqual(['c'])
  })

  it('is not emptied because the cluster lists nothing', async () => {
    scene.fake.put('a', token(1))
    await backUp()
    const before = await inFile()
    scene.fake.hardDelete('a')
    await expect(backUp()).rejects.toMatchObject({ name: 'NothingToBackUp' })
    expect(await inFile()).toEqual(before)
    expect(await backUp({ accrete: true })).toMatchObject({ total: 1, gone: ['a'] })
  })

  it('leaves the file as it is when the cluster gives no list, or the file is no backup', async () => {
    await writeFile(path, '["mine"]')
    await expect(backUp()).rejects.toThrow('a backup is a JSON object')
    await writeFile(path, '{}')
    scene.fake.fault = () => ({ status: 500 })
    await expect(backUp()).rejects.toMatchObject({ name: 'ClusterUnreachable' })
    expect(await readFile(path, 'utf8')).toBe('{}')
  })

  it('writes nothing in a dry run', async () => {
    scene.fake.put('a', token(1))
    expect(await backUp({ dryRun: true })).toMatchObject({ total: 1, read: ['a'] })
    await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('reads so many at a time, tells how far it is, and stops with its signal', async () => {
    for (let i = 0; i < 20; i++) scene.fake.put(`t${i}`, token(1))
    const told: string[] = []
    scene.fake.latencyMs = 2
    await backUp({ concurrency: 3, onProgress: (done, total) => told.push(`${done}/${total}`) })
    expect(scene.fake.busiest).toBe(3)
    expect(told).toHaveLength(20)
    expect(told.at(-1)).toBe('20/20')
    const stop = new AbortController()
    scene.fake.put('t0', token(2))
    scene.fake.fault = ({ kind }) => {
      if (kind === 'read') stop.abort(new Error('enough'))
      return undefined
    }
    const before = await readFile(path, 'utf8')
    await expect(backUp({ signal: stop.signal })).rejects.toThrow('enough')
    expect(await readFile(path, 'utf8')).toBe(before)
  })
})

describe('the text of a backup', () => {
  it('keeps numbers and the order of keys', () => {
    const text = '{"a":{"description":{"cpus":1.0,"env":{"2":"x","1":"y"}},"token-etag":"E-1"}}\n'
    expect(writeBackup(readBackup(text))).toBe(text)
  })

  it('may be of the original, with entries that it could not read', () => {
    expect(readBackup(' \n')).toEqual(new Map())
    expect(readBackup('{"a":{},"b":{"description":null,"token-etag":null}}')).toEqual(
      new Map([
        ['a', { description: new Map(), etag: undefined }],
        ['b', { description: new Map(), etag: undefined }],
      ]),
    )
  })

  it.each([
    ['[]', 'a backup is a JSON object'],
    ['{"a":1}', 'the backup of "a" is no JSON object'],
    ['{"a":{"description":1}}', 'the description of "a" is no JSON object'],
  ])('is not %s', (text, message) => {
    expect(() => readBackup(text)).toThrow(message)
  })
})
