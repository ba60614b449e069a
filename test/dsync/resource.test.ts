import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InvalidResource, Resource } from '../../src/dsync/index.ts'

describe('a resource', () => {
  it.each([
    [{ name: 'Token Manager' }, 'unscoped.election.token-manager', 'unscoped.lock.token-manager'],
    [{ name: 'a.b_c' }, 'unscoped.election.a-b-c', 'unscoped.lock.a-b-c'],
    [{ scope: 'My/Service', name: 'x' }, 'my-service.election.x', 'my-service.lock.x'],
    [{}, 'unscoped.election.master', 'unscoped.lock.master'],
    [{ scope: '', name: '' }, 'unscoped.election.master', 'unscoped.lock.master'],
    [{ name: 'größe' }, 'unscoped.election.gr--e', 'unscoped.lock.gr--e'],
  ])('%j has the Leases %s and %s', (parts, election, lock) => {
    const resource = new Resource(parts)
    expect([resource.electionName, resource.lockName]).toEqual([election, lock])
    expect(() => resource.validate()).not.toThrow()
  })

  it.each([
    [{ name: '-' }, 'must begin and end with a letter or digit'],
    [{ name: 'x-' }, 'must begin and end with a letter or digit'],
    [{ scope: '!x', name: 'x' }, 'must begin and end with a letter or digit'],
    [{ name: 'x'.repeat(250) }, '253 are allowed'],
    [{ namespace: 'Upper', name: 'x' }, 'is not a name of Kubernetes'],
    [{ namespace: 'n'.repeat(64), name: 'x' }, 'is not a name of Kubernetes'],
  ])('%j is refused', (parts, why) => {
    expect(() => new Resource(parts).validate()).toThrow(InvalidResource)
    expect(() => new Resource(parts).validate()).toThrow(why)
  })

  it('is read back from its text', () => {
    const part = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?$/)
    fc.assert(
      fc.property(fc.option(part, { nil: undefined }), part, part, (namespace, scope, name) => {
        const resource = new Resource({ namespace, scope, name })
        expect(Resource.parse(resource.toString()).equals(resource)).toBe(true)
      }),
    )
    expect(Resource.parse('x').toString()).toBe('unscoped/x')
    expect(() => Resource.parse('a/b/c/d')).toThrow(InvalidResource)
  })

  it('whatever it is called, is a valid name or refused', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (scope, name) => {
        const resource = new Resource({ scope, name })
        try {
          resource.validate()
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidResource)
          return
        }
        for (const lease of [resource.electionName, resource.lockName]) {
          expect(lease).toMatch(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/)
          expect(lease.length).toBeLessThanOrEqual(253)
        }
      }),
    )
  })
})
