// Pure: the rules of the section `tokens`.
import { checkAddress, findDuplicates, normaliseAddress } from './rule-parts.ts'
import { checkSchedule } from './schedule-rules.ts'
import type { TokensConfig } from './tokens-schema.ts'
import type { Problem } from './validate.ts'

/** Everything about the section that no schema of a single setting can express. */
export function checkTokensRules(tokens: TokensConfig): Problem[] {
  const { clusters, schedule, onConflict } = tokens
  const names = clusters.map(({ name }) => name)
  const preferred = /^prefer:(.*)$/.exec(onConflict)?.[1]
  return [
    ...clusters.flatMap(({ url, tls }, index) => checkAddress(url, tls, ['tokens', 'clusters', index])),
    ...findDuplicates(
      clusters,
      ({ name }) => name,
      (_, index) => ['tokens', 'clusters', index, 'name'],
      'name',
    ),
    ...findDuplicates(
      clusters,
      ({ url }) => normaliseAddress(url),
      (_, index) => ['tokens', 'clusters', index, 'url'],
      'address',
    ),
    ...(schedule === undefined ? [] : checkSchedule(schedule, ['tokens', 'schedule'])),
    ...(preferred === undefined || names.includes(preferred)
      ? []
      : [{ at: ['tokens', 'onConflict'], message: `names no cluster; the clusters are ${names.join(', ')}` }]),
  ]
}
