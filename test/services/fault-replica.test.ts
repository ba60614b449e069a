import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'node:tls'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type FaultReplica, startFaultReplica, TRUTH } from './lib/fault-replica.ts'
import { BLINDING, TRUTHFUL } from './lib/faults.ts'
import { createReplicaClient } from './lib/replica-client.ts'
import { createTestTls, GATEWAY_NAME, type TestTls } from './lib/test-tls.ts'

const PATIENCE_MS = 5_000
const SILENCE_MS = 300

describe('a replica that misbehaves on demand', () => {
  let tls: TestTls
  let replica: FaultReplica

  beforeAll(async () => {
    tls = await createTestTls()
    replica = await startFaultReplica({ name: 'odd', tls })
    replica.tokens.add('known')
  })
  beforeEach(() => replica.set(TRUTH))
  afterAll(() => replica.stop())

  const ask = (token: string, patienceMs = PATIENCE_MS): Promise<string> => {
    const client = createReplicaClient(tls) // a new connection each time: what is seen is this fault's doing
    return Promise.race([
      client.send('GET', replica, '/_synced', { cookie: `auth_token=${token}` }).then(
        ({ status }) => String(status),
        (error: NodeJS.ErrnoException) => error.code ?? error.message,
      ),
      sleep(patienceMs, 'silence'),
    ]).finally(() => client.close())
  }

  it.each(TRUTHFUL)('$name, and tells the truth', async ({ fault }) => {
    await replica.set(fault)
    expect([await ask('known'), await ask('nowhere')]).toEqual(['200', '401'])
  })

  it.each(BLINDING)('$name, and nothing is learnt from it', async ({ fault, reasons }) => {
    await replica.set(fault)
    const answer = await ask('known', reasons[0] === 'silent' ? SILENCE_MS : PATIENCE_MS)
    expect(answer).not.toMatch(/^(200|401)$/)
    if (reasons[0] === 'silent') expect(answer).toBe('silence')
    if (reasons[0] === 'refused') expect(answer).toBe('ECONNREFUSED')
    if (reasons[0] === 'tls') expect(answer).toMatch(/CERT|UNABLE_TO_VERIFY|ALTNAME/)
    await replica.set(TRUTH)
    expect(await ask('known')).toBe('200')
  })

  it('answers requests that come in one packet in their order', async () => {
    const socket = connect({ host: replica.address, port: replica.port, ca: tls.ca, servername: GATEWAY_NAME })
    const probe = (token: string) => `GET /_synced HTTP/1.1\r\nHost: gw.test\r\nCookie: auth_token=${token}\r\n\r\n`
    socket.write(['known', 'nowhere', 'known'].map(probe).join(''))
    let text = ''
    for await (const chunk of socket) {
      text += String(chunk)
      if (text.split('HTTP/1.1').length === 4) break
    }
    expect(text.match(/(?<=HTTP\/1.1 )\d+/g)).toEqual(['200', '401', '200'])
  })
})
