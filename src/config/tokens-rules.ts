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
    ...refuseLonely(tokens),
    ...(preferred === undefined || names.includes(preferred)
      ? []
      : [{ at: ['tokens', 'onConflict'], message: `names no cluster; the clusters are ${names.join(', ')}` }]),
  ]
}

/** A cluster alone is refused run by run, which nobody sees where runs start by themselves. */
function refuseLonely({ clusters, schedule, follow }: TokensConfig): Problem[] {
  const starter = schedule !== undefined ? 'schedule' : follow ? 'follow' : undefined
  if (clusters.length >= 2 || starter === undefined) return []
  return [
    {
      at: ['tokens', 'clusters'],
      message: `must be two at least with ${starter}: one cluster alone is always in step`,
    },
  ]
}
