// Hundreds of runs leave nothing behind: no socket, no timer, no growing heap, and no more of the past than is to be kept.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { TokenService } from './lib/token-service.ts'
import { openTokenServiceScene, type TokenServiceScene } from './lib/token-service-scene.ts'
import type { Vitals } from './lib/vitals.ts'

const WARM_UP = 40
const RUNS = 200
const KEPT = 30
const MEBIBYTE = 1_048_576

let scene: TokenServiceScene
beforeEach(async () => {
  scene = await openTokenServiceScene()
})
afterEach(async () => expect(await scene.end()).toEqual([]))

/** Runs of every outcome: written, planned, refused, cancelled, followed. */
async function work(service: TokenService, from: number, count: number): Promise<void> {
  for (let n = from; n < from + count; n++) {
    scene.clusters.edit(n % 4, 'edited', `edit ${n}`)
    if (n % 10 === 3) await service.run({ dryRun: true })
    else if (n % 10 === 5) await refuse(service)
    else if (n % 10 === 7) await cancel(service)
    else expect((await service.run()).state).toBe('succeeded')
  }
}

async function refuse(service: TokenService): Promise<void> {
  scene.hold(['store'], 'reset')
  expect((await service.run()).state).toBe('failed')
  scene.letGo()
}

/** With a reader who sees the end, and one who leaves before. */
async function cancel({ sync, client, ended }: TokenService): Promise<void> {
  scene.hold(['list'])
  const { id } = (await sync()).body
  const leaving = new AbortController()
  const left = readEvents(client, id, leaving.signal).catch(() => {})
  const read = readEvents(client, id)
  leaving.abort()
  await client.cancelRun({ path: { id } })
  expect((await ended(id)).state).toBe('cancelled')
  scene.letGo()
  await Promise.all([left, read])
}

async function readEvents(client: TokenService['client'], id: string, signal?: AbortSignal): Promise<void> {
  for await (const _ of client.streamRunEvents({ path: { id } }, signal && { signal }));
}

/** What the service holds when nothing is under way. */
async function look({ syncer, client }: TokenService): Promise<Vitals & { readonly openFiles: number }> {
  await expect
    .poll(() => client.getMetrics(), { timeout: 10_000 })
    .toMatch(/^syncer_runs_under_way\{kind="tokens"\} 0$/m)
  return { ...(await syncer.vitals()), openFiles: syncer.openFiles() }
}

it('holds no more after two hundred runs than before them', async () => {
  const service = await scene.serve({ withVitals: true, config: { runs: { history: { maxRuns: KEPT } } } })
  scene.clusters.share('edited')
  await work(service, 0, WARM_UP)
  const before = await look(service)
  await work(service, WARM_UP, RUNS)
  const after = await look(service)
  console.log(`before ${JSON.stringify(before)}\nafter  ${JSON.stringify(after)}`)
  // A connection of a caller may be in the middle of being replaced.
  expect(after.openFiles).toBeLessThanOrEqual(before.openFiles + 4)
  for (const [kind, count] of Object.entries(after.resources)) {
    expect(count, kind).toBeLessThanOrEqual((before.resources[kind] ?? 0) + 4)
  }
  expect(after.heapBytes - before.heapBytes).toBeLessThan(4 * MEBIBYTE)
  expect(scene.clusters.all.map(({ openSockets }) => openSockets)).toEqual([0, 0, 0, 0])
  const count = async () => (await service.client.listRuns({ query: { limit: 1_000 } })).items.length
  await expect.poll(count, { timeout: 10_000 }).toBe(KEPT)
  await expect.poll(() => readdirSync(join(scene.folder, 'undo')).length, { timeout: 10_000 }).toBeLessThanOrEqual(KEPT)
  expect(service.syncer.log()).not.toMatch(/"level":"(?:error|warn)"|MaxListeners/)
})
