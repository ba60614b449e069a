// Pure: the rules of the section `db`.
import type { DbConfig, PairConfig, SideConfig } from './db-schema.ts'
import { isSameSide, parseContactPoint } from './db-side.ts'
import { type At, checkAddress, checkClientPair, findDuplicates } from './rule-parts.ts'
import { checkSchedule } from './schedule-rules.ts'
import type { StateConfig } from './state-schema.ts'
import type { Problem } from './validate.ts'

/** What stands for the name of the table in the pattern of index names. */
export const TABLE = '{table}'

/** Everything about the section that no schema of a single setting can express. */
export function checkDbRules({ pairs }: DbConfig, state: StateConfig): Problem[] {
  return [
    ...pairs.flatMap((pair, index) => checkPair(pair, state, ['db', 'pairs', index])),
    ...findDuplicates(
      pairs,
      ({ name }) => name,
      (_, index) => ['db', 'pairs', index, 'name'],
      'name',
    ),
  ]
}

function checkPair(pair: PairConfig, state: StateConfig, at: At): Problem[] {
  const { left, right, schedule } = pair
  return [
    ...checkSide(left, state, [...at, 'left']),
    ...checkSide(right, state, [...at, 'right']),
    ...(isSameSide(left, right)
      ? [{ at: [...at, 'right'], message: 'is the same store as left: a pair is two different ones' }]
      : []),
    ...(schedule === undefined ? [] : checkSchedule(schedule, [...at, 'schedule'])),
    ...checkFields(pair, at),
    ...checkExecution(pair, [...at, 'execution']),
  ]
}

function checkSide(side: SideConfig, state: StateConfig, at: At): Problem[] {
  switch (side.kind) {
    case 'cassandra':
      return [
        ...side.contactPoints.flatMap((text, index) =>
          parseContactPoint(text) === undefined
            ? [{ at: [...at, 'contactPoints', index], message: 'must be HOST or HOST:PORT: 10.0.0.1:9042, [::1]:9042' }]
            : [],
        ),
        ...checkClientPair(side.tls, [...at, 'tls']),
      ]
    case 'elasticsearch':
      return [...checkAddress(side.url, side.tls, at), ...checkIndex(side.index, [...at, 'index'])]
    case 'sqlite':
      return state.kind === 'sqlite' && state.path === side.path
        ? [{ at: [...at, 'path'], message: 'is the file of the state (state.path): take another one' }]
        : []
  }
}

/** The name of a table may bring more that an index cannot be called: that is found out when the tables are known. */
function checkIndex(pattern: string, at: At): Problem[] {
  const [before, after, more] = pattern.split(TABLE)
  if (before === undefined || after === undefined || more !== undefined) {
    return [{ at, message: `must contain ${TABLE} once, where the name of the table goes: app-${TABLE}` }]
  }
  if (/[\\/*?"<>|\s,#:]|[A-Z]/.test(before + after) || /^[-_+]/.test(before)) {
    return [
      {
        at,
        message: 'is no name of an index: lower case, no blanks, none of \\ / * ? " < > | , # : and no - _ + in front',
      },
    ]
  }
  return []
}

function checkFields({ versionField, deletedField }: PairConfig, at: At): Problem[] {
  const taken = (key: string, name: string | undefined, others: readonly string[]): Problem[] =>
    name !== undefined && others.includes(name)
      ? [{ at: [...at, key], message: `must not be ${name}: every row has that already` }]
      : []
  return [
    ...taken('versionField', versionField, ['id', 'tmstmp']),
    ...taken('deletedField', deletedField, ['id', 'tmstmp', versionField]),
  ]
}

/** With an image, what its Pods mount is the business of whoever gives it. */
function checkExecution({ left, right, execution }: PairConfig, at: At): Problem[] {
  if (execution.kind === 'process' || execution.image !== undefined) return []
  if (left.kind !== 'sqlite' && right.kind !== 'sqlite') return []
  return [{ at: [...at, 'kind'], message: 'must be process: Pods do not share a file of SQLite' }]
}
