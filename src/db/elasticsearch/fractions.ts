// Numbers with a point lose digits when they are read as doubles. Only decimals mind, and documents of ours have those as texts: so
// documents are read fast, and again where it matters. Pure.
import type { CqlType } from '../cql-types.ts'
import { ExactNumber, isJsonObject } from '../exact-json.ts'
import type { Table } from '../table.ts'

/** True for a type that has digits to lose. */
function hasDigits(type: CqlType): boolean {
  switch (type.kind) {
    case 'decimal':
    case 'varint':
    case 'json':
      return true
    case 'list':
    case 'set':
    case 'vector':
      return hasDigits(type.of)
    case 'map':
      return hasDigits(type.key) || hasDigits(type.value)
    case 'tuple':
      return type.of.some(hasDigits)
    case 'udt':
      return type.fields.some((field) => hasDigits(field.type))
    default:
      return false
  }
}

/** Gives true for a `_source` that has to be read once more, with all digits of fractions. */
export function createFractionCheck({ columns }: Table): (source: unknown) => boolean {
  const names = columns.filter(({ type }) => hasDigits(type)).map(({ name }) => name)
  if (names.length === 0) return () => false
  return (source) =>
    isJsonObject(source) && names.some((name) => Object.hasOwn(source, name) && mayHaveLost(source[name]))
}

/** True for a table of which every document is better read with all digits at once. */
export function hasFractions({ columns }: Table): boolean {
  return columns.some(({ type }) => hasDigits(type))
}

function mayHaveLost(value: unknown): boolean {
  return typeof value === 'number' || (typeof value === 'object' && value !== null && !(value instanceof ExactNumber))
}
