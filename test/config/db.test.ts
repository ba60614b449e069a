// The section `db`: what is in force, and what is refused, with exactly what is said about it.
import { describe, expect, test } from 'vitest'
import { describeSide, formatContactPoint, isSameSide, parseContactPoint } from '../../src/config/db-side.ts'
import { describeConfig } from '../../src/config/describe.ts'
import type { SideConfig } from '../../src/config/schema.ts'
import { checkSecrets } from '../../src/config/secrets.ts'
import { loadText, problemsOf } from './load-text.ts'

const CASSANDRA = '{ kind: cassandra, contactPoints: ["127.0.0.1:9042"], keyspace: app }'
const ELASTICSEARCH = '{ kind: elasticsearch, url: "http://127.0.0.1:9200", index: "app-{table}" }'
const pair = (more = '', left = CASSANDRA, right = ELASTICSEARCH) =>
  `{ name: app, left: ${left}, right: ${right}${more} }`
const db = (...pairs: readonly string[]) => `db: { pairs: [${pairs.join(',\n ')}] }`

describe('what is in force', () => {
  test('a name and two sides are enough: the rest has defaults', async () => {
    const { config } = await loadText(db(pair()))
    const waits = { requestTimeoutMs: 30_000, retryForMs: 60_000 }
    expect(config.db?.pairs).toEqual([
      {
        name: 'app',
        left: {
          kind: 'cassandra',
          contactPoints: ['127.0.0.1:9042'],
          keyspace: 'app',
          consistency: 'LOCAL_QUORUM',
          ...waits,
        },
        right: { kind: 'elasticsearch', url: 'http://127.0.0.1:9200', index: 'app-{table}', ...waits },
        tables: 'all',
        lagMs: 0,
        overlapMs: 0,
        versionField: 'tmstmp_uuid',
        onUnknownField: 'fail',
        execution: { kind: 'process' },
      },
    ])
  })

  test('the pair of the example of the service is accepted as it stands', async () => {
    const left = '{ kind: cassandra, contactPoints: [127.0.0.1:9042], localDataCenter: dc1, keyspace: app }'
    const { config } = await loadText(db(pair(', tables: all', left)))
    expect(config.db?.pairs[0]?.left).toMatchObject({ contactPoints: ['127.0.0.1:9042'], localDataCenter: 'dc1' })
  })

  test('files of SQLite are found from the folder of the configuration', async () => {
    const { config } = await loadText(db(pair('', '{ kind: sqlite, path: a.db }', '{ kind: sqlite, path: ../b.db }')))
    expect(config.db?.pairs[0]).toMatchObject({
      left: { path: '/etc/syncer/a.db' },
      right: { path: '/etc/b.db' },
    })
  })

  test('tables may be named, a schedule is text or a mapping', async () => {
    const more =
      ', tables: [users, orders], schedule: { cron: "0 * * * *", timeZone: Europe/Berlin }, deletedField: gone'
    const { config } = await loadText(db(pair(more)))
    expect(config.db?.pairs[0]).toMatchObject({
      tables: ['users', 'orders'],
      schedule: { cron: '0 * * * *', timeZone: 'Europe/Berlin', jitterMs: 0 },
      deletedField: 'gone',
    })
  })

  test('with elections, pairs need PostgreSQL', async () => {
    const text = `${db(pair())}\ndsync: { driver: kubernetes }\nstate: { kind: postgres, url: { env: A } }`
    await expect(loadText(text)).resolves.toBeDefined()
  })

  test('secrets are shown by their names', async () => {
    const left =
      '{ kind: cassandra, contactPoints: [a], keyspace: app, credentials: { username: me, password: { env: PASSWORD } } }'
    const told = describeConfig(await loadText(db(pair('', left))), 'yaml')
    expect(told).toContain('password:\n            env: PASSWORD\n')
  })
})

