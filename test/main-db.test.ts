// A service with nothing but databases, over two real files.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from '../src/config/load.ts'
import { systemClock } from '../src/lib/clock.ts'
import { createLogger } from '../src/lib/logger.ts'
import { type RunningService, startService } from '../src/main.ts'
import { openState } from '../src/state/open.ts'
import { createDbScene, type DbScene, idOf, LONG_AGO } from './cli/db-scene.ts'
import { eventually } from './lib/eventually.ts'
import { createFastClock } from './lib/fast-clock.ts'

const INTERRUPTED = '019b76da-a800-7b3c-9d51-0f7c3f6d2e10'

let scene: DbScene
let services: RunningService[]
let lines: Record<string, unknown>[]
beforeEach(async () => {
  scene = await createDbScene()
  services = []
  lines = []
})
afterEach(async () => {
  for (const service of services) await service.stop()
  await scene[Symbol.asyncDispose]()
})

async function open(more = '', clock = systemClock): Promise<RunningService> {
  await scene.configure(more)
  const readConfig = async (path: string) =>
    `${await readFile(path, 'utf8')}\nlisten: { port: 0 }\nshutdown: { readinessDelayMs: 0, graceMs: 500 }\n`
  const loaded = await loadConfig({ path: 'syncer.yaml', env: {}, cwd: scene.cwd, readFile: readConfig })
  const write = (chunk: Buffer, _: unknown, done: () => void) => {
    lines.push(JSON.parse(String(chunk)))
    done()
  }
  const logger = createLogger('info', new Writable({ write }))
  const service = await startService(loaded, { env: {}, clock, logger })
  services.push(service)
  return service
}

// biome-ignore lint/suspicious/noExplicitAny: what is asserted says what it is
async function ask(service: RunningService, path: string, body?: object, headers: object = {}): Promise<any> {
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  }
  const answer = await fetch(`${service.url}${path}`, body && init)
  return { status: answer.status, headers: answer.headers, body: await answer.json() }
}
const WAIT = { prefer: 'wait=30' }

/** The first run that is as it is looked for. */
// biome-ignore lint/suspicious/noExplicitAny: the same
async function findRun(service: RunningService, is: (run: any) => boolean): Promise<any> {
  for (;;) {
    const found = (await ask(service, '/v1/runs')).body.items.find(is)
    if (found !== undefined) return found
    await pause(20)
  }
}

