// The kinds of settings that a section may be made of, on a small schema of their own.
import { Type } from 'typebox'
import { describe, expect, test } from 'vitest'
import { fillDefaults } from '../../src/config/fill.ts'
import { plainSchema, walk } from '../../src/config/schema-node.ts'
import { strict } from '../../src/config/schema-parts.ts'
import { pathOf, validate } from '../../src/config/validate.ts'

const schema = plainSchema(
  strict({
    store: Type.Optional(
      Type.Union([
        strict({
          kind: Type.Literal('file', { default: 'file' }),
          path: Type.String({ format: 'path', default: 'data/x' }),
        }),
        strict({ kind: Type.Literal('server'), url: Type.String({ pattern: '^https:' }) }),
      ]),
    ),
    schedule: Type.Optional(
      Type.Union([
        Type.String({ minLength: 3 }),
        strict({ cron: Type.String(), jitterMs: Type.Integer({ minimum: 0, default: 0 }) }),
      ]),
    ),
    limit: Type.Optional(
      Type.Union([Type.Integer({ minimum: 1 }), Type.String({ pattern: '^\\d+%$', description: 'A share.' })]),
    ),
    tables: Type.Optional(Type.Union([Type.Literal('all'), Type.Array(Type.String(), { minItems: 1 })])),
    level: Type.Optional(Type.Union([Type.Literal('low'), Type.Literal('high')])),
    sides: Type.Optional(
      Type.Array(Type.Union([strict({ env: Type.String() }), strict({ file: Type.String({ format: 'path' }) })])),
    ),
    types: Type.Optional(
      Type.Record(Type.String({ pattern: '^[a-z]+$' }), strict({ size: Type.Integer({ default: 7 }) }), {
        additionalProperties: false,
      }),
    ),
  }),
)
const fill = (value: unknown) => fillDefaults(schema, value, '/base')
const problems = (value: unknown) => validate(schema, fill(value)).map(({ at, message }) => `${pathOf(at)}: ${message}`)

describe('what is filled in', () => {
  test.each<[string, unknown, unknown]>([
    ['nothing into what was left out', {}, {}],
    ['the kind that is meant when none is written', { store: {} }, { store: { kind: 'file', path: '/base/data/x' } }],
    [
      'nothing of another kind',
      { store: { kind: 'server', url: 'https:a' } },
      { store: { kind: 'server', url: 'https:a' } },
    ],
    ['a union by type, as text', { schedule: '* * *' }, { schedule: '* * *' }],
    ['a union by type, as a mapping', { schedule: { cron: 'x' } }, { schedule: { cron: 'x', jitterMs: 0 } }],
    [
      'a union by key, in a list',
      { sides: [{ env: 'A' }, { file: 'f' }] },
      { sides: [{ env: 'A' }, { file: '/base/f' }] },
    ],
    [
      'a mapping with names of its own',
      { types: { a: {}, b: { size: 1 } } },
      { types: { a: { size: 7 }, b: { size: 1 } } },
    ],
    ['nothing into what fits no branch', { store: { kind: 'x' }, schedule: 3 }, { store: { kind: 'x' }, schedule: 3 }],
  ])('%s', (_, value, filled) => {
    expect(fill(value)).toEqual(filled)
  })

  test('defaults are not shared between two fillings', () => {
    const node = plainSchema(strict({ list: Type.Array(Type.String(), { default: ['a'] }) }))
    expect(fillDefaults(node, {}, '/')).toEqual({ list: ['a'] })
    expect(fillDefaults(node, {}, '/')).not.toBe(fillDefaults(node, {}, '/'))
    expect((fillDefaults(node, {}, '/') as { list: string[] }).list).not.toBe(
      (fillDefaults(node, {}, '/') as { list: string[] }).list,
    )
  })
})

describe('what is wrong', () => {
  test.each<[unknown, readonly string[]]>([
    [
      {
        store: { kind: 'server', url: 'https:a' },
        schedule: '***',
        limit: 3,
        tables: 'all',
        level: 'low',
        sides: [{ env: 'A' }],
      },
      [],
    ],
    [{ schedule: { cron: 'x' }, limit: '5%', tables: ['a'], types: { a: {} } }, []],
    [{ store: { kind: 'fiel' } }, ['store.kind: must be one of file, server, is "fiel", did you mean "file"?']],
    [{ store: { url: 'https:a' } }, ['store.url: unknown key; allowed with kind file: kind, path']],
    [{ schedule: 3 }, ['schedule: must be text or a mapping, is a number']],
    [{ schedule: 'x' }, ['schedule: must be at least 3 characters, is 1']],
    [{ schedule: { corn: 'x' } }, ['schedule.corn: unknown key, did you mean "cron"? allowed: cron, jitterMs']],
    [{ schedule: { cron: 'x', jitterMs: -1 } }, ['schedule.jitterMs: must be at least 0, is -1']],
    [{ limit: 0 }, ['limit: must be at least 1, is 0']],
    [{ limit: 1.5 }, ['limit: must be a whole number, is a number']],
    [{ limit: 'x' }, ['limit: does not have the right form. A share. Pattern: ^\\d+%$']],
    [{ limit: true }, ['limit: must be a number or text, is true or false']],
    [{ tables: 'none' }, ['tables: must be all']],
    [{ tables: [] }, ['tables: must have at least 1 entries, has 0']],
    [{ level: 'hihg' }, ['level: must be one of low, high, is "hihg", did you mean "high"?']],
    [{ level: 3 }, ['level: must be one of low, high, is 3']],
    [{ sides: [{}] }, ['sides[0]: takes exactly one of env, file']],
    [{ sides: [{ env: 'A', file: 'f' }] }, ['sides[0]: takes exactly one of env, file']],
    [{ sides: ['hunter2'] }, ['sides[0]: must be a mapping with one of env, file, is text']],
    [{ sides: [{ evn: 'hunter2' }] }, ['sides[0].evn: unknown key, did you mean "env"? allowed: env, file']],
    [{ types: { A: {} } }, ['types.A: unknown key; allowed: names of the form ^[a-z]+$']],
    [{ types: { a: { size: 'x' } } }, ['types.a.size: must be a whole number, is text']],
  ])('%j', (value, expected) => {
    expect(problems(value)).toEqual(expected)
  })
})

test('a walk visits every part with its path, in the branch that is meant', () => {
  const visited: string[] = []
  const value = fill({ store: {}, schedule: { cron: 'x' }, sides: [{ env: 'A' }], types: { a: {} } })
  walk(schema, value, (path) => visited.push(path))
  expect(visited).toEqual([
    '',
    'store',
    'store.kind',
    'store.path',
    'schedule',
    'schedule.cron',
    'schedule.jitterMs',
    'sides',
    'sides[0]',
    'sides[0].env',
    'types',
    'types.a',
    'types.a.size',
  ])
})
