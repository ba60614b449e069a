import { createRequire } from 'node:module'
import { types } from 'cassandra-driver'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteWriter } from '../../src/db/byte-writer.ts'
import { createCodec, decodeValue, encodeValue } from '../../src/db/cql-codec.ts'
import { type CqlType, parseCqlType } from '../../src/db/cql-types.ts'
import { formatInet } from '../../src/db/inet-text.ts'
import { parseDecimal } from '../../src/db/scalar-text.ts'
import { writeCell } from '../../src/db/value-codec.ts'
import { type CqlValue, type Duration, ValueError } from '../../src/db/values.ts'
import { anyTypedValue, anyValueOf } from './any-value.ts'

const encodeAs = (type: string, value: CqlValue) => encodeValue(createCodec(parseCqlType(type)), value)
const decodeAs = (type: string, hex: string) =>
  decodeValue(createCodec(parseCqlType(type)), Buffer.from(hex.replaceAll(' ', ''), 'hex'))

describe('bytes and values', () => {
  test('every value of every type comes back', () => {
    fc.assert(
      fc.property(anyTypedValue, ({ type, value }) => {
        const codec = createCodec(type)
        const bytes = encodeValue(codec, value)
        expect(decodeValue(codec, bytes)).toEqual(asBuffers(value))
        expect(encodeValue(codec, decodeValue(codec, bytes) ?? '')).toEqual(bytes)
      }),
      { numRuns: 1_000 },
    )
  })

  test('a value is read where it stands, and nothing around it', () => {
    fc.assert(
      fc.property(anyTypedValue, fc.nat(5), fc.nat(5), ({ type, value }, before, after) => {
        const codec = createCodec(type)
        const bytes = encodeValue(codec, value)
        const around = Buffer.concat([Buffer.alloc(before, 0xff), bytes, Buffer.alloc(after, 0xff)])
        expect(codec.decode(around, before, before + bytes.length)).toEqual(decodeValue(codec, bytes))
      }),
    )
  })

  test('bytes that were cut off or changed are refused or another value, never a crash', () => {
    fc.assert(
      fc.property(anyTypedValue, fc.nat(), fc.nat(255), ({ type, value }, place, byte) => {
        const codec = createCodec(type)
        const bytes = encodeValue(codec, value)
        fc.pre(bytes.length > 0)
        const changed = Buffer.from(bytes)
        changed[place % bytes.length] = byte
        for (const broken of [changed, bytes.subarray(0, place % bytes.length)]) {
          try {
            decodeValue(codec, broken)
          } catch (error) {
            expect(error).toBeInstanceOf(ValueError)
          }
        }
      }),
      { numRuns: 1_000 },
    )
  })

  test.each([
    'int',
    'bigint',
    'boolean',
    'uuid',
    'timestamp',
    'varint',
    'decimal',
    'inet',
    'duration',
    'frozen<list<int>>',
    'frozen<map<int, int>>',
    'frozen<tuple<int>>',
    'vector<int, 2>',
  ])('no bytes of %s are null, as to the drivers', (type) => {
    expect(decodeAs(type, '')).toBeNull()
  })

  test('no bytes of text, ascii and blob are the empty ones', () => {
    expect(decodeAs('text', '')).toBe('')
    expect(decodeAs('ascii', '')).toBe('')
    expect(decodeAs('blob', '')).toEqual(Buffer.alloc(0))
  })

  test('an empty list is a list of nothing, alone and inside another one', () => {
    expect(encodeAs('frozen<list<int>>', []).toString('hex')).toBe('00000000')
    expect(encodeAs('list<frozen<set<text>>>', [[], []]).toString('hex')).toBe(
      '00000002000000040000000000000004' + '00000000',
    )
  })

  test('a blob is a view, so that scans copy nothing', () => {
    const bytes = Buffer.from([1, 2, 3])
    const blob = createCodec({ kind: 'blob' }).decode(bytes, 1, 3)
    bytes[1] = 9
    expect(blob).toEqual(Buffer.from([9, 3]))
  })

  test('keeps the sign of -0.0', () => {
    expect(decodeAs('double', '8000000000000000')).toBe(-0)
    expect(encodeAs('float', -0).toString('hex')).toBe('80000000')
  })

  test('tells ::ffff:1.2.3.4 from 1.2.3.4', () => {
    expect(decodeAs('inet', '01020304')).toBe('1.2.3.4')
    expect(decodeAs('inet', '00000000000000000000ffff01020304')).toBe('::ffff:1.2.3.4')
  })

  test('knows a tuple that was written when its type had fewer values', () => {
    expect(decodeAs('tuple<int, text>', '00000004 00000007')).toEqual([7])
    expect(encodeAs('tuple<int, text>', [7]).toString('hex')).toBe('0000000400000007')
    expect(decodeAs('tuple<int, text>', '00000004 00000007 ffffffff')).toEqual([7, null])
  })
})

