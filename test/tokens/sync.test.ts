import { describe, expect, it } from 'vitest'
import { ClusterUnreachable, EmptyList, TooManyDeletes } from '../../src/tokens/contract.ts'
import { codesOf, Rig } from './lib/rig.ts'

const NAMES = Array.from({ length: 10 }, (_, index) => `token-${index}`)

/** Clusters that hold the same tokens. */
async function createInStep(count = 2, names: readonly string[] = NAMES): Promise<Rig> {
  const rig = new Rig(count)
  for (const name of names) rig.edit(0, name, 'first')
  await rig.sync()
  rig.requests.length = 0
  return rig
}

describe('lists', () => {
  it('is all that is asked when everything is in step', async () => {
    const rig = await createInStep(3)
    const { summary } = await rig.sync()
    expect(rig.requests.toSorted()).toEqual(['list http://c0', 'list http://c1', 'list http://c2'])
    expect(summary.tokens).toMatchObject({ pending: [], previouslySynced: NAMES, total: NAMES })
    expect(summary.counts).toEqual({ create: 0, update: 0, softDelete: 0, hardDelete: 0, skip: 0, conflict: 0 })
  })

  it.each(['safe', 'compat'] as const)('ends a run of mode %s when one is not given', async (mode) => {
    const rig = await createInStep()
    rig.edit(0, 'token-1', 'second')
    rig.onRequest = ({ kind, cluster }) => (kind === 'list' && cluster === 'http://c1' ? 'refused' : undefined)
    await expect(rig.sync({ mode })).rejects.toThrow(ClusterUnreachable)
    expect(rig.shown('token-1')).toBe('second first')
  })

  it('lets the run go on without writing, on request', async () => {
    const rig = await createInStep(3)
    rig.edit(0, 'token-1', 'second')
    rig.onRequest = ({ cluster }) => (cluster === 'http://c2' ? 'refused' : undefined)
    const { summary, items } = await rig.sync({ onUnreachable: 'skip-writes' })
    expect(codesOf(items.get('token-1'))).toBe('c1: error/token-read, c2: error/token-read')
    expect(summary.problem).toBeInstanceOf(ClusterUnreachable)
    expect(summary.sync).toEqual({ unmodified: [], updated: [], failed: ['token-1'] })
    expect(rig.shown('token-1')).toBe('second first first')
    expect(rig.requests.filter((request) => request.includes('c2'))).toEqual(['list http://c2'])
  })

  it('given by one cluster alone agrees with nobody', async () => {
    const rig = await createInStep(2, ['token-1', 'token-2'])
    rig.onRequest = ({ cluster }) => (cluster === 'http://c1' ? 'refused' : undefined)
    const { summary, items } = await rig.sync({ onUnreachable: 'skip-writes' })
    expect(codesOf(items.get('token-1'))).toBe('c1: error/token-read')
    expect(summary.tokens.previouslySynced).toEqual([])
    expect(summary.sync.failed).toEqual(['token-1', 'token-2'])
  })

  it('ends the run when none is given', async () => {
    const rig = await createInStep()
    rig.onRequest = () => 'refused'
    await expect(rig.sync({ onUnreachable: 'skip-writes' })).rejects.toThrow(ClusterUnreachable)
  })

  it('is not believed when it is empty and was not at the last run', async () => {
    const rig = await createInStep()
    for (const name of NAMES) rig.clusters[1]?.holds.put(name, undefined)
    await expect(rig.sync()).rejects.toThrow(EmptyList)
    await expect(rig.sync({ dryRun: true })).rejects.toThrow('http://c1: lists no token and had 10 at the last run')
    expect(rig.shown('token-1')).toBe('first -')
    const { summary } = await rig.sync({ allowEmpty: ['http://c1'] })
    expect(summary.counts.create).toBe(10)
  })

  it('may be empty where there never was a token', async () => {
    const rig = new Rig()
    rig.edit(0, 'token-1', 'first')
    expect((await rig.sync()).summary.counts.create).toBe(1)
  })
})

