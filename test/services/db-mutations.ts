// `npm run mutations:db [-- NAME…]`: makes each mistake of db-mutations.ts in a copy of the sources, and lets the checker of the chaos find
// it. Fails when a mistake survives, or when the source has changed so that it cannot be made any more.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installCassandra } from './lib/cassandra.ts'
import { playCase } from './lib/db-case.ts'
import { MUTATIONS, type Mutation } from './lib/db-mutations.ts'
import { type DbServers, startDbServers } from './lib/db-scene.ts'
import { installSearch } from './lib/search-releases.ts'

const ROOT = join(import.meta.dirname, '../..')
const COPIED = ['package.json', 'bin', 'src', 'generated', 'openapi']
const MOST_CASES = 8
const RUNS_A_CASE = 4
const FIRST_SEED = 7_000
const LONGEST_TEXT = 300

interface Verdict {
  readonly isCaught: boolean
  readonly how: string
}

async function tryOut({ changes }: Mutation, servers: DbServers, cases: number): Promise<Verdict> {
  const folder = mkdtempSync(join(tmpdir(), 'syncer-mutation-'))
  try {
    for (const path of COPIED) cpSync(join(ROOT, path), join(folder, path), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
    for (const { file, from, to } of changes) {
      const text = readFileSync(join(folder, file), 'utf8')
      if (text.split(from).length !== 2) return { isCaught: false, how: `${file} does not have exactly once: ${from}` }
      writeFileSync(
        join(folder, file),
        text.replace(from, () => to),
      )
    }
    for (let seed = FIRST_SEED; seed < FIRST_SEED + cases; seed++) {
      const bin = join(folder, 'bin/syncer')
      const { violations } = await playCase({ servers, seed, runs: RUNS_A_CASE, sparesServers: true, bin })
      const [first] = violations
      if (first !== undefined)
        return { isCaught: true, how: `case ${seed}, ${violations.length} violations: ${first.slice(0, LONGEST_TEXT)}` }
    }
    return { isCaught: false, how: `${cases} cases went well` }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function main(): Promise<number> {
  const log = (line: string) => console.log(line)
  await installCassandra(log)
  await installSearch({ kind: 'elasticsearch', major: 8 }, log)
  await using servers = await startDbServers()
  const chosen = process.argv.slice(2)
  const nothing = await tryOut({ name: 'nothing', changes: [] }, servers, 2)
  if (nothing.isCaught) {
    log(`the checker complains without any mistake: ${nothing.how}`)
    return 1
  }
  let survivors = 0
  for (const mutation of MUTATIONS) {
    if (chosen.length > 0 && !chosen.some((part) => mutation.name.includes(part))) continue
    const { isCaught, how } = await tryOut(mutation, servers, MOST_CASES)
    if (!isCaught) survivors++
    log(`${isCaught ? 'caught  ' : 'SURVIVED'}  ${mutation.name}\n            ${how}`)
  }
  log(survivors === 0 ? 'every mistake is caught' : `${survivors} survived`)
  return survivors === 0 ? 0 : 1
}

process.exitCode = await main()
