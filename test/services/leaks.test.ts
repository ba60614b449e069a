// A hundred thousand checks leave nothing behind: no socket, no timer, no growing heap.
import { Pool } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FaultReplica, startFaultReplica, TRUTH } from './lib/fault-replica.ts'
import { BLINDING } from './lib/faults.ts'
import { findFreePort } from './lib/free-port.ts'
import { type Nginx, startNginx } from './lib/nginx.ts'
import { caFile, gatewaySection, type ListedReplica, type Syncer, startSyncer } from './lib/syncer.ts'
import { createTestTls } from './lib/test-tls.ts'
import type { Vitals } from './lib/vitals.ts'

const CHECKS = 100_000
const WARM_UP = 10_000
const AT_ONCE = 64
const DEADLINE_MS = 200
const MEBIBYTE = 1_048_576
/** One check in so many is for a token that is nowhere, and waits for its deadline. */
const NOWHERE_EVERY = 50
/** One check in so many is given up by its caller. */
const HANG_UP_EVERY = 211

interface Held extends Vitals {
  readonly openFiles: number
}

let syncer: Syncer
let pool: Pool
let serial = 0
const replicas: (ListedReplica & { readonly nginx: Nginx })[] = []
let faulty: FaultReplica

beforeAll(async () => {
  const tls = await createTestTls()
  const addresses = ['127.0.0.11', '127.0.0.12', '127.0.0.13']
  const port = await findFreePort(addresses)
  for (const [i, address] of addresses.entries()) {
    const http = () => `
      access_log off;
      keepalive_requests 1000000000;
      server {
        listen ${address}:${port} ssl;
        ssl_certificate cert.pem;
        ssl_certificate_key key.pem;
        location = /_synced {
          if ($cookie_auth_token ~ ^nowhere) { return 401; }
          return 200 "ok";
        }
      }`
    const files = { 'cert.pem': tls.leaf.cert, 'key.pem': tls.leaf.key }
    const nginx = await startNginx({ name: `gw-${i}`, address, port, files, http })
    replicas.push({ name: `gw-${i}`, address, port, nginx })
  }
  faulty = await startFaultReplica({ name: 'odd', address: '127.0.0.101', tls })
  faulty.hasAll = true
  syncer = await startSyncer({
    withVitals: true,
    config: {
      gateway: gatewaySection([...replicas, faulty], tls, { deadlineMs: DEADLINE_MS }),
      log: { level: 'warn' },
    },
    files: caFile(tls),
  })
  pool = new Pool(syncer.baseUrl, { connections: AT_ONCE })
})
afterAll(async () => {
  await pool.destroy()
  await syncer.stop()
  await faulty.stop()
  for (const { nginx } of replicas) await nginx.stop()
})

/** Asks `count` questions, no two for the same token; counts the verdicts. */
async function ask(count: number, only?: string): Promise<Record<string, number>> {
  const verdicts: Record<string, number> = {}
  let left = count
  const lane = async () => {
    while (left-- > 0) {
      const verdict = await askOnce(serial++, only)
      verdicts[verdict] = (verdicts[verdict] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
  return verdicts
}

async function askOnce(i: number, only: string | undefined): Promise<string> {
  const isNowhere = i % NOWHERE_EVERY === 0
  const isGivenUp = only === undefined && i % HANG_UP_EVERY === 1
  const headers = { 'x-auth-token': `${isNowhere || isGivenUp ? 'nowhere' : 'token'}-${i}`, 'x-nginx-origin': 'gw-0' }
  const path = `/v1/synced?${(only === undefined ? ['gw-1', 'gw-2'] : ['gw-1', only]).map((name) => `replica=${name}`).join('&')}`
  try {
    const signal = isGivenUp ? AbortSignal.timeout(20) : null
    const { headers: received, body } = await pool.request({ method: 'GET', path, headers, signal })
    await body.dump()
    return String(received['x-token-status'])
  } catch (error) {
    if (isGivenUp) return 'given up'
    throw error
  }
}

/** What the service holds once the last checks have ended. */
async function look(): Promise<Held> {
  await expect
    .poll(async () => (await syncer.get('/metrics')).body, { timeout: 10_000, interval: 100 })
    .toMatch(/^syncer_gateway_checks_in_flight 0$/m)
  return { ...(await syncer.vitals()), openFiles: syncer.openFiles() }
}

function expectNoMore(after: Held, before: Held): void {
  console.log(`before ${JSON.stringify(before)}\nafter  ${JSON.stringify(after)}`)
  // A connection of a caller, of /metrics or to a replica may be in the middle of being replaced.
  expect(after.openFiles).toBeLessThanOrEqual(before.openFiles + 6)
  for (const [kind, count] of Object.entries(after.resources)) {
    expect(count, kind).toBeLessThanOrEqual((before.resources[kind] ?? 0) + 6)
  }
  expect(after.heapBytes - before.heapBytes).toBeLessThan(4 * MEBIBYTE)
  expect(after.externalBytes - before.externalBytes).toBeLessThan(4 * MEBIBYTE)
}

describe('the service holds no more after', () => {
  it('a hundred thousand checks, some for tokens that are nowhere, some given up', async () => {
    await ask(WARM_UP)
    const before = await look()
    const startedAt = performance.now()
    const verdicts = await ask(CHECKS)
    console.log(`${CHECKS} checks in ${Math.round(performance.now() - startedAt)} ms: ${JSON.stringify(verdicts)}`)
    const { Synced = 0, NotSynced = 0, Timeout = 0, 'given up': givenUp = 0, ...others } = verdicts
    expect(others).toEqual({})
    expect(Synced + NotSynced + Timeout + givenUp).toBe(CHECKS)
    expect(Timeout).toBeLessThan(20) // a machine that stalls for longer than the deadline
    expect(Math.abs(NotSynced + Timeout - CHECKS / NOWHERE_EVERY)).toBeLessThan(CHECKS / NOWHERE_EVERY / 50)
    expect(givenUp).toBeGreaterThan(0)
    expectNoMore(await look(), before)
  }, 180_000)

  it('checks against a replica with every fault in turn', async () => {
    await faulty.set(TRUTH)
    await ask(500, 'odd')
    const before = await look()
    for (const { fault } of BLINDING) {
      await faulty.set(fault)
      const verdicts = await ask(AT_ONCE * 2, 'odd')
      expect(Object.keys(verdicts)).toEqual(['Timeout'])
    }
    await faulty.set(TRUTH)
    await expect
      .poll(() => ask(AT_ONCE, 'odd').then((verdicts) => verdicts['Timeout'] ?? 0), { timeout: 5_000 })
      .toBe(0)
    expectNoMore(await look(), before)
    expect(faulty.open).toBeLessThanOrEqual(2)
  })
})
