import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/program.ts'
import { eventually } from '../lib/eventually.ts'
import { createFakeIo } from './fake-io.ts'
import { aToken, createTokenScene, type TokenScene } from './token-scene.ts'

let scene: TokenScene
let url: string
beforeEach(async () => {
  scene = await createTokenScene()
  url = scene.urls[0]
})
afterEach(() => scene[Symbol.asyncDispose]())

const cluster = () => scene.clusters[0]
const fill = (...names: readonly string[]) => {
  for (const name of names) cluster().put(name, aToken(10))
}
const inFile = async (name: string) => JSON.parse(await readFile(join(scene.cwd, name), 'utf8'))

describe('syncer tokens backup', () => {
  it('keeps all tokens in a file, and says what it did', async () => {
    fill('aa', 'bb')
    const { code, out, err } = await scene.run(['backup', 'tokens.json', url])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toBe(
      `2 tokens of ${url} are in tokens.json: 2 read, 0 unchanged, 0 failed, 0 gone from the cluster\nexiting with code 0\n`,
    )
    expect(Object.keys(await inFile('tokens.json'))).toEqual(['aa', 'bb'])
  })

  it('forgets what is gone from the cluster, unless it accretes', async () => {
    fill('aa', 'bb')
    await scene.run(['backup', 'tokens.json', url])
    cluster().hardDelete('bb')
    const kept = await scene.run(['backup', 'tokens.json', url, '--accrete'])
    expect(kept.out).toContain('1 unchanged, 0 failed, 1 gone from the cluster and kept\n  gone: bb\n')
    expect(Object.keys(await inFile('tokens.json'))).toEqual(['aa', 'bb'])
    await scene.run(['backup', 'tokens.json', url])
    expect(Object.keys(await inFile('tokens.json'))).toEqual(['aa'])
  })

  it('writes nothing in a dry run', async () => {
    fill('aa')
    const { out } = await scene.run(['backup', 'tokens.json', url, '--dry-run'])
    expect(out).toContain('1 token of')
    expect(await readdir(scene.cwd)).toEqual([])
  })

  it('exits with 1 when a token cannot be read, and says why', async () => {
    fill('aa', 'bb')
    cluster().fault = ({ kind, token }) => (kind === 'read' && token === 'bb' ? { status: 500 } : undefined)
    const text = await scene.run(['backup', 'tokens.json', url])
    expect(text.code).toBe(1)
    expect(text.out).toContain('\n  failed: bb: answered 500\nexiting with code 1\n')
    const json = await scene.run(['backup', 'tokens.json', url, '--output', 'json'])
    expect(JSON.parse(json.out)).toEqual({
      cluster: url,
      file: 'tokens.json',
      total: 1,
      unchanged: ['aa'],
      read: [],
      failed: [{ token: 'bb', message: 'answered 500' }],
      gone: [],
    })
  })

  it('exits with 1 when the cluster gives no list', async () => {
    cluster().fault = () => ({ status: 503, headers: { 'retry-after': '3600' } })
    const { code, out, err } = await scene.run(['backup', 'tokens.json', url])
    expect({ code, out, err }).toEqual({
      code: 1,
      out: 'exiting with code 1\n',
      err: `syncer tokens backup: ${url}: answered 503\n`,
    })
  })
})

