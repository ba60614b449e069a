import { describe, expect, it } from 'vitest'
import { createDifferenceRecorder, listDifferences } from '../../src/cli/differences.ts'
import type { TokenItem, TokenRead, WaiterCluster } from '../../src/tokens/contract.ts'
import { type JsonObject, parseJson } from '../../src/tokens/json.ts'

const object = (value: object): JsonObject => parseJson(JSON.stringify(value)) as JsonObject
const signal = new AbortController().signal

describe('in what two versions differ', () => {
  it.each([
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, []],
    [{ a: 1, b: 2 }, { a: 1, c: 3 }, ['b', 'c']],
    [{ a: { b: [1] } }, { a: { b: [2] } }, ['a']],
    [{ mem: 1, cluster: 'x', 'last-update-time': 1 }, { mem: 2, cluster: 'y', 'last-update-time': 2 }, ['mem']],
    [{ cluster: 'x', previous: { a: 1 } }, { cluster: 'x', previous: {} }, ['previous']],
    [{ root: 'x', 'last-update-user': 'a' }, { root: 'y', 'last-update-user': 'b' }, ['root']],
  ])('%j and %j: %j', (a, b, names) => {
    expect(listDifferences(object(a), object(b))).toEqual(names)
    expect(listDifferences(object(b), object(a))).toEqual(names)
  })

  it('a whole number and a decimal do', () => {
    expect(listDifferences(parseJson('{"cpus":1}') as JsonObject, parseJson('{"cpus":1.0}') as JsonObject)).toEqual([
      'cpus',
    ])
  })
})

describe('what a sync reads', () => {
  const cluster = (url: string, answers: readonly (object | undefined)[]): WaiterCluster => {
    const left = [...answers]
    const unexpected = () => Promise.reject(new Error('unexpected'))
    return {
      url,
      skewMs: undefined,
      list: unexpected,
      read: async (): Promise<TokenRead> => {
        const next = left.shift()
        return next === undefined
          ? { kind: 'broken', message: 'broken' }
          : { kind: 'answered', status: 200, description: object(next) }
      },
      store: unexpected,
      hardDelete: unexpected,
    }
  }
  const item = (...urls: readonly string[]): TokenItem => ({
    token: 't',
    status: 'updated',
    latest: { cluster: 'http://a' },
    results: new Map(urls.map((url) => [url, { code: 'success/sync-update' }])),
  })

  it('tells why a token is written, as it was first read, once', async () => {
    const recorder = createDifferenceRecorder()
    const a = recorder.record(cluster('http://a', [{ mem: 1 }, { mem: 1 }]))
    const b = recorder.record(cluster('http://b', [{ mem: 2 }, { mem: 1 }]))
    for (const one of [a, b, a, b]) await one.read('t', signal)
    expect(recorder.take(item('http://b'))).toEqual(new Map([['http://b', ['mem']]]))
    expect(recorder.take(item('http://b'))).toEqual(new Map())
  })

  it('tells nothing of a cluster that has no such token, or could not be read', async () => {
    const recorder = createDifferenceRecorder()
    const clusters = [cluster('http://a', [{ mem: 1 }]), cluster('http://b', [{}]), cluster('http://c', [undefined])]
    for (const one of clusters) await recorder.record(one).read('t', signal)
    expect(recorder.take(item('http://b', 'http://c'))).toEqual(new Map())
  })

  it('leaves what the cluster answers as it is', async () => {
    const recorded = createDifferenceRecorder().record(cluster('http://a', [undefined]))
    expect(recorded.url).toBe('http://a')
    expect(await recorded.read('t', signal)).toEqual({ kind: 'broken', message: 'broken' })
    await expect(recorded.list(signal)).rejects.toThrow('unexpected')
    await expect(recorded.store('t', new Map(), undefined, signal)).rejects.toThrow('unexpected')
    await expect(recorded.hardDelete('t', undefined, signal)).rejects.toThrow('unexpected')
  })
})
