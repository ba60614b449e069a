// The package: packed as a release packs it, judged by the tools of the field, and used by projects that have nothing else of this one.
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startChromium } from './lib/chromium.ts'
import { type FaultReplica, startFaultReplica } from './lib/fault-replica.ts'
import { findFreePort } from './lib/free-port.ts'
import { copyCheckout, fetchNode, readAll, runHere, runWell } from './lib/package.ts'
import { createRunFolder } from './lib/run-folder.ts'
import { isListening, startProcess } from './lib/server-process.ts'
import { gatewaySection, type Syncer, startSyncer } from './lib/syncer.ts'
import { startTokenClusters, type TokenClusters } from './lib/token-clusters.ts'

const ROOT = join(import.meta.dirname, '../..')
const BIN = join(ROOT, 'node_modules/.bin')
const EXAMPLES = ['login', 'leader']
/** Writes the URLs of all that is loaded to the file that LOADED names. */
const SPY = `import { registerHooks } from 'node:module'
import { writeFileSync } from 'node:fs'
const urls = []
registerHooks({ load(url, context, next) { urls.push(url); return next(url, context) } })
process.on('exit', () => writeFileSync('loaded.json', JSON.stringify(urls)))`

const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
const TARBALL = `syncer-${version}.tgz`
const folder = createRunFolder('package')
const checkout = join(folder.path, 'checkout')
const tarball = join(folder.path, TARBALL)
const at = (example: string) => join(folder.path, 'examples', example)
const installed = (example: string, ...path: readonly string[]) => join(at(example), 'node_modules/syncer', ...path)

let before: ReadonlyMap<string, string>
let after: ReadonlyMap<string, string>
beforeAll(async () => {
  copyCheckout(checkout)
  before = readAll(checkout)
  const name = await runWell(checkout, 'npm', 'pack', '--silent', '--pack-destination', folder.path)
  expect(name).toBe(`${TARBALL}\n`)
  after = readAll(checkout)
  cpSync(join(ROOT, 'examples'), join(folder.path, 'examples'), {
    recursive: true,
    filter: (path) => !/node_modules|package-lock/.test(path),
  })
  for (const example of EXAMPLES) await runWell(at(example), 'npm', 'install', '--silent', '--no-audit', '--no-fund')
}, 600_000)
afterAll(() => folder.remove())

describe('npm pack', () => {
  it('leaves the checkout as it was', () => {
    expect([...after.keys()].sort()).toEqual([...before.keys()].sort())
    for (const [path, content] of before) expect(after.get(path) === content, path).toBe(true)
  })

  it('makes good again what an interrupted one has left', async () => {
    const manifest = join(checkout, 'package.json')
    const text = readFileSync(manifest, 'utf8')
    const run = (what: string) => runWell(checkout, process.execPath, 'scripts/manifest.ts', what)
    await run('pack')
    const packed = readFileSync(manifest, 'utf8')
    expect(packed).not.toBe(text)
    await run('pack')
    expect(readFileSync(manifest, 'utf8')).toBe(packed)
    await run('restore')
    expect(readFileSync(manifest, 'utf8')).toBe(text)
    await run('restore')
    expect(readFileSync(manifest, 'utf8')).toBe(text)
  })

  it('takes compiled files, declarations of what can be imported, and what is read at run time', () => {
    const files = [...readAll(installed('leader')).keys()]
    expect(files).toContain('LICENSE')
    expect(files).toContain('dist/src/state/sqlite-worker.js')
    expect(files).toContain('dist/public/index.html')
    expect(files).toContain('dist/openapi/syncer.yaml')
    expect(files.filter((path) => /(?<!\.d)\.ts$|\.map$|^(src|test|scripts)\/|playground/.test(path))).toEqual([])
    const tops = new Set(
      files.map((path) =>
        path
          .split('/')
          .slice(0, path.startsWith('dist/') ? 2 : 1)
          .join('/'),
      ),
    )
    expect([...tops].sort()).toEqual(
      [
        'LICENSE',
        'README.md',
        'bin',
        'dist/generated',
        'dist/openapi',
        'dist/public',
        'dist/src',
        'package.json',
      ].sort(),
    )
  })

  it('writes a manifest of what is there, and of nothing that only a checkout has', () => {
    const manifest = JSON.parse(readFileSync(installed('leader', 'package.json'), 'utf8'))
    for (const field of ['private', 'scripts', 'devDependencies', 'allowScripts'])
      expect(manifest).not.toHaveProperty(field)
    for (const target of Object.values(manifest.exports).flatMap((one) => Object.values([one].flat()[0] as object))) {
      if (typeof target === 'string' && target.startsWith('./'))
        expect(existsSync(installed('leader', target)), target).toBe(true)
    }
    expect(Object.keys(manifest.exports)).toEqual(['./client', './dsync', './package.json'])
    expect(Object.keys(manifest.exports['./client'])).toEqual(['types', 'default'])
  })

  it('is found right by publint and by "are the types wrong"', async () => {
    expect(await runWell(folder.path, join(BIN, 'publint'), 'run', tarball, '--strict')).toContain('All good!')
    const judged = await runWell(folder.path, join(BIN, 'attw'), tarball, '--profile', 'esm-only', '--format', 'json')
    expect(JSON.parse(judged)).toMatchObject({ analysis: { packageName: 'syncer' } })
  })
})

