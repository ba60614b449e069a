import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/program.ts'
import { fromPlain, type PlainJson, writeSortedJson } from '../../src/tokens/json.ts'
import { startCase } from '../fakes/waiter-case.ts'
import { loadCases } from '../tokens/lib/cases.ts'
import { createFakeIo } from './fake-io.ts'

let cwd: string
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'syncer-compat-'))
})
afterAll(() => rm(cwd, { recursive: true, force: true }))

interface Printed {
  readonly summary: {
    readonly sync: Readonly<Record<string, string[]>>
    readonly tokens: Readonly<Record<string, { readonly count: number; readonly value: readonly string[] }>>
  }
  readonly details: Readonly<
    Record<
      string,
      { readonly latest: { readonly cluster: string }; readonly results: Record<string, { code: string }> }
    >
  >
}

/** What was printed, as the cases have it. */
const tell = ({ summary, details }: Printed, exitCode: number, caseUrl: (url: string) => string): PlainJson => ({
  summary: {
    sync: summary.sync,
    tokens: Object.fromEntries(Object.entries(summary.tokens).map(([key, { count }]) => [key, count])),
  },
  tokenCodes: Object.fromEntries(
    Object.entries(details).map(([token, { latest, results }]) => [
      token,
      {
        latestCluster: caseUrl(latest.cluster),
        results: Object.fromEntries(Object.entries(results).map(([url, { code }]) => [caseUrl(url), code])),
      },
    ]),
  ),
  exitCode,
})

describe('syncer tokens sync --compat', () => {
  const cases = loadCases().filter((_, index) => index % 5 === 0)

  it.each(cases.map((one) => ({ id: one.id, one })))('prints what the original found in case $id', async ({ one }) => {
    await using servers = await startCase(one)
    const io = createFakeIo({ cwd })
    const optOut = one.optOutMetadataName === undefined ? [] : ['--opt-out-metadata-name', one.optOutMetadataName]
    const options = ['--compat', '--output', 'json', '--no-undo-file', '--limit', String(one.limit), ...optOut]
    const code = await runCli(['tokens', 'sync', ...options, ...servers.urls], io)
    const expected = new Map([...one.expected].filter(([key]) => key !== 'writes'))
    const told = tell(JSON.parse(io.written.out), code, servers.caseUrl)
    expect(writeSortedJson(fromPlain(told))).toBe(writeSortedJson(expected))
    expect(servers.writes).toHaveLength((one.expected.get('writes') as readonly unknown[]).length)
  })
})
