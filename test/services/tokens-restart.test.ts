// What a crash and a stop of `syncer serve` leave of its runs, and what the next service makes of it.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../lib/eventually.ts'
import { waitUntil } from './lib/server-process.ts'
import { tellUndoFile } from './lib/token-clusters.ts'
import type { TokenService } from './lib/token-service.ts'
import { openTokenServiceScene, type TokenServiceScene } from './lib/token-service-scene.ts'

const PATIENCE_MS = 20_000
const GRACE_MS = 1_500
/** A process and a store on a busy machine. */
const SLACK_MS = 3_000

let scene: TokenServiceScene
beforeEach(async () => {
  scene = await openTokenServiceScene()
})
afterEach(async () => expect(await scene.end()).toEqual([]))

const readUndo = (id: string): readonly string[] => {
  const path = join(scene.folder, 'undo', `${id}.jsonl`)
  return existsSync(path) ? tellUndoFile(readFileSync(path, 'utf8')) : []
}

/** All runs with their items, the newest first. */
async function tellHistory({ client, items }: TokenService) {
  const runs = (await client.listRuns()).items
  return Promise.all(runs.map(async (run) => ({ run, items: await items(run.id) })))
}

/** A service with two runs behind it, and one that waits for clusters to answer a write. */
async function serveAndHold(config: Readonly<Record<string, unknown>> = {}) {
  const service = await scene.serve({ config })
  for (const token of ['edited', 'removed']) scene.clusters.share(token)
  scene.clusters.edit(0, 'edited', 'second')
  await service.run()
  await service.run({ dryRun: true })
  const before = await tellHistory(service)
  scene.clusters.edit(1, 'edited', 'third')
  scene.clusters.remove(2, 'removed')
  scene.clusters.edit(3, 'new', 'new')
  scene.clusters.takeOverwritten()
  scene.hold(['store'], 'hang-after-commit', 0, 1)
  const { id } = (await service.sync()).body
  // Three by the first run; then each of three tokens to three clusters.
  await eventually(() => scene.count('store') === 12, PATIENCE_MS)
  return { service, before, id }
}

describe('a service that is killed in the middle of a run', () => {
  it('leaves it interrupted to the next one, which knows all that was before and can go on at once', async () => {
    const { service, before, id } = await serveAndHold()
    await service.kill()
    scene.letGo()
    const kept = readUndo(id)
    expect(scene.clusters.takeOverwritten().filter((one) => !kept.includes(one))).toEqual([])
    expect(kept.length).toBeGreaterThan(4)

    const next = await scene.serve()
    const [interrupted, ...earlier] = await tellHistory(next)
    expect(earlier).toEqual(before)
    expect(interrupted?.run).toMatchObject({ id, state: 'interrupted', summary: null })
    expect(interrupted?.run.problem?.type).toBe('/problems/interrupted')
    expect(interrupted?.run.endedAt).not.toBeNull()

    expect((await next.run()).state).toBe('succeeded')
    await next.run()
    expect(scene.clusters.shown()).toEqual(['edited: third third third third', 'new: new new new new'])
    expect((await next.run()).summary?.tokens).toMatchObject({ pending: 0, total: 2 })
  })
})

describe('a service that is told to stop in the middle of a run', () => {
  it('ends within its grace period, and leaves the run interrupted', async () => {
    const shutdown = { readinessDelayMs: 0, graceMs: GRACE_MS }
    const { service, before, id } = await serveAndHold({ shutdown })
    const toldAt = performance.now()
    service.syncer.signal('SIGTERM')
    await waitUntil(() => service.syncer.exit !== undefined, PATIENCE_MS)
    const tookMs = performance.now() - toldAt
    expect(service.syncer.exit).toEqual({ code: 0, signal: null })
    expect(tookMs).toBeGreaterThan(GRACE_MS)
    // A write under way is waited for.
    expect(tookMs).toBeLessThan(GRACE_MS + 2_000 + SLACK_MS)

    scene.letGo()
    const next = await scene.serve()
    const [interrupted, ...earlier] = await tellHistory(next)
    expect(earlier).toEqual(before)
    expect(interrupted?.run).toMatchObject({ id, state: 'interrupted' })
    expect(interrupted?.run.problem?.type).toBe('/problems/interrupted')
    expect((await next.run()).state).toBe('succeeded')
    await next.run()
    expect(scene.clusters.shown()).toEqual(['edited: third third third third', 'new: new new new new'])
  })

  it('lets the run end where it can, and sends those who wait for it elsewhere', async () => {
    const service = await scene.serve({ config: { shutdown: { readinessDelayMs: 0, graceMs: 30_000 } } })
    scene.clusters.edit(0, 'new', 'new')
    for (const cluster of scene.clusters.all) cluster.latencyMs = 1_000
    const waiting = service.sync({}, { Prefer: 'wait=60' })
    await eventually(() => scene.count('list') > 0, PATIENCE_MS)
    const [run] = (await service.client.listRuns()).items
    const stream = await fetch(`${service.syncer.baseUrl}/v1/runs/${run?.id}/events`)
    service.syncer.signal('SIGTERM')
    const { status, headers, body } = await waiting
    expect([status, headers.get('location'), body.state]).toEqual([202, `/v1/runs/${run?.id}`, 'running'])
    expect(await stream.text()).not.toContain('event: end')
    await waitUntil(() => service.syncer.exit !== undefined, PATIENCE_MS)
    expect(service.syncer.exit).toEqual({ code: 0, signal: null })
    expect(scene.clusters.shown()).toEqual(['new: new new new new'])
    const next = await scene.serve()
    const ended = await next.client.getRun({ path: { id: String(run?.id) } })
    expect(ended).toMatchObject({ state: 'succeeded', summary: { counts: { create: 3 } } })
  })
})
