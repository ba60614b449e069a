// Wrong configurations, each with exactly what is said about it.
import { describe, expect, test } from 'vitest'
import { loadText, problemsOf } from './load-text.ts'

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
        'gatway: unknown key, did you mean "gateway"? allowed: listen, auth, log, kubernetes, shutdown, gateway, tokens, db, dsync, state, runs (line 1)',
      ],
    ],
    [
      'a key of JavaScript itself',
      '__proto__: { listen: {} }\nconstructor: 1',
      [
        '__proto__: unknown key; allowed: listen, auth, log, kubernetes, shutdown, gateway, tokens, db, dsync, state, runs (line 1)',
        'constructor: unknown key; allowed: listen, auth, log, kubernetes, shutdown, gateway, tokens, db, dsync, state, runs (line 2)',
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

  test('a mistake behind an alias is told where it is written', async () => {
    const text = `gateway:\n  discovery: { kind: dns, name: gw }\n  probe: { host: a, tls: &tls\n    { ca: x } }\nlisten: { tls: *tls }`
    expect(await problemsOf(text)).toContain('listen.tls.ca: unknown key; allowed: cert, key, clientCa (line 4)')
  })

  test.each([
    ['port: 1', 'port: unknown key, did you mean "listen.port"?'],
    [gateway(STATIC, undefined, ', port: 1'), 'gateway.port: unknown key, did you mean "discovery.port"?'],
    [gateway(STATIC, undefined, ', servername: a'), 'gateway.servername: unknown key; allowed:'],
    [
      gateway(STATIC, undefined, ', intervalMs: 1'),
      'gateway.intervalMs: unknown key, did you mean "retry.intervalMs"?',
    ],
  ])('a key that is one level too high is told where it belongs: %s', async (text, beginning) => {
    expect((await problemsOf(text))[0]).toSatisfy((problem: string) => problem.startsWith(beginning))
  })

  test('everything that is wrong is told at once, in the order of the file', async () => {
    const problems = await problemsOf('log: { levle: info }\nlisten: { port: x }\nshutdown: { graceMs: -1 }')
    expect(problems.map((problem) => problem.split(':')[0])).toEqual(['log.levle', 'listen.port', 'shutdown.graceMs'])
  })

  test('the error names the file, and each problem on a line', async () => {
    await expect(loadText('log: { levle: 1 }\nlisten: { port: x }')).rejects.toThrow(
      /^configuration \(\/etc\/syncer\/syncer\.yaml\): 2 problems\n {2}log\.levle: .*\n {2}listen\.port: .*$/,
    )
  })
})
