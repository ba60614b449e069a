// What Cassandra's own classes make of values: values.jsonl, and how it came to be, are in the folder beside this file.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createCodec, decodeValue, encodeValue } from '../../src/db/cql-codec.ts'
import { type CqlType, parseCqlType } from '../../src/db/cql-types.ts'
import { parseExactJson } from '../../src/db/exact-json.ts'
import { createJsonReader } from '../../src/db/json-read.ts'
import { createJsonWriter } from '../../src/db/json-write.ts'
import {
  compareVersions,
  formatTimeuuid,
  maxTimeuuid,
  microsOf,
  minTimeuuid,
  parseTimeuuid,
} from '../../src/db/timeuuid.ts'
import type { CqlValue } from '../../src/db/values.ts'

interface Written {
  readonly type: string
  /** Of the line, so that no digit is lost. */
  readonly json: string
  readonly hex: string
  /** Cassandra's own JSON of the bytes. */
  readonly written: string
}

const lines = readFileSync(new URL('cassandra/values.jsonl', import.meta.url), 'utf8')
  .trimEnd()
  .split('\n')
const values = lines
  .filter((line) => line.startsWith('{"type"'))
  .map((line): Written => {
    const { type, hex, written } = JSON.parse(line)
    return { type, hex, written, json: line.slice(line.indexOf(',"json":') + 8, line.lastIndexOf(',"hex":')) }
  })
const find = (key: string) => lines.filter((line) => line.startsWith(`{"${key}"`)).map((line) => JSON.parse(line))

/** Ours is base64 and theirs is hexadecimal. */
function readAs(type: CqlType, json: string): CqlValue {
  const parsed = parseExactJson(json, { fractions: true })
  if (type.kind === 'blob') return Buffer.from(String(parsed).slice(2), 'hex')
  return createJsonReader(type, { onUnknownField: 'fail' })(parsed)
}

test('there are values of every type', () => {
  expect(values.length).toBeGreaterThan(120)
})

describe('the bytes of', () => {
  test.each(values)('$type $json', ({ type: name, json, hex }) => {
    const type = parseCqlType(name)
    const codec = createCodec(type)
    const bytes = Buffer.from(hex, 'hex')
    const value = readAs(type, json)
    const decoded = decodeValue(codec, bytes) ?? ''
    expect(encodeValue(codec, decoded)).toEqual(bytes)
    // Cassandra sorts the sets and maps that it is given, and JavaScript the keys that are numbers.
    const write = createJsonWriter(type, 'sorted')
    expect(write(decoded)).toBe(write(value))
    if (!/set|map/.test(name)) expect(encodeValue(codec, value).toString('hex')).toBe(hex)
    const text = createJsonWriter(type)(decoded)
    expect(write(readWritten(type, text))).toBe(write(value))
  })
})

describe('the text of', () => {
  test.each(values.filter(hasSameText))('$type $json is $written', ({ type: name, hex, written }) => {
    const type = parseCqlType(name)
    const quoted = name === 'decimal' ? JSON.stringify(written) : written
    expect(createJsonWriter(type)(decodeValue(createCodec(type), Buffer.from(hex, 'hex')) ?? '')).toBe(quoted)
  })
})

function readWritten(type: CqlType, text: string): CqlValue {
  return createJsonReader(type, { onUnknownField: 'fail' })(parseExactJson(text, { fractions: false }))
}

/** Others differ on purpose: base64, RFC 5952, ISO 8601 with a T; exponents of doubles, "NaN" and "0s", which Cassandra loses. */
function hasSameText({ type: name, written }: Written): boolean {
  if (/^(ascii|text|boolean|tinyint|smallint|int|bigint|varint|decimal|uuid|timeuuid|date|time)$/.test(name))
    return true
  return name === 'duration' && written !== '""'
}

test('versions have the order of TimeUUIDType', () => {
  const order: readonly string[] = find('order')[0]?.order ?? []
  const versions = order.map(parseTimeuuid)
  expect(versions.length).toBe(240)
  for (const [at, version] of versions.entries()) {
    const next = versions[at + 1]
    if (next !== undefined) expect(compareVersions(version, next)).toBeLessThan(0)
  }
  expect(versions.toReversed().sort(compareVersions).map(formatTimeuuid)).toEqual(order)
})

test.each(find('ms') as { ms: number; min: string; max: string; micros: string }[])(
  'the bounds of $ms ms are those of the server',
  ({ ms, min, max, micros }) => {
    expect(formatTimeuuid(minTimeuuid(ms))).toBe(min)
    expect(formatTimeuuid(maxTimeuuid(ms))).toBe(max)
    expect(String(microsOf(maxTimeuuid(ms)))).toBe(micros)
  },
)
