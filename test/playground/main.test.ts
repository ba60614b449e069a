import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const MAIN = join(import.meta.dirname, '../../src/playground/main.ts')

let temporary: string
let children: ChildProcess[]

beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), 'syncer-test-'))
  children = []
})
afterEach(async () => {
  for (const child of children) if (child.exitCode === null && child.kill('SIGKILL')) await once(child, 'exit')
  await rm(temporary, { recursive: true, force: true })
})

const start = (args: readonly string[] = []) => {
  const env = { TMPDIR: temporary, PATH: process.env['PATH'] }
  const child = spawn(process.execPath, [MAIN, ...args], { cwd: temporary, env, stdio: ['ignore', 'pipe', 'pipe'] })
  children.push(child)
  let out = ''
  const waiting = new Set<() => void>()
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk
    for (const look of waiting) look()
  })
  const err = text(child.stderr)
  const exit = once(child, 'close').then(async ([code]) => ({ code, out, err: await err }))
  const told = (what: RegExp) => {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>()
    const look = () => {
      const found = what.exec(out)
      if (found !== null) resolve(found)
    }
    waiting.add(look)
    look()
    exit.then((end) => reject(new Error(`the playground ended without telling ${what}: ${JSON.stringify(end)}`)))
    return promise
  }
  return { child, exit, told }
}

describe('npm start', { timeout: 60_000 }, () => {
  it('shows where everything is, and a verdict; Ctrl-C leaves nothing behind', async () => {
    const { child, exit, told } = start()
    const [, verdict] = await told(/^(\w+): 4 of 4 replicas beside gw-0 have the token after [\d.]+ ms$/m)
    expect(verdict).toBe('Synced')
    const [, url] = await told(/^ {2}service +(http:\S+)$/m)
    const [, ui] = await told(/^ {2}Swagger UI +(http:\S+)$/m)
    const [, config] = await told(/^ {2}configuration +(\S+)$/m)
    await told(/Ctrl-C ends it/)
    await told(
      /The schedule synced the tokens of the two Waiter clusters: 2 created, 4 overwritten, 1 marked as deleted, 2 removed for good \(catalog, .*\); 3 of 12 /,
    )
    await told(
      /The schedule synced the notes of the two databases: 2 brought to pocket\.db, 2 brought to desk\.db; \d+ were there already\./,
    )
    expect(existsSync(join(dirname(String(config)), 'state.db'))).toBe(true)
    expect((await fetch(`${url}/livez`)).status).toBe(200)
    expect((await fetch(String(ui))).status).toBe(200)
    expect(existsSync(String(config))).toBe(true)

    const startedAt = performance.now()
    child.kill('SIGINT')
    expect(await exit).toMatchObject({ code: 0, err: 'stopping\n' })
    expect(performance.now() - startedAt).toBeLessThan(5_000)
    expect(await readdir(temporary)).toEqual([])
  })

  it('stands beside another one, on other ports', async () => {
    const [first, second] = [start(), start()]
    const [[, a], [, b]] = await Promise.all([first.told(/service +(\S+)/), second.told(/service +(\S+)/)])
    expect(a).not.toBe(b)
    first.child.kill('SIGTERM')
    second.child.kill('SIGTERM')
    expect((await first.exit).code).toBe(0)
    expect((await second.exit).code).toBe(0)
  })

  it('serves a configuration in its place', async () => {
    await writeFile(
      join(temporary, 'own.yaml'),
      'listen: { port: 0 }\nauth: { mode: none }\nlog: { level: fatal }\nshutdown: { graceMs: x }\n',
    )
    const { exit } = start(['--config', 'own.yaml'])
    const { code, out, err } = await exit
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(`syncer: ${join(temporary, 'own.yaml')}: shutdown.graceMs`)
  })

  it.each([[['--port', '1']], [['now']], [['--config']]])('refuses %j in one line', async (args) => {
    const { code, out, err } = await start(args).exit
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/^npm start: .*; allowed is -- --config FILE\n$/)
  })
})
