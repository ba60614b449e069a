// `syncer serve` with the section `tokens`, as a process over real sockets: what callers of its runs see.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AskedRequest, WaiterFault } from '../fakes/waiter.ts'
import { eventually } from '../lib/eventually.ts'
import { asTokenItem } from './lib/token-service.ts'
import { openTokenServiceScene, type TokenServiceScene } from './lib/token-service-scene.ts'

const PATIENCE_MS = 20_000
const NONE = { unmodified: [], updated: [], failed: [] }
const NO_WRITES = { create: 0, update: 0, softDelete: 0, hardDelete: 0, skip: 0, conflict: 0 }

let scene: TokenServiceScene
beforeEach(async () => {
  scene = await openTokenServiceScene()
})
afterEach(async () => expect(await scene.end()).toEqual([]))

describe('POST /v1/tokens/sync', () => {
  it('is accepted, and brings the clusters in step', async () => {
    const service = await scene.serve()
    scene.clusters.share('kept')
    scene.clusters.share('edited')
    scene.clusters.edit(1, 'edited', 'second')
    const accepted = await service.sync()
    expect(accepted.status).toBe(202)
    expect(accepted.headers.get('location')).toBe(`/v1/runs/${accepted.body.id}`)
    expect(accepted.headers.get('retry-after')).toBe('1')
    const run = await service.ended(accepted.body.id)
    expect(run).toMatchObject({ kind: 'tokens', state: 'succeeded', trigger: 'api', dryRun: false })
    expect(run).toMatchObject({ progress: { done: 1, total: 1 }, request: { clusters: ['c0', 'c1', 'c2', 'c3'] } })
    expect(run.summary).toMatchObject({
      sync: { ...NONE, updated: ['edited'] },
      tokens: { pending: 1, 'previously-synced': 1, processed: 1, selected: 1, total: 2 },
      counts: { ...NO_WRITES, update: 3 },
    })
    expect(scene.clusters.shown()).toEqual(['edited: second second second second', 'kept: first first first first'])
    const [item] = await service.items(run.id)
    expect(item).toMatchObject({ id: 'edited', status: 'updated', latest: { cluster: scene.clusters.urls[1] } })
    expect(Object.values(item?.results ?? {}).map(({ code }) => code)).toEqual(Array(3).fill('success/sync-update'))
  })

  it('answers with the ended run when the caller is willing to wait', async () => {
    const service = await scene.serve()
    scene.clusters.edit(0, 'new', 'new')
    const { status, headers, body } = await service.sync({ clusters: ['c2', 'c0'] }, { Prefer: 'wait=30' })
    expect([status, headers.get('preference-applied'), body.state]).toEqual([200, 'wait=30', 'succeeded'])
    expect(scene.clusters.shown()).toEqual(['new: new - new -'])
  })

  it('answers that the run is under way when the wait was too short', async () => {
    const service = await scene.serve()
    scene.hold(['list'])
    const { status, headers, body } = await service.sync({}, { Prefer: 'wait=1' })
    expect([status, headers.get('preference-applied'), body.state]).toEqual([202, 'wait=1', 'running'])
  })

  it('makes one run of a request that is repeated under its key, also after a restart', async () => {
    const key = { 'Idempotency-Key': 'nightly-1' }
    const first = await scene.serve()
    scene.clusters.edit(0, 'new', 'new')
    const answers = await Promise.all([1, 2, 3].map(() => first.sync({}, key)))
    const [id, ...others] = new Set(answers.map(({ body }) => body.id))
    expect(others).toEqual([])
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202])
    await first.ended(String(id))
    expect((await first.sync({}, key)).body).toMatchObject({ id, state: 'succeeded' })
    const refused = await first.sync({ limit: 7 }, key)
    expect(refused.body).toMatchObject({ type: '/problems/idempotency-key-reused', run: { id } })
    await first.kill()
    const second = await scene.serve()
    expect((await second.sync({}, { ...key, Prefer: 'wait=30' })).body.id).toBe(id)
    expect((await second.client.listRuns()).items).toHaveLength(1)
  })

  it('is refused while another run is on one of the clusters, and not while it is on others', async () => {
    const service = await scene.serve()
    scene.clusters.edit(2, 'new', 'new')
    scene.hold(['list'], 'hang', 0, 1)
    const slow = await service.sync({ clusters: ['c0', 'c1'] })
    const refused = await service.sync({ clusters: ['c1', 'c2'] })
    expect([refused.status, refused.headers.get('location')]).toEqual([409, `/v1/runs/${slow.body.id}`])
    expect(refused.body).toMatchObject({ type: '/problems/run-overlaps', run: { id: slow.body.id } })
    expect((await service.sync()).status).toBe(409)
    const beside = await service.run({ clusters: ['c3', 'c2'] })
    expect(beside.state).toBe('succeeded')
    expect((await service.client.getRun({ path: { id: slow.body.id } })).state).toBe('running')
    expect(scene.clusters.shown()).toEqual(['new: - - new new'])
    await service.client.cancelRun({ path: { id: slow.body.id } })
    await service.ended(slow.body.id)
    scene.letGo()
    expect((await service.run({ clusters: ['c1', 'c2'] })).state).toBe('succeeded')
  })
})

