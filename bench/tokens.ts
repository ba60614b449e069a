// The token sync over three clusters of ten thousand tokens, 5 ms away each: requests, time and memory, beside the original's algorithm.
import { type ChildProcess, execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { markdownTable, median } from './lib/figures.ts'
import type { SyncFigures } from './lib/token-sync-process.ts'
import type { FromWaiter, Holdings } from './lib/waiter-process.ts'

const CLUSTERS = 3
const TOKENS = 10_000
const LATENCY_MS = 5
const ROUNDS = 3

interface Scenario {
  readonly name: string
  readonly total: number
  readonly changed: number
  /** How often the original's algorithm is measured: with everything changed it takes minutes. */
  readonly originalRounds: number
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'everything in step', total: TOKENS, changed: 0, originalRounds: ROUNDS },
  { name: '1 % changed on one cluster', total: TOKENS, changed: TOKENS / 100, originalRounds: ROUNDS },
  { name: 'all changed on one cluster', total: TOKENS, changed: TOKENS, originalRounds: 1 },
  { name: '50,000 tokens, 100 changed', total: 50_000, changed: 100, originalRounds: 0 },
]

interface Measured extends SyncFigures {
  readonly requests: number
}

/** The page's part on tokens, in Markdown. */
export async function benchTokens(log: (line: string) => void): Promise<string> {
  await using farm = await startFarm()
  const rows: string[][] = []
  for (const scenario of SCENARIOS) {
    const ours: Measured[] = []
    const original: Measured[] = []
    for (let round = 0; round < ROUNDS; round++) {
      ours.push(await farm.measure('ours', scenario))
      if (round < scenario.originalRounds) original.push(await farm.measure('original', scenario))
      log(`${scenario.name}, round ${round + 1}: ${tell(ours.at(-1))}; original ${tell(original.at(-1))}`)
    }
    rows.push(rowOf(scenario, ours, original))
  }
  return [
    '## `POST /v1/tokens/sync`',
    '',
    `${CLUSTERS} clusters in a process each, every request answered after ${LATENCY_MS} ms; the sync in a process of its own, from its first request`,
    `to its last answer, medians of ${ROUNDS} (the original's algorithm with all changed: once). The original's algorithm is one request after the`,
    'other, over the same connections and the same code; its own Java start is left out. *Memory* is the resident memory that the sync added at most.',
    '',
    markdownTable(
      [
        'tokens',
        'requests, ours / original',
        'seconds, ours / original',
        'original ÷ ours',
        'CPU seconds of ours',
        'memory MiB, ours / original',
      ],
      rows,
    ),
  ].join('\n')
}

const tell = (one: Measured | undefined): string =>
  one === undefined
    ? '–'
    : `${one.requests} requests, ${(one.wallMs / 1_000).toFixed(2)} s, ${one.peakMiB.toFixed(0)} MiB`

function rowOf({ name }: Scenario, ours: readonly Measured[], original: readonly Measured[]): string[] {
  const of = (list: readonly Measured[], figure: keyof Measured) => median(list.map((one) => one[figure]))
  const both = (figure: keyof Measured, show: (value: number) => string) =>
    `${show(of(ours, figure))} / ${original.length === 0 ? '–' : show(of(original, figure))}`
  const ratio = of(original, 'wallMs') / of(ours, 'wallMs')
  return [
    name,
    both('requests', (value) => value.toFixed(0)),
    both('wallMs', (value) => (value / 1_000).toFixed(2)),
    Number.isNaN(ratio) ? '–' : `**${ratio.toFixed(1)}**`,
    (of(ours, 'cpuMs') / 1_000).toFixed(2),
    both('peakMiB', (value) => value.toFixed(0)),
  ]
}

interface Farm extends AsyncDisposable {
  measure(algorithm: 'ours' | 'original', scenario: Scenario): Promise<Measured>
}

async function startFarm(): Promise<Farm> {
  const children = Array.from({ length: CLUSTERS }, (_, index) =>
    fork(join(import.meta.dirname, 'lib/waiter-process.ts'), [`c${index}`, String(LATENCY_MS)]),
  )
  const urls: string[] = []
  for (const child of children) {
    const said = await hear(child)
    if (!('url' in said)) throw new Error('a cluster did not say where it is')
    urls.push(said.url)
  }
  return {
    async measure(algorithm, { total, changed }) {
      for (const [index, child] of children.entries()) {
        child.send({ total, changed, ahead: index === 0 } satisfies Holdings)
        await hear(child)
      }
      const script = join(import.meta.dirname, 'lib/token-sync-process.ts')
      const { stdout } = await promisify(execFile)(process.execPath, [script, algorithm, ...urls])
      const figures = JSON.parse(stdout) as SyncFigures
      if (figures.updated !== changed) throw new Error(`${algorithm}: ${figures.updated} of ${changed} were updated`)
      let requests = 0
      for (const child of children) {
        child.kill('SIGUSR2')
        const said = await hear(child)
        if ('requests' in said) requests += said.requests
      }
      return { ...figures, requests }
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) {
        const gone = once(child, 'exit')
        child.disconnect()
        await gone
      }
    },
  }
}

async function hear(child: ChildProcess): Promise<FromWaiter> {
  const [said] = await once(child, 'message')
  return said as FromWaiter
}
