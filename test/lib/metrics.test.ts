import { Counter, Gauge } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { createRegistry, registerHistogram, toOpenMetrics } from '../../src/lib/metrics.ts'

describe('the registry', () => {
  it('has the metrics of the process, all of them ours by name', async () => {
    const text = await createRegistry().metrics()
    const names = [...text.matchAll(/^# TYPE (\S+) (\S+)/gm)].map(
      (match) => [String(match[1]), String(match[2])] as const,
    )
    expect(names.map(([name]) => name)).toContain('syncer_process_resident_memory_bytes')
    expect(names.filter(([name]) => !name.startsWith('syncer_'))).toEqual([])
    expect(names.filter(([name, type]) => type === 'counter' && !name.endsWith('_total'))).toEqual([])
  })
})

describe('a histogram that is filled elsewhere', () => {
  it('is written cumulatively, with sum and count', async () => {
    const registry = createRegistry()
    registry.clear()
    const series = [{ labels: { a: 'x' }, counts: [1, 0, 2], sum: 7.5 }]
    registerHistogram(registry, { name: 'h_seconds', help: 'Of a test.', buckets: [0.1, 1], collect: () => series })
    expect(await registry.metrics()).toBe(
      [
        '# HELP h_seconds Of a test.',
        '# TYPE h_seconds histogram',
        'h_seconds_bucket{le="0.1",a="x"} 1',
        'h_seconds_bucket{le="1",a="x"} 1',
        'h_seconds_bucket{le="+Inf",a="x"} 3',
        'h_seconds_sum{a="x"} 7.5',
        'h_seconds_count{a="x"} 3',
        '',
      ].join('\n'),
    )
  })
})

describe('OpenMetrics', () => {
  it('names a counter without _total, escapes quotes in help, has no empty lines and an end', async () => {
    const registry = createRegistry()
    registry.clear()
    new Counter({ name: 'c_total', help: 'Says "hello".', registers: [registry] }).inc(2)
    new Gauge({ name: 'g', help: 'Any.', labelNames: ['l'], registers: [registry] }).set({ l: 'a b' }, 1)
    expect(toOpenMetrics(await registry.metrics())).toBe(
      [
        '# HELP c Says \\"hello\\".',
        '# TYPE c counter',
        'c_total 2',
        '# HELP g Any.',
        '# TYPE g gauge',
        'g{l="a b"} 1',
        '# EOF',
        '',
      ].join('\n'),
    )
  })
})
