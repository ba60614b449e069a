import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type NginxGateway, startGateway } from './lib/nginx-gateway.ts'
import { createReplicaClient, type ReplicaClient } from './lib/replica-client.ts'

const TICK_MS = 300

describe.each(['files', 'lua'] as const)(
  'a gateway of real nginx replicas whose tokens travel by %s',
  (propagation) => {
    let gateway: NginxGateway
    let client: ReplicaClient

    beforeAll(async () => {
      gateway = await startGateway({ replicas: 3, tickMs: TICK_MS, propagation, accessLog: true })
      client = createReplicaClient(gateway.tls)
    })
    afterAll(async () => {
      client.close()
      await gateway.stop()
    })

    const ask = (token: string) =>
      Promise.all(
        gateway.replicas.map(async (replica) => {
          const { status } = await client.send('GET', replica, gateway.path, { cookie: `auth_token=${token}` })
          return status
        }),
      )

    it('answers 401 to a token that nobody stored, also to one that is no file name', async () => {
      expect(await ask('nowhere')).toEqual([401, 401, 401])
      expect(await ask('../nginx.conf')).toEqual([401, 401, 401])
      expect(await ask('')).toEqual([401, 401, 401])
    })

    it('has a token at its origin first, and everywhere at the moment that it tells', async () => {
      const login = await gateway.login('first', 'gw-1')
      expect((await ask('first'))[1]).toBe(200)
      const at = await login.everywhere
      expect(at - login.startedAt).toBeLessThan(TICK_MS * 2)
      expect(performance.now()).toBeGreaterThanOrEqual(at - 2)
      expect(await ask('first')).toEqual([200, 200, 200])
    })

    it('takes the token from the bearer too', async () => {
      await gateway.plant('borne', ['gw-2'])
      const [first, , third] = gateway.replicas
      if (first === undefined || third === undefined) throw new Error('three replicas were started')
      expect(await client.send('GET', third, gateway.path, { authorization: 'Bearer borne' })).toMatchObject({
        status: 200,
      })
      expect(await client.send('GET', first, gateway.path, { authorization: 'Bearer borne' })).toMatchObject({
        status: 401,
      })
    })

    it('forgets a token everywhere after a logout', async () => {
      await (await gateway.login('leaving')).everywhere
      const logout = await gateway.logout('leaving', 'gw-0')
      expect((await ask('leaving'))[0]).toBe(401)
      await logout.everywhere
      expect(await ask('leaving')).toEqual([401, 401, 401])
    })

    it('lets one replica lag, or hear nothing', async () => {
      gateway.setLag('gw-2', 'never')
      const login = await gateway.login('held-back')
      await sleep(TICK_MS * 2)
      expect(await ask('held-back')).toEqual([200, 200, 401])
      gateway.setLag('gw-2', 200)
      const late = await gateway.login('late')
      await late.everywhere
      expect(await ask('late')).toEqual([200, 200, 200])
      expect(login.token).toBe('held-back')
      gateway.setLag('gw-2', 0)
    })

    it('gives a replica that joins every token, and counts the probes of each', async () => {
      await gateway.plant('early', ['gw-0', 'gw-1', 'gw-2'])
      const added = await gateway.add()
      expect(await ask('early')).toEqual([200, 200, 200, 200])
      await expect.poll(() => gateway.probes(added.name)).toBe(1) // nginx logs after it has answered
      await gateway.remove(added.name)
      expect(gateway.replicas).toHaveLength(3)
    })

    it('freezes a replica with its worker, and thaws it', async () => {
      const [first] = gateway.replicas
      if (first === undefined) throw new Error('three replicas were started')
      gateway.freeze(first.name)
      const answer = client.send('GET', first, gateway.path, { cookie: 'auth_token=nowhere' })
      expect(await Promise.race([answer, sleep(200, 'silent')])).toBe('silent')
      gateway.thaw(first.name)
      expect(await answer).toMatchObject({ status: 401 })
    })

    it('closes the port of a replica that is killed until it is started again', async () => {
      const [, second] = gateway.replicas
      if (second === undefined) throw new Error('three replicas were started')
      await gateway.kill(second.name)
      await expect(client.send('GET', second, gateway.path)).rejects.toThrow(/ECONNREFUSED|ECONNRESET|socket hang up/)
      await gateway.restart(second.name)
      expect(await client.send('GET', second, gateway.path)).toMatchObject({ status: 401 })
    })
  },
)
