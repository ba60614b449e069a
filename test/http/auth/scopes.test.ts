import { describe, expect, test } from 'vitest'
import { type Grant, scopesFor, scopesInClaim } from '../../../src/http/auth/scopes.ts'

describe('scopes by grant', () => {
  const grants: readonly Grant[] = [
    { users: ['system:serviceaccount:gw:gateway'], scopes: ['synced'] },
    { groups: ['system:serviceaccounts:ops', 'admins'], scopes: ['read', 'tokens'] },
    { users: ['root'], groups: ['admins'], scopes: ['db', 'read'] },
  ]

  test.each([
    ['a user that is named', 'system:serviceaccount:gw:gateway', [], ['synced']],
    ['a group that is named', 'x', ['system:serviceaccounts:ops'], ['read', 'tokens']],
    [
      'several grants add up',
      'system:serviceaccount:gw:gateway',
      ['other', 'admins'],
      ['synced', 'read', 'tokens', 'db'],
    ],
    ['users or groups of one grant', 'root', [], ['db', 'read']],
    ['nobody', 'y', ['system:authenticated'], []],
    ['a user who is called like a group', 'admins', [], []],
    ['a group that is called like a user', 'x', ['root'], []],
  ] as const)('%s', (_, user, groups, scopes) => {
    expect(scopesFor(grants, user, groups)).toEqual(new Set(scopes))
  })
})

describe('scopes in a claim', () => {
  test.each([
    ['text separated by spaces', { scope: 'openid synced read' }, 'scope', '', ['synced', 'read']],
    ['a list', { scp: ['synced', 'db', 3] }, 'scp', '', ['synced', 'db']],
    ['with a prefix only what has it counts', { scope: 'syncer:tokens read' }, 'scope', 'syncer:', ['tokens']],
    ['a claim whose name has dots', { 'https://a.b/scopes': 'read' }, 'https://a.b/scopes', '', ['read']],
    ['a claim inside a claim', { realm_access: { roles: ['db'] } }, 'realm_access.roles', '', ['db']],
    ['no such claim', {}, 'scope', '', []],
    ['no such inner claim', { realm_access: 'db' }, 'realm_access.length', '', []],
    ['a claim of another type', { scope: { synced: true } }, 'scope', '', []],
    ['what every object has', {}, 'constructor.name', '', []],
    ['a part of a word', { scope: 'read-only synced2' }, 'scope', '', []],
  ] as const)('%s', (_, claims, name, prefix, scopes) => {
    expect(scopesInClaim(claims, name, prefix)).toEqual(new Set(scopes))
  })
})