describe('cells', () => {
  test('null deletes, undefined leaves a column alone', () => {
    const out = new ByteWriter(1)
    const codec = createCodec({ kind: 'text' })
    for (const value of ['ab', null, undefined, '']) writeCell(out, codec, value)
    expect(out.view().toString('hex')).toBe(`00000002${'6162'}ffffffff${'fffffffe'}00000000`)
  })

  test('a writer keeps its memory and forgets the rest', () => {
    const out = new ByteWriter(2)
    out.writeUtf8('abc')
    out.reset(1)
    out.writeUtf8('€')
    expect(out.view().toString('utf8')).toBe('a€')
    out.reset()
    expect(out.length).toBe(0)
    out.writeSafeInt64(-1)
    out.writeSafeInt64(Number.MIN_SAFE_INTEGER)
    out.writeInt64(2n ** 63n)
    expect(out.copy().toString('hex')).toBe(`ffffffffffffffff${'ffe0000000000001'}8000000000000000`)
  })
})

describe('what is refused', () => {
  test.each<[string, string, string]>([
    ['int', '000001', '3 bytes where 4 are expected'],
    ['timestamp', '00', '1 bytes where 8 are expected'],
    ['decimal', '00000000', '4 bytes where a decimal has 5 or more'],
    ['inet', '010203', 'an address has 4 or 16 bytes, not 3'],
    ['time', '00004e94914f0000', 'the time is outside a day'],
    ['time', 'ffffffffffffffff', 'the time is outside a day'],
    ['duration', '0203', 'the bytes end in a number'],
    ['duration', '020103', 'different signs'],
    ['duration', '02020200', 'bytes after the end'],
    ['list<int>', '0000', 'the bytes end too early'],
    ['list<int>', '00000001 00000004 0000', 'the bytes end too early'],
    ['list<int>', 'ffffffff', 'less than nothing'],
    ['list<int>', '00000001 ffffffff', '[0]: null, which has no place inside a collection'],
    ['list<int>', '00000001 00000000', '[0]: null'],
    ['list<int>', '00000000 00', 'more bytes than the type has values'],
    ['map<int, int>', '00000001 00000004 00000001 00000003 000001', '[0]: 3 bytes where 4'],
    ['tuple<int>', '00000004 00000001 00000004 00000001', 'more bytes than the type has values'],
    [
      'tuple<int, list<tuple<smallint>>>',
      'ffffffff 0000000d 00000001 00000005 00000001 05',
      '[1][0][0]: 1 bytes where 2',
    ],
    ['vector<float, 2>', '3f800000', 'the bytes end too early'],
    ['vector<text, 2>', '0161 05', 'the bytes end too early'],
    ['vector<float, 1>', '3f8000003f800000', 'more bytes than the type has values'],
  ])('%s of %s: %s', (type, hex, message) => {
    expect(() => decodeAs(type, hex)).toThrow(ValueError)
    expect(() => decodeAs(type, hex)).toThrow(message)
  })

  test.each<[string, CqlValue, string]>([
    ['int', 2 ** 31, 'a number outside int'],
    ['tinyint', -129, 'a number outside tinyint'],
    ['smallint', 1.5, 'a number outside smallint'],
    ['int', 'x', 'a text of 1 characters where int is expected'],
    ['bigint', 2n ** 63n, 'a number outside bigint'],
    ['bigint', 1, 'a number where bigint is expected'],
    ['varint', 1, 'a number where varint is expected'],
    ['boolean', 1, 'a number where boolean is expected'],
    ['text', '\ud800', 'half a surrogate pair'],
    ['ascii', 'é', 'ASCII'],
    ['blob', 'AA==', 'where blob is expected'],
    ['uuid', '20fc670f-9149-41e4-bf01-0123456789a', 'no uuid'],
    ['uuid', '20fc670f-9149-41e4-bf01-0123456789ag', 'no uuid'],
    ['uuid', '20fc670f-9149-41e4-bf01+0123456789ab', 'no uuid'],
    ['uuid', '20fc670f-9149-41e4-bf01-0123456789a\u0661', 'no uuid'],
    ['timeuuid', '20fc670f-9149-41e4-bf01-0123456789ab', 'no uuid of version 1'],
    ['inet', 'localhost', 'no address'],
    ['date', 2 ** 31, 'outside 32 bits'],
    ['date', 0.5, 'outside 32 bits'],
    ['time', -1, 'outside a day'],
    ['timestamp', 0.5, 'where timestamp is expected'],
    ['timestamp', 2n ** 63n, 'outside 64 bits'],
    ['decimal', '1,5', 'no decimal number'],
    ['duration', 1, 'where duration is expected'],
    ['duration', { months: 2 ** 31, days: 0, nanoseconds: 0n }, 'outside 32 bits'],
    ['duration', { months: 1, days: 0, nanoseconds: -1n }, 'different signs'],
    ['list<int>', 'x', 'where list is expected'],
    ['list<int>', [1, null], '[1]: null'],
    ['map<text, int>', [['a', 'b']], '[0]: a text of 1 characters where int'],
    ['tuple<int>', [1, 2], 'a list of 2 where at most 1'],
    ['vector<int, 2>', [1], 'a list of 1 where 2'],
    ['vector<text, 2>', ['a', 1], '[1]: a number where text'],
  ])('a value of %s: %o', (type, value, message) => {
    expect(() => encodeAs(type, value)).toThrow(ValueError)
    expect(() => encodeAs(type, value)).toThrow(message)
  })

  test('a counter has no codec', () => {
    expect(() => createCodec({ kind: 'counter' })).toThrow('counters cannot be carried')
    expect(() => createCodec(parseCqlType('list<counter>'))).toThrow('counters cannot be carried')
  })
})

