import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'

const FOLDER = join(import.meta.dirname, '../../docs/gateway')
const read = (name: string) => readFileSync(join(FOLDER, name), 'utf8')
const load = (text: string) =>
  loadConfig({ path: 'syncer.yaml', env: {}, cwd: '/etc/syncer', readFile: () => Promise.resolve(text) })

/** Settings of nginx-syncer, with the defaults that it had. */
const ORIGINAL = [
  'namespace',
  'deployment',
  'host',
  'domain',
  'path',
  'port',
  'sync_timeout',
  'connection_timeout',
  'retries',
  'request_deadline',
  'max_keepalives',
  'host_keepalives',
]

describe('docs/gateway/from-nginx-syncer.md', () => {
  const page = read('from-nginx-syncer.md')
  const [before = '', ...after] = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text = '']) => text)

  it.each(ORIGINAL)('maps %s, and has it in its example', (setting) => {
    expect(page).toMatch(new RegExp(`^\\| \`${setting}\` \\|`, 'm'))
    expect(before).toMatch(new RegExp(`^${setting}: `, 'm'))
  })

  it('has an example that keeps every value of the original', async () => {
    expect(after).toHaveLength(2)
    const { config } = await load(after[0] ?? '')
    expect(config.gateway).toEqual({
      discovery: { kind: 'kubernetes', namespace: 'apigw', selector: 'app=apigw', maxAgeMs: 300_000 },
      probe: {
        scheme: 'https',
        host: 'api.example.com',
        path: '/_synced',
        port: 8443,
        token: 'cookie:auth_token',
        tls: { ca: { file: '/etc/syncer/gateway-ca.pem' } },
      },
      connectTimeoutMs: 200,
      deadlineMs: 1000,
      retry: { mode: 'fixed', intervalMs: 150, retries: 5 },
      maxConcurrentChecks: 1024,
    })
  })

  it('has a better example that is accepted too, and takes the defaults that it speaks of', async () => {
    const { config } = await load(after[1] ?? '')
    expect(config.gateway).toMatchObject({ deadlineMs: 1000, connectTimeoutMs: 200, retry: { mode: 'adaptive' } })
    expect(config.gateway?.probe).toMatchObject({ port: 8443, token: 'cookie:auth_token' })
  })
})

describe('docs/gateway/', () => {
  it('speaks of every file that it has', () => {
    const names = readdirSync(FOLDER).filter((name) => name !== 'README.md')
    expect(names.filter((name) => !read('README.md').includes(`(${name})`))).toEqual([])
  })
})
