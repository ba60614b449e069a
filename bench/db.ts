// The database sync on real servers: each way beside what the servers give at most, the original's algorithm, dsbulk and elasticdump.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CqlProxy } from '../test/services/lib/cql-proxy.ts'
import { HttpProxy } from '../test/services/lib/db-http-proxy.ts'
import { type Farm, startFarm } from './lib/db/farm.ts'
import { type Figures, waitForRest } from './lib/db/measure.ts'
import { DSBULK, ELASTICDUMP, installOtherTools, type OtherTools, writeDumpFile } from './lib/db/other-tools.ts'
import { CHANGE_MS, countRows, LAST_MS, meanBytes, type RowSet, rowsOf, SHAPE, TABLE } from './lib/db/rows.ts'
import type { SyncTask } from './lib/db/task.ts'
import { markdownTable, median } from './lib/figures.ts'

/** Rows; `SYNCER_BENCH_ROWS` measures with others. */
const COUNT = Number(process.env['SYNCER_BENCH_ROWS'] ?? 200_000)
const ROUNDS = Number(process.env['SYNCER_BENCH_ROUNDS'] ?? 3)
/** The original takes its time. */
const ORIGINAL_THERE = 500
const ORIGINAL_BACK = 2_000
const FIRST: RowSet = { count: COUNT, age: 'first' }
const CHANGED: RowSet = { count: COUNT, age: 'changed', oneIn: 100 }
const FULL = { begin: 0, end: CHANGE_MS } as const
const NEWEST = { begin: CHANGE_MS, end: LAST_MS } as const
const DAY_MS = 86_400_000

/** What is measured, in the order in which a round does it. */
const STEPS = [
  'rawThere',
  'there',
  'thereAgain',
  'thereOlder',
  'rawBack',
  'back',
  'windowSearch',
  'windowScan',
  'windowIndex',
  'originalThere',
  'originalBack',
  'scanCassandra',
  'dsbulk',
  'scanSearch',
  'dump',
  'writeSearch',
  'load',
] as const
type Step = (typeof STEPS)[number]

/** What another tool took is told by the clock alone. */
type Measured = Pick<Figures, 'rows' | 'wallMs'> & Partial<Figures>
type Round = Readonly<Record<Step, Measured>>

