import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const MODULE = join(import.meta.dirname, '../../src/lib/heap-growth.ts')

/** One thread collects, all at once: how far the heap grows between is then V8's decision and not a race with its threads. */
const FLAGS = ['--expose-gc', '--single-threaded-gc', '--no-incremental-marking', '--input-type=module', '--eval']

/**
 * Makes objects that outlive some collections, as many as are always kept and ten times more; gives what was most, in MiB.
 * The old generation is measured from a first full collection on: the limit V8 begins with goes by other rules.
 */
const script = (begin: string) => `
  import { getHeapSpaceStatistics } from 'node:v8'
  ${begin}
  const kept = new Array(500_000)
  const most = { young: 0, old: 0 }
  for (let at = 0; at < 6_000_000; at++) {
    kept[at % kept.length] = { at, text: 'row ' + at }
    if (at % 5_000 !== 0) continue
    await new Promise((resolve) => setImmediate(resolve))
    if (at === kept.length) globalThis.gc()
    const spaces = new Map(getHeapSpaceStatistics().map((space) => [space.space_name, space]))
    most.young = Math.max(most.young, spaces.get('new_space').space_size / 2 ** 20)
    if (at >= kept.length) most.old = Math.max(most.old, spaces.get('old_space').space_used_size / 2 ** 20)
  }
  console.log(JSON.stringify(most))
`

function measure(begin: string): { readonly young: number; readonly old: number } {
  return JSON.parse(execFileSync(process.execPath, [...FLAGS, script(begin)], { encoding: 'utf8' }))
}

test('both generations stop to grow sooner than they do by themselves', { timeout: 60_000 }, () => {
  const usual = measure('')
  const limited = measure(
    `import { limitHeapGrowth } from ${JSON.stringify(MODULE)}; limitHeapGrowth(); limitHeapGrowth()`,
  )
  expect(limited.young).toBeLessThan(usual.young * 0.7)
  expect(limited.old).toBeLessThan(usual.old * 0.8)
})
