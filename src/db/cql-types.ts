// Types of Cassandra's columns, from the text in which system_schema spells them: `frozen<map<text, list<int>>>`. Pure.

const SCALARS = [
  'ascii',
  'bigint',
  'blob',
  'boolean',
  'counter',
  'date',
  'decimal',
  'double',
  'duration',
  'float',
  'inet',
  'int',
  'smallint',
  'text',
  'time',
  'timestamp',
  'timeuuid',
  'tinyint',
  'uuid',
  'varint',
] as const

export type ScalarKind = (typeof SCALARS)[number]

export interface ScalarType {
  readonly kind: ScalarKind
}

export interface ListType {
  readonly kind: 'list' | 'set'
  /** Written as a whole; one that is not cannot be told from null when it is empty. Tuples and vectors always are. */
  readonly frozen: boolean
  readonly of: CqlType
}

export interface MapType {
  readonly kind: 'map'
  readonly frozen: boolean
  readonly key: CqlType
  readonly value: CqlType
}

export interface TupleType {
  readonly kind: 'tuple'
  readonly of: readonly CqlType[]
}

export interface UdtType {
  readonly kind: 'udt'
  readonly frozen: boolean
  readonly name: string
  readonly fields: readonly UdtField[]
}

export interface UdtField {
  readonly name: string
  readonly type: CqlType
}

export interface VectorType {
  readonly kind: 'vector'
  readonly of: CqlType
  /** 1 or more. */
  readonly dimension: number
}

/** Any JSON, of a side that has no types: no type of Cassandra. */
export interface JsonType {
  readonly kind: 'json'
}

export type CqlType = ScalarType | ListType | MapType | TupleType | UdtType | VectorType | JsonType

/** A row of system_schema.types: names and types of the fields, in order. */
export interface UdtDefinition {
  readonly fieldNames: readonly string[]
  readonly fieldTypes: readonly string[]
}

/** A column's type that cannot be carried; the message says why. */
export class CqlTypeError extends Error {
  override readonly name = 'CqlTypeError'
}

/** Types in one another; Cassandra itself allows far less. */
const MAX_DEPTH = 64
const TOKEN = /\s*(?:([A-Za-z_]\w*)|"((?:[^"]|"")*)"|('(?:[^']|'')*')|(\d+)|([<>,]))/y

/**
 * Reads the name of a type; `udts` are the user-defined types of the same keyspace by name (as it is, without quotes).
 * Throws CqlTypeError for what is no type, for unknown user-defined types, and for classes of a server's own (`'org.…'`).
 * Counters are types: whoever cannot carry them refuses them, with the name of the table.
 */
export function parseCqlType(text: string, udts: ReadonlyMap<string, UdtDefinition> = new Map()): CqlType {
  const parser = new TypeParser(text, udts, 0)
  const type = parser.readType(0, false)
  parser.expectEnd()
  return type
}

/** The name of a type as system_schema spells it. */
export function formatCqlType(type: CqlType): string {
  switch (type.kind) {
    case 'list':
    case 'set':
      return freeze(`${type.kind}<${formatCqlType(type.of)}>`, type.frozen)
    case 'map':
      return freeze(`map<${formatCqlType(type.key)}, ${formatCqlType(type.value)}>`, type.frozen)
    case 'tuple':
      return freeze(`tuple<${type.of.map(formatCqlType).join(', ')}>`, true)
    case 'udt':
      return freeze(quoteName(type.name), type.frozen)
    case 'vector':
      return `vector<${formatCqlType(type.of)}, ${type.dimension}>`
    default:
      return type.kind
  }
}

/** A name in CQL: in double quotes unless it is in lower case and plain. */
export function quoteName(name: string): string {
  return /^[a-z]\w*$/.test(name) && name === name.toLowerCase() ? name : `"${name.replaceAll('"', '""')}"`
}

/** True where a counter is somewhere in a type. */
export function hasCounter(type: CqlType): boolean {
  return type.kind === 'counter' || partsOf(type).some(hasCounter)
}

/** True for a type that has no types inside. */
export function isScalar(type: CqlType): type is ScalarType {
  return SCALARS.some((kind) => kind === type.kind)
}

/** The types right inside a type. */
export function partsOf(type: CqlType): readonly CqlType[] {
  switch (type.kind) {
    case 'list':
    case 'set':
    case 'vector':
      return [type.of]
    case 'map':
      return [type.key, type.value]
    case 'tuple':
      return type.of
    case 'udt':
      return type.fields.map((field) => field.type)
    default:
      return []
  }
}

function freeze(name: string, frozen: boolean): string {
  return frozen ? `frozen<${name}>` : name
}

interface Token {
  readonly kind: 'name' | 'quoted' | 'class' | 'number' | 'mark' | 'end'
  readonly text: string
}

class TypeParser {
  readonly #text: string
  readonly #udts: ReadonlyMap<string, UdtDefinition>
  #at = 0
  #token: Token = { kind: 'end', text: '' }
  #depth: number

