import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startFakeWaiter } from '../fakes/waiter.ts'
import { eventually } from '../lib/eventually.ts'
import { aToken, createTokenScene, type TokenScene } from './token-scene.ts'

let scene: TokenScene
beforeEach(async () => {
  scene = await createTokenScene()
})
afterEach(() => scene[Symbol.asyncDispose]())

/** `new` is on the first cluster only, `changed` is newer on the second. */
const differ = () => {
  const [first, second] = scene.clusters
  first.put('new', aToken(10))
  first.put('changed', aToken(10))
  second.put('changed', aToken(20, { mem: 256 }))
}
const writesOf = () => scene.clusters.flatMap((cluster) => cluster.only('store', 'delete'))

describe('syncer tokens sync', () => {
  it('brings clusters in step, and tells what was changed where and why', async () => {
    differ()
    const [first, second] = scene.urls
    const { code, out, err } = await scene.run(['sync', first, second])
    expect(out).toBe(`Changes (2 tokens)
  changed  latest on ${second}, updated 2023-11-14T22:13:40.000Z
    ~ ${first}  overwritten; differs in mem
  new  latest on ${first}, updated 2023-11-14T22:13:30.000Z
    + ${second}  created

2 tokens on 2 clusters, 0 in step before, 2 to look at
were: created 1, overwritten 1, marked as deleted 0, removed for good 0; left alone 0, in dispute 0
tokens: 0 unmodified, 2 updated, 0 failed
exiting with code 0
`)
    expect(code).toBe(0)
    expect(err).toMatch(
      /^what was overwritten or deleted is in syncer-undo-\S+\.jsonl; bring it back with: syncer tokens restore syncer-undo-\S+\.jsonl URL --force\n$/,
    )
    expect(scene.clusters[0].dump()).toEqual(scene.clusters[1].dump())
  })

  it('has nothing to say of clusters that are in step, and keeps no undo file', async () => {
    for (const cluster of scene.clusters) cluster.put('same', aToken(1))
    const { code, out, err } = await scene.run(['sync', ...scene.urls])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^1 token on 2 clusters, 1 in step before, 0 to look at\n/)
    expect(await readdir(scene.cwd)).toEqual([])
  })

  it('takes addresses with commas between them, and folds those that lead to the same place', async () => {
    differ()
    const [first, second] = scene.urls
    const { code, out } = await scene.run(['sync', `${first}/, ${second}`, first, '--output', 'json'])
    expect(code).toBe(0)
    expect(Object.keys(JSON.parse(out).details['changed'].results)).toEqual([first])
  })

  it('prints one JSON object as the original does, and nothing else, on standard output', async () => {
    differ()
    const [first, second] = scene.urls
    const { code, out } = await scene.run(['sync', '--output', 'json', first, second])
    expect(code).toBe(0)
    expect(out.trimEnd().split('\n')).toHaveLength(1)
    const { summary, details } = JSON.parse(out)
    expect(summary).toEqual({
      sync: { unmodified: [], updated: ['changed', 'new'], failed: [] },
      tokens: {
        pending: { count: 2, value: ['changed', 'new'] },
        'previously-synced': { count: 0, value: [] },
        processed: { count: 2, value: ['changed', 'new'] },
        selected: { count: 2, value: ['changed', 'new'] },
        total: { count: 2, value: ['changed', 'new'] },
      },
      counts: { create: 1, update: 1, softDelete: 0, hardDelete: 0, skip: 0, conflict: 0 },
    })
    expect(details['changed']).toMatchObject({
      status: 'updated',
      latest: { cluster: second },
      results: { [first]: { code: 'success/sync-update', effect: 'update' } },
    })
  })

  it('sends AUTHORIZATION_HEADER to every cluster, and never shows it', async () => {
    differ()
    scene.clusters[0].fault = ({ kind, headers }) =>
      kind === 'store'
        ? { status: 403, body: JSON.stringify({ 'waiter-error': { message: headers['authorization'] } }) }
        : undefined
    const env = { AUTHORIZATION_HEADER: 'Bearer s3cret-value' }
    for (const output of ['text', 'json']) {
      const { code, out, err } = await scene.run(['sync', ...scene.urls, '--output', output], { env })
      expect(code).toBe(1)
      expect(out + err).not.toContain('s3cret-value')
    }
    const sent = scene.clusters.flatMap((cluster) => cluster.seen.map(({ headers }) => headers['authorization']))
    expect(new Set(sent)).toEqual(new Set(['Bearer s3cret-value']))
    for (const name of await readdir(scene.cwd)) {
      expect(await readFile(join(scene.cwd, name), 'utf8')).not.toContain('s3cret-value')
    }
  })

  it('sends no Authorization where none is set', async () => {
    differ()
    await scene.run(['sync', ...scene.urls], { env: { AUTHORIZATION_HEADER: '' } })
    for (const { headers } of scene.clusters[0].seen) expect(headers).not.toHaveProperty('authorization')
  })

  it('carries colours where it may', async () => {
    differ()
    const { out } = await scene.run(['sync', ...scene.urls], { colours: true })
    expect(out).toContain('\u001b[33m~ ')
    expect((await scene.run(['sync', ...scene.urls], { colours: false })).out).not.toContain('\u001b')
  })

  it('draws its progress on a terminal, and wipes it away', async () => {
    differ()
    const { err } = await scene.run(['sync', ...scene.urls, '--no-undo-file'], { columns: 60 })
    expect(err.startsWith('\r\u001b[Ksyncing [')).toBe(true)
    expect(err.endsWith('2/2\r\u001b[K')).toBe(true)
  })
})