test('every secret that is named must be there', async () => {
  const left =
    '{ kind: cassandra, contactPoints: [a], keyspace: app, credentials: { username: me, password: { env: PASSWORD } }, tls: { ca: { file: ca.pem } } }'
  const right = '{ kind: elasticsearch, url: "https://a", index: "{table}", authorization: { file: es } }'
  const { config } = await loadText(db(pair('', left, right)))
  expect(() => checkSecrets(config, {}, 'here')).toThrow(
    expect.objectContaining({
      problems: [
        'db.pairs[0].left.credentials.password: environment variable PASSWORD is not set',
        'db.pairs[0].left.tls.ca: file /etc/syncer/ca.pem does not exist',
        'db.pairs[0].right.authorization: file /etc/syncer/es does not exist',
      ],
    }),
  )
})

describe('what is refused', () => {
  const INDEX =
    'db.pairs[0].right.index: is no name of an index: lower case, no blanks, none of \\ / * ? " < > | , # : and no - _ + in front (line 1)'
  const index = (text: string) =>
    db(pair('', CASSANDRA, `{ kind: elasticsearch, url: "http://a", index: ${JSON.stringify(text)} }`))
  test.each<[name: string, text: string, problems: readonly string[]]>([
    ['no pair', db(), ['db.pairs: must have 1 to 64 entries, has 0 (line 1)']],
    [
      'two pairs of one name',
      db(pair(), pair('', '{ kind: sqlite, path: a }')),
      ['db.pairs[1].name: has the same name as entry 1 (line 2)'],
    ],
    [
      'an index for every table',
      index('app'),
      ['db.pairs[0].right.index: must contain {table} once, where the name of the table goes: app-{table} (line 1)'],
    ],
    [
      'the table twice',
      index('{table}-{table}'),
      ['db.pairs[0].right.index: must contain {table} once, where the name of the table goes: app-{table} (line 1)'],
    ],
    ['an index in capitals', index('App-{table}'), [INDEX]],
    ['an index with a comma', index('a,{table}'), [INDEX]],
    ['an index that begins with a hyphen', index('-{table}'), [INDEX]],
    [
      'the same index on both sides',
      db(pair('', ELASTICSEARCH, '{ kind: elasticsearch, url: "HTTP://127.0.0.1:9200/", index: "app-{table}" }')),
      ['db.pairs[0].right: is the same store as left: a pair is two different ones (line 1)'],
    ],
    [
      'the same keyspace by another of its nodes',
      db(
        pair(
          '',
          '{ kind: cassandra, contactPoints: [A, "b:9042"], keyspace: app }',
          '{ kind: cassandra, contactPoints: ["a:9042"], keyspace: app }',
        ),
      ),
      ['db.pairs[0].right: is the same store as left: a pair is two different ones (line 1)'],
    ],
    [
      'the same file',
      db(pair('', '{ kind: sqlite, path: a.db }', '{ kind: sqlite, path: ./a.db }')),
      ['db.pairs[0].right: is the same store as left: a pair is two different ones (line 1)'],
    ],
    [
      'the file of the state',
      db(pair('', '{ kind: sqlite, path: .syncer/state.db }')),
      ['db.pairs[0].left.path: is the file of the state (state.path): take another one (line 1)'],
    ],
    [
      'a node that is none',
      db(pair('', '{ kind: cassandra, contactPoints: ["http://a", "a:0", "a:65536"], keyspace: app }')),
      [
        'db.pairs[0].left.contactPoints[0]: must be HOST or HOST:PORT: 10.0.0.1:9042, [::1]:9042 (line 1)',
        'db.pairs[0].left.contactPoints[1]: must be HOST or HOST:PORT: 10.0.0.1:9042, [::1]:9042 (line 1)',
        'db.pairs[0].left.contactPoints[2]: must be HOST or HOST:PORT: 10.0.0.1:9042, [::1]:9042 (line 1)',
      ],
    ],
    [
      'credentials in an address, which are not repeated',
      db(pair('', CASSANDRA, '{ kind: elasticsearch, url: "http://me:hunter2@a", index: "{table}" }')),
      ['db.pairs[0].right.url: must not contain a user name or a password: use authorization (line 1)'],
    ],
    [
      'TLS without TLS',
      db(pair('', CASSANDRA, '{ kind: elasticsearch, url: "http://a", index: "{table}", tls: {} }')),
      ['db.pairs[0].right.tls: has no meaning with an http address: remove it, or use https (line 1)'],
    ],
    [
      'half a client certificate',
      db(pair('', '{ kind: cassandra, contactPoints: [a], keyspace: app, tls: { key: { file: a } } }')),
      ['db.pairs[0].left.tls.cert: is missing: key needs it (line 1)'],
    ],
    [
      'a password in place of its reference',
      db(
        pair(
          '',
          '{ kind: cassandra, contactPoints: [a], keyspace: app, credentials: { username: me, password: hunter2 } }',
        ),
      ),
      ['db.pairs[0].left.credentials.password: must be a mapping with one of env, file, is text (line 1)'],
    ],
    [
      'a key that is misspelt',
      db(pair(', overlapsMs: 5')),
      [
        'db.pairs[0].overlapsMs: unknown key, did you mean "overlapMs"? allowed: name, left, right, tables, schedule, lagMs, overlapMs, versionField, onUnknownField, deletedField, execution (line 1)',
      ],
    ],
    [
      'a key of another kind of store',
      db(pair('', '{ kind: sqlite, path: a, keyspace: app }')),
      ['db.pairs[0].left.keyspace: unknown key; allowed with kind sqlite: kind, path (line 1)'],
    ],
    [
      'a store that does not exist',
      db(pair('', '{ kind: casandra }')),
      [
        'db.pairs[0].left.kind: must be one of cassandra, elasticsearch, sqlite, is "casandra", did you mean "cassandra"? (line 1)',
      ],
    ],
    ['tables by another word', db(pair(', tables: some')), ['db.pairs[0].tables: must be all (line 1)']],
    ['no tables', db(pair(', tables: []')), ['db.pairs[0].tables: must have 1 to 1000 entries, has 0 (line 1)']],
    [
      'a field that rows have already',
      db(pair(', versionField: tmstmp, deletedField: tmstmp')),
      [
        'db.pairs[0].versionField: must not be tmstmp: every row has that already (line 1)',
        'db.pairs[0].deletedField: must not be tmstmp: every row has that already (line 1)',
      ],
    ],
    [
      'a schedule that never comes',
      db(pair(', schedule: "0 0 31 2 *"')),
      ['db.pairs[0].schedule: is a moment that never comes (line 1)'],
    ],
    [
      'a file for several replicas',
      `${db(pair())}\ndsync: { driver: kubernetes }`,
      [
        'state.kind: must be postgres: with dsync.driver kubernetes the replicas of the service take turns at the runs of db.pairs, and a SQLite file belongs to one of them',
      ],
    ],
  ])('%s', async (_, text, problems) => {
    expect(await problemsOf(text)).toEqual(problems)
  })
})

