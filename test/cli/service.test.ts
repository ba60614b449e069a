import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/program.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { type Playground, startPlayground } from '../../src/playground/playground.ts'
import { createFakeIo } from './fake-io.ts'

let playground: Playground
beforeAll(async () => {
  playground = await startPlayground({ env: {}, clock: systemClock, anyPorts: true, schedule: '0 0 0 1 1 *' })
})
afterAll(() => playground[Symbol.asyncDispose]())

const run = async (...argv: readonly string[]) => {
  const io = createFakeIo({ env: { SYNCER_SERVER: playground.url }, fetch: (request) => fetch(request) })
  const code = await runCli(argv, io)
  return { code, ...io.written }
}

describe('the commands, asking a service that runs', () => {
  it('plan, carry out, look back', async () => {
    const { east, west } = playground.clusters
    const planned = await run('tokens', 'sync', '--dry-run', '--detailed-exitcode', 'east', 'west')
    expect(planned.code).toBe(3)
    expect(planned.out).toMatch(/^Changes \(6 tokens\)\n/)
    expect(planned.out).toContain(
      'would be: created 2, overwritten 4, marked as deleted 1, removed for good 2; left alone 1',
    )
    const [, id = ''] = /^run (\S+)$/m.exec(planned.err) ?? []
    expect(planned.err).toContain(`syncer tokens apply --server ${playground.url} ${id}\n`)
    expect(west.get('reports')).toBeUndefined()

    const applied = await run('tokens', 'apply', id, '--output', 'json')
    expect(applied.code).toBe(0)
    expect(JSON.parse(applied.out).summary.counts).toMatchObject({ create: 2, update: 4, softDelete: 1, hardDelete: 2 })
    expect(west.get('reports')).toEqual(east.get('reports'))

    const again = await run('tokens', 'apply', id)
    expect(again.code).toBe(1)
    expect(again.out).toContain('(error/plan-outdated)')

    const listed = await run('runs', 'list', '--kind', 'tokens', '--output', 'json')
    expect(JSON.parse(listed.out).items.map((one: { state: string }) => one.state)).toEqual([
      'failed',
      'succeeded',
      'succeeded',
    ])
    const shown = await run('runs', 'show', id, '--items', '--follow')
    expect(shown.code).toBe(0)
    expect(shown.out).toContain('kind        tokens, dry run\n')
    expect(shown.out).toContain('\nDeletes (2 tokens)\n')
    const cancelled = await run('runs', 'cancel', id)
    expect({ code: cancelled.code, ended: cancelled.out.includes('state       succeeded\n') }).toEqual({
      code: 0,
      ended: true,
    })
  })

  it.each([
    [['tokens', 'sync', 'east'], 2],
    [['tokens', 'sync', 'east', 'north'], 2],
    [['runs', 'list', '--cursor', 'x'], 2],
    [['runs', 'show', 'x'], 1],
    [['runs', 'show', '019b76da-a800-7b3c-9d51-0f7c3f6d2e10'], 1],
  ])('%j is refused in one line', async (argv, expected) => {
    const { code, out, err } = await run(...argv)
    expect({ code, out }).toEqual({ code: expected, out: '' })
    expect(err).toMatch(/^syncer [a-z ]+: [^\n]*\n$/)
  })
})
