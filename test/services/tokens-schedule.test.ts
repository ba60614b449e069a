// Runs that the clock and changes start, in a service as it is served.
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../lib/eventually.ts'
import { CutProxy } from './lib/cut-proxy.ts'
import { waitUntil } from './lib/server-process.ts'
import { asTokenRun, type Run, type TokenService } from './lib/token-service.ts'
import { openTokenServiceScene, type TokenServiceScene } from './lib/token-service-scene.ts'

const PATIENCE_MS = 30_000
const EVERY_SECOND = '* * * * * *'

let scene: TokenServiceScene
beforeEach(async () => {
  scene = await openTokenServiceScene()
})
afterEach(async () => expect(await scene.end()).toEqual([]))

async function readSchedule({ client }: TokenService) {
  const [schedule, ...others] = (await client.getStatus()).schedules ?? []
  expect(others).toEqual([])
  if (schedule === undefined) throw new Error('there is no schedule')
  return schedule
}

/** The oldest first. */
const readRuns = async ({ client }: TokenService): Promise<readonly Run[]> =>
  (await client.listRuns({ query: { limit: 1_000 } })).items.map(asTokenRun).toReversed()

describe('a schedule', () => {
  it('starts a run every second, and says when the next one comes', async () => {
    const service = await scene.serve({ tokens: { schedule: EVERY_SECOND } })
    scene.clusters.edit(0, 'new', 'new')
    await eventually(() => scene.clusters.shown()[0] === 'new: new new new new', PATIENCE_MS)
    await waitUntil(async () => (await readRuns(service)).length >= 4, PATIENCE_MS)
    const runs = await readRuns(service)
    expect(new Set(runs.map(({ trigger, kind }) => `${trigger} ${kind}`))).toEqual(new Set(['schedule tokens']))
    const starts = runs.map(({ createdAt }) => Date.parse(createdAt))
    // Ticks are whole seconds: no two runs are of the same one.
    expect(new Set(starts.map((at) => Math.floor(at / 1_000))).size).toBe(starts.length)
    const { name, cron, timeZone, nextAt, lastRun } = await readSchedule(service)
    expect({ name, cron, timeZone }).toEqual({ name: 'tokens', cron: EVERY_SECOND, timeZone: 'UTC' })
    expect(Date.parse(String(nextAt))).toBeGreaterThan(starts.at(-1) ?? 0)
    expect(lastRun?.trigger).toBe('schedule')
  })

  it('never starts a run beside a slow one, and counts what was missed', async () => {
    scene.hold(['list'])
    const service = await scene.serve({ tokens: { schedule: EVERY_SECOND, idleTimeoutMs: 1_000 } })
    scene.clusters.edit(0, 'new', 'new')
    await waitUntil(async () => (await readSchedule(service)).missed >= 3, PATIENCE_MS)
    expect(await readRuns(service)).toHaveLength(1)
    scene.letGo()
    await eventually(() => scene.clusters.shown()[0] === 'new: new new new new', PATIENCE_MS)
    await waitUntil(async () => (await readRuns(service)).length >= 3, PATIENCE_MS)
    const runs = await readRuns(service)
    runs.slice(1).forEach(({ createdAt }, at) => {
      expect(Date.parse(createdAt)).toBeGreaterThanOrEqual(Date.parse(String(runs[at]?.endedAt)))
    })
    const counted = /^syncer_schedule_missed_total\{name="tokens"\} (\d+)$/m.exec(await service.client.getMetrics())
    expect(Number(counted?.[1])).toBeGreaterThanOrEqual(3)
  })

  it('leaves out its ticks while a caller has the clusters', async () => {
    const service = await scene.serve({ tokens: { schedule: '*/2 * * * * *' } })
    scene.hold(['list'])
    let held: Run | undefined
    await waitUntil(async () => {
      const { status, body } = await service.sync({ clusters: ['c1', 'c2'] })
      if (status === 202) held = body
      else await service.client.cancelRun({ path: { id: body.run?.id ?? '' } })
      return held !== undefined
    }, PATIENCE_MS)
    const { missed } = await readSchedule(service)
    await waitUntil(async () => (await readSchedule(service)).missed >= missed + 2, PATIENCE_MS)
    expect((await readRuns(service)).at(-1)).toMatchObject({ id: held?.id, state: 'running', trigger: 'api' })
  })
})

describe('following', () => {
  it('brings an edit to the other clusters as soon as it is made', async () => {
    scene.clusters.share('edited')
    const service = await scene.serve({ tokens: { follow: true } })
    await eventually(() => scene.count('watch') === 4, PATIENCE_MS)
    const tookMs: number[] = []
    for (const [n, cmd] of ['second', 'third', 'fourth'].entries()) {
      const editedAt = performance.now()
      scene.clusters.edit(n, 'edited', cmd)
      await eventually(() => scene.clusters.shown()[0] === `edited: ${Array(4).fill(cmd).join(' ')}`, PATIENCE_MS)
      tookMs.push(performance.now() - editedAt)
    }
    console.log(`edits arrived after ${tookMs.map(Math.round).join(', ')} ms`)
    // About a second, and nothing else would bring them at all.
    expect(Math.min(...tookMs)).toBeLessThan(2_000)
    scene.clusters.remove(3, 'edited')
    await eventually(() => scene.clusters.shown().length === 0, PATIENCE_MS)
    expect(new Set((await readRuns(service)).map(({ trigger }) => trigger))).toEqual(new Set(['schedule']))
  })

  it('makes up for what was edited while nobody watched', async () => {
    scene.clusters.share('edited')
    const first = await scene.serve({ tokens: { follow: true } })
    await eventually(() => scene.count('watch') === 4, PATIENCE_MS)
    await first.kill()
    scene.clusters.edit(1, 'edited', 'second')
    await scene.serve({ tokens: { follow: true } })
    await eventually(() => scene.clusters.shown()[0] === 'edited: second second second second', PATIENCE_MS)
  })

  it('makes up for what a cluster missed that was away', async () => {
    const [c0, c1, c2] = scene.clusters.all
    if (c0 === undefined || c1 === undefined || c2 === undefined) throw new Error('there are four clusters')
    await using proxy = await CutProxy.start(c2.port, c2.address)
    const clusters = [c0, c1, { name: 'c2', url: `http://127.0.0.1:${proxy.port}` }]
    scene.clusters.share('edited')
    const service = await scene.serve({ clusters, tokens: { follow: true } })
    await eventually(() => scene.count('watch') === 3, PATIENCE_MS)
    await waitUntil(async () => (await readRuns(service)).some(({ state }) => state === 'succeeded'), PATIENCE_MS)
    scene.hold(['list', 'read', 'watch', 'store'], { status: 503 }, 2)
    proxy.heal(true)
    scene.clusters.edit(0, 'edited', 'second')
    await waitUntil(async () => (await readRuns(service)).at(-1)?.state === 'failed', PATIENCE_MS)
    expect(scene.clusters.shown()).toEqual(['edited: second first first first'])
    scene.letGo()
    await eventually(() => scene.clusters.shown()[0] === 'edited: second second second first', PATIENCE_MS)
  })
})
