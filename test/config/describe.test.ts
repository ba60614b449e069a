import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { configYaml, describeConfig, maskConfig } from '../../src/config/describe.ts'
import { ConfigError } from '../../src/config/error.ts'
import { type Env, type LoadedConfig, loadConfig } from '../../src/config/load.ts'
import { anyConfig } from './any-config.ts'

const load = (text: string, env: Env = {}): Promise<LoadedConfig> =>
  loadConfig({ path: '/etc/syncer/syncer.yaml', env, cwd: '/unused', readFile: async () => text })

const SHA = '0123456789abcdef'.repeat(4)
const BEARER = `auth: { mode: bearer, callers: [{ name: gw, sha256: ${SHA}, scopes: [synced] }] }`

describe('the configuration in force', () => {
  test('is told as YAML, with where it came from', async () => {
    expect(
      describeConfig(await load('log: { level: warn }', { PORT: '9000' }), 'yaml'),
    ).toBe(`# Configuration in force, from /etc/syncer/syncer.yaml
# listen.port is set by the environment variable PORT
listen:
  host: 127.0.0.1
  port: 9000
auth:
  mode: none
  open: []
log:
  level: warn
kubernetes: {}
shutdown:
  readinessDelayMs: 1000
  graceMs: 5000
dsync:
  driver: memory
state:
  kind: sqlite
  path: /etc/syncer/.syncer/state.db
runs:
  maxConcurrent: 4
  history:
    maxRuns: 1000
    maxAgeDays: 30
`)
  })

  test('without a file says so', async () => {
    const readFile = () => Promise.reject(Object.assign(new Error(), { code: 'ENOENT' }))
    const loaded = await loadConfig({ env: {}, cwd: '/', readFile })
    expect(describeConfig(loaded, 'yaml')).toMatch(/^# Configuration in force: no file, defaults\nlisten:/)
  })

  test('is told as JSON for scripts', async () => {
    const told = JSON.parse(describeConfig(await load(BEARER, { HOST: '::1' }), 'json'))
    expect(told).toMatchObject({
      source: '/etc/syncer/syncer.yaml',
      overrides: [{ path: 'listen.host', variable: 'HOST' }],
      config: { listen: { host: '::1', port: 8080 } },
    })
  })

  test.each(['yaml', 'json'] as const)('shows hashes cut short: %s', async (format) => {
    const told = describeConfig(await load(BEARER), format)
    expect(told).toContain('01234567…')
    expect(told).not.toContain(SHA.slice(0, 9))
  })

  test('shows secrets as their reference', async () => {
    const told = describeConfig(await load('listen: { tls: { cert: { file: a.pem }, key: { file: b.pem } } }'), 'yaml')
    expect(told).toContain('    key:\n      file: /etc/syncer/b.pem\n')
  })

  test('masking leaves the configuration itself alone', async () => {
    const { config } = await load(BEARER)
    expect(maskConfig(config)).not.toEqual(config)
    expect(config.auth).toMatchObject({ callers: [{ sha256: SHA }] })
  })
})

test('what is accepted is accepted again after it was told, and is the same', async () => {
  let accepted = 0
  await fc.assert(
    fc.asyncProperty(anyConfig, async (written) => {
      const first = await load(configYaml(written)).catch((error: unknown) => {
        expect(error).toBeInstanceOf(ConfigError)
        return undefined
      })
      if (first === undefined) return
      accepted++
      const again = await load(configYaml(first.config))
      expect(again.config).toEqual(first.config)
    }),
    { numRuns: 300 },
  )
  expect(accepted).toBeGreaterThan(60)
})
