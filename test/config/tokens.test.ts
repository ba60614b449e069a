// The sections `tokens`, `state` and `runs`: what is in force, and what is refused, with exactly what is said about it.
import { describe, expect, test } from 'vitest'
import { describeConfig } from '../../src/config/describe.ts'
import { readSchedule } from '../../src/config/schedule-schema.ts'
import { checkSecrets } from '../../src/config/secrets.ts'
import { loadText, problemsOf } from './load-text.ts'

const C1 = '{ name: c1, url: "http://127.0.0.1:9091" }'
const C2 = '{ name: c2, url: "https://waiter.example/" }'
const tokens = (more = '', clusters = `${C1}, ${C2}`) => `tokens: { clusters: [${clusters}]${more} }`

describe('what is in force', () => {
  test('two clusters are enough: the rest has defaults', async () => {
    const { config } = await loadText(tokens())
    expect(config.tokens).toEqual({
      clusters: [
        { name: 'c1', url: 'http://127.0.0.1:9091', maxConcurrentRequests: 16 },
        { name: 'c2', url: 'https://waiter.example/', maxConcurrentRequests: 16 },
      ],
      mode: 'safe',
      follow: false,
      limit: 1_000,
      onUnreachable: 'fail',
      onConflict: 'newest',
      connectionTimeoutMs: 1_000,
      idleTimeoutMs: 30_000,
      undoFolder: '/etc/syncer/.syncer/undo',
    })
  })

  test.each([
    ['"*/5 * * * *"', { cron: '*/5 * * * *', timeZone: 'UTC', jitterMs: 0 }],
    ['{ cron: "0 3 * * *" }', { cron: '0 3 * * *', timeZone: 'UTC', jitterMs: 0 }],
    [
      '{ cron: "@daily", timeZone: Europe/Berlin, jitterMs: 5000 }',
      { cron: '@daily', timeZone: 'Europe/Berlin', jitterMs: 5_000 },
    ],
  ])('a schedule is text or a mapping: %s', async (schedule, read) => {
    const { config } = await loadText(tokens(`, schedule: ${schedule}`))
    expect(readSchedule(config.tokens?.schedule ?? '')).toEqual(read)
  })

  test.each([
    ['0', 0],
    ['10', 10],
    ['"5%"', '5%'],
    ['0.5%', '0.5%'],
    ['100%', '100%'],
    ['"0%"', '0%'],
  ])('maxDeletes is a number or a share: %s', async (written, read) => {
    expect((await loadText(tokens(`, maxDeletes: ${written}`))).config.tokens?.maxDeletes).toBe(read)
  })

  test('a cluster may be preferred by its name', async () => {
    expect((await loadText(tokens(', onConflict: "prefer:c2"'))).config.tokens?.onConflict).toBe('prefer:c2')
  })

  test('state is a SQLite file when no kind is written', async () => {
    expect((await loadText('state: { path: ../runs.db }')).config.state).toEqual({
      kind: 'sqlite',
      path: '/etc/runs.db',
    })
  })

  test('state may be a PostgreSQL database', async () => {
    const { config } = await loadText(
      'state: { kind: postgres, url: { env: STATE_URL }, tls: { ca: { file: ca.pem } } }',
    )
    expect(config.state).toEqual({
      kind: 'postgres',
      url: { env: 'STATE_URL' },
      tls: { ca: { file: '/etc/syncer/ca.pem' } },
      maxConnections: 10,
    })
  })

  test('of the history one limit may be written without the other', async () => {
    const { config } = await loadText('runs: { history: { maxRuns: 5 } }')
    expect(config.runs).toEqual({ maxConcurrent: 4, history: { maxRuns: 5, maxAgeDays: 30 } })
  })

  test('with elections, a schedule needs PostgreSQL; without a schedule SQLite does', async () => {
    const kubernetes = 'dsync: { driver: kubernetes }'
    await expect(loadText(`${tokens()}\n${kubernetes}`)).resolves.toBeDefined()
    await expect(
      loadText(`${tokens(', schedule: "@daily"')}\n${kubernetes}\nstate: { kind: postgres, url: { env: A } }`),
    ).resolves.toBeDefined()
  })

  test('secrets are shown by their names', async () => {
    const text = `${tokens('', `{ name: c1, url: "http://a", authorization: { env: C1_AUTH } }, ${C2}`)}\nstate: { kind: postgres, url: { file: url } }`
    const told = describeConfig(await loadText(text), 'yaml')
    expect(told).toContain('authorization:\n        env: C1_AUTH\n')
    expect(told).toContain('url:\n    file: /etc/syncer/url\n')
  })
})

