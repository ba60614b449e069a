import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runSyncer } from './running-syncer.ts'

/** Writes the URLs of all loaded modules into the file that LOADED names. */
const SPY = `import { registerHooks } from 'node:module'
import { writeFileSync } from 'node:fs'
const urls = []
registerHooks({ load(url, context, next) { urls.push(url); return next(url, context) } })
process.on('exit', () => writeFileSync(process.env.LOADED, urls.join('\\n')))`

let cwd: string
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'syncer-loading-'))
})
afterAll(() => rm(cwd, { recursive: true, force: true }))

const listPackages = async (argv: readonly string[]): Promise<readonly string[]> => {
  const LOADED = join(cwd, 'loaded.txt')
  const { exit } = runSyncer(argv, {
    cwd,
    env: { LOADED },
    preload: [`data:text/javascript,${encodeURIComponent(SPY)}`],
  })
  await exit
  const names = [...(await readFile(LOADED, 'utf8')).matchAll(/\/node_modules\/((?:@[^/]+\/)?[^/]+)/g)].map(
    ([, name]) => name,
  )
  return [...new Set(names)].flatMap((name) => (name === undefined ? [] : [name])).sort()
}

describe('what a command loads', { timeout: 60_000 }, () => {
  it('is nothing but the parser for help', async () => {
    expect(await listPackages(['--help'])).toEqual(['commander'])
    expect(await listPackages(['tokens', 'sync', '--help'])).toEqual(['commander'])
  })

  it('is an HTTP client, and no configuration, for a sync in this process', async () => {
    expect(await listPackages(['tokens', 'sync', 'http://127.0.0.1:1', 'http://127.0.0.1:2'])).toEqual([
      'commander',
      'undici',
    ])
  })

  it('is the client of the service for what a service does', async () => {
    expect(await listPackages(['runs', 'list', '--server', 'http://127.0.0.1:1'])).toEqual([
      'commander',
      'openapi-fetch',
    ])
  })
})
