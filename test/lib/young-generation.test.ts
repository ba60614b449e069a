import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const MODULE = join(import.meta.dirname, '../../src/lib/young-generation.ts')

/** Makes objects that outlive a collection until the young generation would be as large as it gets; gives its size in MiB. */
const script = (begin: string) => `
  import { getHeapSpaceStatistics } from 'node:v8'
  ${begin}
  const kept = new Array(500_000)
  for (let at = 0; at < 5_000_000; at++) {
    kept[at % kept.length] = { at, text: 'row ' + at }
    if (at % 5_000 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')
  console.log(space.space_size / 2 ** 20)
`

function measure(begin: string): number {
  return Number(execFileSync(process.execPath, ['--input-type=module', '--eval', script(begin)], { encoding: 'utf8' }))
}

test('the young generation stops to grow, which it does not by itself', { timeout: 60_000 }, () => {
  const limit = `import { limitYoungGeneration } from ${JSON.stringify(MODULE)}; limitYoungGeneration(); limitYoungGeneration()`
  expect(measure('')).toBeGreaterThan(40)
  expect(measure(limit)).toBeLessThan(32)
})
