// What both sides of a pair agree on before anything is read or written: which tables there are, their columns and who makes a table
// that one side lacks. Pure.
//
//   left, right       tables for `all`              columns                                   a missing table
//   typed, open       those of the typed side       those of the typed side                   is made on the open side
//   typed, typed      those of either side          those of both, of the same type           is made, unless in Cassandra
//   open, open        those of either side          those of either side, all of them JSON    is made
//
// Cassandra and SQLite are typed; an index is open: it takes fields that its mapping does not have, so that what a document has more
// than a typed side is found out document by document.
import { isDeepStrictEqual } from 'node:util'
import { formatCqlType } from './cql-types.ts'
import type { PairPolicy, StoreKind, TableFacts } from './store.ts'
import { type Column, type Table, TableRefusedError } from './table.ts'

export interface AgreeOptions {
  /** The tables that were asked for; `all` as far as they go for one. */
  readonly names: readonly string[] | 'all'
  readonly leftKind: StoreKind
  readonly rightKind: StoreKind
  readonly policy: Pick<PairPolicy, 'onUnknownField'>
  /** Every table has to have it. */
  readonly deletedField?: string | undefined
  /** The tables that a message lists in place of one that there is not; those of `left` and `right` when left out. */
  readonly known?: readonly string[] | undefined
}

export interface AgreedTable {
  readonly name: string
  /** What each store is to open. The columns are the same, in the same order; the kinds may differ. */
  readonly left: Table
  readonly right: Table
  /** The side that does not have it yet and makes it (createTable). */
  readonly create: 'left' | 'right' | undefined
}

type Described = Exclude<TableFacts, { readonly refused: Error }>

/** One side's part of a table. */
interface Side {
  readonly kind: StoreKind
  /** Undefined where it does not have the table. */
  readonly facts: Described | undefined
}

/** Tables that a message lists. */
const MAX_LISTED = 20

/**
 * The tables of a pair, by name. `left` and `right` are what describeTables of the stores says, of the same names. Throws
 * TableRefusedError for the first table, by name, that cannot be synced: one that neither side has, that a side refuses, that Cassandra
 * does not have, whose columns do not fit, or that lacks `deletedField`.
 */
export function agreeOnTables(
  left: ReadonlyMap<string, TableFacts>,
  right: ReadonlyMap<string, TableFacts>,
  options: AgreeOptions,
): readonly AgreedTable[] {
  return chooseNames(left, right, options).map((name) => {
    const [one, other] = [describedOf(left.get(name)), describedOf(right.get(name))]
    if (one === undefined && other === undefined)
      throw new TableRefusedError(name, describeKnown(options.known ?? [...left.keys(), ...right.keys()]))
    return agreeOnTable(
      name,
      { kind: options.leftKind, facts: one },
      { kind: options.rightKind, facts: other },
      options,
    )
  })
}

function chooseNames(
  left: ReadonlyMap<string, TableFacts>,
  right: ReadonlyMap<string, TableFacts>,
  { names, leftKind, rightKind }: AgreeOptions,
): readonly string[] {
  if (names !== 'all') return [...new Set(names)].sort()
  if (isTyped(leftKind) === isTyped(rightKind)) return [...new Set([...left.keys(), ...right.keys()])].sort()
  return [...(isTyped(leftKind) ? left : right).keys()].sort()
}

function describedOf(facts: TableFacts | undefined): Described | undefined {
  if (facts !== undefined && 'refused' in facts) throw facts.refused
  return facts
}

function describeKnown(names: readonly string[]): string {
  const known = [...new Set(names)].sort()
  const listed = known.slice(0, MAX_LISTED).join(', ')
  const more = known.length > MAX_LISTED ? ` and ${known.length - MAX_LISTED} more` : ''
  return `neither side has it${known.length === 0 ? '' : `; there are ${listed}${more}`}`
}

function agreeOnTable(name: string, left: Side, right: Side, options: AgreeOptions): AgreedTable {
  const columns = chooseColumns(name, left, right, options)
  const { deletedField } = options
  if (deletedField !== undefined && !columns.some((column) => column.name === deletedField))
    throw new TableRefusedError(name, `it has no column ${deletedField}, which is to say what is deleted`)
  const [leftKind, rightKind] = [kindOf(left, right), kindOf(right, left)]
  return {
    name,
    left: { name, kind: leftKind, columns },
    right: { name, kind: rightKind, columns },
    create: chooseMaker(name, left, right),
  }
}

function chooseMaker(name: string, left: Side, right: Side): AgreedTable['create'] {
  const missing = left.facts === undefined ? left : right.facts === undefined ? right : undefined
  if (missing?.kind === 'cassandra')
    throw new TableRefusedError(name, 'Cassandra does not have it, where a sync makes no tables')
  return missing && (missing === left ? 'left' : 'right')
}

/** A table that is to be made is of the kind of the other one; an index has one document an id. */
function kindOf(side: Side, other: Side): Table['kind'] {
  if (side.facts !== undefined) return side.facts.kind
  return isTyped(side.kind) ? (other.facts?.kind ?? 'latest') : 'latest'
}

function chooseColumns(name: string, left: Side, right: Side, { policy }: AgreeOptions): readonly Column[] {
  if (left.facts === undefined || right.facts === undefined) return (left.facts ?? right.facts)?.columns ?? []
  if (left.facts.open && right.facts.open) return uniteColumns(left.facts, right.facts)
  if (left.facts.open) return right.facts.columns
  if (right.facts.open) return left.facts.columns
  const others = new Map(right.facts.columns.map((column) => [column.name, column]))
  const common = left.facts.columns.filter((column) => others.has(column.name))
  if (policy.onUnknownField === 'fail') refuseLonely(name, common, left, right)
  for (const column of common) requireSameType(name, column, others.get(column.name) ?? column)
  return common
}

function uniteColumns(left: Described, right: Described): readonly Column[] {
  const names = new Set([...left.columns, ...right.columns].map((column) => column.name))
  return [...names].sort().map((name) => ({ name, type: { kind: 'json' } }))
}

function refuseLonely(name: string, common: readonly Column[], left: Side, right: Side): void {
  const names = new Set(common.map((column) => column.name))
  for (const [side, where] of [
    [left, 'left'],
    [right, 'right'],
  ] as const) {
    const lonely = side.facts?.columns.find((column) => !names.has(column.name))
    if (lonely !== undefined)
      throw new TableRefusedError(name, `column ${lonely.name} is on the ${where} side (${side.kind}) alone`)
  }
}

function requireSameType(table: string, left: Column, right: Column): void {
  if (isDeepStrictEqual(left.type, right.type)) return
  const [one, other] = [formatCqlType(left.type), formatCqlType(right.type)]
  const why =
    one === other ? `is ${one} on both sides, whose fields differ` : `is ${one} on the left and ${other} on the right`
  throw new TableRefusedError(table, `column ${left.name} ${why}`)
}

function isTyped(kind: StoreKind): boolean {
  return kind !== 'elasticsearch'
}
