import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { loadText, problemsOf } from './load-text.ts'

const GATEWAY =
  'gateway: { discovery: { kind: static, replicas: [{ name: gw-0, address: 127.0.0.11 }] }, probe: { host: api.example } }'

/** Files by path; every other path does not exist. */
function filesOf(files: Record<string, string>): (path: string) => Promise<string> {
  return async (path) => {
    const text = files[path]
    if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
    return text
  }
}

describe('where the configuration comes from', () => {
  const files = filesOf({
    '/srv/a.yaml': 'listen: { port: 1 }',
    '/srv/b.yaml': 'listen: { port: 2 }',
    '/srv/syncer.yaml': 'listen: { port: 3 }',
  })

  test.each([
    {
      name: '--config wins',
      path: 'a.yaml',
      env: { SYNCER_CONFIG: 'b.yaml' },
      cwd: '/srv',
      source: '/srv/a.yaml',
      port: 1,
    },
    {
      name: 'then SYNCER_CONFIG',
      path: undefined,
      env: { SYNCER_CONFIG: '/srv/b.yaml' },
      cwd: '/srv',
      source: '/srv/b.yaml',
      port: 2,
    },
    {
      name: 'then syncer.yaml in the working directory',
      path: undefined,
      env: {},
      cwd: '/srv',
      source: '/srv/syncer.yaml',
      port: 3,
    },
    {
      name: 'an empty SYNCER_CONFIG is none',
      path: undefined,
      env: { SYNCER_CONFIG: '' },
      cwd: '/srv',
      source: '/srv/syncer.yaml',
      port: 3,
    },
    { name: 'then the defaults', path: undefined, env: {}, cwd: '/elsewhere', source: 'defaults', port: 8080 },
  ])('$name', async ({ path, env, cwd, source, port }) => {
    const loaded = await loadConfig({ path, env, cwd, readFile: files })
    expect(loaded.source).toBe(source)
    expect(loaded.config.listen.port).toBe(port)
  })

  test.each([
    { path: 'no.yaml', env: {}, problem: 'no such file (--config)' },
    { path: undefined, env: { SYNCER_CONFIG: 'no.yaml' }, problem: 'no such file (SYNCER_CONFIG)' },
  ])('a file that was asked for must be there: $problem', async ({ path, env, problem }) => {
    const loading = loadConfig({ path, env, cwd: '/srv', readFile: files })
    await expect(loading).rejects.toMatchObject({ name: 'ConfigError', source: '/srv/no.yaml', problems: [problem] })
  })

  test('a file that is there but cannot be read is no reason for defaults', async () => {
    const readFile = () => Promise.reject(Object.assign(new Error('denied'), { code: 'EACCES' }))
    const loading = loadConfig({ env: {}, cwd: '/srv', readFile })
    await expect(loading).rejects.toMatchObject({
      problems: ['the file cannot be read: EACCES (found in the working directory)'],
    })
  })

  test('HOST, PORT and LOG_LEVEL win over the file, and say so', async () => {
    const { config, overrides } = await loadText('listen: { host: 127.0.0.2, port: 1 }\nlog: { level: warn }', {
      HOST: '::1',
      PORT: '9000',
      LOG_LEVEL: 'DEBUG',
    })
    expect(config.listen).toEqual({ host: '::1', port: 9000 })
    expect(config.log.level).toBe('debug')
    expect(overrides).toEqual([
      { path: 'listen.host', variable: 'HOST' },
      { path: 'listen.port', variable: 'PORT' },
      { path: 'log.level', variable: 'LOG_LEVEL' },
    ])
  })

  test('an empty variable counts as not set', async () => {
    const { config, overrides } = await loadText('', { HOST: '', PORT: '', LOG_LEVEL: '' })
    expect(config.listen).toEqual({ host: '127.0.0.1', port: 8080 })
    expect(overrides).toEqual([])
  })

  test.each([
    [{ PORT: '80a' }, 'listen.port: must be a whole number, is text (environment variable PORT)'],
    [{ PORT: '65536' }, 'listen.port: must be between 0 and 65535, is 65536 (environment variable PORT)'],
    [{ PORT: '-1' }, 'listen.port: must be a whole number, is text (environment variable PORT)'],
    [
      { LOG_LEVEL: 'wran' },
      'log.level: must be one of fatal, error, warn, info, debug, trace, silent, is "wran", did you mean "warn"? (environment variable LOG_LEVEL)',
    ],
    [
      { HOST: '0.0.0.0' },
      'auth.mode: must be written down (none, bearer, oidc or tokenReview) because listen.host 0.0.0.0 is not a loopback address',
    ],
  ])('a wrong variable is named: %j', async (env, problem) => {
    expect(await problemsOf('', env)).toEqual([problem])
  })
})