describe('syncer tokens restore', () => {
  it('brings back what is missing or older, and leaves newer versions alone', async () => {
    fill('aa', 'bb', 'cc')
    await scene.run(['backup', 'tokens.json', url])
    cluster().hardDelete('aa')
    cluster().put('bb', aToken(5))
    cluster().put('cc', aToken(15))
    const { code, out, err } = await scene.run(['restore', 'tokens.json', url])
    expect(code).toBe(0)
    expect(out).toBe(`  aa  restored
  bb  restored
  cc  left alone: the cluster has a version that is as new
restored 2, left alone 1, failed 0
exiting with code 0
`)
    expect(err).toMatch(/^what was overwritten or deleted is in syncer-undo-/)
    expect(cluster().get('bb')).toEqual(scene.clusters[0].get('aa'))
  })

  it('undoes a sync by its undo file', async () => {
    fill('aa')
    scene.clusters[1].put('aa', aToken(20, { mem: 999 }))
    const before = cluster().get('aa')
    await scene.run(['sync', ...scene.urls, '--undo-file', 'undo.jsonl'])
    expect(cluster().get('aa')).not.toEqual(before)
    const { code, out } = await scene.run(['restore', 'undo.jsonl', url, '--force', '--no-undo-file'])
    expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('restored 1, left alone 0, failed 0') })
    expect(cluster().get('aa')).toEqual(before)
  })

  describe('with --force', () => {
    const prepare = async () => {
      fill('aa')
      await scene.run(['backup', 'tokens.json', url])
      cluster().put('aa', aToken(99, { mem: 7 }))
    }
    const memory = () => cluster().only('store').length

    it.each(['y', 'yes', 'Y '])('asks at a terminal, and goes on when the answer is %j', async (answer) => {
      await prepare()
      const { code, err } = await scene.run(['restore', 'tokens.json', url, '--force'], { answer })
      expect(code).toBe(0)
      expect(err).toMatch(/^1 token of \S+ will be as they are in tokens\.json, .* Go on\? \[y\/N\] /)
      expect(memory()).toBe(1)
    })

    it.each(['', 'n', 'yep'])('writes nothing when the answer is %j', async (answer) => {
      await prepare()
      const { code, err } = await scene.run(['restore', 'tokens.json', url, '--force'], { answer })
      expect(code).toBe(1)
      expect(err).toContain('syncer tokens restore: not confirmed: nothing was written\n')
      expect(memory()).toBe(0)
    })

    it('writes nothing when the question is answered with Ctrl-C', async () => {
      await prepare()
      const io = createFakeIo({ cwd: scene.cwd })
      const ask = async (_: string, signal: AbortSignal) => {
        setImmediate(() => io.emitter.emit('SIGINT'))
        await once(signal, 'abort')
        throw new DOMException('The operation was aborted', 'AbortError')
      }
      expect(await runCli(['tokens', 'restore', 'tokens.json', url, '--force'], { ...io, ask })).toBe(1)
      expect(io.written.err).toBe('syncer: stopped by SIGINT\n')
      expect(memory()).toBe(0)
    })

    it.each([
      [['--yes'], 'n'],
      [[], undefined],
    ])('does not ask with %j, or where nobody is there', async (more, answer) => {
      await prepare()
      const { code } = await scene.run(['restore', 'tokens.json', url, '--force', ...more], {
        ...(answer !== undefined && { answer }),
      })
      expect(code).toBe(0)
      expect(memory()).toBe(1)
    })

    it('neither asks nor writes in a dry run', async () => {
      await prepare()
      const { code, out, err } = await scene.run(['restore', 'tokens.json', url, '--force', '--dry-run'], {
        answer: 'n',
      })
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toContain('  aa  to be restored\nrestored 1 (dry run), left alone 0, failed 0\n')
      expect(memory()).toBe(0)
    })
  })

  it('exits with 1 when a token could not be restored', async () => {
    fill('aa')
    await scene.run(['backup', 'tokens.json', url])
    cluster().hardDelete('aa')
    cluster().fault = ({ kind }) => (kind === 'store' ? { status: 403 } : undefined)
    const { code, out } = await scene.run(['restore', 'tokens.json', url, '--output', 'json'])
    expect(code).toBe(1)
    expect(JSON.parse(out)).toMatchObject({
      summary: { error: 1, skip: 0, success: 0 },
      items: [{ token: 'aa', code: 'error/restore' }],
    })
  })

  it.each([
    ['{"aa"', /tokens\.json: .*; allowed are a backup and an undo file\n$/],
    ['[]', /tokens\.json: a backup is a JSON object .*; allowed are a backup and an undo file\n$/],
  ])('refuses %j', async (text, line) => {
    await writeFile(join(scene.cwd, 'tokens.json'), text)
    const { code, out, err } = await scene.run(['restore', 'tokens.json', url])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(line)
    expect(err.trimEnd().split('\n')).toHaveLength(1)
  })
})

