// Contracts in milliseconds, with nothing else running: lateness after the true moment, and verdicts on their deadline.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type FaultReplica, startFaultReplica, TRUTH } from '../lib/fault-replica.ts'
import { BLINDING } from '../lib/faults.ts'
import { describeSpread, type LoginMeasurement, measureLogins, type Spread, summarize } from '../lib/lateness.ts'
import { type NginxGateway, startGateway } from '../lib/nginx-gateway.ts'
import { caFile, gatewaySection, type Syncer, startSyncer, type Verdict } from '../lib/syncer.ts'

const DEADLINE_MS = 1_000
/** How long after its deadline a verdict may come. */
const GRACE_MS = 40
/** What lateness is allowed: on average and at the 99th percentile, alone and under a flood. */
const ALONE = { meanMs: 5, p99Ms: 15 }
const FLOODED = { meanMs: 20, p99Ms: 60 }

let gateway: NginxGateway
let syncer: Syncer
let serial = 0
const newToken = (what: string) => `${what}-${process.pid}-${serial++}`
const others = () => gateway.replicas.map(({ name }) => name).filter((name) => name !== 'gw-0')

beforeAll(async () => {
  gateway = await startGateway({ replicas: 9, tickMs: 1_000 })
  syncer = await startSyncer({
    config: { gateway: gatewaySection(gateway.replicas, gateway.tls), log: { level: 'warn' } },
    files: caFile(gateway.tls),
  })
  // The first check opens connections and compiles what later ones only run.
  await measureLogins(gateway, syncer, { logins: 6, lanes: 3, prefix: newToken('warm'), spreadMs: 50 })
})
afterAll(async () => {
  await syncer.stop()
  await gateway.stop()
})
afterEach(() => {
  expect(syncer.exit).toBeUndefined()
})

function expectOnDeadline(verdicts: readonly Verdict[], word: string, deadlineMs: number): void {
  const late = summarize(verdicts.map(({ tookMs }) => tookMs - deadlineMs))
  console.log(`${verdicts.length} verdicts after their deadline: ${describeSpread(late)}`)
  expect(new Set(verdicts.map(({ verdict }) => verdict))).toEqual(new Set([word]))
  expect(Math.min(...verdicts.map(({ tookMs }) => tookMs))).toBeGreaterThanOrEqual(deadlineMs - 5)
  expect(late.max, describeSpread(late)).toBeLessThanOrEqual(GRACE_MS)
}

/** Every verdict is Synced, and after the truth; a token that came so late that lateness reaches beyond the deadline may be missed. */
function expectRight(measured: readonly LoginMeasurement[], { p99Ms }: typeof ALONE): void {
  for (const { verdict, latenessMs, arrivedAfterMs } of measured) {
    if (verdict === 'Synced') expect(latenessMs).toBeGreaterThan(0)
    else expect(arrivedAfterMs, `${verdict}`).toBeGreaterThan(DEADLINE_MS - p99Ms)
  }
}

function expectSpread(late: Spread, { meanMs, p99Ms }: typeof ALONE): void {
  expect(late.mean, describeSpread(late)).toBeLessThanOrEqual(meanMs)
  expect(late.p99, describeSpread(late)).toBeLessThanOrEqual(p99Ms)
}

const latenessOf = (measured: readonly LoginMeasurement[]) =>
  summarize(measured.filter(({ verdict }) => verdict === 'Synced').map(({ latenessMs }) => latenessMs))