test('every secret that is named must be there', async () => {
  const text = `${tokens('', `{ name: c1, url: "https://a", authorization: { env: C1_AUTH }, tls: { ca: { file: ca.pem } } }, ${C2}`)}
state: { kind: postgres, url: { env: STATE_URL } }`
  const { config } = await loadText(text)
  expect(() => checkSecrets(config, {}, 'here')).toThrow(
    expect.objectContaining({
      problems: [
        'tokens.clusters[0].authorization: environment variable C1_AUTH is not set',
        'tokens.clusters[0].tls.ca: file /etc/syncer/ca.pem does not exist',
        'state.url: environment variable STATE_URL is not set',
      ],
    }),
  )
})

const ON_CONFLICT =
  'tokens.onConflict: does not have the right form. Which version wins where none of two knows of the other: the `newest`, none (`fail`), or that of a cluster (`prefer:NAME`). Pattern: ^(?:newest|fail|prefer:[!-~]+)$ (line 1)'
const SHARE =
  'tokens.maxDeletes: does not have the right form. A share is a number from 0 to 100 with a percent sign, as `5%` or `0.5%`. Pattern: ^(?:100(?:\\.0{1,4})?|0?[0-9]{1,2}(?:\\.[0-9]{1,4})?)%$ (line 1)'
const CRON = 'is not a cron expression of five or six parts:'