describe('a run', () => {
  it('that is cancelled ends soon, writes no more, and frees its clusters', async () => {
    const service = await scene.serve()
    for (const n of [1, 2, 3]) scene.clusters.edit(0, `token-${n}`, 'new')
    scene.hold(['read'])
    const { body } = await service.sync()
    await eventually(() => scene.count('read') > 0, PATIENCE_MS)
    await service.client.cancelRun({ path: { id: body.id } })
    const run = await service.ended(body.id)
    expect(run).toMatchObject({ state: 'cancelled', summary: null })
    expect(run).not.toHaveProperty('problem')
    expect(scene.count('store')).toBe(0)
    expect(await service.client.cancelRun({ path: { id: body.id } })).toEqual(run)
    scene.letGo()
    expect(await service.run()).toMatchObject({ state: 'succeeded', summary: { counts: { create: 9 } } })
  })

  it('is followed as it goes, and from where a reader was cut off', async () => {
    const service = await scene.serve({ tokens: { idleTimeoutMs: 1_000 } })
    const names = Array.from({ length: 12 }, (_, n) => `token-${String(n).padStart(2, '0')}`)
    for (const name of names) scene.clusters.edit(0, name, 'new')
    // The last ones take a second longer than the others.
    const slow = new Set(names.slice(-3))
    for (const cluster of scene.clusters.all) {
      cluster.fault = ({ kind, token, n }) => (kind === 'read' && n === 1 && slow.has(token ?? '') ? 'hang' : undefined)
    }
    const { id } = (await service.sync()).body
    const items: string[] = []
    let last: string | undefined
    for await (const { event, id: at, data } of service.client.streamRunEvents({ path: { id } })) {
      if (event === 'end') throw new Error('the run has ended before it was followed')
      if (event === 'item') items.push(asTokenItem(data).id)
      last = at ?? last
      if (items.length === 4) break
    }
    expect(last).toBe('4')
    const events: string[] = []
    const again = { path: { id }, header: { 'Last-Event-ID': String(last) } }
    for await (const { event, data } of service.client.streamRunEvents(again)) {
      events.push(event)
      if (event === 'item') items.push(asTokenItem(data).id)
      if (event === 'end') expect(data).toEqual(await service.client.getRun({ path: { id } }))
    }
    expect(events.at(-1)).toBe('end')
    expect(events.filter((event) => event === 'end')).toHaveLength(1)
    expect(items).toHaveLength(names.length)
    expect(items.toSorted()).toEqual(names)
  })

  it('shows its items page by page, and those that failed alone', async () => {
    const service = await scene.serve()
    const names = Array.from({ length: 7 }, (_, n) => `token-${n}`)
    for (const name of names) scene.clusters.edit(0, name, 'new')
    const refused = ['token-2', 'token-5']
    // With words that show what was sent.
    const refusal = ({ headers }: AskedRequest): WaiterFault => ({
      status: 403,
      body: JSON.stringify({ 'waiter-error': { message: `no rights for ${headers['authorization']}`, status: 403 } }),
    })
    for (const cluster of scene.clusters.all) {
      cluster.fault = (asked) =>
        asked.kind === 'store' && refused.includes(asked.token ?? '') ? refusal(asked) : undefined
    }
    const { id, state, summary } = await service.run()
    expect([state, summary?.sync.failed]).toEqual(['failed', refused])
    const pages: string[][] = []
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await service.client.listRunItems({ path: { id }, query: { limit: 3, ...(cursor && { cursor }) } })
      pages.push(page.items.map((item) => asTokenItem(item).id))
      cursor = page.nextCursor
    }
    expect(pages).toEqual([names.slice(0, 3), names.slice(3, 6), names.slice(6)])
    const failed = await service.client.listRunItems({ path: { id }, query: { status: 'failed' } })
    const failedItems = failed.items.map(asTokenItem)
    expect(failedItems.map((item) => item.id)).toEqual(refused)
    const [told] = Object.values(failedItems[0]?.results ?? {})
    expect(told).toMatchObject({ code: 'error/token-sync', details: { status: 403 } })
    expect(String(told?.details?.['message'])).toMatch(/^no rights for /)
  })
})

describe('a dry run', () => {
  it('writes nothing, and is carried out as a plan exactly', async () => {
    const service = await scene.serve()
    scene.clusters.share('edited')
    scene.clusters.share('removed')
    scene.clusters.edit(1, 'edited', 'second')
    scene.clusters.remove(2, 'removed')
    const dry = await service.run({ dryRun: true })
    expect(dry).toMatchObject({ state: 'succeeded', dryRun: true })
    expect(dry.summary?.counts).toEqual({ ...NO_WRITES, update: 3, softDelete: 3 })
    expect([scene.count('store'), scene.count('delete')]).toEqual([0, 0])
    scene.clusters.edit(0, 'later', 'not in the plan')
    const done = await service.run({ plan: dry.id })
    expect(done).toMatchObject({ state: 'succeeded', dryRun: false, summary: { counts: dry.summary?.counts } })
    expect(scene.clusters.shown()).toEqual([
      'edited: second second second second',
      'later: not in the plan - - -',
      'removed: deleted deleted deleted deleted',
    ])
  })

  it('is refused as a plan for the tokens that have changed since', async () => {
    const service = await scene.serve()
    for (const token of ['one', 'other']) scene.clusters.share(token)
    for (const token of ['one', 'other']) scene.clusters.edit(1, token, 'second')
    const dry = await service.run({ dryRun: true })
    scene.clusters.edit(2, 'one', 'third')
    const { id, state, summary } = await service.run({ plan: dry.id })
    expect([state, summary?.sync]).toEqual(['failed', { unmodified: [], updated: ['other'], failed: ['one'] }])
    const [item] = await service.items(id)
    expect(new Set(Object.values(item?.results ?? {}).map(({ code }) => code))).toEqual(
      new Set(['error/plan-outdated']),
    )
    expect(scene.clusters.shown()).toEqual(['one: first second third first', 'other: second second second second'])
  })
})
