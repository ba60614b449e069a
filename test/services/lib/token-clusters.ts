// Waiter clusters for processes that sync their tokens. Each is on an address of its own, so that their order is always the same, and
// all go by one clock that stands still, so that the same history always ends in the same bytes.
import { type Clock, systemClock } from '../../../src/lib/clock.ts'
import { writeSortedJson } from '../../../src/tokens/json.ts'
import { readUndoFile } from '../../../src/tokens/undo.ts'
import { type FakeWaiter, type FakeWaiterOptions, startFakeWaiter } from '../../fakes/waiter.ts'

/** Parameters of a token that are not as usual. */
export type TokenChange = Readonly<Record<string, string | number | boolean>>

export interface TokenClusters extends AsyncDisposable {
  /** By address; they are called c0 and on. */
  readonly all: readonly FakeWaiter[]
  readonly urls: readonly string[]
  /** A token that is the same everywhere, or on some clusters. */
  share(token: string, change?: TokenChange, ...on: readonly number[]): void
  /** Somebody changes the command of a token on one cluster, or makes the token there; each time a second later. */
  edit(cluster: number, token: string, cmd: string, user?: string): void
  /** Somebody deletes it softly on one cluster. */
  remove(cluster: number, token: string, user?: string): void
  /** All that the clusters hold, as text that can be compared: `token: here | there | elsewhere`. */
  state(): readonly string[]
  /** The same with nothing but the commands, by token: `token: first deleted -`. */
  shown(): readonly string[]
  /** What was overwritten or deleted since the last call: `cluster token description`. */
  takeOverwritten(): readonly string[]
}

const STARTED_MS = 1_700_000_000_000

/** Starts so many, empty; `optionsOf` says how each is. */
export async function startTokenClusters(
  count: number,
  optionsOf: (name: string) => FakeWaiterOptions = () => ({}),
): Promise<TokenClusters> {
  await using starting = new AsyncDisposableStack()
  let wallMs = STARTED_MS
  const clock: Clock = { ...systemClock, wallNow: () => wallMs }
  const all: FakeWaiter[] = []
  for (let n = 0; n < count; n++) {
    const name = `c${n}`
    const address = `127.0.0.${n + 1}`
    all.push(starting.use(await startFakeWaiter({ ...optionsOf(name), clock, name, address })))
  }
  const at = (n: number) => all[n] ?? fail(`there is no cluster ${n}`)
  const overwritten: string[] = []
  for (const cluster of all) noteOverwritten(cluster, overwritten)
  const later = () => {
    wallMs += 1_000
  }
  const tell = (show: (cluster: FakeWaiter, token: string) => string, between: string) => {
    const names = [...new Set(all.flatMap((cluster) => [...cluster.dump().keys()]))].sort()
    return names.map((name) => `${name}: ${all.map((one) => show(one, name)).join(between)}`)
  }
  const running = starting.move()
  return {
    all,
    urls: all.map(({ url }) => url),
    share: (token, change = {}, ...on) => {
      later()
      const data = { ...NEW_TOKEN, 'last-update-time': wallMs, ...change }
      for (const cluster of on.length > 0 ? on.map(at) : all) cluster.put(token, data)
    },
    edit: (n, token, cmd, user = 'ann') => {
      later()
      at(n).edit(token, { ...USER_PARAMETERS, cmd }, user)
    },
    remove: (n, token, user = 'ann') => {
      later()
      at(n).softDelete(token, user)
    },
    state: () => tell(textOf, ' | '),
    shown: () => tell(commandOf, ' '),
    takeOverwritten: () => overwritten.splice(0),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** The entries of an undo file in the form of `takeOverwritten`. */
export function tellUndoFile(text: string): readonly string[] {
  return readUndoFile(text).map(({ cluster, token, description }) =>
    tellEntry(cluster, token, writeSortedJson(description)),
  )
}

const USER_PARAMETERS = { cpus: 1, mem: 128, version: 'v', 'run-as-user': 'svc', owner: 'ann' }

const NEW_TOKEN = {
  ...USER_PARAMETERS,
  cmd: 'first',
  cluster: 'c0',
  root: 'c0',
  'last-update-user': 'ann',
  previous: {},
}

function noteOverwritten(cluster: FakeWaiter, overwritten: string[]): void {
  const known = new Map<string, string>()
  cluster.store.watch((token) => {
    const before = known.get(token)
    if (before !== undefined) overwritten.push(tellEntry(cluster.url, token, before))
    known.set(token, textOf(cluster, token))
    if (cluster.get(token) === undefined) known.delete(token)
  })
}

const tellEntry = (cluster: string, token: string, description: string) => `${cluster} ${token} ${description}`

function textOf(cluster: FakeWaiter, token: string): string {
  const description = cluster.get(token)
  return description === undefined ? '-' : writeSortedJson(description)
}

function commandOf(cluster: FakeWaiter, token: string): string {
  const description = cluster.get(token)
  if (description === undefined) return '-'
  return description.get('deleted') === true ? 'deleted' : String(description.get('cmd'))
}

function fail(message: string): never {
  throw new RangeError(message)
}