describe('what others import', () => {
  const listLoaded = async (name: string): Promise<readonly string[]> => {
    writeFileSync(join(at('login'), 'spy.mjs'), SPY)
    const code = `await import('syncer/${name}')`
    await runWell(at('login'), process.execPath, '--import', './spy.mjs', '--input-type=module', '-e', code)
    const urls: string[] = JSON.parse(readFileSync(join(at('login'), 'loaded.json'), 'utf8'))
    return urls.filter((url) => !url.includes('[eval') && !url.startsWith('data:'))
  }

  it('is for a client nothing but the client, and nothing that browsers lack', async () => {
    const urls = await listLoaded('client')
    const packages = urls.map((url) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? url)
    expect([...new Set(packages)].sort()).toEqual(['openapi-fetch', 'syncer'])
    expect(urls.filter((url) => url.includes('/syncer/')).map((url) => url.slice(url.indexOf('/dist/')))).toEqual([
      '/dist/generated/client.js',
    ])
  })

  it('is for elections nothing but the library, until a driver is made', async () => {
    const urls = await listLoaded('dsync')
    expect(urls.filter((url) => !/\/syncer\/dist\/src\/(dsync|lib)\/|^node:/.test(url))).toEqual([])
  })

  it.each(EXAMPLES)('has types for the strictest settings (%s)', async (example) => {
    await runWell(at(example), 'npm', 'run', '--silent', 'check')
    await runWell(
      at(example),
      join(at(example), 'node_modules/.bin/tsc'),
      '--module',
      'esnext',
      '--moduleResolution',
      'bundler',
    )
  })

  it('has types for what the documents show', async () => {
    const file = join(at('login'), 'src/page.ts')
    const page = readFileSync(join(ROOT, 'docs/client.md'), 'utf8')
    const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, block = '']) => block)
    expect(blocks).toHaveLength(3)
    writeFileSync(file, ['declare const token: string, key: string', ...blocks].join('\n'))
    await runWell(at('login'), 'npm', 'run', '--silent', 'check')
    rmSync(file)
  })

  it('has types that refuse what is wrong', async () => {
    const file = join(at('login'), 'src/wrong.ts')
    writeFileSync(
      file,
      "import { createSyncerClient } from 'syncer/client'\nawait createSyncerClient({ baseUrl: '' }).syncTokens({ mode: 'quick' })\n",
    )
    const { code, out } = await runHere(at('login'), join(at('login'), 'node_modules/.bin/tsc'))
    rmSync(file)
    expect([code, out]).toEqual([2, expect.stringMatching(/^src\/wrong\.ts\(2,\d+\): error TS2322: Type '"quick"'/)])
  })
})

describe('the examples', () => {
  it('lead in turn', async () => {
    const out = await runWell(at('leader'), process.execPath, 'src/main.ts')
    expect(out).toContain('counted 2\n')
    const senders = [...out.matchAll(/^(shop-[ab]) sends mail (\d), token (\d+)$/gm)]
    expect(senders.map(([, , mail]) => mail).slice(0, 4)).toEqual(['1', '2', '3', '4'])
    expect(new Set(senders.map(([, who]) => who)).size).toBe(2)
  })
})

