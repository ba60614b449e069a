// The commands that the playground gives to try by hand, run as a person would: with bash and curl.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { type Playground, startPlayground } from '../../src/playground/playground.ts'
import { tryText } from '../../src/playground/story.ts'

const exec = promisify(execFile)

describe('what the playground tells to try', () => {
  let playground: Playground
  /** The same, with syncs only where they are asked for. */
  let calm: Playground
  beforeAll(async () => {
    const options = { env: {}, clock: systemClock, anyPorts: true }
    ;[playground, calm] = await Promise.all([
      startPlayground(options),
      startPlayground({ ...options, schedule: '0 0 0 1 1 *' }),
    ])
  })
  afterAll(() => Promise.all([playground, calm].map((one) => one[Symbol.asyncDispose]())))

  /** Runs these lines of commands, one after the other. */
  const run = async (from: number, to: number, where = playground) => {
    const commands = tryText(where)
      .split('\n')
      .filter((line) => /^ {2}(curl|[TR]=|\/)/.test(line))
    const { stdout } = await exec('bash', ['-euc', commands.slice(from, to).join('\n')])
    return stdout
  }

  it('a login and a logout, each with its question', async () => {
    const answers = await run(0, 2)
    expect(answers.match(/^X-Token-Status: Synced/gm)).toHaveLength(2)
    expect(answers).toContain('"expect":"absent"')
  })

  it('a replica that is cut off', async () => {
    const answers = await run(2, 4)
    expect(answers).toMatch(/^X-Token-Status: Partialy/m)
    expect(answers).toContain('{"name":"gw-2","behaviour":"answer"}')
  })

  it('replicas', async () => {
    expect(await run(4, 5)).toContain('"name":"gw-4"')
  })

  it('a token that is edited on one cluster and reaches the other by the schedule', async () => {
    const answer = await run(5, 6)
    expect(answer).toContain('Successfully updated checkout')
    expect(answer).toMatch(/\{[^{}]*"version":"by-hand"[^{}]*\}\s*$/)
  })

  it('a dry run, its items, its plan carried out, the runs and their events', async () => {
    const answers = await run(6, 11, calm)
    const { east, west } = calm.clusters
    expect(answers).toMatch(/^[0-9a-f-]{36}\n/)
    expect(answers).toContain('"id":"checkout","status":"updated"')
    expect(answers).toContain('"state":"succeeded"')
    expect(answers).toContain('event: end')
    expect(east.get('checkout')?.get('version')).toBe('planned')
    expect(east.etag('checkout')).toBe(west.etag('checkout'))
    expect(east.get('invoices')).toBeDefined()
  })

  it('a note, a dry run, a sync and a verify', async () => {
    const answers = await run(11, 14, calm)
    const runs = answers.trimEnd().split(/(?<=\})(?=\{"id")/)
    const [planned, synced, verified] = runs.map((text) => JSON.parse(text))
    expect(planned).toMatchObject({ state: 'succeeded', dryRun: true, summary: { counts: { applied: 5 } } })
    expect(synced).toMatchObject({ state: 'succeeded', summary: { counts: { applied: 5 } } })
    expect(verified).toMatchObject({ state: 'succeeded', summary: { counts: { equal: 7, onlyLeft: 0 } } })
  })

  it('metrics of all of it', async () => {
    const answer = await run(14, 15)
    expect(answer).toMatch(/^syncer_gateway_/m)
    expect(answer).toMatch(/^syncer_runs?_/m)
  })

  it('no more', async () => {
    expect(await run(15, 16)).toBe('')
  })

  it('replicas that are trusted by the authority in the file alone', async () => {
    const address = `https://127.0.0.1:${playground.gateway.replicas[0]?.port}/_synced`
    await expect(exec('curl', ['-s', address])).rejects.toMatchObject({ code: 60 })
    const { stdout } = await exec('curl', ['-s', '-w', '%{http_code}', '--cacert', playground.caFile, address])
    expect(stdout).toBe('401')
  })
})
