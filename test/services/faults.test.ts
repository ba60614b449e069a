import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type FaultReplica, startFaultReplica, TRUTH } from './lib/fault-replica.ts'
import { BLINDING, type Fault, TRUTHFUL } from './lib/faults.ts'
import { type NginxGateway, startGateway } from './lib/nginx-gateway.ts'
import { caFile, gatewaySection, type Syncer, startSyncer, type Verdict } from './lib/syncer.ts'

const DEADLINE_MS = 500
/** Verdicts are to be right here; that they are on time to the millisecond is shown in realtime/, with nothing else running. */
const GRACE_MS = 250
const ODD = ['odd-0', 'odd-1', 'odd-2']

let gateway: NginxGateway
let syncer: Syncer
let odd: FaultReplica[]
let serial = 0
const newToken = (what: string) => `${what}-${process.pid}-${serial++}`
const [first, second, third] = [0, 1, 2].map((i) => () => {
  const replica = odd[i]
  if (replica === undefined) throw new Error('three replicas were started')
  return replica
}) as [() => FaultReplica, () => FaultReplica, () => FaultReplica]

beforeAll(async () => {
  gateway = await startGateway({ replicas: 6, tickMs: 1_000 })
  const tls = gateway.tls ?? false
  odd = await Promise.all(ODD.map((name, i) => startFaultReplica({ name, address: `127.0.0.${101 + i}`, tls })))
  syncer = await startSyncer({
    config: { gateway: gatewaySection([...gateway.replicas, ...odd], tls, { deadlineMs: DEADLINE_MS }) },
    files: caFile(tls),
  })
})
afterAll(async () => {
  await syncer.stop()
  await gateway.stop()
  await Promise.all(odd.map((replica) => replica.stop()))
})
beforeEach(async () => {
  await Promise.all(odd.map((replica) => replica.set(TRUTH)))
  await expect.poll(isWell, { timeout: 5_000 }).toBe('Synced')
})
afterEach(() => {
  expect(syncer.exit).toBeUndefined()
  expect(syncer.log()).not.toMatch(/"level":(50|60)|unhandled|uncaught/i)
})

/** Everything is asked of a token that is everywhere. */
async function isWell(): Promise<string | undefined> {
  const token = await spread('well')
  return (await syncer.check(token, 'gw-0')).verdict
}

/** A new token that every replica has, but those of our own that are named. */
async function spread(what: string, ...but: string[]): Promise<string> {
  const token = newToken(what)
  await gateway.plant(
    token,
    gateway.replicas.map(({ name }) => name),
  )
  for (const replica of odd) if (!but.includes(replica.name)) replica.tokens.add(token)
  return token
}

function expectOnTime({ tookMs }: Verdict): void {
  expect(tookMs).toBeGreaterThanOrEqual(DEADLINE_MS - 5)
  expect(tookMs).toBeLessThanOrEqual(DEADLINE_MS + GRACE_MS)
}

const said = ({ result }: Verdict, name: string) => result.replicas.find((replica) => replica.name === name)