describe('the installed command', () => {
  let replicas: readonly FaultReplica[]
  let clusters: TokenClusters
  let oldest: string
  let syncer: Syncer
  beforeAll(async () => {
    const { engines } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    oldest = await fetchNode(engines.node.replace('>=', ''))
    clusters = await startTokenClusters(2)
    replicas = await Promise.all(['gw-0', 'gw-1'].map((name) => startFaultReplica({ name, tls: false })))
    for (const replica of replicas) replica.tokens.add('known')
    syncer = await startSyncer({
      program: { node: oldest, bin: installed('login', 'bin/syncer') },
      config: {
        gateway: { ...gatewaySection(replicas, false), deadlineMs: 500 },
        tokens: {
          clusters: clusters.all.map(({ name, url }) => ({ name, url })),
          undoFolder: join(folder.path, 'undo'),
        },
        state: { kind: 'sqlite', path: join(folder.path, 'state.db') },
      },
    })
  })
  afterAll(async () => {
    await syncer?.stop()
    for (const replica of replicas ?? []) await replica.stop()
    await clusters?.[Symbol.asyncDispose]()
  })

  it('is found by npx, and tells its version', async () => {
    expect(await runWell(at('login'), 'npx', '--no-install', 'syncer', '--version')).toBe(`${version}\n`)
    expect(await runWell(at('login'), 'npx', '--no-install', 'syncer', '--help')).toContain('syncer serve --config')
  })

  it('runs on the oldest Node that the manifest allows', async () => {
    expect(await runWell(at('login'), oldest, '--version')).toBe(`v${oldest.split('node-').at(-1)?.split('/')[0]}\n`)
    const args = ['synced', 'known', '--origin', 'gw-0', '--server', syncer.baseUrl, '--output', 'json']
    const said = await runWell(at('login'), oldest, installed('login', 'bin/syncer'), ...args)
    expect(JSON.parse(said)).toMatchObject({ status: 'Synced' })
  })

  it('serves all that it serves from a checkout', async () => {
    for (const path of [
      '/health',
      '/status/',
      '/swagger-ui/',
      '/openapi.json',
      '/openapi.yaml',
      '/metrics',
      '/v1/runs',
    ])
      expect((await syncer.get(path)).status, path).toBe(200)
    expect(clusters.shown()).toEqual([])
    clusters.edit(0, 'new', 'by-hand')
    const sync = ['tokens', 'sync', ...clusters.urls]
    await runWell(folder.path, oldest, installed('login', 'bin/syncer'), ...sync)
    expect(clusters.shown()).toEqual(['new: by-hand by-hand'])
  })

  it('answers the client in a browser', async () => {
    await using chromium = await startChromium()
    await using visit = await chromium.open()
    const imports = { 'syncer/client': './client.js', 'openapi-fetch': './openapi-fetch.js' }
    const map = `<!doctype html><script type="importmap">${JSON.stringify({ imports })}</script>`
    const files: Readonly<Record<string, readonly [type: string, body: string]>> = {
      '': ['text/html', map],
      'client.js': ['text/javascript', readFileSync(installed('login', 'dist/generated/client.js'), 'utf8')],
      'openapi-fetch.js': [
        'text/javascript',
        readFileSync(join(at('login'), 'node_modules/openapi-fetch/dist/index.mjs'), 'utf8'),
      ],
    }
    // Pages of the same origin as the service, which has none of them.
    const folderOfPage = `${syncer.baseUrl}/page/`
    await visit.page.route(`${folderOfPage}**`, async (route) => {
      const [contentType, body] = files[route.request().url().slice(folderOfPage.length)] ?? ['text/plain', '']
      await route.fulfill({ contentType, body })
    })
    await visit.page.goto(folderOfPage)
    clusters.edit(0, 'seen', 'by-hand')
    const told = await visit.page.evaluate(`import('syncer/client').then(async ({ createSyncerClient }) => {
      const syncer = createSyncerClient({ baseUrl: location.origin })
      const header = { 'X-Auth-Token': 'known', 'X-Nginx-Origin': 'gw-0' }
      const { status } = await syncer.getSynced({ header })
      const done = []
      const run = await syncer.waitForRun((await syncer.syncTokens()).id, { onProgress: (progress) => done.push(progress.done) })
      const refused = await syncer.getRun({ path: { id: 'none' } }).catch(({ name, status }) => [name, status])
      return { status, state: run.state, heard: done.length > 0, refused }
    })`)
    expect(told).toEqual({
      status: 'Synced',
      state: 'succeeded',
      heard: true,
      refused: ['SyncerProblem', expect.any(Number)],
    })
    expect(clusters.shown()).toContain('seen: by-hand by-hand')
    expect(visit.complaints).toEqual([])
  })

  it('serves the example of a login', async () => {
    const port = await findFreePort()
    await using login = await startProcess({
      name: 'login',
      command: process.execPath,
      args: ['src/main.ts'],
      cwd: at('login'),
      env: { SYNCER_URL: syncer.baseUrl, PORT: String(port) },
      stdoutFile: join(folder.path, 'login.log'),
      ready: () => isListening('127.0.0.1', port),
    })
    const post = async (path: string) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method: 'POST',
        signal: AbortSignal.timeout(20_000),
      })
      return { status: response.status, body: await response.json() }
    }
    expect(await post('/logins/known')).toEqual({ status: 200, body: { letIn: true, status: 'Synced', missing: [] } })
    const unknown = await post('/logins/unknown')
    expect(unknown).toMatchObject({ status: 503, body: { letIn: false, missing: ['gw-1'] } })
    expect(await post('/logins/known?origin=gw-9')).toMatchObject({
      status: 502,
      body: { type: '/problems/unknown-origin' },
    })
    clusters.edit(1, 'later', 'by-hand')
    expect(await post('/syncs')).toMatchObject({ status: 200, body: { state: 'succeeded', failed: [] } })
    expect(clusters.shown()).toContain('later: by-hand by-hand')
    expect(login.exit).toBeUndefined()
  })
})
