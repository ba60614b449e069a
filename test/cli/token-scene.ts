// Clusters for the commands of tokens: fakes with a few tokens, and a folder for the files that a command leaves.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from '../../src/cli/program.ts'
import type { SomeData } from '../../src/playground/waiter/cluster.ts'
import { type FakeWaiter, startFakeWaiter } from '../fakes/waiter.ts'
import { createFakeIo, type FakeIo, type FakeIoOptions } from './fake-io.ts'

export interface TokenScene extends AsyncDisposable {
  readonly cwd: string
  /** Sorted by address. */
  readonly clusters: readonly [FakeWaiter, FakeWaiter]
  readonly urls: readonly [string, string]
  /** Runs `syncer tokens …` in the folder. */
  run(argv: readonly string[], options?: FakeIoOptions): Promise<{ code: number; out: string; err: string }>
  /** The same under way, with what it may touch. */
  start(argv: readonly string[], options?: FakeIoOptions): { readonly io: FakeIo; readonly code: Promise<number> }
}

export async function createTokenScene(): Promise<TokenScene> {
  await using stack = new AsyncDisposableStack()
  const cwd = await mkdtemp(join(tmpdir(), 'syncer-tokens-'))
  stack.defer(() => rm(cwd, { recursive: true, force: true }))
  const one = stack.use(await startFakeWaiter({ name: 'one' }))
  const two = stack.use(await startFakeWaiter({ name: 'two' }))
  const clusters = one.url < two.url ? ([one, two] as const) : ([two, one] as const)
  const start = (argv: readonly string[], options: FakeIoOptions = {}) => {
    const io = createFakeIo({ cwd, ...options })
    return { io, code: runCli(['tokens', ...argv], io) }
  }
  const kept = stack.move()
  return {
    cwd,
    clusters,
    urls: [clusters[0].url, clusters[1].url],
    start,
    run: async (argv, options) => {
      const { io, code } = start(argv, options)
      return { code: await code, ...io.written }
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

/** A token's data, last changed at `seconds` past a moment long ago. */
export function aToken(seconds: number, change: Exclude<SomeData, ReadonlyMap<string, unknown>> = {}): SomeData {
  return {
    cmd: 'run',
    cpus: 1,
    mem: 128,
    owner: 'alice',
    root: 'one',
    cluster: 'one',
    ...change,
    'last-update-time': 1_700_000_000_000 + seconds * 1_000,
    'last-update-user': 'alice',
    previous: {},
  }
}