describe('the exit code of syncer tokens sync', () => {
  it.each([
    [['--dry-run'], 0],
    [['--dry-run', '--detailed-exitcode'], 3],
    [['--dry-run', '--detailed-exitcode', '--compat'], 0],
    [['--detailed-exitcode'], 0],
    [[], 0],
  ])('with %j is %i when there are changes', async (options, expected) => {
    differ()
    const { code, out } = await scene.run(['sync', ...options, ...scene.urls])
    expect(code).toBe(expected)
    expect(out).toMatch(new RegExp(`\\nexiting with code ${expected}\\n$`))
    expect(writesOf().length > 0).toBe(!options.includes('--dry-run'))
  })

  it.each([[[]], [['--compat']]])('with --detailed-exitcode %j is 0 when nothing is pending', async (options) => {
    for (const cluster of scene.clusters) cluster.put('same', aToken(1))
    expect((await scene.run(['sync', '--dry-run', '--detailed-exitcode', ...options, ...scene.urls])).code).toBe(0)
  })

  it.each([[[]], [['--compat']], [['--dry-run', '--detailed-exitcode']]])(
    'with %j is 1 when a token failed',
    async (options) => {
      differ()
      scene.clusters[0].fault = ({ kind }) => (kind === 'read' || kind === 'store' ? { status: 503 } : undefined)
      const { code, out } = await scene.run(['sync', ...options, ...scene.urls])
      expect(code).toBe(1)
      expect(out).toMatch(/\nexiting with code 1\n$/)
    },
  )

  it.each([[[]], [['--compat']], [['--dry-run']]])(
    'with %j is 1 when a cluster does not list its tokens',
    async (options) => {
      scene.clusters[0].fault = () => 'html'
      const { code, out, err } = await scene.run(['sync', ...options, ...scene.urls])
      expect({ code, out }).toEqual({ code: 1, out: 'exiting with code 1\n' })
      expect(err).toBe(`syncer tokens sync: ${scene.urls[0]}: answered 502\n`)
    },
  )

  it('is 1, and nothing is on standard output, when JSON was asked for and a cluster does not list its tokens', async () => {
    scene.clusters[1].fault = () => 'reset'
    const { code, out, err } = await scene.run(['sync', '--output', 'json', ...scene.urls])
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err.trimEnd().split('\n')).toHaveLength(1)
  })

  it('is 1 with --on-unreachable skip-writes too, which tells what the others have', async () => {
    differ()
    await using third = await startFakeWaiter({ fault: () => ({ status: 500 }) })
    const urls = [...scene.urls, third.url]
    const { code, out, err } = await scene.run(['sync', '--on-unreachable', 'skip-writes', ...urls])
    expect(code).toBe(1)
    expect(out).toContain('could not be read (error/token-read)')
    expect(err).toContain(`syncer tokens sync: ${third.url}: answered 500\n`)
    expect(writesOf()).toEqual([])
  })

  it.each([
    [['http://a'], 2, 'at least two different clusters are needed, 1 given'],
    [['http://a', 'http://a/'], 2, 'at least two different clusters are needed, 1 given'],
    [[], 2, 'at least two different clusters are needed, 0 given'],
    [['--compat', 'http://a,http://a'], 1, 'at least two different clusters are needed, 1 given'],
    [['--compat'], 1, 'at least two different clusters are needed, 0 given'],
    [['ftp://a', 'http://b'], 2, 'http://'],
    [['http://a', 'b:80'], 2, 'http://'],
    [['http://a', 'http://b?c=d'], 2, 'has a query or a fragment'],
    [['http://me:hush-hush@a', 'http://b'], 2, 'user name or password'],
    [['--limit', '0', 'http://a', 'http://b'], 2, 'Allowed is a whole number from 1 to 10000'],
    [['--limit', '10001', 'http://a', 'http://b'], 2, 'Allowed is a whole number from 1 to 10000'],
    [['--limit', '1e3', 'http://a', 'http://b'], 2, 'Allowed is a whole number from 1 to 10000'],
    [['--idle-timeout-ms', '249', 'http://a', 'http://b'], 2, 'from 250 to 300000'],
    [['--connection-timeout-ms', '0', 'http://a', 'http://b'], 2, 'from 1 to 300000'],
    [['--max-deletes', '101%', 'http://a', 'http://b'], 2, 'Allowed is a number of tokens'],
    [['--max-deletes=-1', 'http://a', 'http://b'], 2, 'Allowed is a number of tokens'],
    [['--opt-out-metadata-name', 'Upper', 'http://a', 'http://b'], 2, 'Allowed are lower-case letters'],
    [['--opt-out-metadata-name', 'a'.repeat(100), 'http://a', 'http://b'], 2, 'under 100 characters'],
    [['--on-conflict', 'oldest', 'http://a', 'http://b'], 2, 'Allowed are newest, fail and prefer:URL'],
    [['--on-conflict', 'prefer:http://c', 'http://a', 'http://b'], 2, 'allowed are http://a, http://b'],
    [['--allow-empty', 'http://c', 'http://a', 'http://b'], 2, 'allowed are http://a, http://b'],
    [['--on-unreachable', 'wait', 'http://a', 'http://b'], 2, 'Allowed choices are fail, skip-writes'],
    [['--plan-out', 'p', 'http://a', 'http://b'], 2, '--plan-out needs --dry-run'],
    [['--compat', '--max-deletes', '1', 'http://a', 'http://b'], 2, "cannot be used with option '--compat'"],
    [['--compat', '--memory-file', 'm', 'http://a', 'http://b'], 2, "cannot be used with option '--compat'"],
    [['--compat', '--on-conflict', 'fail', 'http://a', 'http://b'], 2, "cannot be used with option '--compat'"],
    [['--server', 'http://s', '--undo-file', 'u', 'c1', 'c2'], 2, "cannot be used with option '--undo-file"],
    [['--server', 's', 'c1', 'c2'], 2, 's is no address of a service'],
    [['--authorization', 'x', 'http://a', 'http://b'], 2, 'unknown option'],
  ])('for %j is %i, with one line that says what is allowed', async (argv, expected, what) => {
    const { code, out, err } = await scene.run(['sync', ...argv])
    expect(code).toBe(expected)
    expect(out).toBe(expected === 1 ? 'exiting with code 1\n' : '')
    expect(err).toMatch(/^syncer tokens sync: [^\n]*\n$/)
    expect(err).toContain(what)
    expect(err).not.toContain('hush-hush')
  })
})