describe('what is in force', () => {
  test('an empty file is the defaults, without any capability', async () => {
    const { config } = await loadText('')
    expect(config).toEqual({
      listen: { host: '127.0.0.1', port: 8080 },
      auth: { mode: 'none', open: [] },
      log: { level: 'info' },
      kubernetes: {},
      shutdown: { readinessDelayMs: 1_000, graceMs: 5_000 },
      dsync: { driver: 'memory' },
      state: { kind: 'sqlite', path: '/etc/syncer/.syncer/state.db' },
      runs: { maxConcurrent: 4, history: { maxRuns: 1_000, maxAgeDays: 30 } },
    })
  })

  test('defaults are filled in inside the branch of a union that was chosen', async () => {
    const { config } = await loadText(`${GATEWAY.slice(0, -2)}, retry: { mode: fixed, retries: 2 } }`)
    expect(config.gateway?.retry).toEqual({ mode: 'fixed', intervalMs: 150, retries: 2 })
    expect(config.gateway?.probe).toEqual({
      scheme: 'https',
      host: 'api.example',
      path: '/',
      port: 8443,
      token: 'cookie:auth_token',
    })
  })

  test('a union that was left out gets its default branch', async () => {
    expect((await loadText(GATEWAY)).config.gateway?.retry).toEqual({ mode: 'adaptive' })
  })

  test('relative paths are taken from the folder of the file', async () => {
    const text =
      'listen: { tls: { cert: { file: tls/tls.crt }, key: { file: /abs/tls.key } } }\nkubernetes: { kubeConfig: ../kube }'
    const { config } = await loadText(text)
    expect(config.listen.tls).toEqual({ cert: { file: '/etc/syncer/tls/tls.crt' }, key: { file: '/abs/tls.key' } })
    expect(config.kubernetes.kubeConfig).toBe('/etc/kube')
  })

  test('nobody can change it', async () => {
    const { config } = await loadText(GATEWAY)
    expect(() => Object.assign(config.listen, { port: 1 })).toThrow(TypeError)
    expect(() => (config.auth.open as string[]).push('ui')).toThrow(TypeError)
    expect(Object.isFrozen(config.gateway?.discovery)).toBe(true)
  })

  test('two loads share nothing', async () => {
    const [one, two] = await Promise.all([loadText(''), loadText('')])
    expect(one.config.auth.open).not.toBe(two.config.auth.open)
  })

  test('anchors, aliases and merge keys work', async () => {
    const replicas = '[&a { name: a, address: 10.0.0.1, port: 1 }, { <<: *a, name: b, address: 10.0.0.2 }]'
    const { config } = await loadText(
      `gateway: { discovery: { kind: static, replicas: ${replicas} }, probe: { host: x } }`,
    )
    expect(config.gateway?.discovery).toMatchObject({
      replicas: [{ name: 'a' }, { name: 'b', address: '10.0.0.2', port: 1 }],
    })
  })
})

describe('a text that is no YAML', () => {
  test.each([
    ['a key twice', 'log: { level: info }\nlog: {}', ['line 2, column 1: this key is there twice in one mapping']],
    [
      'a bracket that is not closed',
      'listen: {\n  port: 1',
      ['line 2, column 10: Flow map in block collection must be sufficiently indented and end with a }'],
    ],
    ['tabs', 'listen:\n\tport: 1', ['line 2, column 1: Tabs are not allowed as indentation']],
    [
      'two documents',
      'log: {}\n---\nlog: {}',
      ['line 2, column 1: a second document begins here; one file is one configuration'],
    ],
    ['an unknown tag', 'log: !include x', ['line 1, column 6: Unresolved tag: !include']],
    ['a key that is a list', '[a]: 1', ['line 1, column 1: a key must be text']],
    [
      'an alias without its anchor',
      'log: *nowhere',
      ['Unresolved alias (the anchor must be set before the alias): nowhere'],
    ],
  ])('%s is refused with its place', async (_, text, problems) => {
    expect(await problemsOf(text)).toEqual(problems)
  })

  test('aliases of aliases cannot grow without end', async () => {
    const levels = Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`)
    const problems = await problemsOf(['a0: &a0 x', ...levels].join('\n'))
    expect(problems).toEqual(['Excessive alias count indicates a resource exhaustion attack'])
  })

  test('the text around a mistake is not repeated', async () => {
    const texts = [
      'auth: "hunter2',
      'a: ]hunter2',
      'a: [\nhunter2 ]: {',
      'a: b\n  hunter2: c',
      '&hunter2 &hunter2 a: b',
      '- hunter2 [',
    ]
    for (const text of texts) expect((await problemsOf(text)).join()).not.toContain('hunter2')
  })

  test('one mistake does not fill a screen', async () => {
    expect(await problemsOf(`a: [\n${'b: ] } { ['.repeat(50)}`)).toHaveLength(3)
  })
})

describe('who may listen where', () => {
  test.each(['127.0.0.1', '127.9.9.9', '::1', 'localhost', '::ffff:127.0.0.1'])('%s needs no mode', async (host) => {
    expect((await loadText(`listen: { host: "${host}" }`)).config.auth.mode).toBe('none')
  })

  test.each(['0.0.0.0', '::', '10.0.0.1', 'syncer.example', '127.0.0.1.example', '::ffff:10.0.0.1'])(
    '%s needs a mode',
    async (host) => {
      expect(await problemsOf(`listen: { host: "${host}" }`)).toHaveLength(1)
      expect((await loadText(`listen: { host: "${host}" }\nauth: { mode: none }`)).config.listen.host).toBe(host)
    },
  )

  test('an issuer on loopback may be plain HTTP', async () => {
    const { config } = await loadText('auth: { mode: oidc, issuer: "http://127.0.0.1:9999", audience: a }')
    expect(config.auth).toMatchObject({ scopeClaim: 'scope', scopePrefix: '' })
  })
})
