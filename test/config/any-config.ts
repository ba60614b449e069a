// Configurations as people might write them, most of them right: made from the schema, so that a new setting is tried at once.
import fc from 'fast-check'
import { ConfigSchema } from '../../src/config/schema.ts'
import { plainSchema, type SchemaNode } from '../../src/config/schema-node.ts'

/** What the schema alone cannot say. */
const BY_NAME: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  host: fc.constantFrom('127.0.0.1', '::1', 'localhost', '10.0.0.1'),
  address: fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()),
  name: fc.domain(),
  issuer: fc.webUrl({ validSchemes: ['https'] }),
  jwksUri: fc.webUrl({ validSchemes: ['https'] }),
  servers: fc.uniqueArray(fc.ipV4(), { minLength: 1, maxLength: 8 }),
  url: fc.webUrl({ validSchemes: ['https'] }),
  contactPoints: fc.uniqueArray(fc.constantFrom('10.0.0.1', 'cassandra.example:9043', '[fd00::10]:9042'), {
    minLength: 1,
  }),
  index: fc.constantFrom('app-{table}', '{table}', 'logs.{table}.v2'),
  cron: fc.constantFrom('*/5 * * * *', '0 3 * * MON-FRI', '30 0 0 1 * *', '@daily'),
  timeZone: fc.constantFrom('UTC', 'Europe/Berlin'),
  onConflict: fc.constantFrom('newest', 'fail'),
  sha256: fc.stringMatching(/^[0-9a-f]{64}$/),
}

function arbitraryOf(node: SchemaNode, name = ''): fc.Arbitrary<unknown> {
  const known = BY_NAME[name]
  if (known !== undefined && node.anyOf === undefined) return known
  if (name === 'schedule') return fc.oneof(arbitraryOf({}, 'cron'), arbitraryOf(node.anyOf?.[1] ?? {}))
  // Mostly the one that goes with every kind of side.
  if (name === 'execution')
    return fc.oneof(
      { arbitrary: fc.constant({ kind: 'process' }), weight: 4 },
      { arbitrary: arbitraryOf(node.anyOf?.[1] ?? {}), weight: 1 },
    )
  if (node.anyOf !== undefined) return fc.oneof(...node.anyOf.map((branch) => arbitraryOf(branch)))
  if (node.const !== undefined) return fc.constant(node.const)
  if (node.enum !== undefined) return fc.constantFrom(...node.enum)
  if (node.properties !== undefined) {
    const needed = (node.required ?? []).filter((key) => node.properties?.[key]?.default === undefined)
    const model = Object.fromEntries(
      Object.entries(node.properties).map(([key, inner]) => [key, arbitraryOf(inner, key)]),
    )
    const written = fc.record(model, { requiredKeys: needed })
    if (node.properties['cert'] === undefined || needed.includes('cert')) return written
    // Mostly a certificate and its key, or neither.
    return fc.oneof({ arbitrary: written.map(pairUp), weight: 9 }, { arbitrary: written, weight: 1 })
  }
  if (node.items !== undefined) {
    const limits = { minLength: node.minItems ?? 0, maxLength: Math.min(node.maxItems ?? 4, 4) }
    const items = arbitraryOf(node.items)
    return node.uniqueItems === true ? fc.uniqueArray(items, limits) : fc.array(items, limits)
  }
  switch (node.type) {
    case 'integer':
      return fc.integer({ min: node.minimum ?? 0, max: node.maximum ?? 1_000_000 })
    case 'boolean':
      return fc.boolean()
    case 'string':
      if (node.pattern !== undefined)
        return fc.stringMatching(new RegExp(node.pattern), { maxLength: node.maxLength ?? 64 })
      return fc.string({
        minLength: node.minLength ?? 0,
        maxLength: Math.min(node.maxLength ?? 64, 64),
        unit: 'grapheme',
      })
    default:
      throw new Error(`no arbitrary for ${JSON.stringify(node)}`)
  }
}

function pairUp(tls: object): object {
  if ('cert' in tls === 'key' in tls) return tls
  return Object.fromEntries(Object.entries(tls).filter(([key]) => key !== 'cert' && key !== 'key'))
}

const SECTIONS = [
  'listen',
  'auth',
  'log',
  'kubernetes',
  'shutdown',
  'gateway',
  'tokens',
  'db',
  'dsync',
  'state',
  'runs',
]

export const anyConfig = arbitraryOf({
  properties: Object.fromEntries(
    Object.entries(plainSchema(ConfigSchema).properties ?? {}).filter(([key]) => SECTIONS.includes(key)),
  ),
})
