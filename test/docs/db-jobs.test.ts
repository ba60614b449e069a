import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { ExecutionSchema } from '../../src/config/db-execution-schema.ts'
import { loadConfig } from '../../src/config/load.ts'
import { MAX_TABLES } from '../../src/db/jobs/report.ts'

const ROOT = join(import.meta.dirname, '../..')
const PAGE = 'docs/db-jobs.md'
const page = readFileSync(join(ROOT, PAGE), 'utf8')
const [, example = ''] = /```yaml\n(.*?)```/s.exec(page) ?? []

describe(PAGE, () => {
  it('has an example that is accepted, with the defaults that it writes down', async () => {
    const load = (text: string) => loadConfig({ env: {}, cwd: ROOT, path: 'syncer.yaml', readFile: async () => text })
    const written = parse(example)
    const [pair] = (await load(example)).config.db?.pairs ?? []
    const { shards: _, parallelism: __, ...bare } = written.db.pairs[0].execution
    written.db.pairs[0].execution = bare
    expect((await load(JSON.stringify(written))).config.db?.pairs[0]?.execution).toEqual(pair?.execution)
    expect(pair?.execution).toMatchObject({ shards: 256, parallelism: 16, retries: 3, quietMs: 600_000 })
  })

  it('names every setting of the execution', () => {
    const job = ExecutionSchema.anyOf[1]
    for (const name of Object.keys(job.properties)) expect(page).toMatch(new RegExp(`\\b${name}\\b`))
  })

  it('tells how many tables a Job has', () => {
    expect(page).toContain(`more than ${MAX_TABLES} tables: a Job for every ${MAX_TABLES}`)
  })
})