describe('the driver reads what we write, and writes what we read', () => {
  // Its own folder, which it does not export types of.
  const Encoder: DriverEncoder = createRequire(import.meta.url)('cassandra-driver/lib/encoder.js')
  const encoder = new Encoder(4, { encoding: { map: Map, useBigIntAsLong: true, useBigIntAsVarint: true } })

  test.each([
    'ascii',
    'text',
    'blob',
    'boolean',
    'tinyint',
    'smallint',
    'int',
    'bigint',
    'varint',
    'float',
    'double',
    'uuid',
    'timeuuid',
    'inet',
    'date',
    'time',
    'timestamp',
    'decimal',
    'duration',
    'frozen<list<int>>',
    'frozen<set<text>>',
    'frozen<map<int, text>>',
    'frozen<map<text, frozen<list<uuid>>>>',
    'frozen<tuple<int, text, bigint>>',
    'vector<float, 3>',
    'vector<text, 2>',
    'vector<smallint, 2>',
  ])('%s', async (name) => {
    const type = parseCqlType(name)
    const codec = createCodec(type)
    const info = await encoder.parseTypeName('ks', name, 0, null, () => null)
    fc.assert(
      fc.property(anyValueOf(type), (value) => {
        fc.pre(!isBeyondDriver(type, value))
        const bytes = encodeValue(codec, value)
        const theirs = encoder.decode(bytes, info)
        expect(fromDriver(type, theirs)).toEqual(asBuffers(value))
        expect(encoder.encode(theirs, info)).toEqual(bytes)
        // Whatever the driver cannot encode itself goes through it as bytes.
        expect(encoder.encode(bytes, info)).toBe(bytes)
      }),
    )
  })
})