describe('what is refused', () => {
  test.each<[name: string, text: string, problems: readonly string[]]>([
    ['no cluster', tokens('', ''), ['tokens.clusters: must have 1 to 64 entries, has 0 (line 1)']],
    [
      'clusters that cannot be told apart',
      tokens('', `${C1},\n ${C1},\n { name: c3, url: "HTTPS://Waiter.example:443" },\n ${C2}`),
      [
        'tokens.clusters[1].name: has the same name as entry 1 (line 2)',
        'tokens.clusters[1].url: has the same address as entry 1 (line 2)',
        'tokens.clusters[3].url: has the same address as entry 3 (line 4)',
      ],
    ],
    [
      'an address of another kind',
      tokens('', `{ name: c1, url: "ftp://a" }, ${C2}`),
      [
        'tokens.clusters[0].url: does not have the right form. Address of the cluster, `http://` or `https://`, without user name, password, query and fragment. Pattern: ^[Hh][Tt][Tt][Pp][Ss]?:// (line 1)',
      ],
    ],
    [
      'an address that is none',
      tokens('', `{ name: c1, url: "http://" }, ${C2}`),
      ['tokens.clusters[0].url: is not a URL (line 1)'],
    ],
    [
      'credentials in an address, which are not repeated',
      tokens(
        '',
        `{ name: c1, url: "http://me:hunter2@a" }, { name: c2, url: "http://b?x=hunter2" }, { name: c3, url: "http://c/#" }`,
      ),
      [
        'tokens.clusters[0].url: must not contain a user name or a password: use authorization (line 1)',
        'tokens.clusters[1].url: must not contain a query or a fragment (line 1)',
        'tokens.clusters[2].url: must not contain a query or a fragment (line 1)',
      ],
    ],
    [
      'a header in place of its reference',
      tokens('', `{ name: c1, url: "http://a", authorization: "Basic hunter2" }, ${C2}`),
      ['tokens.clusters[0].authorization: must be a mapping with one of env, file, is text (line 1)'],
    ],
    [
      'TLS without TLS',
      tokens('', `{ name: c1, url: "http://a", tls: {} }, { name: c2, url: "https://b", tls: { cert: { file: a } } }`),
      [
        'tokens.clusters[0].tls: has no meaning with an http address: remove it, or use https (line 1)',
        'tokens.clusters[1].tls.key: is missing: cert needs it (line 1)',
      ],
    ],
    [
      'a cluster that is preferred and not there',
      tokens(', onConflict: "prefer:c3"'),
      ['tokens.onConflict: names no cluster; the clusters are c1, c2 (line 1)'],
    ],
    ['a preference for nobody', tokens(', onConflict: "prefer:"'), [ON_CONFLICT]],
    ['a conflict rule that does not exist', tokens(', onConflict: oldest'), [ON_CONFLICT]],
    ['a share beyond all', tokens(', maxDeletes: 100.5%'), [SHARE]],
    ['a share without its sign', tokens(', maxDeletes: "5"'), [SHARE]],
    [
      'deletes below none',
      tokens(', maxDeletes: -1'),
      ['tokens.maxDeletes: must be between 0 and 1000000000, is -1 (line 1)'],
    ],
    ['half a delete', tokens(', maxDeletes: 1.5'), ['tokens.maxDeletes: must be a whole number, is a number (line 1)']],
    [
      'deletes by truth',
      tokens(', maxDeletes: true'),
      ['tokens.maxDeletes: must be a number or text, is true or false (line 1)'],
    ],
    [
      'a schedule by number',
      tokens(', schedule: 5'),
      ['tokens.schedule: must be text or a mapping, is a number (line 1)'],
    ],
    [
      'an expression out of range',
      tokens(', schedule: "61 * * * *"'),
      [`tokens.schedule: ${CRON} Invalid value for minute: 61 (line 1)`],
    ],
    [
      'a schedule over one cluster',
      tokens(', schedule: "@daily"', C1),
      ['tokens.clusters: must be two at least with schedule: one cluster alone is always in step (line 1)'],
    ],
    [
      'following one cluster',
      tokens(', follow: true', C1),
      ['tokens.clusters: must be two at least with follow: one cluster alone is always in step (line 1)'],
    ],
    [
      'a moment that never comes',
      tokens(',\n schedule: {\n cron: "0 0 31 2 *" }'),
      ['tokens.schedule.cron: is a moment that never comes (line 3)'],
    ],
    [
      'a date, which comes once',
      tokens(', schedule: "2026-01-01T00:00:00"'),
      [
        `tokens.schedule: ${CRON} invalid configuration format ('2026-01-01T00:00:00'), exactly five, six, or seven space separated parts are required. (line 1)`,
      ],
    ],
    [
      'a year',
      tokens(', schedule: "0 0 0 1 1 * 2030"'),
      [
        `tokens.schedule: ${CRON} mode '5-or-6-parts' requires exactly 5 or 6 parts, but pattern '0 0 0 1 1 * 2030' has 7 parts. (line 1)`,
      ],
    ],
    [
      'a time zone that does not exist',
      tokens(', schedule: { cron: "@daily", timeZone: Europe/Berlim }'),
      [
        'tokens.schedule.timeZone: is not a time zone that is known here; use a name such as Europe/Berlin, or UTC (line 1)',
      ],
    ],
    [
      'an idle time-out that is too short',
      tokens(', idleTimeoutMs: 249'),
      ['tokens.idleTimeoutMs: must be between 250 and 3600000, is 249 (line 1)'],
    ],
    [
      'an opt-out name in capitals',
      tokens(', optOutMetadataName: Sync'),
      [
        'tokens.optOutMetadataName: does not have the right form. Name in `metadata` that keeps a token out of the sync where its value is `"true"`. Pattern: ^[a-z][a-z0-9-]*$ (line 1)',
      ],
    ],
    [
      'an opt-out name that is too long',
      tokens(`, optOutMetadataName: ${'a'.repeat(100)}`),
      ['tokens.optOutMetadataName: must be 1 to 99 characters, is 100 (line 1)'],
    ],
    [
      'a database by its address',
      'state: { kind: postgres, url: "postgres://a:hunter2@b" }',
      ['state.url: must be a mapping with one of env, file, is text (line 1)'],
    ],
    [
      'a database without its address',
      'state: { kind: postgres }',
      [
        'state.url: is missing. Where to find its address, `postgres://USER:PASSWORD@HOST:PORT/DATABASE`. An environment variable or a file, re-read when it changes. (line 1)',
      ],
    ],
    [
      'a database with half a pair',
      'state: { kind: postgres, url: { env: A }, tls: { key: { file: a } } }',
      ['state.tls.cert: is missing: key needs it (line 1)'],
    ],
    [
      'a kind of state that does not exist',
      'state: { kind: postgress }',
      ['state.kind: must be one of sqlite, postgres, is "postgress", did you mean "postgres"? (line 1)'],
    ],
    [
      'the address of a database for a file',
      'state: { url: { env: A } }',
      ['state.url: unknown key; allowed with kind sqlite: kind, path (line 1)'],
    ],
    [
      'a history of hours',
      'runs: { history: { maxAgeDays: 0 } }',
      ['runs.history.maxAgeDays: must be between 1 and 3650, is 0 (line 1)'],
    ],
    ...['schedule: "@daily"', 'follow: true'].map((starter): [string, string, string[]] => [
      `a file for several replicas, with ${starter}`,
      `${tokens(`, ${starter}`)}\ndsync: { driver: kubernetes }`,
      [
        `state.kind: must be postgres: with dsync.driver kubernetes the replicas of the service take turns at the runs of tokens.${starter.split(':')[0]}, and a SQLite file belongs to one of them`,
      ],
    ]),
  ])('%s', async (_, text, problems) => {
    expect(await problemsOf(text)).toEqual(problems)
  })
})
