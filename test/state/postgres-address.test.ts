import { describe, expect, it, test } from 'vitest'
import { readAddress } from '../../src/state/postgres-address.ts'

describe('the address of a database', () => {
  it.each([
    ['postgres://me:hunter2@db.example:6543/syncer', 'postgres://db.example:6543/syncer'],
    ['postgresql://me:hunter2@db.example/syncer', 'postgres://db.example:5432/syncer'],
    ['postgres://me:hunter2@[fd00::1]:5433/syncer', 'postgres://[fd00::1]:5433/syncer'],
    ['postgres://me@10.0.0.1', 'postgres://10.0.0.1:5432/'],
    ['postgres://me:hunter2@db.example/syncer?sslmode=verify-full', 'postgres://db.example:5432/syncer'],
  ])('%s is told as %s', (url, name) => {
    expect(readAddress(url, undefined).name).toBe(name)
  })

  it('says who, where and what', () => {
    const { config } = readAddress('postgres://me:p%40ss%2Fw@[::1]:5433/a%20b?application_name=x', undefined)
    expect(config).toMatchObject({
      ...{ user: 'me', password: 'p@ss/w', host: '::1', port: 5433, database: 'a b', application_name: 'x' },
    })
    expect(config.ssl).toBeUndefined()
  })

  it.each([
    '',
    'hunter2',
    'mysql://me:hunter2@a/b',
    'postgres://me:hunter2@a:port/b',
    'postgres://me:hunter2@a:99999/b',
  ])('that is none is refused, and not repeated: %s', (url) => {
    const refusal = expect(() => readAddress(url, undefined))
    refusal.toThrow(expect.objectContaining({ name: 'StateUnusable' }))
    refusal.toThrow(/^(?!.*hunter2)state in PostgreSQL: the address /)
    refusal.toThrow(expect.not.objectContaining({ cause: expect.anything() }))
  })
})

describe('TLS', () => {
  it('is asked for by its section, with a certificate that is verified, whatever the address says', () => {
    for (const mode of ['', '?sslmode=disable', '?sslmode=no-verify', '?ssl=0']) {
      const { config } = readAddress(`postgres://a/b${mode}`, {})
      expect(config.ssl).toEqual({ rejectUnauthorized: true })
    }
  })

  it('takes its files as they are now', () => {
    let version = 0
    const tls = { ca: () => `ca ${++version}`, cert: () => 'cert', key: () => 'key' }
    expect(readAddress('postgres://a/b', tls).config.ssl).toMatchObject({ ca: 'ca 1', cert: 'cert', key: 'key' })
    expect(readAddress('postgres://a/b', tls).config.ssl).toMatchObject({ ca: 'ca 2' })
  })

  test('the name that the certificate must carry wins over the host', () => {
    const { ssl } = readAddress('postgres://10.0.0.1/b', { servername: 'db.example' }).config
    const check = typeof ssl === 'object' ? ssl.checkServerIdentity : undefined
    const peer = (name: string) => ({ subjectaltname: `DNS:${name}`, subject: { CN: name } }) as never
    expect(check?.('10.0.0.1', peer('db.example'))).toBeUndefined()
    expect(check?.('10.0.0.1', peer('other.example'))).toBeInstanceOf(Error)
  })
})