describe('a service that keeps databases in step', () => {
  it('is ready, syncs when it is asked to, and shows what became of every table', async () => {
    scene.left.put(1, 10, 'one')
    scene.right.put(2, 20, 'two')
    const service = await open()
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'listening', capabilities: ['db'] }))
    const { checks } = (await ask(service, '/readyz?verbose')).body
    expect(checks.map(({ name }: { name: string }) => name)).toEqual(['dsync', 'state', 'runs', 'shutdown'])
    const { status, body } = await ask(service, '/v1/db/sync', { pair: 'app' }, WAIT)
    expect([status, body.state, body.kind, body.summary.counts.applied]).toEqual([200, 'succeeded', 'db', 2])
    expect(body.locks).toMatchObject([{ name: 'db-app' }])
    expect(scene.left.dump()).toEqual({ 1: 'one', 2: 'two' })
    const { items } = (await ask(service, `/v1/runs/${body.id}/items?status=updated`)).body
    expect(items.map((item: { direction: string }) => item.direction)).toEqual(['left-to-right', 'right-to-left'])
    const { db } = (await ask(service, '/v1/status')).body
    expect(db.pairs).toMatchObject([
      {
        ...{ name: 'app', tables: 'all', deadLetters: 0, lastRun: { id: body.id } },
        left: { kind: 'sqlite', address: `sqlite ${join(scene.cwd, 'left.db')}` },
        savedEnds: [{ end: body.summary.window.end }, { end: body.summary.window.end }],
      },
    ])
    expect((await ask(service, '/v1/db/verify', { pair: 'app' }, WAIT)).body).toMatchObject({
      ...{ state: 'succeeded', summary: { counts: { equal: 2 } } },
    })
    const metrics = await (await fetch(`${service.url}/metrics`)).text()
    expect(metrics).toContain('syncer_db_rows_total{pair="app",direction="left-to-right",outcome="applied"} 1\n')
    expect((await ask(service, '/v1/tokens/sync', {})).body).toMatchObject({ type: '/problems/not-configured' })
  })

  it('fails a run with a row that cannot be carried, and keeps the row in a file', async () => {
    scene.left.database.exec(`INSERT INTO users VALUES ('${idOf(1)}', 'never', 'one', 1)`)
    const service = await open()
    const { body } = await ask(service, '/v1/db/sync', { pair: 'app' }, WAIT)
    expect([body.state, body.summary.counts.failed, body.summary.deadLetters]).toEqual(['failed', 1, 1])
    expect(existsSync(join(scene.cwd, '.syncer/dead-letters-app.jsonl'))).toBe(true)
    expect((await ask(service, '/v1/status')).body.db.pairs[0].deadLetters).toBe(1)
  })

  it('says of a run that could not begin which table it is', async () => {
    scene.left.database.exec('CREATE TABLE broken (id TEXT PRIMARY KEY, name TEXT)')
    const service = await open()
    const { body } = await ask(service, '/v1/db/sync', { pair: 'app' }, WAIT)
    expect(body).toMatchObject({ state: 'failed', summary: null, problem: { type: '/problems/table-refused' } })
    expect(body.problem.detail).toContain('broken')
  })

  it('refuses what is not there with a pointer to it', async () => {
    const service = await open(', tables: [users]')
    for (const [body, pointer] of [
      [{ pair: 'other' }, '/pair'],
      [{ pair: 'app', tables: ['orders'] }, '/tables/0'],
      [{ pair: 'app', begin: 'yesterday' }, '/begin'],
      [{ pair: 'app', end: '1447300' }, '/end'],
    ] as const) {
      const { status, body: problem } = await ask(service, '/v1/db/sync', body)
      expect([status, problem.errors]).toEqual([400, [{ pointer, detail: expect.any(String) }]])
    }
    expect((await ask(service, '/v1/runs')).body.items).toEqual([])
  })

  it('answers a repeated key with the same run', async () => {
    const service = await open()
    const headers = { ...WAIT, 'idempotency-key': 'once' }
    const first = await ask(service, '/v1/db/sync', { pair: 'app' }, headers)
    const second = await ask(service, '/v1/db/sync', { pair: 'app' }, headers)
    expect(second.body.id).toBe(first.body.id)
    expect((await ask(service, '/v1/db/verify', { pair: 'app' }, headers)).status).toBe(422)
  })

  it('syncs by the clock', async () => {
    const service = await open(', schedule: "* * * * * *"')
    const { schedules } = (await ask(service, '/v1/status')).body
    expect(schedules).toMatchObject([{ name: 'db:app', cron: '* * * * * *', missed: 0 }])
    const run = await findRun(service, ({ state }) => state === 'succeeded')
    expect(run).toMatchObject({ kind: 'db', trigger: 'schedule', request: { operation: 'sync', pair: 'app' } })
  })

  it('logs that it waits for a store', async () => {
    const service = await open('', createFastClock(5))
    scene.left.put(1, 10, 'one')
    scene.right.database.exec('BEGIN IMMEDIATE')
    await ask(service, '/v1/db/sync', { pair: 'app' })
    await eventually(() => lines.some(({ what }) => /right.db: another process keeps it locked; /.test(String(what))))
    scene.right.database.exec('COMMIT')
    await findRun(service, ({ state }) => state === 'succeeded')
    expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(2)
  })

  it('takes up a run whose process is gone, with what it was asked for', async () => {
    scene.left.put(1, 10, 'one')
    const store = await openState({ kind: 'sqlite', path: join(scene.cwd, '.syncer/state.db') })
    const owner = await store.openOwner(30_000)
    await store.createRun({
      ...{ id: INTERRUPTED, kind: 'db', trigger: 'api', resources: ['pair:app'], dryRun: false },
      request: JSON.stringify({ operation: 'sync', pair: 'app', direction: 'left-to-right', dryRun: false }),
      ...{ owner: owner.id, takesUp: null, createdAt: LONG_AGO },
    })
    await owner[Symbol.asyncDispose]()
    await store[Symbol.asyncDispose]()
    const service = await open()
    const run = await findRun(service, ({ takesUp, state }) => takesUp === INTERRUPTED && state === 'succeeded')
    expect(run).toMatchObject({ trigger: 'api', request: { direction: 'left-to-right' } })
    expect((await ask(service, `/v1/runs/${INTERRUPTED}`)).body.state).toBe('interrupted')
    expect(scene.right.dump()).toEqual({ 1: 'one' })
  })

  it('and a command line keep out of each other’s way', async () => {
    scene.left.fill(20_000)
    const service = await open()
    const { body } = await ask(service, '/v1/db/sync', { pair: 'app' })
    const { code, err } = await scene.run(['sync', 'app'])
    expect([code, err]).toEqual([1, expect.stringContaining(`syncer db sync: run ${body.id} is under way on app (`)])
    await findRun(service, ({ id, state }) => id === body.id && state === 'succeeded')
    expect((await scene.run(['sync', 'app', '--output', 'json'])).code).toBe(0)
    const run = await findRun(service, ({ trigger }) => trigger === 'cli')
    expect((await ask(service, '/v1/status')).body.db.pairs[0].lastRun.id).toBe(run.id)
  })
})