describe('the options of syncer tokens sync', () => {
  it('are heeded: limit, opt-out and conflicts', async () => {
    const [first, second] = scene.clusters
    first.put('a', aToken(10, { metadata: { local: 'true' } }))
    second.put('a', aToken(20))
    first.put('b', aToken(10))
    second.put('b', aToken(20, { mem: 1 }))
    first.put('c', aToken(10))
    const ask = async (...options: string[]) =>
      JSON.parse((await scene.run(['sync', '--dry-run', '--output', 'json', ...options, ...scene.urls])).out)
    expect((await ask('--limit', '1')).summary.tokens.selected.value).toEqual(['a'])
    expect((await ask('--opt-out-metadata-name', 'local')).details['a'].results[first.url].code).toBe(
      'success/skip-opt-out',
    )
    expect((await ask('--on-conflict', 'fail')).details['b'].results[first.url].code).toBe('error/conflict')
    expect((await ask('--on-conflict', `prefer:${first.url}/`)).details['b'].latest.cluster).toBe(first.url)
  })

  it('refuse too many deletes, in a dry run as well', async () => {
    for (const cluster of scene.clusters) cluster.put('gone', aToken(1, { deleted: true }))
    for (const options of [[], ['--dry-run']]) {
      const { code, err } = await scene.run(['sync', '--max-deletes', '0', ...options, ...scene.urls])
      expect(code).toBe(1)
      expect(err).toContain('syncer tokens sync: the plan deletes 1 token and 0 are allowed')
    }
    expect(writesOf()).toEqual([])
    expect((await scene.run(['sync', '--max-deletes', '100%', ...scene.urls])).code).toBe(0)
  })

  it('try nothing again with --compat, and reads otherwise', async () => {
    differ()
    scene.clusters[0].fault = ({ kind, n }) => (kind === 'read' && n === 1 ? 'reset' : undefined)
    expect((await scene.run(['sync', '--dry-run', '--compat', ...scene.urls])).code).toBe(1)
    scene.clusters[1].fault = ({ kind, n }) => (kind === 'read' && n === 2 ? 'reset' : undefined)
    expect((await scene.run(['sync', '--dry-run', ...scene.urls])).code).toBe(0)
  })
})

