// A cluster with some tokens, and a client of it, for the tests of the tools.
import { systemClock } from '../../../src/lib/clock.ts'
import { createWaiterCluster, type WaiterClient } from '../../../src/tokens/waiter.ts'
import { type FakeWaiter, type FakeWaiterOptions, startFakeWaiter } from '../../fakes/waiter.ts'

export const never = new AbortController().signal

export interface Scene extends AsyncDisposable {
  readonly fake: FakeWaiter
  readonly cluster: WaiterClient
}

/** An empty cluster. */
export async function openScene(options: FakeWaiterOptions = {}): Promise<Scene> {
  const fake = await startFakeWaiter(options)
  const cluster = createWaiterCluster({ url: fake.url, clock: systemClock })
  return {
    fake,
    cluster,
    [Symbol.asyncDispose]: async () => {
      await cluster[Symbol.asyncDispose]()
      await fake[Symbol.asyncDispose]()
    },
  }
}

/** Data of a token as it is kept. */
export const token = (updatedMs: number, more: Readonly<Record<string, string | number | boolean>> = {}) => ({
  cmd: 'run',
  owner: 'alice',
  cluster: 'c1',
  root: 'c1',
  'last-update-user': 'alice',
  'last-update-time': updatedMs,
  ...more,
})
