import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/program.ts'
import { loadConfig } from '../../src/config/load.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { startTokenClusters, type TokenClusters } from '../../src/playground/token-clusters.ts'
import { createFakeIo } from '../cli/fake-io.ts'
import { aRun, createFakeService, events, ID, ITEMS } from '../cli/run-service.ts'

const ROOT = join(import.meta.dirname, '../..')
const page = await readFile(join(ROOT, 'docs/tokens.md'), 'utf8')
const blocks = [...page.matchAll(/```sh\n(.*?)```/gs)].map(([, text = '']) => text.trimEnd().split('\n'))

let clusters: TokenClusters
let cwd: string
beforeAll(async () => {
  clusters = await startTokenClusters({ clock: systemClock, anyPorts: true })
  for (const one of [clusters.east, clusters.west]) one.edit('checkout', { 'health-check-url': '/' }, 'alice')
  cwd = await mkdtemp(join(tmpdir(), 'syncer-docs-'))
})
afterAll(async () => {
  await clusters[Symbol.asyncDispose]()
  await rm(cwd, { recursive: true, force: true })
})

const service = createFakeService({
  'POST /v1/tokens/sync': () => Response.json(aRun(), { status: 202 }),
  'GET /v1/runs': () => Response.json({ items: [aRun()], nextCursor: null }),
  [`GET /v1/runs/${ID}`]: () => Response.json(aRun()),
  [`GET /v1/runs/${ID}/events`]: () => events(aRun()),
  [`GET /v1/runs/${ID}/items`]: () => Response.json({ items: ITEMS, nextCursor: null }),
})

/** The words of a line, with clusters and a run that there are. */
const wordsOf = (line: string): readonly string[] =>
  line
    .replaceAll('http://c1:9091', clusters.east.url)
    .replaceAll('http://c2:9093', clusters.west.url)
    .replaceAll('RUN_ID', ID)
    .replaceAll("'", '')
    .split(' ')

describe('docs/tokens.md', () => {
  it.each(blocks.map((lines) => ({ lines, first: lines[0] })))('has commands that work: $first', async ({ lines }) => {
    for (const line of lines) {
      const [name, ...argv] = wordsOf(line)
      expect(name).toBe('syncer')
      const io = createFakeIo({ cwd, fetch: service.fetch })
      expect({ code: await runCli(argv, io), err: io.written.err }, line).toMatchObject({ code: 0 })
    }
  })

  it('has a configuration that is taken', async () => {
    const [, text = ''] = /```yaml\n(.*?)```/s.exec(page) ?? []
    const env = { C1_AUTH: 'a', C2_AUTH: 'b' }
    const { config } = await loadConfig({ path: '/etc/syncer.yaml', env, cwd: '/', readFile: async () => text })
    expect(config.tokens).toMatchObject({
      follow: true,
      schedule: '*/5 * * * *',
      clusters: [{ name: 'c1' }, { name: 'c2' }],
    })
  })

  it('names every command and option of tokens and runs that matters', async () => {
    const { createProgram } = await import('../../src/cli/program.ts')
    const program = createProgram(createFakeIo(), { code: 0 })
    for (const group of ['tokens', 'runs']) {
      const commands = program.commands.find((one) => one.name() === group)?.commands ?? []
      expect(commands.length).toBeGreaterThan(2)
      for (const command of commands) expect(page).toContain(`syncer ${group} ${command.name()}`)
    }
    const named = [...page.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)].map(([option]) => option)
    const known = program.commands.flatMap((one) => one.commands).flatMap((one) => one.options.map(({ long }) => long))
    for (const option of named) expect(known).toContain(option)
  })

  it('shows what is printed', async () => {
    const [, shown = ''] = /```\n(Changes.*?)```/s.exec(page) ?? []
    const io = createFakeIo({ cwd })
    await using fresh = await startTokenClusters({ clock: systemClock, anyPorts: true })
    await runCli(['tokens', 'sync', '--dry-run', fresh.east.url, fresh.west.url], io)
    /** Names, numbers and moments are others; everything else is as it is printed. */
    const shape = (text: string): ReadonlySet<string> =>
      new Set(
        text
          .replaceAll(/http:\S+/g, 'URL')
          .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'MOMENT')
          .replaceAll(/^ {2}[a-z-]+(?= {2}latest)/gm, '  NAME')
          .replaceAll(/differs in [a-z, -]+/g, 'differs in NAMES')
          .replaceAll(/\d+ tokens?/g, 'N tokens')
          .replaceAll(/\d+/g, 'N')
          .split('\n'),
      )
    const printed = shape(io.written.out)
    for (const line of shape(shown)) expect(printed).toContain(line)
  })
})