describe('deletes', () => {
  it('are refused as a whole when they are too many, before anything is written', async () => {
    const rig = await createInStep()
    for (const name of NAMES.slice(0, 6)) rig.remove(0, name)
    rig.edit(0, 'token-9', 'second')
    await expect(rig.sync()).rejects.toThrow(new TooManyDeletes(6, 5))
    expect(rig.shown('token-0')).toBe('deleted first')
    expect(rig.shown('token-9')).toBe('second first')
    const { summary } = await rig.sync({ maxDeletes: { count: 6 } })
    expect(summary.counts).toMatchObject({ softDelete: 6, update: 1 })
  })

  it('are shown by a dry run all the same, which says that they are too many', async () => {
    const rig = await createInStep()
    for (const name of NAMES.slice(0, 6)) rig.remove(0, name)
    const { summary, items } = await rig.sync({ dryRun: true })
    expect(summary.counts.softDelete).toBe(6)
    expect(codesOf(items.get('token-0'))).toBe('c1: success/soft-delete')
    expect(summary.problem).toEqual(new TooManyDeletes(6, 5))
  })

  it('count those that come while the run is under way', async () => {
    const rig = await createInStep()
    for (const name of NAMES.slice(0, 5)) rig.remove(0, name)
    rig.edit(0, 'token-9', 'second')
    rig.onRequest = ({ kind, token, cluster }) => {
      if (kind === 'read' && token === 'token-9' && cluster === 'http://c0') {
        rig.onRequest = () => undefined
        rig.remove(0, 'token-9')
      }
      return undefined
    }
    const { summary, items } = await rig.sync()
    expect(codesOf(items.get('token-9'))).toBe('c1: error/max-deletes')
    expect(summary.sync.failed).toEqual(['token-9'])
    expect(summary.counts.softDelete).toBe(5)
  })

  it('for good leave the tombstone of the latest to the end', async () => {
    const rig = await createInStep(3)
    rig.remove(1, 'token-1')
    await rig.sync()
    rig.requests.length = 0
    const { items } = await rig.sync()
    expect(codesOf(items.get('token-1'))).toBe(
      'c0: success/hard-delete, c1: success/hard-delete, c2: success/hard-delete',
    )
    expect(rig.requests.filter((request) => request.startsWith('delete')).at(-1)).toBe('delete http://c0 token-1')
    expect(rig.shown('token-1')).toBe('- - -')
  })
})

describe('writes', () => {
  it('are made after a last look at the source', async () => {
    const rig = await createInStep()
    rig.edit(0, 'token-1', 'second')
    let reads = 0
    rig.onRequest = ({ kind, cluster }) => {
      if (kind === 'read' && cluster === 'http://c0' && ++reads === 2) rig.edit(0, 'token-1', 'third')
      return undefined
    }
    const { items } = await rig.sync()
    expect(codesOf(items.get('token-1'))).toBe('c1: success/sync-update')
    expect(rig.shown('token-1')).toBe('third third')
    expect(rig.requests.filter((request) => request.startsWith('store'))).toHaveLength(1)
  })

  it('give up when the source does not hold still', async () => {
    const rig = await createInStep()
    rig.edit(0, 'token-1', 'second')
    let edits = 0
    rig.onRequest = ({ kind, cluster }) => {
      if (kind === 'read' && cluster === 'http://c0') rig.edit(0, 'token-1', `edit ${++edits}`)
      return undefined
    }
    const { items } = await rig.sync()
    expect(codesOf(items.get('token-1'))).toBe('c1: error/token-sync')
    expect(rig.requests.some((request) => request.startsWith('store'))).toBe(false)
  })

  it('that meet a newer edit are planned again', async () => {
    const rig = await createInStep()
    rig.edit(0, 'token-1', 'second')
    rig.onRequest = ({ kind }) => {
      if (kind === 'store') {
        rig.onRequest = () => undefined
        rig.edit(1, 'token-1', 'newer')
      }
      return undefined
    }
    const { items } = await rig.sync()
    expect(codesOf(items.get('token-1'))).toBe('c0: success/sync-update')
    expect(rig.shown('token-1')).toBe('newer newer')
  })

  it.each([
    ['was carried out', 'lost-after', 'c1: success/token-match', 1],
    ['was not carried out', 'lost-before', 'c1: success/sync-update', 2],
  ] as const)('whose answer is lost are settled by looking: it %s', async (_, fault, codes, stores) => {
    const rig = await createInStep()
    rig.edit(0, 'token-1', 'second')
    rig.onRequest = ({ kind }) => {
      if (kind !== 'store') return undefined
      rig.onRequest = () => undefined
      return fault
    }
    const { items, summary } = await rig.sync()
    expect(codesOf(items.get('token-1'))).toBe(codes)
    expect(summary.sync.failed).toEqual([])
    expect(rig.shown('token-1')).toBe('second second')
    expect(rig.requests.filter((request) => request.startsWith('store'))).toHaveLength(stores)
  })

  it('that are refused are not tried again, and do not stop the others', async () => {
    const rig = await createInStep(3)
    rig.edit(0, 'token-1', 'second')
    rig.onRequest = ({ kind, cluster }) => (kind === 'store' && cluster === 'http://c1' ? 'unavailable' : undefined)
    const { items, summary } = await rig.sync()
    expect(codesOf(items.get('token-1'))).toBe('c1: error/token-sync, c2: success/sync-update')
    expect(items.get('token-1')?.results.get('http://c1')?.effect).toBeUndefined()
    expect(summary.counts.update).toBe(1)
    expect(rig.requests.filter((request) => request.startsWith('store'))).toHaveLength(2)
  })

  it('keep before what they overwrite or delete', async () => {
    const rig = await createInStep()
    rig.edit(0, 'token-1', 'second')
    rig.edit(0, 'token-new', 'new')
    const kept: string[] = []
    rig.onUndo = async (entries) => {
      for (const { cluster, token, description, etag } of entries) {
        kept.push(`${cluster} ${token} ${description.get('cmd')} ${etag === rig.clusters[1]?.holds.get(token)?.etag}`)
      }
      expect(rig.requests.some((request) => request.startsWith('store') && request.endsWith('token-1'))).toBe(false)
    }
    await rig.sync()
    expect(kept).toEqual(['http://c1 token-1 first true'])
  })

  it('are not made when that cannot be kept', async () => {
    const rig = await createInStep()
    rig.edit(0, 'token-1', 'second')
    rig.onUndo = () => Promise.reject(new Error('the disk is full'))
    await expect(rig.sync()).rejects.toThrow('the disk is full')
    expect(rig.shown('token-1')).toBe('second first')
  })
})

