import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import packageJson from 'syncer/package.json' with { type: 'json' }
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/program.ts'
import { createFakeIo, type FakeIoOptions } from './fake-io.ts'

const run = async (argv: readonly string[], options?: FakeIoOptions) => {
  const io = createFakeIo(options)
  const code = await runCli(argv, io)
  return { code, ...io.written }
}

describe('the command line', () => {
  it('tells its version', async () => {
    expect(await run(['--version'])).toEqual({ code: 0, out: `${packageJson.version}\n`, err: '' })
  })

  const COMMANDS = [
    ...['sync', 'apply', 'backup', 'restore', 'cleanup', 'ping', 'sanitize'].map((name) => ['tokens', name]),
    ...['list', 'show', 'cancel'].map((name) => ['runs', name]),
  ]

  it.each([[[]], [['serve']], [['synced']], [['config', 'check']], ...COMMANDS.map((path) => [path])])(
    'begins the help of %j with examples',
    async (path) => {
      const { code, out, err } = await run([...path, '--help'])
      expect(code).toBe(0)
      expect(err).toBe('')
      expect(out).toMatch(new RegExp(`^Examples:\\n {2}\\S.*syncer ${path.join(' ')}`, 's'))
      expect(out).toContain(`Usage: syncer${path.map((one) => ` ${one}`).join('')} `)
      expect(out.match(/Examples:/g)).toHaveLength(1)
    },
  )

  it.each<[string[], string]>([
    [[], 'syncer: a command is missing; allowed are serve, synced, tokens, db, runs, config, --version, --help'],
    [['config'], 'syncer config: a command is missing; allowed are check, --help'],
    [
      ['tokens'],
      'syncer tokens: a command is missing; allowed are sync, apply, backup, restore, cleanup, ping, sanitize, --help',
    ],
    [
      ['runs', 'stop'],
      "syncer runs: unknown command 'stop' (Did you mean show?); allowed are list, show, cancel, --help",
    ],
    [
      ['sync'],
      "syncer: unknown command 'sync' (Did you mean synced?); allowed are serve, synced, tokens, db, runs, config, --version, --help",
    ],
    [['serve', '--port', '1'], "syncer serve: unknown option '--port'; allowed are --config <file>, --help"],
    [
      ['serve', 'now'],
      "syncer serve: too many arguments for 'serve'. Expected 0 arguments but got 1: now; allowed are --config <file>, --help",
    ],
    [
      ['config', 'check', '--output', 'xml'],
      "syncer config check: option '--output <format>' argument 'xml' is invalid. Allowed choices are text, json.",
    ],
    [
      ['synced', 'tok', '--origin', 'gw-0', '--expect', 'gone'],
      "syncer synced: option '--expect <state>' argument 'gone' is invalid. Allowed choices are present, absent.",
    ],
    [
      ['serve', '--config'],
      "syncer serve: option '--config <file>' argument missing; allowed are --config <file>, --help",
    ],
  ])('answers %j with one line that says what is allowed', async (argv, line) => {
    expect(await run(argv)).toEqual({ code: 2, out: '', err: `${line}\n` })
  })

  it.each([
    [['synced', '--origin', 'gw-0'], "missing required argument 'token'"],
    [['synced', 'tok'], "required option '--origin <name>' not specified"],
    [
      ['synced', 'tok', '--origin', 'gw-0', '--server', 'http://a', '--config', 'b'],
      "option '--server <url>' cannot be used with option '--config <file>'",
    ],
    [['synced', 'tok', '--origin', 'gw-0', '--token', 'x'], "unknown option '--token'"],
  ])('refuses %j', async (argv, what) => {
    const { code, out, err } = await run(argv)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/^syncer synced: .*; allowed are TOKEN, --origin <name>, .*--help\n$/)
    expect(err).toContain(what)
  })
})

describe('syncer config check', () => {
  let cwd: string
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'syncer-cli-'))
  })
  afterEach(() => rm(cwd, { recursive: true, force: true }))

  it('prints what is in force, the environment included', async () => {
    await writeFile(
      join(cwd, 'syncer.yaml'),
      'listen: { port: 1234 }\nauth: { mode: bearer, callers: [{ name: a, scopes: [read], sha256: &h ' +
        'ab'.repeat(32) +
        ' }] }\n',
    )
    const { code, out, err } = await run(['config', 'check'], { cwd, env: { PORT: '4321' } })
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain(`# Configuration in force, from ${join(cwd, 'syncer.yaml')}\n`)
    expect(out).toContain('  port: 4321\n')
    expect(out).not.toContain('ab'.repeat(32))
  })

  it('prints it as JSON for scripts', async () => {
    const { code, out } = await run(['config', 'check', '--output', 'json'], { cwd })
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ source: 'defaults', config: { listen: { port: 8080 } } })
  })

  it('tells every problem on a line of its own', async () => {
    await writeFile(join(cwd, 'a.yaml'), 'listen: { prot: 1 }\nlog: { level: loud }\n')
    const { code, out, err } = await run(['config', 'check', '--config', 'a.yaml'], { cwd })
    expect({ code, out }).toEqual({ code: 2, out: '' })
    const lines = err.trimEnd().split('\n')
    expect(lines).toHaveLength(2)
    expect(lines[0]).toMatch(`syncer: ${join(cwd, 'a.yaml')}: listen.prot`)
    expect(lines[1]).toMatch(`syncer: ${join(cwd, 'a.yaml')}: log.level`)
  })

  it('looks for the secrets, too', async () => {
    await writeFile(
      join(cwd, 'syncer.yaml'),
      'listen: { tls: { cert: { file: c.pem }, key: { file: k.pem } } }\nauth: { mode: none }\n',
    )
    const { code, err } = await run(['config', 'check'], { cwd })
    expect(code).toBe(2)
    expect(err).toContain(`listen.tls.cert: file ${join(cwd, 'c.pem')} does not exist\n`)
    expect(err).toContain(`listen.tls.key: file ${join(cwd, 'k.pem')} does not exist\n`)
  })

  it('says where a file that is not there was named', async () => {
    const { code, err } = await run(['config', 'check'], { cwd, env: { SYNCER_CONFIG: 'gone.yaml' } })
    expect({ code, err }).toEqual({ code: 2, err: `syncer: ${join(cwd, 'gone.yaml')}: no such file (SYNCER_CONFIG)\n` })
  })
})