describe('syncer tokens cleanup', () => {
  const fillTombstones = () => {
    const now = Date.now() / 1_000 - 1_700_000_000
    cluster().put('fresh', aToken(now - 3_600, { deleted: true }))
    cluster().put('stale', aToken(now - 8 * 86_400, { deleted: true }))
    cluster().put('alive', aToken(0))
  }

  it('removes what was deleted a week ago', async () => {
    fillTombstones()
    const { code, out, err } = await scene.run(['cleanup', url])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(
      /^1 of 3 tokens of \S+, deleted before \S+Z, were removed for good; 0 failed\n {2}removed: stale\nexiting with code 0\n$/,
    )
    expect([...cluster().dump().keys()]).toEqual(['alive', 'fresh'])
  })

  it('removes what was deleted before a moment, and in a dry run nothing', async () => {
    fillTombstones()
    const before = ['--before', '2900-01-31']
    const dry = await scene.run(['cleanup', url, '--dry-run', ...before])
    expect(dry.out).toContain('2 of 3 tokens')
    expect(dry.out).toContain('deleted before 2900-01-31T00:00:00.000Z, would be removed for good')
    expect(cluster().dump().size).toBe(3)
    const { out } = await scene.run(['cleanup', url, '--output', 'json', ...before])
    expect(JSON.parse(out)).toEqual({
      cluster: url,
      before: '2900-01-31T00:00:00.000Z',
      total: 3,
      deleted: ['fresh', 'stale'],
      failed: [],
    })
  })

  it('exits with 1 when one could not be removed', async () => {
    fillTombstones()
    cluster().fault = ({ kind }) => (kind === 'delete' ? 'reset' : undefined)
    const { code, out } = await scene.run(['cleanup', url])
    expect(code).toBe(1)
    expect(out).toContain('\n  failed: stale: ')
  })
})