type DriverEncoder = new (
  protocolVersion: number,
  options: unknown,
) => {
  parseTypeName(keyspace: string, name: string, start: number, length: null, udts: () => null): Promise<unknown>
  decode(bytes: Buffer, type: unknown): unknown
  encode(value: unknown, type: unknown): Buffer
}

/** Values that the driver of this version is known to get wrong: see the comments. */
function isBeyondDriver(type: CqlType, value: CqlValue): boolean {
  switch (type.kind) {
    case 'list':
    case 'set':
      // An empty one is written as null, and refused inside another collection.
      return (
        (value as readonly CqlValue[]).length === 0 ||
        (value as CqlValue[]).some((item) => isBeyondDriver(type.of, item))
      )
    case 'map':
      return (value as readonly (readonly [CqlValue, CqlValue])[]).some(
        ([key, one]) => isBeyondDriver(type.key, key) || isBeyondDriver(type.value, one),
      )
    case 'timestamp':
      // Beyond what Date can say.
      return typeof value === 'bigint' || Math.abs(value as number) > 8.64e15
    case 'tuple':
      // Those that are missing come as undefined, and are written as null.
      return (value as readonly CqlValue[]).length < type.of.length
    default:
      return false
  }
}

/** What the driver gives, as our value; the adapters of stores have no need of it, for they take the bytes. */
function fromDriver(type: CqlType, value: unknown): CqlValue | null {
  if (value === null || value === undefined) return null
  switch (type.kind) {
    case 'list':
    case 'set':
    case 'vector':
      return [...(value as Iterable<unknown>)].map((item) => fromDriver(type.of, item) ?? '')
    case 'map':
      return [...(value as Map<unknown, unknown>)].map(
        ([key, one]) => [fromDriver(type.key, key) ?? '', fromDriver(type.value, one) ?? ''] as const,
      )
    case 'tuple':
      return type.of.map((of, at) => fromDriver(of, (value as types.Tuple).get(at)))
    case 'uuid':
    case 'timeuuid':
      return String(value)
    case 'inet':
      return formatInet((value as types.InetAddress).getBuffer())
    case 'date':
      return (value as { toBuffer(): Buffer }).toBuffer().readUInt32BE(0) - 2 ** 31
    case 'time':
      return (value as types.LocalTime).getTotalNanoseconds().toNumber()
    case 'timestamp':
      return (value as Date).getTime()
    case 'decimal': {
      // Its own text has lost negative scales.
      const bytes = (types.BigDecimal as unknown as { toBuffer(value: unknown): Buffer }).toBuffer(value)
      return decodeValue(createCodec(type), bytes)
    }
    case 'duration': {
      const { months, days, nanoseconds } = value as unknown as {
        months: number
        days: number
        nanoseconds: types.Long
      }
      return { months, days, nanoseconds: BigInt(nanoseconds.toString()) } satisfies Duration
    }
    default:
      return value as CqlValue
  }
}

/** Blobs come back as Buffers. */
function asBuffers(value: CqlValue): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value)
  return Array.isArray(value) ? value.map((item) => (item === null ? null : asBuffers(item))) : value
}

test('the text of a decimal is the pair that its bytes have', () => {
  fc.assert(
    fc.property(anyValueOf({ kind: 'decimal' }), (text) => {
      const bytes = encodeAs('decimal', text)
      const { unscaled, scale } = parseDecimal(String(text))
      expect(bytes.readInt32BE(0)).toBe(scale)
      expect(decodeAs('varint', bytes.subarray(4).toString('hex'))).toBe(unscaled)
    }),
  )
})