describe('a login on a gateway of nine with a one-second tick', () => {
  it('is Synced within 5 ms on average and 15 ms at the 99th percentile after the last replica has it', async () => {
    const measured = await measureLogins(gateway, syncer, {
      logins: 90,
      lanes: 3,
      prefix: newToken('login'),
      spreadMs: 400,
    })
    const late = latenessOf(measured)
    console.log(`lateness of ${measured.length} logins: ${describeSpread(late)}`)
    expectRight(measured, ALONE)
    expectSpread(late, ALONE)
  })

  it('is neither delayed nor falsified by a flood of tokens that exist nowhere', async () => {
    await Promise.all(Array.from({ length: 200 }, () => syncer.get('/livez'))) // the callers' connections are open by then
    const flood = new AbortController()
    const nowhere: Verdict[] = []
    const callers = Array.from({ length: 200 }, async (_, i) => {
      await sleep(i * 5) // a stream, not a wave
      while (!flood.signal.aborted) nowhere.push(await syncer.check(newToken('nowhere'), 'gw-0'))
    })
    const measured = await measureLogins(gateway, syncer, {
      logins: 30,
      lanes: 3,
      prefix: newToken('flooded'),
      spreadMs: 400,
    })
    flood.abort()
    await Promise.all(callers)
    const late = latenessOf(measured)
    console.log(`lateness under a flood of ${nowhere.length} checks: ${describeSpread(late)}`)
    expectRight(measured, FLOODED)
    // The machine carries two hundred callers, nine replicas and their probes: alone, a login is a third of this late.
    expectSpread(late, FLOODED)
    expect(new Set(nowhere.map(({ verdict }) => verdict))).toEqual(new Set(['NotSynced']))
    const overdue = summarize(nowhere.map(({ tookMs }) => tookMs - DEADLINE_MS))
    console.log(`${nowhere.length} verdicts of the flood after their deadline: ${describeSpread(overdue)}`)
    expect(overdue.p99, describeSpread(overdue)).toBeLessThanOrEqual(GRACE_MS)
  })
})

describe('sixty checks at once for tokens that exist nowhere', () => {
  const ask = () => Promise.all(Array.from({ length: 60 }, () => syncer.check(newToken('nowhere'), 'gw-0')))

  it('end on their deadline', async () => {
    for (let i = 0; i < 3; i++) expectOnDeadline(await ask(), 'NotSynced', DEADLINE_MS)
  })

  it('end on their deadline while one replica is frozen', async () => {
    gateway.freeze('gw-4')
    try {
      for (let i = 0; i < 3; i++) expectOnDeadline(await ask(), 'Timeout', DEADLINE_MS)
    } finally {
      gateway.thaw('gw-4')
    }
    const token = newToken('thawed')
    await gateway.plant(token, others())
    await expect.poll(async () => (await syncer.check(token, 'gw-0')).verdict, { timeout: 5_000 }).toBe('Synced')
  })

  it('end on their deadline when one replica freezes under them', async () => {
    const verdicts = ask()
    setTimeout(() => gateway.freeze('gw-6'), 400)
    try {
      expectOnDeadline(await verdicts, 'Timeout', DEADLINE_MS)
    } finally {
      gateway.thaw('gw-6')
    }
  })
})

describe('one faulty replica among nine', () => {
  const SHORT_MS = 400
  let faulty: FaultReplica
  let quick: Syncer

  beforeAll(async () => {
    const tls = gateway.tls ?? false
    faulty = await startFaultReplica({ name: 'odd', address: '127.0.0.101', tls })
    quick = await startSyncer({
      config: {
        gateway: gatewaySection([...gateway.replicas.slice(0, 8), faulty], tls, { deadlineMs: SHORT_MS }),
        log: { level: 'warn' },
      },
      files: caFile(tls),
    })
    await Promise.all(Array.from({ length: 10 }, () => quick.check(newToken('warm'), 'gw-0')))
  })
  afterAll(async () => {
    await quick.stop()
    await faulty.stop()
  })

  it.each(BLINDING)('that $name delays no verdict', async ({ fault }) => {
    await faulty.set(fault)
    const tokens = Array.from({ length: 20 }, () => newToken('faulty'))
    await Promise.all(tokens.slice(10).map((token) => gateway.plant(token, others())))
    expectOnDeadline(await Promise.all(tokens.map((token) => quick.check(token, 'gw-0'))), 'Timeout', SHORT_MS)
    await faulty.set(TRUTH)
  })
})