describe('the files of syncer tokens sync', () => {
  it('remember how much each cluster listed, and where a limited run goes on', async () => {
    differ()
    const [first, second] = scene.urls
    const sync = (...options: string[]) =>
      scene.run(['sync', '--memory-file', 'memory.json', '--output', 'json', ...options, first, second])
    expect(JSON.parse((await sync('--limit', '1')).out).summary.tokens.processed.value).toEqual(['changed'])
    const kept = JSON.parse(await readFile(join(scene.cwd, 'memory.json'), 'utf8'))
    expect(kept).toEqual({
      version: 1,
      clusters: [first, second],
      memory: { listed: { [first]: 2, [second]: 1 }, selectedUpTo: 'changed' },
    })
    for (const token of ['changed', 'new']) scene.clusters[0].store.put(token, undefined)
    const refused = await sync()
    expect({ code: refused.code, out: refused.out }).toEqual({ code: 1, out: '' })
    expect(refused.err).toContain(`${first}: lists no token and had 2 at the last run`)
    expect((await sync('--allow-empty', first)).code).toBe(0)
  })

  it('are of no use for other clusters, and refused when they are something else', async () => {
    const memory = { version: 1, clusters: ['http://a', 'http://b'], memory: { listed: { [scene.urls[0]]: 9 } } }
    await writeFile(join(scene.cwd, 'memory.json'), JSON.stringify(memory))
    expect((await scene.run(['sync', '--memory-file', 'memory.json', ...scene.urls])).code).toBe(0)
    for (const text of ['', '{}', '[1]', '{"version":1,"clusters":[],"memory":{"listed":{"a":"b"}}}']) {
      await writeFile(join(scene.cwd, 'memory.json'), text)
      const { code, err } = await scene.run(['sync', '--memory-file', 'memory.json', ...scene.urls])
      expect({ code, err }).toEqual({
        code: 1,
        err: `syncer tokens sync: ${join(scene.cwd, 'memory.json')} is no memory of a sync: name another file, or take it away\n`,
      })
    }
  })

  it('keep what was there before, readable by their owner alone', async () => {
    differ()
    const { err } = await scene.run(['sync', '--undo-file', 'undo.jsonl', ...scene.urls])
    expect(err).toContain('syncer tokens restore undo.jsonl URL --force')
    const lines = (await readFile(join(scene.cwd, 'undo.jsonl'), 'utf8')).trimEnd().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ token: 'changed', cluster: scene.urls[0] }])
    expect((await stat(join(scene.cwd, 'undo.jsonl'))).mode & 0o077).toBe(0)
  })

  it('are left out when nothing is to be kept', async () => {
    differ()
    const { code, err } = await scene.run(['sync', '--no-undo-file', ...scene.urls])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(await readdir(scene.cwd)).toEqual([])
  })

  it('keep a write from being sent when they cannot be written', async () => {
    differ()
    await writeFile(join(scene.cwd, 'undo.jsonl'), 'of an earlier run')
    const { code, err } = await scene.run(['sync', '--undo-file', 'undo.jsonl', ...scene.urls])
    expect(code).toBe(1)
    expect(err).toMatch(/^syncer tokens sync: EEXIST: [^\n]*undo\.jsonl'\n$/)
    expect(await readFile(join(scene.cwd, 'undo.jsonl'), 'utf8')).toBe('of an earlier run')
    expect(scene.clusters[0].only('store')).toEqual([])
  })
})

