// A Waiter cluster under benchmark, in a process of its own: `node waiter-process.ts NAME LATENCY_MS`, told over IPC what it holds.
import { parseJson } from '../../src/tokens/json.ts'
import { startFakeWaiter } from '../../test/fakes/waiter.ts'

/** What the cluster is told: to hold `total` tokens; the first `changed` of them are newer here when it is `ahead`. */
export interface Holdings {
  readonly total: number
  readonly changed: number
  readonly ahead: boolean
}

export type FromWaiter = { readonly url: string } | { readonly requests: number }

const [, , name = 'cluster', latencyMs = '5'] = process.argv
const cluster = await startFakeWaiter({ name, latencyMs: Number(latencyMs), log: false })
let before = 0

process.on('message', (holdings: Holdings) => {
  for (const token of cluster.dump().keys()) cluster.store.put(token, undefined)
  for (let n = 0; n < holdings.total; n++) {
    const isNewer = holdings.ahead && n < holdings.changed
    cluster.put(`token-${String(n).padStart(6, '0')}`, describeToken(n, isNewer))
  }
  before = countRequests()
  process.send?.({ requests: 0 } satisfies FromWaiter)
})
process.on('SIGUSR2', () => process.send?.({ requests: countRequests() - before } satisfies FromWaiter))
process.on('disconnect', () => process.exit())
process.send?.({ url: cluster.url } satisfies FromWaiter)

function countRequests(): number {
  return Object.values(cluster.requests).reduce((sum, count) => sum + count, 0)
}

function describeToken(n: number, isNewer: boolean) {
  const old = `{"cmd":"run-${n}","cmd-type":"shell","cpus":1.0,"env":{"REGION":"eu","TIER":"${n % 7}"},"idle-timeout-mins":30,"mem":512,"metadata":{"team":"t${n % 50}"},"name":"service-${n}","permitted-user":"*","run-as-user":"svc","version":"v1","owner":"alice","cluster":"c0","root":"c0","last-update-user":"alice","last-update-time":1700000000000`
  const text = isNewer
    ? `${old.replace('"v1"', '"v2"').replace('1700000000000', '1700000500000')},"previous":${old}}}`
    : `${old}}`
  const data = parseJson(text)
  if (!(data instanceof Map)) throw new TypeError('a description is an object')
  return data
}
