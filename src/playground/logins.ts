// People who log in at the playground's gateway, and what the service says of their tokens: one at its start, which is told of, and then
// one every few seconds, so that there is something to see.
import { Agent, request } from 'undici'
import { type Clock, delay } from '../lib/clock.ts'
import type { CheckResult } from '../synced/contract.ts'
import type { Playground } from './playground.ts'

/** Longest that a login and its check may take, in milliseconds. */
const DEADLINE_MS = 10_000
/** Longest time from one login to the next, in milliseconds. */
const PAUSE_MS = 4_000

/** Logs in at a replica, by its place, and asks right after it. Throws when there is no verdict. */
export async function logInAndCheck(
  { url, gateway, ca, serverName }: Playground,
  place: number,
  stopping: AbortSignal,
): Promise<CheckResult> {
  const origin = gateway.replicas[place]
  if (origin === undefined) throw new RangeError(`the playground has no replica ${place}`)
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(DEADLINE_MS)])
  const dispatcher = new Agent({ connect: { ca, servername: serverName } })
  try {
    const address = `https://${origin.address}:${origin.port}/login`
    const login = await request(address, { method: 'POST', dispatcher, signal })
    const { token } = (await login.body.json()) as { readonly token: string }
    const headers = { 'x-auth-token': token, 'x-nginx-origin': origin.name }
    const check = await request(`${url}/v1/synced`, { headers, dispatcher, signal })
    const body = await check.body.json()
    if (check.statusCode !== 200) throw new Error(`the check was answered ${check.statusCode}: ${JSON.stringify(body)}`)
    return body as CheckResult
  } finally {
    await dispatcher.destroy()
  }
}

/** Logs in here and there until `signal` aborts. `random` gives [0, 1). */
export async function keepLoggingIn(
  playground: Playground,
  { clock, random, signal }: { readonly clock: Clock; readonly random: () => number; readonly signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    const place = Math.floor(random() * playground.gateway.replicas.length)
    // A login that comes to nothing is nobody's: whoever plays may have cut the replica off.
    await logInAndCheck(playground, place, signal).catch(() => undefined)
    await delay(clock, random() * PAUSE_MS, signal).catch(() => undefined)
  }
}
