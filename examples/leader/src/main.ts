// Two processes of a shop, here in one: whoever leads sends the mails, and both count under a lock. In a cluster (KUBE_NAMESPACE is set) the
// Leases are those of Kubernetes; elsewhere memory stands in, and one of the two steps down after a while to show how the other takes over.
import {
  configFromEnv,
  createKubernetesDriver,
  createMemoryDriver,
  type Driver,
  Dsync,
  type TermHandle,
} from 'syncer/dsync'

const { namespace } = configFromEnv()
const driver: Driver =
  process.env['KUBE_NAMESPACE'] === undefined
    ? createMemoryDriver()
    : await createKubernetesDriver(namespace === undefined ? {} : { namespace })

let sent = 0
const enough = Promise.withResolvers<void>()

async function sendMails(who: string, signal: AbortSignal, term: TermHandle): Promise<void> {
  while (!signal.aborted) {
    term.check() // right before what must not be done twice
    console.log(`${who} sends mail ${++sent}, token ${term.token}`)
    if (sent >= 4) enough.resolve()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const shops = ['shop-a', 'shop-b'].map((name) => {
  const dsync = new Dsync(driver, name, { scope: 'example' })
  const election = dsync.election('mails')
  election.whenElected((signal, term) => sendMails(name, signal, term))
  return { name, dsync, election }
})

let counted = 0
await Promise.all(
  shops.map(({ dsync }) =>
    dsync.lock('count').withLock(async (_signal, held) => {
      const before = counted
      await new Promise((resolve) => setTimeout(resolve, 20))
      held.check()
      counted = before + 1
    }),
  ),
)
console.log(`counted ${counted}`)

const handOver = setTimeout(() => shops.find(({ election }) => election.isLeader)?.election.stepDown(), 100)
await enough.promise
clearTimeout(handOver)
for (const { election } of shops) await election.stop({ graceMs: 1_000 })
