import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/config/error.ts'
import { type Env, type LoadedConfig, loadConfig } from '../../src/config/load.ts'

const GATEWAY =
  'gateway: { discovery: { kind: static, replicas: [{ name: gw-0, address: 127.0.0.11 }] }, probe: { host: api.example } }'

function load(text: string, env: Env = {}): Promise<LoadedConfig> {
  return loadConfig({ path: '/etc/syncer/syncer.yaml', env, cwd: '/unused', readFile: async () => text })
}

async function problemsOf(text: string, env: Env = {}): Promise<readonly string[]> {
  const error = await load(text, env).then(
    () => expect.unreachable('accepted'),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ConfigError)
  return (error as ConfigError).problems
}

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
    '/work/a.yaml': 'listen: { port: 1 }',
    '/work/b.yaml': 'listen: { port: 2 }',
    '/work/syncer.yaml': 'listen: { port: 3 }',
  })

  test.each([
    {
      name: '--config wins',
      path: 'a.yaml',
      env: { SYNCER_CONFIG: 'b.yaml' },
      cwd: '/work',
      source: '/work/a.yaml',
      port: 1,
    },
    {
      name: 'then SYNCER_CONFIG',
      path: undefined,
      env: { SYNCER_CONFIG: '/work/b.yaml' },
      cwd: '/work',
      source: '/work/b.yaml',
      port: 2,
    },
    {
      name: 'then syncer.yaml in the working directory',
      path: undefined,
      env: {},
      cwd: '/work',
      source: '/work/syncer.yaml',
      port: 3,
    },
    {
      name: 'an empty SYNCER_CONFIG is none',
      path: undefined,
      env: { SYNCER_CONFIG: '' },
      cwd: '/work',
      source: '/work/syncer.yaml',
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
    const loading = loadConfig({ path, env, cwd: '/work', readFile: files })
    await expect(loading).rejects.toMatchObject({ name: 'ConfigError', source: '/work/no.yaml', problems: [problem] })
  })

  test('a file that is there but cannot be read is no reason for defaults', async () => {
    const readFile = () => Promise.reject(Object.assign(new Error('denied'), { code: 'EACCES' }))
    const loading = loadConfig({ env: {}, cwd: '/work', readFile })
    await expect(loading).rejects.toMatchObject({
      problems: ['the file cannot be read: EACCES (found in the working directory)'],
    })
  })

  test('HOST, PORT and LOG_LEVEL win over the file, and say so', async () => {
    const { config, overrides } = await load('listen: { host: 127.0.0.2, port: 1 }\nlog: { level: warn }', {
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
    const { config, overrides } = await load('', { HOST: '', PORT: '', LOG_LEVEL: '' })
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
    const { config } = await load('')
    expect(config).toEqual({
      listen: { host: '127.0.0.1', port: 8080 },
      auth: { mode: 'none', open: [] },
      log: { level: 'info' },
      kubernetes: {},
      shutdown: { readinessDelayMs: 1_000, graceMs: 5_000 },
    })
  })

  test('defaults are filled in inside the branch of a union that was chosen', async () => {
    const { config } = await load(`${GATEWAY.slice(0, -2)}, retry: { mode: fixed, retries: 2 } }`)
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
    expect((await load(GATEWAY)).config.gateway?.retry).toEqual({ mode: 'adaptive' })
  })

  test('relative paths are taken from the folder of the file', async () => {
    const text =
      'listen: { tls: { cert: { file: tls/tls.crt }, key: { file: /abs/tls.key } } }\nkubernetes: { kubeConfig: ../kube }'
    const { config } = await load(text)
    expect(config.listen.tls).toEqual({ cert: { file: '/etc/syncer/tls/tls.crt' }, key: { file: '/abs/tls.key' } })
    expect(config.kubernetes.kubeConfig).toBe('/etc/kube')
  })

  test('nobody can change it', async () => {
    const { config } = await load(GATEWAY)
    expect(() => Object.assign(config.listen, { port: 1 })).toThrow(TypeError)
    expect(() => (config.auth.open as string[]).push('ui')).toThrow(TypeError)
    expect(Object.isFrozen(config.gateway?.discovery)).toBe(true)
  })

  test('two loads share nothing', async () => {
    const [one, two] = await Promise.all([load(''), load('')])
    expect(one.config.auth.open).not.toBe(two.config.auth.open)
  })

  test('anchors, aliases and merge keys work', async () => {
    const replicas = '[&a { name: a, address: 10.0.0.1, port: 1 }, { <<: *a, name: b, address: 10.0.0.2 }]'
    const { config } = await load(`gateway: { discovery: { kind: static, replicas: ${replicas} }, probe: { host: x } }`)
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

const A = 'a'.repeat(64)
const B = 'b'.repeat(64)
const caller = (name: string, sha256: string) => `{ name: ${name}, sha256: ${sha256}, scopes: [read] }`
const gateway = (discovery: string, probe = '{ host: api.example }', more = '') =>
  `gateway: { discovery: ${discovery}, probe: ${probe}${more} }`
const STATIC = '{ kind: static, replicas: [{ name: gw-0, address: 127.0.0.11 }] }'

describe('wrong configurations', () => {
  test.each<[name: string, text: string, problems: readonly string[]]>([
    ['a list', '- a', ['configuration: must be a mapping, is a list']],
    ['a word', 'hello', ['configuration: must be a mapping, is text']],
    ['an empty section', 'listen:\nlog: {}', ['listen: must be a mapping, is empty (line 1)']],
    [
      'an unknown section',
      'gatway: {}',
      [
        'gatway: unknown key, did you mean "gateway"? allowed: listen, auth, log, kubernetes, shutdown, gateway (line 1)',
      ],
    ],
    [
      'a key of JavaScript itself',
      '__proto__: { listen: {} }\nconstructor: 1',
      [
        '__proto__: unknown key; allowed: listen, auth, log, kubernetes, shutdown, gateway (line 1)',
        'constructor: unknown key; allowed: listen, auth, log, kubernetes, shutdown, gateway (line 2)',
      ],
    ],
    [
      'letters that changed places',
      gateway(STATIC, '{ host: x, prot: 1 }'),
      ['gateway.probe.prot: unknown key, did you mean "port"? allowed: scheme, host, path, port, token, tls (line 1)'],
    ],
    [
      'snake case',
      gateway(STATIC, undefined, ', deadline_ms: 5'),
      [
        'gateway.deadline_ms: unknown key, did you mean "deadlineMs"? allowed: discovery, probe, deadlineMs, connectTimeoutMs, retry, maxConcurrentChecks, maxProbesPerSecond (line 1)',
      ],
    ],
    [
      'a wrong kind lists those allowed',
      gateway('\n  { kind: kubernets, service: x }'),
      [
        'gateway.discovery.kind: must be one of static, dns, kubernetes, is "kubernets", did you mean "kubernetes"? (line 2)',
      ],
    ],
    [
      'a missing kind lists those allowed',
      gateway('{ knd: static }'),
      ['gateway.discovery.kind: is missing (is "knd" meant to be it?); allowed: static, dns, kubernetes (line 1)'],
    ],
    [
      'a kind that is a number',
      gateway('{ kind: 3 }'),
      ['gateway.discovery.kind: must be one of static, dns, kubernetes, is 3 (line 1)'],
    ],
    [
      'only the chosen branch is checked',
      gateway('{ kind: dns, service: x }'),
      [
        'gateway.discovery.name: is missing. Name to look up. A name that starts with `_` is looked up as SRV, any other as A and AAAA. (line 1)',
        'gateway.discovery.service: unknown key; allowed with kind dns: kind, name, port, servers, refreshMs, maxAgeMs (line 1)',
      ],
    ],
    [
      'a probe without its host',
      gateway(STATIC, '{}'),
      ['gateway.probe.host: is missing. Value of the `Host` header. (line 1)'],
    ],
    [
      'a missing key that was misspelt',
      gateway(STATIC, '{ hots: x }'),
      ['gateway.probe.hots: unknown key, did you mean "host"? allowed: scheme, host, path, port, token, tls (line 1)'],
    ],
    [
      'a number out of range',
      'listen:\n  port: 70000',
      ['listen.port: must be between 0 and 65535, is 70000 (line 2)'],
    ],
    [
      'a number with a fraction',
      'shutdown: { graceMs: 1.5 }',
      ['shutdown.graceMs: must be a whole number, is a number (line 1)'],
    ],
    ['a number as text', 'listen: { port: "80" }', ['listen.port: must be a whole number, is text (line 1)']],
    ['an empty text', 'listen: { host: "" }', ['listen.host: must be 1 to 253 characters, is 0 (line 1)']],
    [
      'a list with an entry twice',
      'auth: { mode: none, open: [ui, ui] }',
      ['auth.open: entries 1 and 2 are the same (line 1)'],
    ],
    [
      'a list without entries',
      gateway('{ kind: static, replicas: [] }'),
      ['gateway.discovery.replicas: must have 1 to 1000 entries, has 0 (line 1)'],
    ],
    [
      'a cookie name with a space',
      gateway(STATIC, '{ host: x, token: "cookie:a b" }'),
      [
        "gateway.probe.token: does not have the right form. Where the probe carries the token: `bearer`, `cookie:NAME` or `header:NAME`. Pattern: ^(bearer|(cookie|header):[!#$%&'*+.^_`|~0-9A-Za-z-]+)$ (line 1)",
      ],
    ],
    [
      'a header that belongs to HTTP',
      gateway(STATIC, '{ host: x, token: "header:Transfer-Encoding" }'),
      ['gateway.probe.token: header Transfer-Encoding belongs to HTTP itself and cannot carry the token (line 1)'],
    ],
    [
      'a file that is written as text',
      'listen: { tls: { cert: tls.crt, key: { file: a, env: B } } }',
      [
        'listen.tls.cert: must be a mapping, is text (line 1)',
        'listen.tls.key.env: unknown key; allowed: file (line 1)',
      ],
    ],
    [
      'a certificate without its key',
      'listen: { tls: { cert: { file: a } } }',
      ['listen.tls.key: is missing. Private key of the certificate. A PEM file, re-read when it changes. (line 1)'],
    ],
    [
      'a client certificate without its key',
      gateway(STATIC, '{ host: x, tls: { cert: { file: a } } }'),
      ['gateway.probe.tls.key: is missing: cert needs it (line 1)'],
    ],
    [
      'a client key without its certificate',
      gateway(STATIC, '{ host: x, tls: { key: { file: a } } }'),
      ['gateway.probe.tls.cert: is missing: key needs it (line 1)'],
    ],
    [
      'TLS without TLS',
      gateway(STATIC, '{ host: x, scheme: http, tls: { ca: { file: a } } }'),
      ['gateway.probe.tls: has no meaning with scheme http: remove it, or use scheme https (line 1)'],
    ],
    [
      'neither service nor selector',
      gateway('{ kind: kubernetes }'),
      ['gateway.discovery: takes exactly one of service and selector (line 1)'],
    ],
    [
      'service and selector',
      gateway('{ kind: kubernetes, service: gw, selector: app=gw }'),
      ['gateway.discovery: takes exactly one of service and selector (line 1)'],
    ],
    [
      'a replica twice',
      gateway(
        '{ kind: static, replicas: [\n  { name: a, address: 10.0.0.1 },\n  { name: a, address: 10.0.0.2 },\n  { name: b, address: 10.0.0.1 }] }',
      ),
      [
        'gateway.discovery.replicas[1].name: has the same name as entry 1 (line 3)',
        'gateway.discovery.replicas[2].address: has the same address and port as entry 1 (line 4)',
      ],
    ],
    [
      'an address that is a URL',
      gateway('{ kind: static, replicas: [{ name: a, address: "https://10.0.0.1:8443" }] }'),
      ['gateway.discovery.replicas[0].address: must be a host name or an IP address, without scheme and port (line 1)'],
    ],
    [
      'a name server by name',
      gateway(
        '{ kind: dns, name: gw, servers: [10.0.0.10, "10.0.0.10:53", "[fd00::1]:53", "fd00::1", ns.example, "10.0.0.10:0"] }',
      ),
      [
        'gateway.discovery.servers[4]: must be an IP address, or an address and a port: 10.0.0.10:53, [fd00::10]:53 (line 1)',
        'gateway.discovery.servers[5]: must be an IP address, or an address and a port: 10.0.0.10:53, [fd00::10]:53 (line 1)',
      ],
    ],
    [
      'an address for everybody without a mode',
      'listen: { host: "::" }\nauth: { open: [ui] }',
      ['auth.mode: is missing; allowed: none, bearer, oidc, tokenReview (line 2)'],
    ],
    [
      'callers that cannot be told apart',
      `auth:\n  mode: bearer\n  callers:\n    - ${caller('a', A)}\n    - ${caller('a', B)}\n    - ${caller('c', A)}`,
      [
        'auth.callers[1].name: has the same name as entry 1 (line 5)',
        'auth.callers[2].sha256: has the same hash as entry 1 (line 6)',
      ],
    ],
    [
      'a token in place of its hash is not repeated',
      `auth: { mode: bearer, callers: [${caller('a', 'hunter2')}] }`,
      [
        'auth.callers[0].sha256: does not have the right form. SHA-256 of the bearer token, 64 lower-case hex digits. Pattern: ^[0-9a-f]{64}$ (line 1)',
      ],
    ],
    [
      'a scope that does not exist',
      `auth: { mode: bearer, callers: [{ name: a, sha256: ${A}, scopes: [synced, token, hunter2] }] }`,
      [
        'auth.callers[0].scopes[1]: must be one of synced, read, tokens, db, is "token", did you mean "tokens"? (line 1)',
        'auth.callers[0].scopes[2]: must be one of synced, read, tokens, db (line 1)',
      ],
    ],
    [
      'an issuer over plain HTTP',
      'auth: { mode: oidc, issuer: http://id.example, audience: a }',
      ['auth.issuer: must be https: whoever can change the answer decides who may call (line 1)'],
    ],
    [
      'credentials in a URL',
      'auth: { mode: oidc, issuer: "https://id.example", audience: a, jwksUri: "https://me:hunter2@id.example" }',
      ['auth.jwksUri: must not contain a user name or a password (line 1)'],
    ],
    [
      'issuers that are no URL',
      'auth: { mode: oidc, issuer: "https://", audience: a, jwksUri: "https://a/#b" }',
      ['auth.issuer: is not a URL (line 1)', 'auth.jwksUri: must not contain a fragment (line 1)'],
    ],
    [
      'a grant for nobody',
      'auth: { mode: tokenReview, grants: [{ users: [a], scopes: [read] }, { scopes: [read] }] }',
      ['auth.grants[1]: needs users or groups: it is for nobody (line 1)'],
    ],
  ])('%s', async (_, text, problems) => {
    expect(await problemsOf(text)).toEqual(problems)
  })

  test('everything that is wrong is told at once, in the order of the file', async () => {
    const problems = await problemsOf('log: { levle: info }\nlisten: { port: x }\nshutdown: { graceMs: -1 }')
    expect(problems.map((problem) => problem.split(':')[0])).toEqual(['log.levle', 'listen.port', 'shutdown.graceMs'])
  })

  test('the error names the file, and each problem on a line', async () => {
    await expect(load('log: { levle: 1 }\nlisten: { port: x }')).rejects.toThrow(
      /^configuration \(\/etc\/syncer\/syncer\.yaml\): 2 problems\n {2}log\.levle: .*\n {2}listen\.port: .*$/,
    )
  })
})

describe('who may listen where', () => {
  test.each(['127.0.0.1', '127.9.9.9', '::1', 'localhost', '::ffff:127.0.0.1'])('%s needs no mode', async (host) => {
    expect((await load(`listen: { host: "${host}" }`)).config.auth.mode).toBe('none')
  })

  test.each(['0.0.0.0', '::', '10.0.0.1', 'syncer.example', '127.0.0.1.example', '::ffff:10.0.0.1'])(
    '%s needs a mode',
    async (host) => {
      expect(await problemsOf(`listen: { host: "${host}" }`)).toHaveLength(1)
      expect((await load(`listen: { host: "${host}" }\nauth: { mode: none }`)).config.listen.host).toBe(host)
    },
  )

  test('an issuer on loopback may be plain HTTP', async () => {
    const { config } = await load('auth: { mode: oidc, issuer: "http://127.0.0.1:9999", audience: a }')
    expect(config.auth).toMatchObject({ scopeClaim: 'scope', scopePrefix: '' })
  })
})