describe('the limit', () => {
  it('reaches every token in turn, whatever keeps failing', async () => {
    const rig = await createInStep()
    for (const name of NAMES) rig.edit(0, name, 'second')
    const broken = new Set(['token-0', 'token-1', 'token-2'])
    rig.onRequest = ({ kind, token }) => (kind === 'store' && broken.has(token ?? '') ? 'unavailable' : undefined)
    for (let run = 0; run < 5; run++) await rig.sync({ limit: 3 })
    expect(NAMES.filter((name) => rig.shown(name) !== 'second second')).toEqual([...broken])
  })

  it('does not move on in a dry run, nor in compat', async () => {
    const rig = await createInStep()
    for (const name of NAMES) rig.edit(0, name, 'second')
    for (const mode of ['safe', 'compat'] as const) {
      for (let run = 0; run < 2; run++) {
        const { summary } = await rig.sync({ limit: 2, dryRun: true, mode })
        expect(summary.tokens.selected).toEqual(['token-0', 'token-1'])
      }
    }
  })
})

describe('a dry run', () => {
  it('writes nothing and says what the run then does', async () => {
    const rig = await createInStep()
    rig.edit(0, 'token-1', 'second')
    rig.edit(1, 'token-new', 'new')
    rig.remove(0, 'token-2')
    const dry = await rig.sync({ dryRun: true })
    expect(rig.requests.filter((request) => !/^(list|read) /.test(request))).toEqual([])
    const real = await rig.sync()
    expect(dry.summary.counts).toEqual(real.summary.counts)
    expect(dry.summary.sync).toEqual(real.summary.sync)
    for (const [name, item] of real.items) expect(codesOf(dry.items.get(name))).toBe(codesOf(item))
    expect(dry.plans.map(({ token }) => token).toSorted()).toEqual(['token-1', 'token-2', 'token-new'])
  })
})

