import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { checkSecrets, openFile, openSecret } from '../../src/config/secrets.ts'
import { makeCa } from '../lib/certificates.ts'
import { FakeClock } from '../lib/fake-clock.ts'

let folder: string
let clock: FakeClock
const at = (name: string) => join(folder, name)
const write = (name: string, text: string) => writeFileSync(at(name), text)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secrets-'))
  clock = new FakeClock()
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('a secret in the environment', () => {
  test('is read, and described without its value', () => {
    const secret = openSecret({ env: 'TOKEN' }, { TOKEN: 'hunter2' })
    expect(secret.read()).toBe('hunter2')
    expect(secret.describe()).toBe('environment variable TOKEN')
  })

  test.each([
    [{}, 'environment variable TOKEN is not set'],
    [{ TOKEN: '' }, 'environment variable TOKEN is empty'],
  ])('must be there: %j', (env, problem) => {
    expect(() => openSecret({ env: 'TOKEN' }, env)).toThrow(
      expect.objectContaining({ name: 'ConfigError', problems: [problem] }),
    )
  })
})

describe('a secret in a file', () => {
  test.each(['hunter2', 'hunter2\n', 'hunter2\r\n', 'hunter2\n\n'])('loses the newline at its end: %j', (text) => {
    write('a', text)
    expect(openSecret({ file: at('a') }, {}, { clock }).read()).toBe('hunter2')
  })

  test('keeps blanks and inner newlines', () => {
    write('a', ' a\nb \n')
    expect(openSecret({ file: at('a') }, {}, { clock }).read()).toBe(' a\nb ')
  })

  test('is read again when it changes; an empty one keeps the last good value', async () => {
    write('a', 'one')
    const secret = openSecret({ file: at('a') }, {}, { clock })
    write('a', 'two!')
    await clock.advance(1_000)
    expect(secret.read()).toBe('two!')
    write('a', '\n')
    await clock.advance(1_000)
    expect(secret.read()).toBe('two!')
    expect(secret.describe()).toBe(`file ${at('a')}`)
  })

  test('must be there and not empty', () => {
    write('empty', '\n')
    expect(() => openSecret({ file: at('no') }, {})).toThrow(
      expect.objectContaining({ name: 'ConfigError', problems: [`file ${at('no')} does not exist`] }),
    )
    expect(() => openSecret({ file: at('empty') }, {})).toThrow(`file ${at('empty')} is empty`)
  })
})

describe('a PEM file', () => {
  const pem = (text: string) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`

  test('tells its changes until it is disposed of', async () => {
    write('ca.pem', pem('one'))
    const changes: string[] = []
    const file = openFile({ file: at('ca.pem') }, { clock, onChange: (content) => changes.push(content) })
    await clock.advance(5_000)
    expect(changes).toEqual([])
    write('ca.pem', pem('two!'))
    await clock.advance(10_000)
    expect(changes).toEqual([pem('two!')])
    file[Symbol.dispose]()
    write('ca.pem', pem('three'))
    await clock.advance(10_000)
    expect(changes).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  test('that is half written keeps the last good content', async () => {
    write('ca.pem', pem('one'))
    const file = openFile({ file: at('ca.pem') }, { clock })
    write('ca.pem', '-----BEGIN CERTIFICATE-----\ntw')
    await clock.advance(1_000)
    expect(file.read()).toBe(pem('one'))
    expect(file.problem).toBe(`file ${at('ca.pem')} holds no PEM block`)
  })

  test('needs no timer when nobody wants to know', () => {
    write('ca.pem', pem('one'))
    openFile({ file: at('ca.pem') }, { clock })
    expect(clock.pending).toBe(0)
  })

  test('must be one', () => {
    write('ca.pem', 'hunter2')
    expect(() => openFile({ file: at('ca.pem') })).toThrow(
      expect.objectContaining({ problems: [`file ${at('ca.pem')} holds no PEM block`] }),
    )
  })
})

describe('the check of all that the configuration names', () => {
  async function check(text: string): Promise<void> {
    const loaded = await loadConfig({ path: at('syncer.yaml'), env: {}, cwd: '/', readFile: async () => text })
    checkSecrets(loaded.config, {}, loaded.source)
  }
  const gateway = (tls: string) =>
    `gateway: { discovery: { kind: static, replicas: [{ name: a, address: 10.0.0.1 }] }, probe: { host: a, tls: ${tls} } }`

  test('tells everything that is missing, each at its place', async () => {
    write('not.pem', 'hello')
    const text = `listen: { tls: { cert: { file: cert.pem }, key: { file: not.pem } } }\n${gateway('{ ca: { file: ca.pem } }')}`
    await expect(check(text)).rejects.toMatchObject({
      name: 'ConfigError',
      source: at('syncer.yaml'),
      problems: [
        `listen.tls.cert: file ${at('cert.pem')} does not exist`,
        `listen.tls.key: file ${at('not.pem')} holds no PEM block`,
        `gateway.probe.tls.ca: file ${at('ca.pem')} does not exist`,
      ],
    })
  })

  test('passes what is all there', async () => {
    const ca = await makeCa()
    const pair = await ca.issue({ names: ['a'] })
    write('ca.pem', ca.cert)
    write('cert.pem', pair.cert)
    write('key.pem', pair.key)
    const tls = '{ ca: { file: ca.pem }, cert: { file: cert.pem }, key: { file: key.pem } }'
    await expect(check(gateway(tls))).resolves.toBeUndefined()
  })

  test('notices a certificate with the key of another', async () => {
    const ca = await makeCa()
    write('cert.pem', (await ca.issue({ names: ['a'] })).cert)
    write('key.pem', (await ca.issue({ names: ['a'] })).key)
    await expect(check(gateway('{ cert: { file: cert.pem }, key: { file: key.pem } }'))).rejects.toMatchObject({
      problems: ['gateway.probe.tls: certificate and key do not belong together'],
    })
  })
})
