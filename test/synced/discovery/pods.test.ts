import { describe, expect, it } from 'vitest'
import { type Pod, replicasOfPods } from '../../../src/synced/discovery/pods.ts'

const DEFAULT = { portName: undefined, defaultPort: 8443 }
const NAMED = { portName: 'https', defaultPort: 8443 }
const READY = [
  { type: 'Initialized', status: 'True' },
  { type: 'Ready', status: 'True' },
]

const pod = (name: string, status: Pod['status'], more: Partial<Pod['metadata']> = {}): Pod => ({
  metadata: { name, uid: `uid-${name}`, ...more },
  spec: {
    containers: [
      { ports: [{ name: 'metrics', containerPort: 9113 }] },
      { ports: [{ name: 'https', containerPort: 9443 }] },
    ],
  },
  status,
})
const ready = (podIP: string): Pod['status'] => ({ podIP, phase: 'Running', conditions: READY })

describe('the replicas among Pods', () => {
  it.each<[string, Pod, 'counted' | 'terminating' | 'skipped']>([
    ['ready', pod('a', ready('10.0.0.1')), 'counted'],
    [
      'ready and being deleted',
      pod('a', ready('10.0.0.1'), { deletionTimestamp: '2026-01-01T00:00:00Z' }),
      'terminating',
    ],
    [
      'being deleted and no longer ready',
      pod(
        'a',
        { podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: 'False' }] },
        { deletionTimestamp: '2026-01-01T00:00:00Z' },
      ),
      'skipped',
    ],
    ['not ready', pod('a', { podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: 'False' }] }), 'skipped'],
    [
      'of unknown readiness',
      pod('a', { podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: 'Unknown' }] }),
      'skipped',
    ],
    ['without conditions', pod('a', { podIP: '10.0.0.1' }), 'skipped'],
    ['without an address', pod('a', { conditions: READY }), 'skipped'],
    ['with an empty address', pod('a', { podIP: '', conditions: READY }), 'skipped'],
    ['that failed', pod('a', { podIP: '10.0.0.1', conditions: READY, phase: 'Failed' }), 'skipped'],
    ['that ended', pod('a', { podIP: '10.0.0.1', conditions: READY, phase: 'Succeeded' }), 'skipped'],
    ['without a status', pod('a', undefined), 'skipped'],
  ])('count a Pod %s as it should be', (_, one, role) => {
    const replica = { name: 'a', address: '10.0.0.1', port: 8443 }
    const expected = {
      counted: [{ ...replica, terminating: false }],
      terminating: [{ ...replica, terminating: true }],
      skipped: [],
    }[role]
    expect(replicasOfPods([one], DEFAULT)).toEqual(expected)
  })

  it('are sorted by name, and may have IPv6 addresses', () => {
    const replicas = replicasOfPods([pod('b', ready('fd00::2')), pod('a', ready('10.0.0.1'))], DEFAULT)
    expect(replicas.map((replica) => `${replica.name} ${replica.address}`)).toEqual(['a 10.0.0.1', 'b fd00::2'])
  })

  it.each<[string, Pod['spec'], number[]]>([
    [
      'of any container',
      { containers: [{ ports: null }, { ports: [{ name: 'https', containerPort: 9443 }] }] },
      [9443],
    ],
    ['of a sidecar', { containers: [], initContainers: [{ ports: [{ name: 'https', containerPort: 7443 }] }] }, [7443]],
    ['or are skipped without it', { containers: [{ ports: [{ name: 'metrics', containerPort: 9113 }] }] }, []],
    ['or are skipped without ports', {}, []],
  ])('have the named port %s', (_, spec, ports) => {
    const replicas = replicasOfPods([{ ...pod('a', ready('10.0.0.1')), spec }], NAMED)
    expect(replicas.map((replica) => replica.port)).toEqual(ports)
  })
})