  constructor(text: string, udts: ReadonlyMap<string, UdtDefinition>, depth: number) {
    this.#text = text
    this.#udts = udts
    this.#depth = depth
    this.#next()
  }

  readType(depth: number, frozen: boolean): CqlType {
    if (this.#depth + depth > MAX_DEPTH) throw this.#error(`has more than ${MAX_DEPTH} types in one another`)
    const { kind, text } = this.#token
    if (kind === 'class') throw this.#error(`is the class ${text} of a server, which cannot be carried`)
    if (kind !== 'name' && kind !== 'quoted') throw this.#error(`has ${this.#found()} where a type is expected`)
    this.#next()
    if (kind === 'quoted') return this.#resolve(text, depth, frozen)
    return this.#readNamed(text.toLowerCase(), depth, frozen)
  }

  expectEnd(): void {
    if (this.#token.kind !== 'end') throw this.#error(`has ${this.#found()} after its end`)
  }

  #readNamed(name: string, depth: number, frozen: boolean): CqlType {
    if (!this.#isMark('<')) {
      // What the parser of CQL calls by another name.
      const kind = name === 'varchar' ? 'text' : SCALARS.find((one) => one === name)
      return kind === undefined ? this.#resolve(name, depth, frozen) : { kind }
    }
    switch (name) {
      case 'frozen':
        return this.#bracketed(() => this.readType(depth + 1, true))
      case 'list':
      case 'set':
        return { kind: name, frozen, of: this.#bracketed(() => this.readType(depth + 1, false)) }
      case 'map':
        return this.#bracketed(() => {
          const key = this.readType(depth + 1, false)
          this.#expectMark(',')
          return { kind: 'map', frozen, key, value: this.readType(depth + 1, false) }
        })
      case 'tuple':
        return { kind: 'tuple', of: this.#bracketed(() => this.#readTypes(depth + 1)) }
      case 'vector':
        return this.#bracketed(() => {
          const of = this.readType(depth + 1, false)
          this.#expectMark(',')
          return { kind: 'vector', of, dimension: this.#readDimension() }
        })
      default:
        throw this.#error(`has ${JSON.stringify(name)}, which takes no types`)
    }
  }

  #readTypes(depth: number): readonly CqlType[] {
    const types = [this.readType(depth, false)]
    while (this.#isMark(',')) {
      this.#next()
      types.push(this.readType(depth, false))
    }
    return types
  }

  #readDimension(): number {
    const dimension = this.#token.kind === 'number' ? Number(this.#token.text) : 0
    if (!Number.isSafeInteger(dimension) || dimension < 1)
      throw this.#error(`has ${this.#found()} where a number of dimensions is expected`)
    this.#next()
    return dimension
  }

  #resolve(name: string, depth: number, frozen: boolean): UdtType {
    const definition = this.#udts.get(name)
    if (definition === undefined) throw this.#error(`has ${JSON.stringify(name)}, which is no type of the keyspace`)
    const fields = definition.fieldNames.map((field, at) => {
      const parser = new TypeParser(definition.fieldTypes[at] ?? '', this.#udts, this.#depth + depth + 1)
      const type = parser.readType(0, false)
      parser.expectEnd()
      return { name: field, type }
    })
    return { kind: 'udt', frozen, name, fields }
  }

  #bracketed<T>(read: () => T): T {
    this.#expectMark('<')
    const result = read()
    this.#expectMark('>')
    return result
  }

  #isMark(mark: string): boolean {
    return this.#token.kind === 'mark' && this.#token.text === mark
  }

  #expectMark(mark: string): void {
    if (!this.#isMark(mark)) throw this.#error(`has ${this.#found()} where "${mark}" is expected`)
    this.#next()
  }

  #next(): void {
    TOKEN.lastIndex = this.#at
    const match = TOKEN.exec(this.#text)
    if (match === null) {
      if (this.#text.slice(this.#at).trim() !== '') throw this.#error(`cannot be read from character ${this.#at} on`)
      this.#token = { kind: 'end', text: '' }
      return
    }
    this.#at += match[0].length
    const [, name, quoted, own, number, mark] = match
    if (name !== undefined) this.#token = { kind: 'name', text: name }
    else if (quoted !== undefined) this.#token = { kind: 'quoted', text: quoted.replaceAll('""', '"') }
    else if (own !== undefined) this.#token = { kind: 'class', text: own }
    else if (number !== undefined) this.#token = { kind: 'number', text: number }
    else this.#token = { kind: 'mark', text: mark ?? '' }
  }

  #found(): string {
    return this.#token.kind === 'end' ? 'nothing' : JSON.stringify(this.#token.text)
  }

  #error(what: string): CqlTypeError {
    return new CqlTypeError(`type ${JSON.stringify(this.#text)} ${what}`)
  }
}
