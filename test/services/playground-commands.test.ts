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
  beforeAll(async () => {
    playground = await startPlayground({ env: {}, clock: systemClock, anyPorts: true })
  })
  afterAll(() => playground[Symbol.asyncDispose]())

  /** Runs these lines of commands, one after the other. */
  const run = async (from: number, to: number) => {
    const commands = tryText(playground)
      .split('\n')
      .filter((line) => /^ {2}(curl|T=)/.test(line))
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

  it('replicas and metrics', async () => {
    const answers = await run(4, 6)
    expect(answers).toContain('"name":"gw-4"')
    expect(answers).toMatch(/^syncer_/m)
  })

  it('replicas that are trusted by the authority in the file alone', async () => {
    const address = `https://127.0.0.1:${playground.gateway.replicas[0]?.port}/_synced`
    await expect(exec('curl', ['-s', address])).rejects.toMatchObject({ code: 60 })
    const { stdout } = await exec('curl', ['-s', '-w', '%{http_code}', '--cacert', playground.caFile, address])
    expect(stdout).toBe('401')
  })
})
