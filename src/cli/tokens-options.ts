// Pure: the options and arguments that the commands of tokens share, each with what it allows.
import { InvalidArgumentError, Option } from 'commander'
import { parseClusterUrl } from '../tokens/cluster-address.ts'
import type { ClusterUrl, MaxDeletes } from '../tokens/contract.ts'
import { CliError, WRONG_USAGE } from './exit.ts'

/** Time-outs of requests to clusters, in milliseconds. */
export interface TimeoutFlags {
  readonly connectionTimeoutMs: number
  readonly idleTimeoutMs: number
}

/** `prefer:` names a cluster as it was written: it is not known yet which clusters there are. */
export type ConflictFlag = 'newest' | 'fail' | `prefer:${string}`

export const MAX_LIMIT = 10_000
const MAX_TIMEOUT_MS = 300_000

export const createTimeoutOptions = (): readonly Option[] => [
  new Option('--connection-timeout-ms <ms>', 'longest wait for a connection')
    .argParser(parseWhole(1, MAX_TIMEOUT_MS))
    .default(1_000),
  new Option('--idle-timeout-ms <ms>', 'longest wait for more of an answer')
    .argParser(parseWhole(250, MAX_TIMEOUT_MS))
    .default(30_000),
]

export const createLimitOption = (what: string): Option =>
  new Option('--limit <n>', what).argParser(parseWhole(1, MAX_LIMIT)).default(1_000)

export const createDryRunOption = (): Option => new Option('--dry-run', 'only say what would be written')

export const createServerOption = (): Option =>
  new Option('--server <url>', 'running service to ask (else SYNCER_SERVER; bearer token from SYNCER_TOKEN)')

/** What reads a whole number from `least` to `most`. */
export function parseWhole(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (!(number >= least && number <= most))
      throw new InvalidArgumentError(`Allowed is a whole number from ${least} to ${most}.`)
    return number
  }
}

/** A number of tokens, or a part of all (`"5%"`, `"0.5%"`). */
export function parseMaxDeletes(text: string): MaxDeletes {
  const percent = /^(100(?:\.0{1,4})?|\d{1,2}(?:\.\d{1,4})?)%$/.exec(text)?.[1]
  if (percent !== undefined) return { percent: Number(percent), atLeast: 0 }
  if (/^\d{1,9}$/.test(text)) return { count: Number(text) }
  throw new InvalidArgumentError('Allowed is a number of tokens, as 10, or a part of all, as 5% (0% to 100%).')
}

export function parseOptOutMetadataName(text: string): string {
  if (!/^[a-z][a-z0-9-]{0,98}$/.test(text))
    throw new InvalidArgumentError(
      'Allowed are lower-case letters, digits and hyphens, a letter first, under 100 characters.',
    )
  return text
}

export function parseOnConflict(text: string): ConflictFlag {
  if (text !== 'newest' && text !== 'fail' && !/^prefer:./.test(text))
    throw new InvalidArgumentError('Allowed are newest, fail and prefer:URL.')
  return text as ConflictFlag
}

/** Gathers an option that may come again, and several values with commas between them. */
export function gather(text: string, so: readonly string[] | undefined): readonly string[] {
  return [...(so ?? []), ...gatherAll([text])]
}

/** Every value, of which some may have commas between them. */
export const gatherAll = (texts: readonly string[]): readonly string[] =>
  texts.flatMap((text) => text.split(',').map((part) => part.trim())).filter((part) => part !== '')

/**
 * Addresses of clusters, as they were written but for slashes at the end, each once, also several with commas between them.
 * Throws CliError, which begins with `command`, for one that is none.
 */
export function readClusterUrls(texts: readonly string[], command: string): readonly ClusterUrl[] {
  const byAddress = new Map<string, ClusterUrl>()
  for (const text of gatherAll(texts)) {
    const url = readClusterUrl(text, command)
    const address = new URL(url).href
    if (!byAddress.has(address)) byAddress.set(address, url)
  }
  return [...byAddress.values()]
}

/** One address. Throws CliError, which begins with `command`. */
export function readClusterUrl(text: string, command: string): ClusterUrl {
  try {
    return parseClusterUrl(text)
  } catch (error) {
    if (error instanceof TypeError) throw new CliError(WRONG_USAGE, `${command}: ${error.message}`, { cause: error })
    throw error
  }
}

export const isWebAddress = (text: string): boolean => /^https?:\/\//i.test(text) && URL.canParse(text)

/** The one of `clusters` that `text` names. Throws CliError, which begins with `command` and names `option`. */
export function findCluster(
  text: string,
  clusters: readonly ClusterUrl[],
  option: string,
  command: string,
): ClusterUrl {
  const wanted = isWebAddress(text) ? new URL(text.trim().replace(/\/+$/, '')).href : undefined
  const found = clusters.find((url) => new URL(url).href === wanted)
  if (found === undefined)
    throw new CliError(
      WRONG_USAGE,
      `${command}: ${option} names ${text}, which is none of the clusters; allowed are ${clusters.join(', ')}`,
    )
  return found
}
