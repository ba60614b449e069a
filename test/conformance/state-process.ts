// A process of its own that has a store and is alive in it, until it is killed. Its settings come as JSON in its argument.
import { setTimeout as sleep } from 'node:timers/promises'
import { openState } from '../../src/state/open.ts'
import type { PostgresTls } from '../../src/state/postgres-address.ts'

/** What a store is opened with, as JSON can say it. */
export type PlainStateOptions =
  | { readonly kind: 'sqlite'; readonly path: string }
  | { readonly kind: 'postgres'; readonly url: string; readonly tls?: PostgresTls; readonly maxConnections: number }

export interface ProcessSettings {
  readonly state: PlainStateOptions
  readonly deadAfterMs: number
  /** Of the run that it makes. */
  readonly runId: string
  readonly resource: string
  /** Puts one item after the other, and says each that is stored. */
  readonly puts: boolean
}

const settings: ProcessSettings = JSON.parse(process.argv[2] ?? '{}')
const { state, deadAfterMs, runId, resource, puts } = settings
const say = (word: string) => process.stdout.write(`${word}\n`)

const store = await openState(state.kind === 'sqlite' ? state : { ...state, url: () => state.url })
const owner = await store.openOwner(deadAfterMs)
await store.createRun({
  id: runId,
  kind: 'tokens',
  trigger: 'cli',
  resources: [resource],
  request: '{}',
  dryRun: false,
  owner: owner.id,
  takesUp: null,
  createdAt: Date.now(),
})
say(owner.id)
setInterval(() => void owner.beat(), deadAfterMs / 4)
for (let n = 0; puts; n++) {
  await store.putItems(runId, [{ key: `item-${n}`, status: 'updated', body: `{"n":${n}}` }])
  say(String(n))
  await sleep(1)
}
