// The Java of servers that need one: of those on the machine the oldest that fits, because that is what they were tried with.
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { installPackages } from './debian.ts'

/** Which feature releases fit, both ends included; 17 is what Debian 12 packages. */
export interface JavaRange {
  readonly from: number
  /** The last one; any later one fits when left out. */
  readonly to?: number
}

const PACKAGED = 17

/** The folder that holds bin/java. Throws when there is none that fits. */
export function findJava(range: JavaRange): string {
  const home = lookForJava(range)
  if (home === undefined)
    throw new Error(`${describeRange(range)} is missing: it is looked for in JAVA_HOME and below /usr/lib/jvm`)
  return home
}

/** Installs one unless it is there. Throws when it cannot be had. */
export async function installJava(range: JavaRange, log: (line: string) => void): Promise<void> {
  if (lookForJava(range) === undefined && range.from <= PACKAGED)
    await installPackages([`openjdk-${PACKAGED}-jre-headless`], log)
  findJava(range)
}

function lookForJava({ from, to = Number.POSITIVE_INFINITY }: JavaRange): string | undefined {
  return [...globSync('/usr/lib/jvm/*'), ...[process.env['JAVA_HOME'] ?? []].flat()]
    .filter((home) => existsSync(join(home, 'bin/java')))
    .map((home) => ({ home, release: releaseOf(home) }))
    .filter(({ release }) => release >= from && release <= to)
    .sort((a, b) => a.release - b.release)
    .at(0)?.home
}

/** The feature release, 17 of 17.0.15; NaN, which fits nowhere, where it is not said. */
function releaseOf(home: string): number {
  const file = join(home, 'release')
  return existsSync(file) ? Number(/^JAVA_VERSION="(\d+)/m.exec(readFileSync(file, 'utf8'))?.[1]) : Number.NaN
}

function describeRange({ from, to }: JavaRange): string {
  return to === undefined ? `Java ${from} or later` : to === from ? `Java ${from}` : `Java ${from} to ${to}`
}
