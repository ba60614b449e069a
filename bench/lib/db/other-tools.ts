// What others use to read and to fill these stores, side by side with ours: dsbulk and elasticdump, from the registries, in the cache
// folder of the tests. Each is run as its users run it; the time of its start (the same run over next to nothing) is taken off.
import { createHash } from 'node:crypto'
import { createWriteStream, globSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { makeCachedFolder } from '../../../test/services/lib/cached-folder.ts'
import { findJava } from '../../../test/services/lib/java.ts'
import { copyJars, installMaven } from '../../../test/services/lib/maven.ts'
import { runCommand } from '../../../test/services/lib/run-command.ts'
import { cacheFolder } from '../../../test/services/lib/run-folder.ts'
import { findSearch } from '../../../test/services/lib/search-releases.ts'
import type { Place } from './farm.ts'
import { type RowSet, rowsOf, TABLE, writeDocument } from './rows.ts'

const JAVA = { from: 17, to: 17 } as const
const POM = join(import.meta.dirname, 'dsbulk/pom.xml')
const PLUGIN_SOURCE = join(import.meta.dirname, 'rest-root/RootPlugin.java')
export const ELASTICDUMP = 'elasticdump@6.125.1'
export const DSBULK = 'dsbulk 1.10.0'
const READ_ROWS = 5_000
const WRITE_ROWS = 2_000
/** What dsbulk's own Java needs to reach into itself. */
const OPENED = ['java.lang', 'java.nio', 'sun.nio.ch'].flatMap((name) => [
  '--add-opens',
  `java.base/${name}=ALL-UNNAMED`,
])

export interface OtherTools {
  /** Each gives milliseconds of wall clock. */
  unload(place: Place, keyspace: string, folder: string): Promise<number>
  dump(place: Place, index: string): Promise<number>
  /** `file` has one document a line, as elasticdump writes them. */
  load(place: Place, file: string, index: string): Promise<number>
}

/** Downloads them unless they are there. Throws when they cannot be had. */
export async function installOtherTools(log: (line: string) => void): Promise<OtherTools> {
  const jars = join(cacheFolder(), `dsbulk-${keyOf(POM)}`)
  await makeCachedFolder(jars, async (unfinished) => {
    await installMaven(log)
    log('downloading dsbulk')
    await copyJars(POM, unfinished)
  })
  const dump = join(cacheFolder(), ELASTICDUMP)
  await makeCachedFolder(dump, async (unfinished) => {
    log('downloading elasticdump')
    writeFileSync(join(unfinished, 'package.json'), '{"private":true}')
    await runCommand('npm', [
      'install',
      '--prefix',
      unfinished,
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      ELASTICDUMP,
    ])
  })
  const script = join(dump, 'node_modules/elasticdump/bin/elasticdump')
  const runDump = (args: readonly string[]) => time(process.execPath, [script, '--type=data', '--quiet', ...args])
  return {
    async unload({ cassandraPort }, keyspace, folder) {
      await rm(folder, { recursive: true, force: true })
      await mkdir(folder)
      const options = ['-h', '["127.0.0.1"]', '-port', String(cassandraPort), '-logDir', join(folder, 'logs')]
      return await time(join(findJava(JAVA), 'bin/java'), [
        ...['-Xmx1g', ...OPENED, '-cp', join(jars, '*'), 'com.datastax.oss.dsbulk.runner.DataStaxBulkLoader'],
        ...['unload', '-k', keyspace, '-t', TABLE.name, '-url', join(folder, 'rows'), ...options],
        ...['--driver.basic.load-balancing-policy.local-datacenter', 'datacenter1', '-verbosity', 'quiet'],
      ])
    },
    dump: ({ searchUrl }, index) => runDump([`--input=${searchUrl}/${index}`, '--output=$', `--limit=${READ_ROWS}`]),
    load: ({ searchUrl }, file, index) =>
      runDump([`--input=${file}`, `--output=${searchUrl}/${index}`, `--limit=${WRITE_ROWS}`]),
  }
}

/** Documents as elasticdump writes them. */
export async function writeDumpFile(file: string, index: string, rows: RowSet): Promise<void> {
  const lines = rowsOf(rows).map((row) => `{"_index":"${index}","_id":"${row.id}","_source":${writeDocument(row)}}\n`)
  await pipeline(Readable.from(lines), createWriteStream(file))
}

/** A plugin for Elasticsearch that answers `GET /`: its folder. Built unless it is there. */
export async function buildRootPlugin(log: (line: string) => void): Promise<string> {
  const { distribution, version } = findSearch({ kind: 'elasticsearch', major: 8 })
  const folder = join(cacheFolder(), `rest-root-${version}-${keyOf(PLUGIN_SOURCE)}`)
  await makeCachedFolder(folder, async (unfinished) => {
    log('building a plugin for Elasticsearch')
    const classes = join(unfinished, 'classes')
    const path = globSync(join(distribution, 'lib/*.jar')).join(':')
    await runCommand(findTool('javac'), ['-d', classes, '-cp', path, '--release', '17', PLUGIN_SOURCE])
    await runCommand(findTool('jar'), ['--create', '--file', join(unfinished, 'rest-root.jar'), '-C', classes, '.'])
    await rm(classes, { recursive: true })
    const properties = {
      ...{ name: 'rest-root', description: 'Answers GET /', version: '1', classname: 'syncer.bench.RootPlugin' },
      ...{ 'elasticsearch.version': version, 'java.version': '17' },
    }
    const lines = Object.entries(properties).map(([name, value]) => `${name}=${value}\n`)
    writeFileSync(join(unfinished, 'plugin-descriptor.properties'), lines.join(''))
  })
  return folder
}

function findTool(name: string): string {
  return join(findJava({ from: 17 }), 'bin', name)
}

async function time(command: string, args: readonly string[]): Promise<number> {
  const startedAt = performance.now()
  await runCommand(command, args)
  return performance.now() - startedAt
}

function keyOf(file: string): string {
  return `${basename(file, '.xml')}-${createHash('sha256').update(readFileSync(file)).digest('hex').slice(0, 12)}`
}