test.each([
  ['a', 'a:9042'],
  ['A.Example:9043', 'a.example:9043'],
  ['10.0.0.1', '10.0.0.1:9042'],
  ['::1', '[::1]:9042'],
  ['[::1]', '[::1]:9042'],
  ['[FD00::10]:1', '[fd00::10]:1'],
])('the contact point %s is %s', (written, read) => {
  const point = parseContactPoint(written)
  expect(point && formatContactPoint(point)).toBe(read)
})

test.each(['', ':9042', 'a:', 'a b', 'a:9042/app', '[a]:1', 'me@a'])('%j is no contact point', (written) => {
  expect(parseContactPoint(written)).toBeUndefined()
})

describe('where a side is', () => {
  const cassandra = (...contactPoints: string[]): SideConfig => ({
    ...{ kind: 'cassandra', contactPoints, keyspace: 'app', consistency: 'ONE', requestTimeoutMs: 1, retryForMs: 1 },
    credentials: { username: 'me', password: { env: 'PASSWORD' } },
  })

  test('is told without credentials, and the same for every way to write it', () => {
    expect(describeSide(cassandra('B', 'a:9042', 'b:9042'))).toBe('cassandra a:9042,b:9042/app')
    expect(describeSide(cassandra('a', 'b'))).toBe('cassandra a:9042,b:9042/app')
  })

  test('a node in common is the same store, another keyspace is not', () => {
    expect(isSameSide(cassandra('a', 'b'), cassandra('b', 'c'))).toBe(true)
    expect(isSameSide(cassandra('a', 'b'), cassandra('c'))).toBe(false)
    expect(isSameSide(cassandra('a'), { ...cassandra('a'), keyspace: 'other' } as SideConfig)).toBe(false)
  })
})
