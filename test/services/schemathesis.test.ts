// An independent reader of the document calls every operation with what it allows and what it forbids.
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FakeWaiter, startFakeWaiter } from '../fakes/waiter.ts'
import { type NginxGateway, startGateway } from './lib/nginx-gateway.ts'
import { runCommand } from './lib/run-command.ts'
import { findSchemathesis } from './lib/schemathesis.ts'
import { caFile, gatewaySection, type Syncer, startSyncer } from './lib/syncer.ts'

const SEED = '20260101'
const MAX_EXAMPLES = '400'
const CALLER_TOKEN = 'correct-horse'
const TIMEOUT_MS = 240_000

let gateway: NginxGateway
let clusters: readonly FakeWaiter[]
let syncer: Syncer
const folder = mkdtempSync(join(tmpdir(), 'schemathesis-'))

beforeAll(async () => {
  gateway = await startGateway({ replicas: 3 })
  clusters = [await startFakeWaiter({ name: 'c1' }), await startFakeWaiter({ name: 'c2' })]
  // A short deadline: nearly every token that is made up exists nowhere, and would be waited for.
  syncer = await startSyncer({
    config: {
      gateway: gatewaySection(gateway.replicas, gateway.tls, { deadlineMs: 20 }),
      tokens: { clusters: clusters.map(({ url }, index) => ({ name: `c${index + 1}`, url })) },
      state: { kind: 'sqlite', path: join(folder, 'state.db') },
      auth: {
        mode: 'bearer',
        callers: [
          {
            name: 'schemathesis',
            sha256: createHash('sha256').update(CALLER_TOKEN).digest('hex'),
            scopes: ['synced', 'read', 'tokens', 'db'],
          },
        ],
      },
    },
    files: caFile(gateway.tls),
  })
})
afterAll(async () => {
  await syncer.stop()
  await Promise.all(clusters.map((cluster) => cluster[Symbol.asyncDispose]()))
  await gateway.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** A parameter that is too long may make the whole head of the request too long: 431 rejects it as well as 400. */
const CONFIG = `
[checks]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429, 431, "5xx"]
`

interface Report {
  readonly complete: boolean
  readonly operations: {
    readonly total: number
    readonly tested: number
    readonly errored: number
    readonly skipped: number
  }
}

describe('schemathesis', () => {
  it(
    'finds nothing wrong with any operation, with all of its checks but positive_data_acceptance',
    async () => {
      const report = join(folder, 'report.json')
      const settings = join(folder, 'schemathesis.toml')
      writeFileSync(settings, CONFIG)
      const said = await runCommand(
        findSchemathesis(),
        [
          '--no-color',
          `--config-file=${settings}`,
          'run',
          `${syncer.baseUrl}/openapi.json`,
          `--header=Authorization: Bearer ${CALLER_TOKEN}`,
          // It wants 2xx for all that the document allows: an origin or a cluster that nobody knows is allowed, and refused.
          '--exclude-checks=positive_data_acceptance',
          '--continue-on-failure',
          `--seed=${SEED}`,
          '--generation-database=none',
          `--max-examples=${MAX_EXAMPLES}`,
          '--request-timeout=10',
          '--workers=2',
          '--report=json',
          `--report-json-path=${report}`,
        ],
        { COLUMNS: '160', HOME: folder },
        TIMEOUT_MS - 10_000,
      )
      console.log(said.slice(said.indexOf(' SUMMARY ')))
      const { complete, operations }: Report = JSON.parse(readFileSync(report, 'utf8'))
      expect({ complete, operations }).toMatchObject({ complete: true, operations: { errored: 0, skipped: 0 } })
      expect(operations.tested).toBe(operations.total)
      expect(syncer.exit).toBeUndefined()
      expect(syncer.log()).not.toMatch(/"level":"(error|fatal)"/)
    },
    TIMEOUT_MS,
  )
})
