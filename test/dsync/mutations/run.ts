// `npm run mutations [-- NAME…]`: makes each mistake of mutations.ts in a copy of the sources, and shows what catches it.
// Fails when a mistake survives, or when the source has changed so that it cannot be made any more.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MUTATIONS, type Mutation } from './mutations.ts'

const ROOT = join(import.meta.dirname, '../../..')
const COPIED = [
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
  'src/lib',
  'src/dsync',
  'src/playground',
  'test/dsync',
  'test/lib',
  'test/conformance',
  'test/fakes',
]
const SCHEDULES = 20_000
const LONGEST_MS = 120_000

interface Verdict {
  readonly isCaught: boolean
  readonly how: string
}

function tryOut({ changes, caughtBy }: Mutation): Verdict {
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
    return caughtBy === 'simulator' ? playIn(folder) : testIn(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function playIn(folder: string): Verdict {
  const args = [join(folder, 'test/dsync/simulator/run.ts'), '--schedules', String(SCHEDULES), '--seed', '1']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: LONGEST_MS })
  const line = stdout.split('\n').find((one) => one.startsWith('seed '))
  if (line !== undefined) return { isCaught: true, how: line }
  if (status === 0) return { isCaught: false, how: `${SCHEDULES} schedules went well` }
  return { isCaught: false, how: `the simulator broke: ${stderr.trim().split('\n').slice(-3).join(' ')}` }
}

function testIn(folder: string): Verdict {
  const report = join(folder, 'report.json')
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs')
  const options = ['--bail', '1', '--reporter', 'json', '--outputFile', report]
  const args = [vitest, 'run', '--project', 'unit', '--root', folder, 'test/dsync', ...options]
  const { status } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: LONGEST_MS, cwd: folder })
  if (status === 0) return { isCaught: false, how: 'all tests passed' }
  const name = /"status":"failed","title":"((?:[^"\\]|\\.)*)"/.exec(readFileSync(report, 'utf8'))?.[1]
  return name === undefined ? { isCaught: false, how: 'the tests broke' } : { isCaught: true, how: `test: ${name}` }
}

const NOTHING: Mutation = { name: 'nothing', caughtBy: 'tests', changes: [] }
const chosen = process.argv.slice(2)
let survivors = 0
const { isCaught: isBroken, how: reason } = tryOut(NOTHING)
if (isBroken || reason !== 'all tests passed') {
  process.stdout.write(`the tests fail without any mistake: ${reason}\n`)
  process.exit(1)
}
for (const mutation of MUTATIONS) {
  if (chosen.length > 0 && !chosen.some((part) => mutation.name.includes(part))) continue
  const { isCaught, how } = tryOut(mutation)
  if (!isCaught) survivors++
  process.stdout.write(`${isCaught ? 'caught  ' : 'SURVIVED'}  ${mutation.name}\n            ${how}\n`)
}
process.stdout.write(survivors === 0 ? 'every mistake is caught\n' : `${survivors} survived\n`)
process.exitCode = survivors === 0 ? 0 : 1
