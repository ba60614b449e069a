// `npm run simulate [-- --schedules N --seed S]`: plays N schedules from seed S on, and tells the first that goes wrong.
// `--seed S` alone replays that one.
import { parseArgs } from 'node:util'
import { simulate } from './simulate.ts'

const { values } = parseArgs({ options: { schedules: { type: 'string' }, seed: { type: 'string' } } })
const first = Number(values.seed ?? 1)
const count = Number(values.schedules ?? (values.seed === undefined ? 100_000 : 1))
if (!Number.isSafeInteger(first) || !Number.isSafeInteger(count) || count < 1) {
  process.stderr.write('usage: npm run simulate [-- --schedules N --seed S], both whole numbers\n')
  process.exit(2)
}

const startedAt = performance.now()
let terms = 0
let candidates = 0
for (let seed = first; seed < first + count; seed++) {
  try {
    const played = simulate(seed)
    terms += played.terms
    candidates += played.candidates
  } catch (error) {
    process.stdout.write(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}\n`)
    process.stdout.write(`replay it with: npm run simulate -- --seed ${seed}\n`)
    process.exit(1)
  }
}
const seconds = (performance.now() - startedAt) / 1_000
process.stdout.write(
  `${count} schedules from seed ${first}, ${candidates} candidates, ${terms} terms: no two at once, in ${seconds.toFixed(1)} s\n`,
)
