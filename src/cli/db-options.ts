// The options that the commands of databases share, and which pair they mean: one of the configuration, or a keyspace and an index.
import { readFile } from 'node:fs/promises'
import { type Command, InvalidArgumentError, Option } from 'commander'
import type { LoadedConfig } from '../config/load.ts'
import type { PairConfig } from '../config/schema.ts'
import type { PreparedPair } from '../wiring/db.ts'
import { CliError, WRONG_USAGE } from './exit.ts'
import type { CliIo } from './io.ts'
import { createConfigOption, createOutputOption, type Output } from './options.ts'
import { tellBeside } from './progress-bar.ts'
import { gather } from './tokens-options.ts'

export interface PairFlags {
  readonly keyspace?: string
  readonly index?: string
  readonly cassandra?: readonly string[]
  readonly elasticsearch?: string
  readonly config?: string
  readonly output: Output
}

export interface WindowFlags extends PairFlags {
  readonly tables?: readonly string[]
  readonly begin?: string
  readonly end?: string
}

/** A pair, ready to be opened, and the configuration that goes with it. */
export interface ChosenPair {
  readonly loaded: LoadedConfig
  readonly pair: PreparedPair
}

const CASSANDRA = '127.0.0.1:9042'
const ELASTICSEARCH = 'http://127.0.0.1:9200'

/** The argument and the options that say which pair is meant. */
export function addPairOptions(command: Command): Command {
  return command
    .argument('[pair]', 'name of a pair in the configuration')
    .addOption(new Option('-k, --keyspace <name>', 'in place of a pair: a keyspace of Cassandra'))
    .addOption(new Option('-i, --index <name>', 'and indexes of Elasticsearch: `app` or `app-{table}`'))
    .addOption(
      new Option('--cassandra <host:port>', `where Cassandra is, with -k (default: ${CASSANDRA})`).argParser(gather),
    )
    .addOption(new Option('--elasticsearch <url>', `where Elasticsearch is, with -i (default: ${ELASTICSEARCH})`))
    .addOption(createConfigOption())
    .addOption(createOutputOption())
}

/** The options that say which rows are meant. */
export function addWindowOptions(
  command: Command,
  defaults: { readonly begin: string; readonly end: string },
): Command {
  return command
    .addOption(new Option('--tables <names>', 'some of its tables, with commas between them').argParser(gatherTables))
    .addOption(
      new Option(
        '-b, --begin <time>',
        `rows after this: ISO 8601, epoch seconds or milliseconds (default: ${defaults.begin})`,
      ),
    )
    .addOption(new Option('-e, --end <time>', `rows up to and at this (default: ${defaults.end})`))
}

function gatherTables(text: string, so: readonly string[] | undefined): readonly string[] {
  const tables = gather(text, so)
  if (tables.length === 0) throw new InvalidArgumentError('Allowed are names of tables, with commas between them.')
  return tables
}

/** Throws CliError, which begins with `command`, when none or two are named; ConfigError for a configuration that is wrong. */
export async function choosePair(
  name: string | undefined,
  flags: PairFlags,
  io: CliIo,
  command: string,
): Promise<ChosenPair> {
  const isNamed = refuseUnclear(name, flags, command)
  const [{ loadConfig }, { preparePair, prepareUnnamedPair }, { pairSurroundings }] = await Promise.all([
    import('../config/load.ts'),
    import('../wiring/db.ts'),
    import('../wiring/db-here.ts'),
  ])
  const { env, cwd } = io
  const loaded = await loadConfig({ path: flags.config, env, cwd, readFile: (file) => readFile(file, 'utf8') })
  const surroundings = pairSurroundings(loaded, io, (message) => tellBeside(io, `${command}: ${message}`))
  if (!isNamed) return { loaded, pair: prepareUnnamedPair(await describePair(flags, io, command), surroundings) }
  const pairs = loaded.config.db?.pairs ?? []
  const found = pairs.find((pair) => pair.name === name)
  if (found === undefined) {
    const known = pairs.length === 0 ? 'it has none' : `they are ${pairs.map((pair) => pair.name).join(', ')}`
    const where = loaded.source === 'defaults' ? 'the configuration (there is no file)' : loaded.source
    throw new CliError(WRONG_USAGE, `${command}: ${name} is no pair of ${where}: ${known}`)
  }
  return { loaded, pair: preparePair(found, surroundings) }
}

/** Whether a pair of the configuration is meant. */
function refuseUnclear(name: string | undefined, flags: PairFlags, command: string): boolean {
  const { keyspace, index, cassandra, elasticsearch } = flags
  const refuse = (what: string) => {
    throw new CliError(WRONG_USAGE, `${command}: ${what}; allowed are PAIR, or -k KEYSPACE and -i INDEX`)
  }
  const given = [keyspace, index, cassandra, elasticsearch].some((flag) => flag !== undefined)
  if (name !== undefined && given) refuse(`${name} is a pair of the configuration, which says where its stores are`)
  if (name !== undefined) return true
  if (keyspace === undefined && index === undefined) refuse('which pair is meant')
  if (keyspace === undefined) refuse('-i without -k')
  if (index === undefined) refuse('-k without -i')
  return false
}

/** A pair as the configuration would have it, with its defaults. */
async function describePair(flags: PairFlags, io: CliIo, command: string): Promise<PairConfig> {
  const { keyspace = '', index = '', cassandra = [CASSANDRA], elasticsearch = ELASTICSEARCH } = flags
  const [{ loadConfig }, { ConfigError }] = await Promise.all([
    import('../config/load.ts'),
    import('../config/error.ts'),
  ])
  const { env } = io
  const pair = {
    name: `${keyspace}-${index.replace('{table}', '')}`.replaceAll(/[^A-Za-z0-9._-]|-+$/g, '').slice(0, 100) || 'pair',
    left: {
      ...{ kind: 'cassandra', contactPoints: cassandra, keyspace },
      ...(env['CASSANDRA_USERNAME'] && {
        credentials: { username: env['CASSANDRA_USERNAME'], password: { env: 'CASSANDRA_PASSWORD' } },
      }),
    },
    right: {
      ...{ kind: 'elasticsearch', url: elasticsearch, index: index.includes('{table}') ? index : `${index}-{table}` },
      ...(env['ELASTICSEARCH_AUTHORIZATION'] && { authorization: { env: 'ELASTICSEARCH_AUTHORIZATION' } }),
    },
  }
  try {
    const text = JSON.stringify({ db: { pairs: [pair] } })
    const { config } = await loadConfig({ path: 'given', env: {}, cwd: io.cwd, readFile: async () => text })
    const [described] = config.db?.pairs ?? []
    if (described !== undefined) return described
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const [first = 'cannot be used'] = error.problems
    throw new CliError(WRONG_USAGE, `${command}: ${inWordsOfOptions(first)}`, { cause: error })
  }
  throw new TypeError('a pair was written and not read')
}

const OPTIONS: readonly (readonly [RegExp, string])[] = [
  [/^db\.pairs\[0\]\.left\.contactPoints(?:\[\d+\])?:/, '--cassandra'],
  [/^db\.pairs\[0\]\.left\.keyspace:/, '-k'],
  [/^db\.pairs\[0\]\.right\.url:/, '--elasticsearch'],
  [/^db\.pairs\[0\]\.right\.index:/, '-i'],
]

/** What is wrong, by the option that says it. */
function inWordsOfOptions(problem: string): string {
  const text = problem.replace(/ \(line \d+\)$/, '')
  const [path, option] = OPTIONS.find(([pattern]) => pattern.test(text)) ?? []
  return path === undefined ? text : `${option} ${text.replace(path, '').trim()}`
}
