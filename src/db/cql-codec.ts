// Values as the bytes of the native protocol (version 4; the bytes of the cells too) and back. A codec is made once a column and
// used for every row. Bytes of no length are null where the type has no empty value, as Cassandra's own drivers take them. Pure.
import { ByteWriter } from './byte-writer.ts'
import { createListCodec, createMapCodec, createTupleCodec, createVectorCodec } from './cql-codec-nested.ts'
import { createScalarCodec } from './cql-codec-scalar.ts'
import type { CqlType } from './cql-types.ts'
import type { ValueCodec } from './value-codec.ts'
import type { CqlValue } from './values.ts'

/** The codec of a type. Throws TypeError for a counter, and for JSON of any shape, wherever in it. */
export function createCodec(type: CqlType): ValueCodec {
  switch (type.kind) {
    case 'list':
    case 'set':
      return createListCodec(createCodec(type.of))
    case 'map':
      return createMapCodec(createCodec(type.key), createCodec(type.value))
    case 'tuple':
      return createTupleCodec(type.of.map((of, at) => ({ name: `[${at}]`, codec: createCodec(of) })))
    case 'udt':
      return createTupleCodec(type.fields.map(({ name, type: of }) => ({ name: `.${name}`, codec: createCodec(of) })))
    case 'vector':
      return createVectorCodec(createCodec(type.of), type.dimension)
    case 'json':
      throw new TypeError('JSON of any shape has no bytes in the native protocol')
    default:
      return createScalarCodec(type.kind)
  }
}

/** The bytes of one value, in memory of their own. */
export function encodeValue(codec: ValueCodec, value: CqlValue): Buffer {
  const out = new ByteWriter(64)
  codec.encode(out, value)
  return out.copy()
}

/** The value of these bytes and no others. */
export function decodeValue(codec: ValueCodec, bytes: Buffer): CqlValue | null {
  return codec.decode(bytes, 0, bytes.length)
}
