// The playground's two Waiter clusters, with a dozen tokens that differ in the ways in which tokens come to differ.
import type { Clock } from '../lib/clock.ts'
import type { JsonObject } from '../tokens/json.ts'
import { type SomeData, startWaiterCluster, type WaiterPlayground } from './waiter/cluster.ts'

export const OPT_OUT_METADATA_NAME = 'keep-local'
const EAST_PORT = 9091
const WEST_PORT = 9093
const MINUTE_MS = 60_000

export interface TokenClusters extends AsyncDisposable {
  readonly east: WaiterPlayground
  readonly west: WaiterPlayground
}

/** Starts both; nothing is left open when one of them cannot start. With `anyPorts` on free ports, else on the usual ones while they are free. */
export async function startTokenClusters(options: {
  readonly clock: Clock
  readonly anyPorts: boolean
}): Promise<TokenClusters> {
  const { clock, anyPorts } = options
  await using starting = new AsyncDisposableStack()
  const start = async (name: string, port: number) =>
    starting.use(await startWaiterCluster({ clock, name, port: anyPorts ? 0 : port }))
  const east = await start('east', EAST_PORT)
  const west = await start('west', WEST_PORT)
  fillClusters(east, west, clock.wallNow())
  const running = starting.move()
  return { east, west, [Symbol.asyncDispose]: () => running.disposeAsync() }
}

type Data = Exclude<SomeData, JsonObject>

/** `nowMs`: wall clock; all tokens are older. */
function fillClusters(east: WaiterPlayground, west: WaiterPlayground, nowMs: number): void {
  const at = (minutesAgo: number, user: string, change: Data = {}, previous: Data = {}): Data => ({
    cmd: 'run-it',
    'cmd-type': 'shell',
    cpus: 1,
    mem: 512,
    'run-as-user': 'services',
    version: '1',
    owner: 'alice',
    root: 'east',
    cluster: 'east',
    ...change,
    'last-update-time': Math.floor(nowMs - minutesAgo * MINUTE_MS),
    'last-update-user': user,
    previous,
  })
  const both = (token: string, data: Data): void => {
    east.put(token, data)
    west.put(token, data)
  }

  // In step: the lists alone show it.
  both('billing', at(900, 'alice', { name: 'billing' }))
  both('mail', at(800, 'bob', { name: 'mail', mem: 1024 }))
  both('search', at(700, 'alice', { name: 'search', env: { REGION: 'eu' } }))

  // Known to one cluster only.
  east.put('reports', at(60, 'alice', { name: 'reports' }))
  west.put('invoices', at(50, 'bob', { name: 'invoices', root: 'west', cluster: 'west' }))

  // Edited on one cluster: its version knows of the other's.
  const checkout = at(600, 'alice', { name: 'checkout' })
  east.put('checkout', at(40, 'alice', { name: 'checkout', version: '2', mem: 2048 }, checkout))
  west.put('checkout', checkout)
  const catalog = at(500, 'alice', { name: 'catalog' })
  east.put('catalog', catalog)
  west.put('catalog', at(30, 'bob', { name: 'catalog', version: '2', env: { CACHE: 'on' } }, catalog))

  // Edited on both, neither knowing of the other: the newest wins, unless the configuration says otherwise.
  const pricing = at(400, 'alice', { name: 'pricing' })
  east.put('pricing', at(25, 'alice', { name: 'pricing', version: '2' }, pricing))
  west.put('pricing', at(20, 'alice', { name: 'pricing', version: '3', cpus: 2 }, pricing))

  // Deleted on one cluster: first it is marked as deleted on the other, and a later sync removes it from both.
  const oldExport = at(300, 'alice', { name: 'old-export' })
  east.put('old-export', at(15, 'alice', { name: 'old-export', deleted: true }, oldExport))
  west.put('old-export', oldExport)
  // Deleted on both.
  both('old-batch', at(10, 'bob', { name: 'old-batch', deleted: true }, at(200, 'bob', { name: 'old-batch' })))

  // The same but for who touched it last.
  east.put('status-page', at(100, 'alice', { name: 'status-page' }))
  west.put('status-page', at(90, 'bob', { name: 'status-page' }))

  // Kept out of the sync by its metadata.
  const local = { name: 'debug-shell', metadata: { [OPT_OUT_METADATA_NAME]: 'true' } }
  east.put('debug-shell', at(80, 'alice', local))
  west.put('debug-shell', at(70, 'bob', { ...local, mem: 128 }))
}