describe('a plan', () => {
  const plan = () => scene.run(['sync', '--dry-run', '--plan-out', 'plan.json', ...scene.urls])

  it('is written by a dry run and carried out exactly', async () => {
    differ()
    const planned = await plan()
    expect(planned.err).toBe('the plan is in plan.json; carry it out with: syncer tokens apply plan.json\n')
    expect(writesOf()).toEqual([])
    scene.clusters[0].put('newer', aToken(99))
    const { code, out } = await scene.run(['apply', 'plan.json'])
    expect(code).toBe(0)
    expect(out).toContain('were: created 1, overwritten 1')
    expect(out).toMatch(/\nexiting with code 0\n$/)
    expect(scene.clusters[1].get('changed')).toEqual(scene.clusters[0].get('changed'))
    expect(scene.clusters[1].get('newer')).toBeUndefined()
  })

  it('is refused for a token that has changed since', async () => {
    differ()
    await plan()
    scene.clusters[0].edit('changed', { mem: 512 }, 'bob')
    const { code, out } = await scene.run(['apply', 'plan.json', '--output', 'json'])
    expect(code).toBe(1)
    const { details } = JSON.parse(out)
    const results: { code: string }[] = Object.values(details['changed'].results)
    expect(results.map((one) => one.code)).toEqual(['error/plan-outdated'])
    expect(details['new'].status).toBe('updated')
    expect(scene.clusters[1].get('new')).toEqual(scene.clusters[0].get('new'))
  })

  it.each([
    ['', 'no JSON'],
    ['{}', 'no plan of version 1'],
    ['{"version":1}', 'must have required property'],
  ])('that is %j is refused', async (text, why) => {
    await writeFile(join(scene.cwd, 'plan.json'), text)
    const { code, out, err } = await scene.run(['apply', 'plan.json'])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(
      /^syncer tokens apply: plan.json cannot be carried out: [^\n]*; allowed is a file of --plan-out\n$/,
    )
    expect(err).toContain(why)
  })

  it('that is not there is refused', async () => {
    const { code, err } = await scene.run(['apply', 'plan.json'])
    expect(code).toBe(2)
    expect(err).toMatch(/^syncer tokens apply: plan.json cannot be carried out: ENOENT/)
  })
})

describe('SIGINT', () => {
  it('once lets the token under way end, begins no other, and tells what was done', async () => {
    const [first, second] = scene.clusters
    for (let i = 100; i < 400; i++) first.put(`t${i}`, aToken(i))
    second.fault = ({ kind }) => (kind === 'store' ? 'hang' : undefined)
    let written = 0
    second.fault = ({ kind }) => {
      if (kind === 'store' && ++written === 1) io.emitter.emit('SIGINT')
      return undefined
    }
    const { io, code } = scene.start(['sync', ...scene.urls, '--no-undo-file'])
    expect(await code).toBe(1)
    expect(io.exits).toEqual([])
    expect(written).toBeLessThan(300)
    expect(io.written.err).toBe('syncer: stopped by SIGINT\n')
    const told = [...io.written.out.matchAll(/^ {4}\+ \S+ {2}created$/gm)].length
    expect(told).toBe([...second.dump().keys()].length)
    expect(io.written.out).toMatch(/\nexiting with code 1\n$/)
  })

  it('twice ends at once', async () => {
    differ()
    scene.clusters[1].fault = ({ kind }) => (kind === 'store' ? 'hang' : undefined)
    const { io, code } = scene.start(['sync', ...scene.urls, '--no-undo-file'])
    await eventually(() => scene.clusters[1].only('store').length > 0)
    io.emitter.emit('SIGINT')
    expect(io.exits).toEqual([])
    await eventually(() => {
      io.emitter.emit('SIGINT')
      return io.exits.length > 0
    })
    expect(io.exits[0]).toBe(130)
    expect(await code).toBe(1)
  })
})
