import { describe, expect, it } from 'vitest'
import { addressesText, tryText, verdictStory } from '../../src/playground/story.ts'

const places = {
  url: 'http://127.0.0.1:8080',
  configFile: '/tmp/x/syncer.yaml',
  caFile: '/tmp/x/ca.pem',
  gateway: {
    replicas: [8441, 8442, 8443].map((port, index) => ({ name: `gw-${index}`, address: '127.0.0.1', port })),
  },
}

describe('the story of the playground', () => {
  it('tells where everything is', () => {
    expect(addressesText(places)).toBe(`  service        http://127.0.0.1:8080
  Swagger UI     http://127.0.0.1:8080/swagger-ui
  gw-0           https://127.0.0.1:8441
  gw-1           https://127.0.0.1:8442
  gw-2           https://127.0.0.1:8443
  configuration  /tmp/x/syncer.yaml
`)
  })

  it('tells the first verdict', () => {
    const told = verdictStory({ status: 'Synced', origin: 'gw-0', expect: 'present', ms: 1, replicas: [] }, false)
    expect(told).toMatch(/A login at gw-0.*\n\nSynced: /)
  })

  it('gives commands with addresses that can be copied', () => {
    const told = tryText(places)
    expect(told).toContain(`curl -s --cacert /tmp/x/ca.pem -d $T https://127.0.0.1:8442/login`)
    expect(told).toContain(`curl -si 'http://127.0.0.1:8080/v1/synced' -H "X-Auth-Token: $T" -H 'X-Nginx-Origin: gw-1'`)
    expect(told).not.toContain('undefined')
  })

  it('needs three replicas', () => {
    expect(() => tryText({ ...places, gateway: { replicas: [] } })).toThrow('the story needs three replicas')
  })
})