describe('a plan', () => {
  it('is carried out as it is', async () => {
    const rig = await createInStep()
    rig.edit(0, 'token-1', 'second')
    rig.remove(0, 'token-2')
    const plan = await rig.plan()
    rig.edit(0, 'token-3', 'not in the plan')
    const { summary } = await rig.apply(plan)
    expect([rig.shown('token-1'), rig.shown('token-2')]).toEqual(['second second', 'deleted deleted'])
    expect(rig.shown('token-3')).toBe('not in the plan first')
    expect(summary.sync).toEqual({ unmodified: [], updated: ['token-1', 'token-2'], failed: [] })
  })

  it.each([
    ['source', 0],
    ['target', 1],
  ] as const)('is refused for a token that has changed since on the %s', async (_, where) => {
    const rig = await createInStep()
    rig.edit(0, 'token-1', 'second')
    rig.edit(0, 'token-2', 'second')
    const plan = await rig.plan()
    rig.edit(where, 'token-1', 'third')
    const { items, summary } = await rig.apply(plan)
    expect(codesOf(items.get('token-1'))).toBe(`c${1 - where}: error/plan-outdated`)
    expect(summary.sync).toEqual({ unmodified: [], updated: ['token-2'], failed: ['token-1'] })
  })

  it('goes on where a write was lost', async () => {
    const rig = await createInStep(3)
    rig.edit(0, 'token-1', 'second')
    const plan = await rig.plan()
    rig.onRequest = ({ kind, cluster }) => {
      if (kind !== 'store' || cluster !== 'http://c1') return undefined
      rig.onRequest = () => undefined
      return 'lost-before'
    }
    const { items } = await rig.apply(plan)
    expect(codesOf(items.get('token-1'))).toBe('c1: success/sync-update, c2: success/sync-update')
    expect(rig.shown('token-1')).toBe('second second second')
  })

  it('with too many deletes is refused as the run would be', async () => {
    const rig = await createInStep()
    for (const name of NAMES.slice(0, 6)) rig.remove(0, name)
    const plan = await rig.plan()
    await expect(rig.apply(plan)).rejects.toThrow(new TooManyDeletes(6, 5))
  })
})

describe('stopping', () => {
  it('begins nothing new', async () => {
    const rig = await createInStep()
    for (const name of NAMES) rig.edit(0, name, 'second')
    const controller = new AbortController()
    rig.signal = controller.signal
    rig.onRequest = ({ kind }) => {
      if (kind === 'store') controller.abort(new Error('stop'))
      return undefined
    }
    await expect(rig.sync()).rejects.toThrow('stop')
    for (const name of NAMES) expect(['second first', 'second second']).toContain(rig.shown(name))
  })
})

describe('a run that is killed at any request', () => {
  /** Everything that can happen to a token, on three clusters. */
  async function createWork(): Promise<Rig> {
    const rig = await createInStep(3, ['edited', 'removed', 'gone', 'disputed', 'kept'])
    rig.edit(0, 'edited', 'second')
    rig.remove(1, 'removed')
    rig.edit(2, 'new', 'new')
    rig.edit(0, 'disputed', 'mine', 'bob')
    rig.edit(1, 'disputed', 'yours', 'eve')
    rig.remove(0, 'gone')
    await rig.sync({ limit: 2, dryRun: true })
    rig.requests.length = 0
    return rig
  }
  const NAMES_OF_WORK = ['edited', 'removed', 'gone', 'disputed', 'kept', 'new']
  const stateOf = (rig: Rig) => NAMES_OF_WORK.map((name) => `${name}: ${rig.shown(name)}`)

  it.each(['before it is carried out', 'after it was carried out'])(
    'leaves the next runs the same end as if it had not been: %s',
    async (when) => {
      const whole = await createWork()
      await whole.sync()
      const requests = whole.requests.length
      await whole.sync()
      await whole.sync()
      const end = stateOf(whole)
      expect(requests).toBeGreaterThan(30)
      for (let boundary = 1; boundary <= requests; boundary++) {
        const rig = await createWork()
        let dead = false
        rig.onRequest = ({ kind }, n) => {
          if (dead || (n === boundary && when.startsWith('before'))) {
            dead = true
            throw new Error('killed')
          }
          if (n !== boundary) return undefined
          dead = true
          return kind === 'store' || kind === 'delete' ? 'lost-after' : undefined
        }
        await rig.sync().catch(() => undefined)
        rig.onRequest = () => undefined
        await rig.sync()
        await rig.sync()
        await rig.sync()
        expect(stateOf(rig), `killed at request ${boundary}`).toEqual(end)
      }
    },
  )
})
