// `npm run histories [-- --count N --seed S --mode safe|compat]`: plays N histories from seed S on and tells the first that goes wrong,
// in `compat` how many do: that is the original's algorithm, which loses work. `--seed S` alone replays that one.
import { parseArgs } from 'node:util'
import { playHistory } from './history.ts'

const options = {
  count: { type: 'string' },
  seed: { type: 'string' },
  mode: { type: 'string', default: 'safe' },
} as const
const { values } = parseArgs({ options })
const first = Number(values.seed ?? 1)
const count = Number(values.count ?? (values.seed === undefined ? 20_000 : 1))
const { mode } = values
if (
  !Number.isSafeInteger(first) ||
  !Number.isSafeInteger(count) ||
  count < 1 ||
  (mode !== 'safe' && mode !== 'compat')
) {
  process.stderr.write('usage: npm run histories [-- --count N --seed S --mode safe|compat]\n')
  process.exit(2)
}

const startedAt = performance.now()
const sums = { runs: 0, works: 0, faults: 0, writes: 0 }
let wrong = 0
for (let seed = first; seed < first + count; seed++) {
  try {
    const played = await playHistory(seed, mode)
    for (const key of Object.keys(sums) as (keyof typeof sums)[]) sums[key] += played[key]
  } catch (error) {
    wrong++
    if (mode === 'compat' && count > 1) continue
    process.stdout.write(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}\n`)
    process.stdout.write(`replay it with: npm run histories -- --seed ${seed}\n`)
    process.exit(1)
  }
}
const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
const { runs, works, faults, writes } = sums
process.stdout.write(
  `${count} histories from seed ${first}, ${runs} runs, ${works} edits, ${faults} faults, ${writes} writes: ${wrong} went wrong, in ${seconds} s\n`,
)
