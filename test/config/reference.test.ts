import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { configYaml } from '../../src/config/describe.ts'
import { loadConfig } from '../../src/config/load.ts'
import { renderJsonSchema, renderReference } from '../../src/config/reference.ts'
import { anyConfig } from './any-config.ts'

const load = (text: string) => loadConfig({ path: '/syncer.yaml', env: {}, cwd: '/', readFile: async () => text })

describe('the JSON Schema for editors', () => {
  const document = JSON.parse(renderJsonSchema())
  const accepts = new Ajv2020({ allowUnionTypes: true }).compile(document)

  test('is draft 2020-12 with a name', () => {
    expect(document).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: 'urn:syncer:configuration',
      title: 'Configuration of Syncer',
      additionalProperties: false,
    })
  })

  test.each([
    ['', true],
    ['gateway: { discovery: { kind: dns, name: gw }, probe: { host: a } }', true],
    ['gateway: { discovery: { kind: dns }, probe: { host: a } }', false],
    ['listen: { tls: { cert: { file: a }, key: { file: b } } }', true],
    ['listen: { prot: 1 }', false],
    ['auth: { mode: bearer }', false],
  ])('says of %j what the service says: %s', (text, right) => {
    expect(accepts(parse(text) ?? {})).toBe(right)
  })

  test('accepts whatever the service accepts', async () => {
    await fc.assert(
      fc.asyncProperty(anyConfig, async (written) => {
        const accepted = await load(configYaml(written)).then(
          () => true,
          () => false,
        )
        if (accepted) expect(accepts(written)).toBe(true)
      }),
    )
  })
})

describe('the reference page', () => {
  const page = renderReference()
  const row = (key: string) => page.split('\n').find((line) => line.startsWith(`| \`${key}\``))

  test.each([
    ['listen.port', '| `listen.port` | whole number | `8080` | 0 to 65535 | TCP port; 0 takes a free one. |'],
    [
      'listen.tls.key',
      '| `listen.tls.key` * | file |  | `{ file: PATH }` | Private key of the certificate. A PEM file, re-read when it changes. |',
    ],
    [
      'auth.callers[].name',
      '| `auth.callers[].name` * | text |  | `^[A-Za-z0-9._:-]+$` | Name of the caller, as logs show it. |',
    ],
    [
      'gateway.discovery.replicas[].port',
      '| `gateway.discovery.replicas[].port` | whole number |  | 1 to 65535 | (`kind: static`) Port of the probe; wins over `probe.port`. |',
    ],
    ['gateway.probe.scheme', '| `gateway.probe.scheme` | text | `https` | `https`, `http` | Scheme of the probe. |'],
    [
      'auth.open',
      '| `auth.open` | list of text | `[]` | up to 2 entries, each `metrics`, `ui` | What needs no credentials: `metrics` is /metrics, `ui` is the API document, Swagger UI and the files of the status page, which asks for credentials itself. |',
    ],
  ])('has a row for %s', (key, line) => {
    expect(row(key)).toBe(line)
  })

  test('has a tag of a union once, with what its values mean', () => {
    expect(page.split('\n').filter((line) => line.startsWith('| `gateway.discovery.kind`'))).toHaveLength(1)
    expect(row('gateway.discovery.kind')).toContain(
      '| `static`, `dns`, `kubernetes` | `static`: A list written down here.',
    )
  })

  test('keeps its tables whole: five cells, whatever a pattern contains', () => {
    for (const line of page.split('\n').filter((text) => text.startsWith('|'))) {
      expect(line.match(/(?<!\\)\|/g), line).toHaveLength(6)
    }
  })

  test('describes every setting', () => {
    for (const line of page.split('\n').filter((text) => text.startsWith('| `'))) {
      expect(
        line
          .split(/(?<!\\)\|/)
          .at(-2)
          ?.trim(),
        line,
      ).not.toBe('')
    }
  })
})