describe('syncer tokens ping', () => {
  beforeEach(() => {
    for (const one of scene.clusters) one.put('web', aToken(1, { 'health-check-url': '/healthz' }))
  })

  it('asks every cluster, and waits for the service as long as it is told', async () => {
    const { code, out, err } = await scene.run(['ping', 'web', scene.urls.join(','), '--queue-timeout', '4321'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toBe(
      `${scene.urls.map((one) => `successfully pinged token web on ${one}, reason: health check returned status code 200\n`).join('')}exiting with code 0\n`,
    )
    const [asked] = cluster().only('service')
    expect(asked?.path).toBe('/healthz')
    expect(asked?.headers).toMatchObject({ 'x-waiter-token': 'web', 'x-waiter-queue-timeout': '4321' })
  })

  it('waits longer than it lets the request wait, however short the other time-out is', async () => {
    for (const one of scene.clusters) one.latencyMs = 400
    const { code } = await scene.run([
      'ping',
      'web',
      ...scene.urls,
      '--idle-timeout-ms',
      '250',
      '--queue-timeout',
      '1000',
    ])
    expect(code).toBe(0)
  })

  it('exits with 1 when one does not answer well', async () => {
    scene.clusters[1].fault = ({ kind }) => (kind === 'service' ? { status: 503 } : undefined)
    const { code, out } = await scene.run(['ping', 'web', ...scene.urls, '--output', 'json'])
    expect(code).toBe(1)
    const { details } = JSON.parse(out)
    expect(details[scene.urls[0]].isHealthy).toBe(true)
    expect(details[scene.urls[1]]).toMatchObject({ isHealthy: false, status: 503 })
  })
})

describe('syncer tokens sanitize', () => {
  it('stores tokens again whose whole name matches, as many as are wanted', async () => {
    fill('aa-1', 'aa-2', 'aa-3', 'b-aa-1')
    const { code, out, err } = await scene.run(['sanitize', url, '--regex', 'aa-.', '--limit', '2', '--output', 'json'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(JSON.parse(out)).toMatchObject({ cluster: url, processed: ['aa-1', 'aa-2'], missing: [], failed: [] })
    expect(
      cluster()
        .only('store')
        .map(({ token }) => token)
        .sort(),
    ).toEqual(['aa-1', 'aa-2'])
  })

  it('says in words what it did, and in a dry run what it would', async () => {
    fill('aa')
    const dry = await scene.run(['sanitize', url, '--dry-run'])
    expect(dry.out).toMatch(/^1 token of \S+ would be stored again: /)
    expect(cluster().only('store')).toEqual([])
    cluster().fault = ({ kind }) => (kind === 'store' ? { status: 400 } : undefined)
    const failed = await scene.run(['sanitize', url])
    expect(failed.code).toBe(1)
    expect(failed.out).toMatch(
      /^1 token of \S+ were stored again: 0 changed by it, 0 missing, 1 failed\n {2}failed: aa: /,
    )
  })
})

describe('the tools for tokens', () => {
  it.each([
    [['backup', 'f', 'ftp://a'], 'http://'],
    [['backup', 'f'], "missing required argument 'url'"],
    [['restore', 'f', 'http://me:hush-hush@a'], 'user name or password'],
    [['restore', 'gone.json', 'http://a'], 'ENOENT'],
    [['cleanup', 'http://a', '--before', 'yesterday'], 'Allowed are 2026-01-31 and'],
    [['cleanup', 'http://a', '--before', '2026-01-31T00:00:00'], 'Allowed are 2026-01-31 and'],
    [['cleanup', 'http://a', '--before', '2026-13-01'], 'Allowed are 2026-01-31 and'],
    [['ping', '1x', 'http://a'], '1x is no name of a token; allowed is a letter'],
    [['ping', 'web'], "missing required argument 'clusters'"],
    [['ping', 'web', ','], 'no cluster is given; allowed are addresses'],
    [['ping', 'web', 'http://a', '--queue-timeout', '300001'], 'from 1 to 300000'],
    [['ping', 'web', 'http://a', '--dry-run'], "unknown option '--dry-run'"],
    [['sanitize', 'http://a', '--regex', '('], 'Allowed is a regular expression'],
    [['sanitize', 'http://a', '--limit', '0'], 'from 1 to 10000'],
    [['sanitize', 'http://a', '--output', 'xml'], 'Allowed choices are text, json'],
  ])('refuse %j in one line', async (argv, what) => {
    const { code, out, err } = await scene.run(argv)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(new RegExp(`^syncer tokens ${argv[0]}: [^\\n]*\\n$`))
    expect(err).toContain(what)
    expect(err).not.toContain('hush-hush')
  })

  it.each([
    [['backup', 'tokens.json']],
    [['cleanup', '--before', '2900-01-01']],
    [['sanitize']],
    [['restore', 'tokens.json']],
  ])('%j sends AUTHORIZATION_HEADER and never shows it', async (argv) => {
    fill('aa')
    cluster().put('bb', aToken(1, { deleted: true }))
    await writeFile(join(scene.cwd, 'tokens.json'), '{}')
    cluster().fault = ({ kind, headers }) =>
      kind === 'list'
        ? undefined
        : { status: 500, body: JSON.stringify({ 'waiter-error': { message: headers['authorization'] } }) }
    const { out, err } = await scene.run([...argv, url], { env: { AUTHORIZATION_HEADER: 'Basic s3cret-value' } })
    expect(out + err).not.toContain('s3cret-value')
    expect(cluster().seen.map(({ headers }) => headers['authorization'])).toContain('Basic s3cret-value')
  })

  it('end when they are asked to', async () => {
    fill('aa')
    cluster().fault = ({ kind }) => (kind === 'read' ? 'hang' : undefined)
    const { io, code } = scene.start(['backup', 'tokens.json', url])
    await eventually(() => cluster().only('read').length > 0)
    io.emitter.emit('SIGINT')
    expect(await code).toBe(1)
    expect(io.written).toEqual({ out: 'exiting with code 1\n', err: 'syncer: stopped by SIGINT\n' })
    expect(await readdir(scene.cwd)).toEqual([])
  })
})
