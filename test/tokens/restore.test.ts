import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { UndoEntry } from '../../src/tokens/contract.ts'
import { parseJson, writeJson } from '../../src/tokens/json.ts'
import { describeRefusal, type RestoreOptions, readRestorable, restoreTokens } from '../../src/tokens/restore.ts'
import { never, openScene, type Scene, token } from './lib/waiter-scene.ts'

let scene: Scene
beforeEach(async () => {
  scene = await openScene()
})
afterEach(() => scene[Symbol.asyncDispose]())

const backup = (tokens: Readonly<Record<string, object>>): string =>
  JSON.stringify(Object.fromEntries(Object.entries(tokens).map(([name, description]) => [name, { description }])))
const restore = (tokens: Readonly<Record<string, object>>, options: Partial<RestoreOptions> = {}) =>
  restoreTokens({
    cluster: scene.cluster,
    tokens: readRestorable(backup(tokens), scene.cluster.url),
    signal: never,
    ...options,
  })
const kept = (name: string) => JSON.parse(writeJson(scene.fake.get(name) ?? null))

describe('a restore', () => {
  it.each([
    ['is not there', undefined, 'success/restored', 'success/restored'],
    ['is older', token(4), 'success/restored', 'success/restored'],
    ['is as old', token(5, { cmd: 'there' }), 'skip/not-newer', 'success/restored'],
    ['is newer', token(6), 'skip/not-newer', 'success/restored'],
    ['is an older tombstone', token(4, { deleted: true }), 'success/restored', 'success/restored'],
    ['is a newer tombstone', token(6, { deleted: true }), 'skip/not-newer', 'success/restored'],
    ['has no time', { cmd: 'there' }, 'success/restored', 'success/restored'],
  ])('where the token %s', async (_what, there, usual, forced) => {
    const wanted = token(5, { cmd: 'from the file' })
    for (const [force, code] of [
      [false, usual],
      [true, forced],
    ] as const) {
      scene.fake.store.put('tok', undefined)
      if (there !== undefined) scene.fake.put('tok', there)
      const before = kept('tok')
      const result = await restore({ tok: wanted }, { force })
      expect(result.items).toEqual([{ token: 'tok', code }])
      if (code.startsWith('skip')) expect(kept('tok')).toEqual(before)
      else expect(kept('tok')).toMatchObject(wanted)
    }
  })

  it('names the version that it replaces, and none of what has none', async () => {
    scene.fake.put('live', token(1))
    scene.fake.put('dead', token(1, { deleted: true }))
    const etag = scene.fake.etag('live')
    await restore({ live: token(5), dead: token(5), new: token(5) }, { concurrency: 1 })
    expect(scene.fake.only('store').map((one) => [one.token, one.headers['if-match']])).toEqual([
      ['dead', undefined],
      ['live', etag],
      ['new', undefined],
    ])
  })

  it('goes on after an error, and counts', async () => {
    scene.fake.put('newer', token(9))
    scene.fake.fault = ({ kind, token: name }) =>
      kind !== 'store' ? undefined : name === 'bad' ? { status: 403 } : name === 'lost' ? 'reset' : undefined
    const result = await restore({ newer: token(5), bad: token(5), lost: token(5), good: token(5), empty: {} })
    expect(result).toEqual({
      summary: { error: 2, skip: 2, success: 1 },
      items: [
        { token: 'bad', code: 'error/restore', message: 'answered 403: as the test wants it' },
        { token: 'empty', code: 'skip/empty' },
        { token: 'good', code: 'success/restored' },
        { token: 'lost', code: 'error/restore', message: 'the connection broke: it may have been carried out or not' },
        { token: 'newer', code: 'skip/not-newer' },
      ],
    })
  })

  it('writes nothing in a dry run', async () => {
    expect((await restore({ tok: token(5) }, { dryRun: true })).summary).toEqual({ error: 0, skip: 0, success: 1 })
    expect(scene.fake.only('store')).toEqual([])
  })

  it('keeps what it overwrites, before it does', async () => {
    scene.fake.put('live', token(1))
    scene.fake.put('dead', token(1, { deleted: true }))
    const undone: string[] = []
    const keepForUndo = async (entries: readonly UndoEntry[]) => {
      expect(scene.fake.only('store')).toHaveLength(undone.length)
      undone.push(...entries.map((one) => `${one.token} ${one.etag}`))
    }
    const etag = scene.fake.etag('live')
    await restore({ live: token(5), dead: token(5) }, { keepForUndo, concurrency: 1 })
    expect(undone).toEqual(['dead undefined', `live ${etag}`])
  })

  it('leaves alone what changes under its hands', async () => {
    scene.fake.put('live', token(1))
    scene.fake.put('gone', token(1))
    let changed = false
    scene.fake.fault = ({ kind }) => {
      if (kind === 'read' && !changed) {
        changed = true
        scene.fake.edit('live', { cmd: 'by hand' }, 'bob')
        scene.fake.hardDelete('gone')
      }
      return undefined
    }
    const result = await restore({ live: token(5), gone: token(5) }, { keepForUndo: async () => {} })
    const message = 'the token has changed meanwhile'
    expect(result.items).toEqual([
      { token: 'gone', code: 'error/restore', message },
      { token: 'live', code: 'error/restore', message },
    ])
    expect(kept('live').cmd).toBe('by hand')
  })
})

describe('what can be restored', () => {
  it('is a backup, with times as ISO or in milliseconds', () => {
    const tokens = readRestorable(
      '{"a":{"description":{"last-update-time":"1970-01-01T00:00:00.005Z","cpus":1.0}}}',
      'http://c1',
    )
    expect(writeJson(tokens.get('a') ?? null)).toBe('{"last-update-time":5,"cpus":1.0}')
  })

  it('is what an undo file has of this cluster, as it was before the run first touched it', () => {
    const line = (cluster: string, name: string, cmd: string) =>
      `${JSON.stringify({ cluster, token: name, description: { cmd } })}\n`
    const text = [
      line('http://c1', 'a', 'first'),
      line('http://c2', 'a', 'elsewhere'),
      line('http://c1', 'a', 'second'),
      line('http://c1', 'b', 'other'),
      '{"cluster":"http://c1","tok',
    ].join('')
    const tokens = readRestorable(text, 'http://c1')
    expect([...tokens].map(([name, description]) => [name, description.get('cmd')])).toEqual([
      ['a', 'first'],
      ['b', 'other'],
    ])
    expect(readRestorable(text, 'http://c3').size).toBe(0)
  })

  it('is a backup of tokens whose names are those of an undo file', () => {
    const text = '{"cluster":{"description":{"cmd":"a"}},"token":{"description":{"cmd":"b"}}}'
    expect([...readRestorable(text, 'http://c1').keys()]).toEqual(['cluster', 'token'])
    expect(parseJson(text)).toBeInstanceOf(Map)
  })

  it('is nothing else', () => {
    expect(() => readRestorable('tokens:\n  - a', 'http://c1')).toThrow(SyntaxError)
    expect(() => readRestorable('[1]', 'http://c1')).toThrow('a backup is a JSON object')
  })
})

it('says of a write that was not even sent that it was not', () => {
  expect(describeRefusal({ kind: 'unknown', message: 'connection refused', sent: false })).toBe('connection refused')
  expect(describeRefusal({ kind: 'answered', status: 302 })).toBe('answered 302')
  expect(describeRefusal({ kind: 'answered', status: 204 })).toBeUndefined()
})