describe('one replica among nine', () => {
  it.each(BLINDING)('that $name is never counted: Timeout, on time', async ({ fault, reasons }) => {
    await first().set(fault)
    const tokens = await Promise.all([
      spread('known'),
      spread('known'),
      spread('lacking', 'odd-0'),
      newToken('nowhere'),
    ])
    for (const verdict of await Promise.all(tokens.map((token) => syncer.check(token, 'gw-0')))) {
      expect(verdict).toMatchObject({ status: 200, verdict: 'Timeout' })
      expectOnTime(verdict)
      expect(said(verdict, 'odd-0')).toMatchObject({ state: 'unknown', reason: expect.toBeOneOf([...reasons]) })
      expect(verdict.result.replicas.filter(({ state }) => state === 'unknown')).toHaveLength(1)
    }
    const gone = await syncer.check(newToken('nowhere'), 'gw-0', { expect: 'absent' })
    expect(gone.verdict).toBe('Timeout')
    expectOnTime(gone)
    expect(first().seen.followed).toBe(0)
  })

  it.each(TRUTHFUL)('that $name is understood', async ({ fault }) => {
    await first().set(fault)
    const [known, lacking] = [await spread('known'), await spread('lacking', 'odd-0')]
    const [synced, partly] = await Promise.all([known, lacking].map((token) => syncer.check(token, 'gw-0')))
    expect(synced).toMatchObject({ verdict: 'Synced' })
    expect(partly).toMatchObject({ verdict: 'Partialy' })
    if (partly === undefined) throw new Error('two checks were made')
    expectOnTime(partly)
    expect(said(partly, 'odd-0')).toMatchObject({ state: 'absent' })
  })

  it.each([
    { what: 'refuses at first', fault: { kind: 'refuse' } },
    { what: 'resets at first', fault: { kind: 'reset', at: 'request' } },
    { what: 'answers 503 at first', fault: { kind: 'answer', status: 503 } },
    { what: 'answers 429 at first', fault: { kind: 'answer', status: 429, headers: { 'retry-after': '1' } } },
    { what: 'writes garbage at first', fault: { kind: 'garbage', at: 'request' } },
    { what: 'is silent at first', fault: { kind: 'silent', at: 'request' } },
  ] satisfies { what: string; fault: Fault }[])('that $what and recovers in time is Synced', async ({ fault }) => {
    const token = await spread('recovers')
    await first().set(fault)
    const verdict = syncer.check(token, 'gw-0')
    await sleep(120)
    await first().set(TRUTH)
    expect(await verdict).toMatchObject({ verdict: 'Synced' })
  })

  it.each(['otherAuthority', 'otherName', 'expired'] as const)(
    'with a certificate of flaw %s never gets a token',
    async (flaw) => {
      await first().set({ kind: 'certificate', flaw })
      const before = first().seen.requests
      await syncer.check(await spread('secret'), 'gw-0')
      expect(first().seen.requests).toBe(before)
      expect(first().seen.connections).toBeGreaterThan(0)
    },
  )

  it('that loses its connections again and again still answers in the end', async () => {
    const token = await spread('cut', 'odd-0')
    const verdict = syncer.check(token, 'gw-0')
    for (let i = 0; i < 6; i++) {
      await sleep(40)
      first().dropConnections()
    }
    first().tokens.add(token)
    expect(await verdict).toMatchObject({ verdict: 'Synced' })
  })

  it('that answers later than the deadline is unknown, and its late answer falsifies nothing', async () => {
    const [late, lacking] = [await spread('late'), await spread('lacking', 'odd-0')]
    await first().set({ kind: 'answer', delayMs: DEADLINE_MS + 100 })
    const verdict = await syncer.check(late, 'gw-0')
    expect(verdict.verdict).toBe('Timeout')
    expectOnTime(verdict)
    await first().set(TRUTH)
    await expect.poll(async () => (await syncer.check(lacking, 'gw-0')).verdict, { timeout: 5_000 }).toBe('Partialy')
  })
})

describe('several replicas at once', () => {
  const pick = (i: number) => BLINDING[i % BLINDING.length] ?? { name: '', fault: TRUTH }

  it('in any mixture of faults give Timeout on time', async () => {
    for (let i = 0; i < BLINDING.length; i++) {
      const faults = [pick(i), pick(i * 7 + 3), pick(i * 11 + 5)]
      await Promise.all(odd.map((replica, at) => replica.set(faults[at]?.fault ?? TRUTH)))
      const known = await spread('mixed')
      const verdicts = await Promise.all([known, newToken('nowhere')].map((token) => syncer.check(token, 'gw-0')))
      for (const verdict of verdicts) {
        expect(verdict.verdict, faults.map(({ name }) => name).join(', ')).toBe('Timeout')
        expectOnTime(verdict)
        const unknown = verdict.result.replicas.filter(({ state }) => state === 'unknown').map(({ name }) => name)
        expect(unknown).toEqual(ODD)
      }
    }
  })

  it('blinded, frozen and lacking the token are told apart', async () => {
    const token = await spread('apart', 'odd-2')
    await first().set({ kind: 'answer', status: 500 })
    await second().set({ kind: 'answer', delayMs: 60 })
    gateway.freeze('gw-3')
    try {
      const verdict = await syncer.check(token, 'gw-0')
      expect(verdict.verdict).toBe('Timeout')
      expectOnTime(verdict)
      expect(Object.fromEntries(verdict.result.replicas.map(({ name, state }) => [name, state]))).toEqual({
        'gw-1': 'present',
        'gw-2': 'present',
        'gw-3': 'unknown',
        'gw-4': 'present',
        'gw-5': 'present',
        'odd-0': 'unknown',
        'odd-1': 'present',
        'odd-2': 'absent',
      })
    } finally {
      gateway.thaw('gw-3')
    }
    expect(third().seen.requests).toBeGreaterThan(0)
  })

  it('that change their faults all the time never make a wrong answer', async () => {
    let isOver = false
    const lacking = 'odd-1' // tells the truth whenever it tells anything, and never has the tokens of this test
    const churn = Promise.all(
      odd.map(async (replica, at) => {
        for (let i = at; !isOver; i++) {
          await replica.set(i % 2 === 0 ? TRUTH : pick(i * 5 + at).fault)
          await sleep(30 + ((i * 17) % 60))
        }
      }),
    )
    try {
      for (let round = 0; round < 6; round++) {
        const tokens = await Promise.all(Array.from({ length: 20 }, () => spread('churn', lacking)))
        const verdicts = await Promise.all(tokens.map((token) => syncer.check(token, 'gw-0')))
        for (const verdict of verdicts) {
          expect(verdict.verdict).toBeOneOf(['Partialy', 'Timeout'])
          expect(said(verdict, lacking)?.state).not.toBe('present')
          expectOnTime(verdict)
        }
      }
    } finally {
      isOver = true
      await churn
    }
  })
})
