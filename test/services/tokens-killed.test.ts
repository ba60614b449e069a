// `kill -9` of `syncer tokens sync` at every request that it makes: the runs after it come to the same end as if nothing had been, and
// what it has overwritten until then is in its undo file.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/program.ts'
import { createFakeIo } from '../cli/fake-io.ts'
import { type RunningSyncer, runSyncer } from '../cli/running-syncer.ts'
import type { AskedRequest, RequestKind, WaiterFault } from '../fakes/waiter.ts'
import { eventually } from '../lib/eventually.ts'
import { createRunFolder } from './lib/run-folder.ts'
import { startTokenClusters, type TokenClusters, tellUndoFile } from './lib/token-clusters.ts'

/** Runs that are killed, or made after that, at a time. */
const LANES = 4
const PATIENCE_MS = 30_000

/** Where a run is killed: at the n-th request of these kinds, from 1. */
interface Death {
  readonly n: number
  readonly kinds: readonly RequestKind[]
  /** Whether the cluster carries that request out. */
  readonly carriedOut: boolean
}

/** What came of some runs, one after the other, over the same work. */
interface Outcome {
  readonly exits: readonly (number | NodeJS.Signals | null)[]
  readonly state: readonly string[]
  readonly shown: readonly string[]
  /** As `state`, already after the second run. What was deleted softly may take one more, for it is deleted for good by another run. */
  readonly early: readonly string[]
  /** What was overwritten by a run and is not in its undo file. */
  readonly lost: readonly string[]
  /** Kinds of the requests of the first run. */
  readonly requests: readonly RequestKind[]
}

/** Everything that can happen to a token. */
async function startWork(): Promise<TokenClusters> {
  const clusters = await startTokenClusters(3)
  for (const token of ['disputed', 'edited', 'kept', 'removed']) clusters.share(token)
  clusters.share('gone', { deleted: true })
  clusters.share('foreign')
  clusters.share('foreign', { cmd: 'theirs', root: 'c1', 'last-update-user': 'zoe' }, 1)
  clusters.edit(0, 'edited', 'second')
  clusters.edit(0, 'disputed', 'mine', 'bob')
  clusters.edit(1, 'disputed', 'yours', 'eve')
  clusters.edit(2, 'new', 'new')
  clusters.remove(1, 'removed')
  clusters.takeOverwritten()
  return clusters
}

/** Three runs as a user would make them. The first one is a process, and dies where it is told to; a new process needs no more of those. */
async function runThrice(death?: Death): Promise<Outcome> {
  await using clusters = await startWork()
  const folder = createRunFolder('tokens-killed')
  try {
    const exits: Outcome['exits'][number][] = []
    const lost: string[] = []
    let requests: readonly RequestKind[] = []
    let early: readonly string[] = []
    for (const name of ['first', 'second', 'third']) {
      const files = ['--undo-file', `${name}.jsonl`, '--memory-file', 'memory.json']
      const argv = ['tokens', 'sync', ...clusters.urls, ...files]
      if (name === 'first') {
        exits.push(await runAndDie(argv, folder.path, clusters, death))
        requests = clusters.all.flatMap(({ seen }) => seen.map(({ kind }) => kind))
      } else exits.push(await runCli(argv, createFakeIo({ cwd: folder.path })))
      if (name === 'second') early = clusters.state().filter((line) => !line.startsWith('removed: '))
      const kept = new Set(readUndo(join(folder.path, `${name}.jsonl`)))
      lost.push(...clusters.takeOverwritten().filter((one) => !kept.has(one)))
    }
    return { exits, state: clusters.state(), early, shown: clusters.shown(), lost, requests }
  } finally {
    folder.remove()
  }
}

async function runAndDie(argv: readonly string[], cwd: string, clusters: TokenClusters, death: Death | undefined) {
  const run = runSyncer(argv, { cwd })
  const fault = death === undefined ? () => undefined : killAt(death, run)
  for (const cluster of clusters.all) cluster.fault = fault
  const { code, signal } = await run.exit
  // What it had sent when it died is still carried out.
  await eventually(() => clusters.all.every(({ openSockets }) => openSockets === 0), PATIENCE_MS)
  for (const cluster of clusters.all) cluster.fault = () => undefined
  return signal ?? code
}

/** Kills the run when its time has come; whatever comes after that is carried out, for it was sent before. */
function killAt({ n, kinds, carriedOut }: Death, { child }: RunningSyncer) {
  let count = 0
  return ({ kind }: AskedRequest): WaiterFault | undefined => {
    if (!kinds.includes(kind) || ++count !== n) return undefined
    child.kill('SIGKILL')
    return carriedOut ? 'hang-after-commit' : 'hang'
  }
}

const readUndo = (path: string): readonly string[] => (existsSync(path) ? tellUndoFile(readFileSync(path, 'utf8')) : [])

/** Runs that die in each of these ways, some at a time; those that did not come to the same end as `whole`. */
async function findOthers(deaths: readonly Death[], whole: Outcome): Promise<readonly object[]> {
  const others: object[] = []
  const waiting = [...deaths]
  const lane = async () => {
    for (let death = waiting.shift(); death !== undefined; death = waiting.shift()) {
      const { exits, state, early, lost } = await runThrice(death)
      const isOther = (lines: readonly string[]) => String(lines) !== String(whole.state)
      const isSame = String(exits) === 'SIGKILL,1,1' && !isOther(early) && !isOther(state) && lost.length === 0
      if (!isSame) others.push({ death, exits, early: isOther(early) && early, state: isOther(state) && state, lost })
    }
  }
  await Promise.all(Array.from({ length: LANES }, lane))
  return others
}

const ANY: readonly RequestKind[] = ['list', 'read', 'store', 'delete']
const WRITES: readonly RequestKind[] = ['store', 'delete']

describe('a run that is killed', () => {
  const runWhole = runThrice()

  it('would have made every kind of request, and left a dispute to people', async () => {
    const { exits, shown, lost, requests } = await runWhole
    expect(exits).toEqual([1, 1, 1])
    expect(shown).toEqual([
      'disputed: yours yours yours',
      'edited: second second second',
      'foreign: first theirs first',
      'kept: first first first',
      'new: new new new',
    ])
    expect(lost).toEqual([])
    expect(requests.length).toBeGreaterThan(30)
  })

  it('before any of its requests is carried out changes nothing about the end', async () => {
    const whole = await runWhole
    const deaths = whole.requests.map((_, at): Death => ({ n: at + 1, kinds: ANY, carriedOut: false }))
    expect(await findOthers(deaths, whole)).toEqual([])
  })

  // Of a request that only reads it makes no difference: nobody is left to hear the answer.
  it('after any of its writes was carried out changes nothing about the end', async () => {
    const whole = await runWhole
    const writes = whole.requests.filter((kind) => WRITES.includes(kind))
    expect(writes.length).toBeGreaterThan(10)
    const deaths = writes.map((_, at): Death => ({ n: at + 1, kinds: WRITES, carriedOut: true }))
    expect(await findOthers(deaths, whole)).toEqual([])
  })
})
