// The commands of the pages, run as they stand: against Waiter clusters, gateway replicas and databases of the playground, and a service.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { createLogger } from '../../src/lib/logger.ts'
import { type RunningService, startService } from '../../src/main.ts'
import { makeDatabases } from '../../src/playground/databases.ts'
import { type Playground, startPlayground } from '../../src/playground/playground.ts'
import { blocksFor, commandsOf, shownBy } from '../docs/claims.ts'
import { installPackages } from './lib/debian.ts'
import { linkSyncer, runBlock } from './lib/run-block.ts'
import { createRunFolder, type RunFolder } from './lib/run-folder.ts'
import { startProcess } from './lib/server-process.ts'
import { shapesOf } from './lib/text-shape.ts'

const ROOT = join(import.meta.dirname, '../..')
/** These need a copy of the checkout, where packages are installed. */
const IN_A_COPY = ['npm ci', 'npm pack']

/** On a busy machine; at rest it is there within seconds. */
const FIRST_VERDICT_MS = 60_000

const blocks = blocksFor('test/services/documents.test.ts')

let playground: Playground
beforeAll(async () => {
  if (!existsSync('/usr/bin/sqlite3')) await installPackages(['sqlite3'], console.error)
  playground = await startPlayground({ env: {}, clock: systemClock, anyPorts: true, schedule: '0 0 0 1 1 *' })
})
afterAll(() => playground?.[Symbol.asyncDispose]())

describe('commands of pages', () => {
  let folder: RunFolder
  let service: RunningService
  let commands: string

  beforeEach(async () => {
    folder = createRunFolder('documents')
    commands = linkSyncer(folder.path)
    cpSync(playground.caFile, join(folder.path, 'ca.pem'))
    for (const name of ['bin', 'src', 'package.json'])
      execFileSync('ln', ['-s', join(ROOT, name), join(folder.path, name)])
    const file = join(folder.path, 'syncer.yaml')
    writeFileSync(file, JSON.stringify(configOf(folder.path)))
    const loaded = await loadConfig({
      path: file,
      env: {},
      cwd: folder.path,
      readFile: async (path) => readFileSync(path, 'utf8'),
    })
    service = await startService(loaded, { env: {}, clock: systemClock, logger: createLogger('silent') })
  })
  afterEach(async () => {
    await service.stop()
    folder.remove()
  })

  /** A service with a gateway, two clusters and the pair `app`. */
  const configOf = (path: string) => {
    const { desk, pocket } = makeDatabases(path, Date.now())
    const { east, west } = playground.clusters
    const replicas = playground.gateway.replicas.map(({ name, address, port }) => ({ name, address, port }))
    return {
      listen: { port: 0 },
      shutdown: { readinessDelayMs: 0 },
      gateway: {
        discovery: { kind: 'static', replicas },
        probe: { host: playground.serverName, path: '/_synced', tls: { ca: { file: 'ca.pem' } } },
      },
      tokens: { clusters: [east, west].map(({ url }, index) => ({ name: `c${index + 1}`, url })) },
      db: { pairs: [{ name: 'app', left: { kind: 'sqlite', path: desk }, right: { kind: 'sqlite', path: pocket } }] },
      state: { path: 'state.db' },
    }
  }

  it.each(blocks.filter(({ first }) => !IN_A_COPY.includes(first)))('$page:$line $first', async (block) => {
    const replacements = {
      'http://127.0.0.1:8080': service.url,
      'http://c1:9091': playground.clusters.east.url,
      'http://c2:9093': playground.clusters.west.url,
      '/var/lib/syncer/': `${folder.path}/`,
      '/var/backups/': `${folder.path}/`,
    }
    const printed = await runBlock(commandsOf(block), { folder: folder.path, replacements, paths: [commands] })
    expect(printed).not.toBe('')
    for (const line of shapesOf(shownBy(block).join('\n'))) expect([...shapesOf(printed)]).toContain(line)
  })
})

describe('a copy of the checkout', () => {
  let folder: RunFolder
  beforeAll(() => {
    folder = createRunFolder('checkout')
    const options = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--deduplicate']
    const files = execFileSync('git', options, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 26 }).split('\0')
    for (const file of files.filter((name) => name !== '' && existsSync(join(ROOT, name))))
      cpSync(join(ROOT, file), join(folder.path, file), { recursive: true })
  })
  afterAll(() => folder?.remove())

  const find = (first: string) => {
    const found = blocks.find((block) => block.first === first)
    if (found === undefined) throw new Error(`no page has ${first}`)
    return commandsOf(found)
  }

  it('says Synced after the two commands of the README', { timeout: 300_000 }, async () => {
    const commands = find('npm ci')
    expect(commands).toEqual(['npm ci', 'npm start'])
    await runBlock(commands.slice(0, 1), { folder: folder.path, env: { npm_config_prefer_offline: 'true' } })
    const stdoutFile = join(folder.path, 'stdout.log')
    const said = () => readFileSync(stdoutFile, 'utf8')
    await using start = await startProcess({
      ...{ name: 'npm start', command: 'npm', args: ['start'], cwd: folder.path, stdoutFile },
      ready: async () => said().includes('Ctrl-C ends it'),
      readyTimeoutMs: FIRST_VERDICT_MS,
    })
    expect(said()).toMatch(/^Synced: 4 of 4 replicas beside gw-0 have the token/m)
    await start.stop()
  })

  it('is packed, and installed as a command', { timeout: 300_000 }, async () => {
    const prefix = join(folder.path, 'installed')
    const env = { npm_config_prefix: prefix, npm_config_prefer_offline: 'true' }
    const printed = await runBlock(find('npm pack'), { folder: folder.path, env, paths: [join(prefix, 'bin')] })
    expect(printed).toContain('Usage: syncer')
    expect(existsSync(join(dirname(prefix), 'installed/bin/syncer'))).toBe(true)
  })
})
