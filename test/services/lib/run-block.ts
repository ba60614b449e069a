// Runs the commands of a page as a reader would: with bash, line by line, in a folder of the test, addresses replaced by those of the test's servers.
import { mkdirSync, symlinkSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { runCommand } from './run-command.ts'

const ROOT = join(import.meta.dirname, '../../..')
/** The longest is an installation of packages. */
const TIMEOUT_MS = 300_000

export interface BlockPlace {
  /** Where the commands run. */
  readonly folder: string
  /** What a page calls something → what the test calls it. */
  readonly replacements?: Readonly<Record<string, string>>
  /** Put in front of PATH. */
  readonly paths?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Makes a folder in `folder` that has the command `syncer` of this checkout; for `paths`. */
export function linkSyncer(folder: string): string {
  const bin = join(folder, '.commands')
  mkdirSync(bin)
  symlinkSync(join(ROOT, 'bin/syncer'), join(bin, 'syncer'))
  return bin
}

/** Resolves with what the commands wrote to standard output. Throws, with all that they said, when one of them fails. */
export async function runBlock(commands: readonly string[], place: BlockPlace): Promise<string> {
  const { folder, replacements = {}, paths = [], env = {} } = place
  const script = commands.map((line) => whileItServes(replaceAll(line, replacements))).join('\n')
  const path = [...paths, dirname(process.execPath), process.env['PATH']].join(delimiter)
  return await runCommand(
    'bash',
    ['-euo', 'pipefail', '-c', `cd "$0"\n${script}`, folder],
    { ...env, PATH: path },
    TIMEOUT_MS,
  )
}

/** `syncer serve` goes on until it is told to end: here, as soon as it listens. It has to end well. */
function whileItServes(line: string): string {
  if (!/\bsyncer serve\b/.test(line)) return line
  return `${line} 2> serve.log & served=$!
for (( i = 0; i < 300; i++ )); do grep -q '"listening"' serve.log && break; sleep 0.1; done
grep -q '"listening"' serve.log || { cat serve.log >&2; exit 1; }
kill -TERM $served; wait $served`
}

/** The longest first: one name may be the beginning of another. */
function replaceAll(line: string, replacements: Readonly<Record<string, string>>): string {
  return Object.entries(replacements)
    .toSorted(([a], [b]) => b.length - a.length)
    .reduce((text, [from, to]) => text.replaceAll(from, to), line)
}