/** The page's part on databases, in Markdown. */
export async function benchDb(log: (line: string) => void): Promise<string> {
  const tools = await installOtherTools(log)
  const folder = mkdtempSync(join(tmpdir(), 'syncer-bench-'))
  try {
    await using farm = await startFarm(log)
    const setting = { farm, tools, folder, log, dumpFile: join(folder, 'all'), emptyFile: join(folder, 'one') }
    await fill(setting)
    const rounds: Round[] = []
    // The first one warms the servers up.
    for (let round = 0; round <= ROUNDS; round++) {
      const measured = await measureRound(setting, `round ${round} of ${ROUNDS}`)
      if (round > 0) rounds.push(measured)
    }
    const requests = await countRequests(farm)
    return writePage(farm.versions, rounds, requests)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Setting {
  readonly farm: Farm
  readonly tools: OtherTools
  readonly folder: string
  /** Documents as elasticdump writes them, all of them and a single one. */
  readonly dumpFile: string
  readonly emptyFile: string
  readonly log: (line: string) => void
}

async function fill({ farm: { cassandra, search }, dumpFile, emptyFile, log }: Setting): Promise<void> {
  log(`writing ${COUNT} rows to each`)
  for (const keyspace of ['source', 'windowed', 'indexed'] as const) await cassandra.load(keyspace, rowsOf(FIRST))
  for (const keyspace of ['windowed', 'indexed'] as const) await cassandra.load(keyspace, rowsOf(CHANGED))
  for (const index of ['all', 'windowed']) {
    await search.makeIndex(indexOf(index))
    await search.load(indexOf(index), rowsOf(FIRST))
  }
  await search.load(indexOf('windowed'), rowsOf(CHANGED))
  await search.makeIndex(indexOf('nothing'))
  await writeDumpFile(dumpFile, indexOf('loaded'), FIRST)
  await writeDumpFile(emptyFile, indexOf('loaded'), { count: 1, age: 'first' })
}

async function measureRound(setting: Setting, name: string): Promise<Round> {
  const measured: Partial<Record<Step, Measured>> = {}
  for (const step of STEPS) {
    measured[step] = await measureStep(step, setting)
    setting.log(`${name}: ${step} ${rate(measured[step]).toFixed(0)} rows/s`)
  }
  return measured as Round
}

/** What another tool is run over. */
type Over = 'all' | 'nothing'

async function measureStep(step: Step, { farm, tools, folder, dumpFile, emptyFile }: Setting): Promise<Measured> {
  const { cassandra, search, place, run } = farm
  /** Without the time in which the tool starts: the same over next to nothing, right before. */
  const timed = async (work: (over: Over) => Promise<number>): Promise<Measured> => {
    const startMs = await work('nothing')
    await waitForRest(place.parties)
    return { rows: COUNT, wallMs: (await work('all')) - startMs }
  }
  switch (step) {
    case 'rawThere':
      await search.makeIndex(indexOf('raw'))
      return await run({ do: 'raw-there', keyspace: 'source', index: indexOf('raw'), rows: FIRST })
    case 'there':
      await search.request('DELETE', `/${indexOf('there')}`)
      return await run(syncThere('source', 'there', FULL, COUNT))
    case 'thereAgain':
      return await run(syncThere('source', 'there', FULL, 0))
    case 'thereOlder':
      await search.makeIndex(indexOf('older'))
      await search.load(indexOf('older'), rowsOf({ count: COUNT, age: 'older' }))
      return await run(syncThere('source', 'older', FULL, COUNT))
    case 'rawBack':
      await cassandra.run(`TRUNCATE target.${TABLE.name}`)
      return await run({ do: 'raw-back', keyspace: 'target', index: indexOf('all'), rows: FIRST })
    case 'back':
      await cassandra.run(`TRUNCATE target.${TABLE.name}`)
      return await run(syncBack('all', FULL, COUNT))
    case 'windowSearch':
      return await run(syncBack('windowed', NEWEST, countRows(CHANGED)))
    case 'windowScan':
      return await run(syncThere('windowed', 'there', NEWEST, countRows(CHANGED)))
    case 'windowIndex':
      return await run(syncThere('indexed', 'older', NEWEST, countRows(CHANGED)))
    case 'originalThere':
      await search.makeIndex(indexOf('raw'))
      return await run({ do: 'original-there', keyspace: 'source', index: indexOf('raw'), limit: ORIGINAL_THERE })
    case 'originalBack':
      await cassandra.run(`TRUNCATE target.${TABLE.name}`)
      return await run({ do: 'original-back', keyspace: 'target', index: indexOf('all'), limit: ORIGINAL_BACK })
    case 'scanCassandra':
      return await run({ do: 'scan-cassandra', keyspace: 'source' })
    case 'dsbulk':
      return await timed((over) => tools.unload(place, over === 'all' ? 'source' : 'nothing', join(folder, 'unloaded')))
    case 'scanSearch':
      return await run({ do: 'scan-search', index: 'all-{table}' })
    case 'dump':
      return await timed((over) => tools.dump(place, indexOf(over)))
    case 'writeSearch':
      await search.makeIndex(indexOf('written'))
      return await run({ do: 'write-search', index: 'written-{table}', rows: FIRST })
    case 'load':
      await search.makeIndex(indexOf('loaded'))
      return await timed((over) => tools.load(place, over === 'all' ? dumpFile : emptyFile, indexOf('loaded')))
  }
}

const indexOf = (name: string): string => `${name}-${TABLE.name}`

interface Span {
  readonly begin: number
  readonly end: number
}

function syncThere(keyspace: 'source' | 'windowed' | 'indexed', index: string, span: Span, applied: number): SyncTask {
  return { do: 'sync', keyspace, index: `${index}-{table}`, direction: 'left-to-right', ...span, applied }
}

function syncBack(index: string, span: Span, applied: number): SyncTask {
  return { do: 'sync', keyspace: 'target', index: `${index}-{table}`, direction: 'right-to-left', ...span, applied }
}

/** Requests of both directions over a window in which nothing is new, told by proxies; the table has an index on its time. */
async function countRequests({ place, run }: Farm): Promise<Readonly<Record<'cassandra' | 'search', number>>> {
  await using cql = await CqlProxy.start(place.cassandraPort)
  await using http = await HttpProxy.start(place.searchUrl)
  const through = { ...place, cassandraPort: cql.port, searchUrl: http.url }
  const span = { begin: LAST_MS, end: LAST_MS + DAY_MS }
  await run({ ...syncThere('indexed', 'older', span, 0), direction: 'both' }, through)
  return { cassandra: cql.seen.filter(({ kind }) => kind !== 'STARTUP').length, search: http.seen.length }
}

function writePage(
  versions: string,
  rounds: readonly Round[],
  requests: Record<'cassandra' | 'search', number>,
): string {
  const of = (step: Step) => rounds.map((round) => round[step])
  /** Median of the rounds' ratios. */
  const ratio = (one: Step, other: Step, figure: (measured: Measured) => number = rate) =>
    median(rounds.map((round) => figure(round[one]) / figure(round[other])))
  const row = (name: string, step: Step) => [name, ...describe(of(step))]
  const goal = (name: string, value: number, wanted: string) => [
    name,
    `**${value.toFixed(value < 1 ? 3 : 1)}**`,
    wanted,
  ]
  const wallMs = (measured: Measured) => measured.wallMs
  return [
    '## Database sync',
    '',
    `${versions}, one node each, on the machine of the measurement. ${COUNT.toLocaleString('en')} rows of ${meanBytes()} bytes as documents:`,
    `${SHAPE};`,
    `tables with every version (\`PRIMARY KEY (id, tmstmp)\`). ${ROUNDS} interleaved rounds after one to warm up, every measurement in a process of its`,
    'own without its start, begun when the servers were at rest, medians; ratios are medians of the ratios of each round. *Raw* is what they',
    'give and take at most: frames and',
    'bodies that were prepared before, none of what comes is looked at. The clock is that of a shared machine: the processor time tells more.',
    '',
    markdownTable(
      ['step', 'rows/s', 'CPU µs a row: Node', 'Cassandra', 'Elasticsearch', 'process MiB'],
      [
        row('Cassandra → Elasticsearch, raw: scan and bulk at the same time', 'rawThere'),
        row('Cassandra → Elasticsearch, into an empty index', 'there'),
        row('the same where every row exists and is older', 'thereOlder'),
        row('the same again with nothing changed: nothing is written', 'thereAgain'),
        row(`the original’s algorithm (${ORIGINAL_THERE} rows)`, 'originalThere'),
        row('Elasticsearch → Cassandra, raw: `_shard_doc` and batches of 40 at the same time', 'rawBack'),
        row('Elasticsearch → Cassandra, into an empty table', 'back'),
        row(`the original’s algorithm (${ORIGINAL_BACK.toLocaleString('en')} rows)`, 'originalBack'),
        row('reading Cassandra', 'scanCassandra'),
        row(`${DSBULK} unload to CSV`, 'dsbulk'),
        row('reading Elasticsearch', 'scanSearch'),
        row(`${ELASTICDUMP.replace('@', ' ')} to nowhere`, 'dump'),
        row('writing Elasticsearch, an empty index', 'writeSearch'),
        row(`${ELASTICDUMP.replace('@', ' ')} from a file`, 'load'),
      ],
    ),
    '',
    'The time in which the other tools start is taken off theirs; elasticdump talks to Elasticsearch itself, with a plugin that answers `GET /`.',
    '',
    markdownTable(
      ['measure', 'ours', 'goal'],
      [
        goal('Cassandra → Elasticsearch, rows/s ÷ raw, empty target', ratio('there', 'rawThere'), '≥ 0.8'),
        goal('… where every row exists and is older', ratio('thereOlder', 'rawThere'), '≥ 0.5'),
        goal('Elasticsearch → Cassandra, rows/s ÷ raw', ratio('back', 'rawBack'), '≥ 0.8'),
        [
          'processor time of all three, raw ÷ ours: there, empty target',
          ratio('rawThere', 'there', cpuUs).toFixed(2),
          '–',
        ],
        ['… back', ratio('rawBack', 'back', cpuUs).toFixed(2), '–'],
        goal('÷ the original’s algorithm, there', ratio('there', 'originalThere'), '≥ 30'),
        goal('÷ the original’s algorithm, back', ratio('back', 'originalBack'), '≥ 15'),
        goal('reading Cassandra ÷ dsbulk unload', ratio('scanCassandra', 'dsbulk'), '≥ 1.5'),
        goal('reading Elasticsearch ÷ elasticdump', ratio('scanSearch', 'dump'), '≥ 1'),
        goal('writing Elasticsearch ÷ elasticdump', ratio('writeSearch', 'load'), '≥ 1.5'),
        goal(
          'time of a window with 1 % changed ÷ full: Elasticsearch',
          ratio('windowSearch', 'back', wallMs),
          '≤ 0.05',
        ),
        goal('… Cassandra with an index on tmstmp (SAI)', ratio('windowIndex', 'there', wallMs), '≤ 0.05'),
        goal('… Cassandra without', ratio('windowScan', 'there', wallMs), '≤ 0.5'),
        ['requests of a window with nothing new, both ways: Cassandra', String(requests.cassandra), '≤ 5 a table'],
        ['… Elasticsearch', String(requests.search), '≤ 5 a table'],
      ],
    ),
  ].join('\n')
}

/** Microseconds a row. */
const cpuUs = ({ rows, cpuMs }: Measured): number =>
  cpuMs === undefined ? Number.NaN : ((cpuMs.node + cpuMs.cassandra + cpuMs.search) * 1_000) / rows

const rate = ({ rows, wallMs }: Measured): number => (rows / wallMs) * 1_000

function describe(measured: readonly Measured[]): string[] {
  const cpu = (party: keyof Figures['cpuMs']) => {
    const values = measured.flatMap(({ cpuMs, rows }) => (cpuMs === undefined ? [] : [(cpuMs[party] * 1_000) / rows]))
    return values.length === 0 ? '–' : median(values).toFixed(0)
  }
  const peaks = measured.flatMap(({ peakMiB }) => peakMiB ?? [])
  return [
    Math.round(median(measured.map(rate))).toLocaleString('en'),
    ...[cpu('node'), cpu('cassandra'), cpu('search')],
    peaks.length === 0 ? '–' : Math.max(...peaks).toFixed(0),
  ]
}
