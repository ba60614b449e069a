import { describe, expect, it } from 'vitest'
import type { RunItem } from '../../src/cli/run-text.ts'
import { addressesText, syncStory, tryText, verdictStory } from '../../src/playground/story.ts'
import { aRun, ITEMS } from '../cli/run-service.ts'

const items = [
  ...ITEMS,
  { ...ITEMS[0], id: 'kept-out', results: { 'http://c2': { code: 'success/skip-opt-out' } } },
] as readonly RunItem[]

const places = {
  url: 'http://127.0.0.1:8080',
  configFile: '/tmp/x/syncer.yaml',
  caFile: '/tmp/x/ca.pem',
  databases: { pair: 'notes', desk: '/tmp/x/desk.db', pocket: '/tmp/x/pocket.db' },
  node: '/opt/node',
  gateway: {
    replicas: [8441, 8442, 8443].map((port, index) => ({ name: `gw-${index}`, address: '127.0.0.1', port })),
  },
  clusters: {
    east: { name: 'east', url: 'http://127.0.0.1:9091' },
    west: { name: 'west', url: 'http://127.0.0.1:9093' },
  },
}

describe('the story of the playground', () => {
  it('tells where everything is', () => {
    expect(addressesText(places)).toBe(`  service        http://127.0.0.1:8080
  status page    http://127.0.0.1:8080/status/
  Swagger UI     http://127.0.0.1:8080/swagger-ui
  gw-0           https://127.0.0.1:8441
  gw-1           https://127.0.0.1:8442
  gw-2           https://127.0.0.1:8443
  Waiter east    http://127.0.0.1:9091
  Waiter west    http://127.0.0.1:9093
  databases      /tmp/x/desk.db
                 /tmp/x/pocket.db
  configuration  /tmp/x/syncer.yaml
`)
  })

  it('tells the first verdict', () => {
    const told = verdictStory({ status: 'Synced', origin: 'gw-0', expect: 'present', ms: 1, replicas: [] }, false)
    expect(told).toMatch(/A login at gw-0.*\n\nSynced: /)
  })

  it('gives commands with addresses that can be copied', () => {
    const told = tryText(places)
    expect(told).toContain(`curl -s --cacert /tmp/x/ca.pem -d $T https://127.0.0.1:8442/login`)
    expect(told).toContain(`curl -si 'http://127.0.0.1:8080/v1/synced' -H "X-Auth-Token: $T" -H 'X-Nginx-Origin: gw-1'`)
    expect(told).toContain(`-d '{"dryRun":true}' http://127.0.0.1:8080/v1/tokens/sync`)
    expect(told).toContain(`curl -s -H 'X-Waiter-Token: checkout' http://127.0.0.1:9093/token`)
    expect(told).toContain(`-d '{"pair":"notes","dryRun":true}' http://127.0.0.1:8080/v1/db/sync`)
    expect(told).toContain(`/opt/node -e "new (require('node:sqlite').DatabaseSync)('/tmp/x/desk.db').exec(`)
    expect(told).not.toContain('undefined')
  })

  it('needs three replicas', () => {
    expect(() => tryText({ ...places, gateway: { replicas: [] } })).toThrow('the story needs three replicas')
  })
})

describe('what is told of a token sync', () => {
  const scheduled = { trigger: 'schedule' } as const
  const { summary: whole } = aRun()
  const summary = whole !== null && 'sync' in whole ? whole : expect.unreachable('no summary of tokens')

  it('is what it did, and to which tokens', () => {
    expect(syncStory(aRun(scheduled), items)).toBe(
      '00:00:00 The schedule synced the tokens of the two Waiter clusters: 1 created, 1 overwritten (app-1, app-2); 8 of 10 were in step before.\n',
    )
    expect(syncStory(aRun(), items)).toMatch(/^00:00:00 A call synced /)
  })

  it('names what failed too', () => {
    const failed = {
      sync: { unmodified: [], updated: [], failed: ['app-9'] },
      counts: { create: 0, update: 0, softDelete: 1, hardDelete: 2, skip: 0, conflict: 0 },
    }
    const items = [{ ...ITEMS[0], id: 'app-9', status: 'failed', results: {} }] as readonly RunItem[]
    expect(syncStory(aRun({ ...scheduled, summary: { ...summary, ...failed } }), items)).toContain(
      ': 1 marked as deleted, 2 removed for good, 1 failed (app-9); ',
    )
    const counts = { create: 0, update: 0, softDelete: 0, hardDelete: 0, skip: 0, conflict: 0 }
    expect(syncStory(aRun({ ...scheduled, summary: { ...summary, ...failed, counts } }), items)).toContain(
      ': 1 failed (app-9); ',
    )
  })

  it('is why it came to nothing', () => {
    const problem = { type: '/problems/x', title: 'X', detail: 'http://c2: refused' }
    expect(syncStory(aRun({ ...scheduled, state: 'failed', summary: null, problem }), items)).toContain(
      ': failed, http://c2: refused\n',
    )
  })

  it('is nothing when nothing changed, of a dry run, and of one that ended without a word', () => {
    const counts = { create: 0, update: 0, softDelete: 0, hardDelete: 0, skip: 3, conflict: 0 }
    const quiet = { ...summary, sync: { unmodified: [], updated: ['kept-out'], failed: [] }, counts }
    expect(syncStory(aRun({ summary: quiet }), items)).toBeUndefined()
    expect(syncStory(aRun({ dryRun: true }), items)).toBeUndefined()
    expect(syncStory(aRun({ state: 'cancelled', summary: null }), items)).toBeUndefined()
  })
})

describe('what is told of a sync of databases', () => {
  const counts = { read: 9, applied: 0, older: 0, equal: 5, echoed: 0, failed: 0 }
  const window = { begin: '1970-01-01T00:00:00.000Z', end: '2026-01-01T00:00:00.000Z' }
  const dbRun = (over: Parameters<typeof aRun>[0] = {}) =>
    aRun({ kind: 'db', trigger: 'schedule', summary: { window, counts, deadLetters: 0 }, ...over })
  const anItem = (direction: 'left-to-right' | 'right-to-left', applied: number): RunItem => ({
    ...{ table: 'notes', direction, window, ...counts, applied, ms: 1, status: 'updated' },
  })

  it('is how many rows went where', () => {
    expect(syncStory(dbRun(), [anItem('left-to-right', 3), anItem('right-to-left', 2)])).toBe(
      '00:00:00 The schedule synced the notes of the two databases: 3 brought to pocket.db, 2 brought to desk.db; 5 were there already.\n',
    )
  })

  it('is nothing when nothing changed, of a dry run and of a verify', () => {
    const moved = [anItem('left-to-right', 1)]
    expect(syncStory(dbRun(), [anItem('left-to-right', 0)])).toBeUndefined()
    expect(syncStory(dbRun({ dryRun: true }), moved)).toBeUndefined()
    const verdicts = { equal: 1, leftNewer: 0, rightNewer: 0, onlyLeft: 0, onlyRight: 0, differs: 0 }
    expect(
      syncStory(dbRun({ summary: { window, counts: verdicts, differences: [], repaired: 0 } }), []),
    ).toBeUndefined()
  })

  it('is why it came to nothing', () => {
    const problem = { type: '/problems/store-failed', title: 'Store failed', detail: 'sqlite a.db: no such file' }
    expect(syncStory(dbRun({ state: 'failed', summary: null, problem }), [])).toContain(
      ': failed, sqlite a.db: no such',
    )
  })
})
