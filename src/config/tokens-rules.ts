// Pure: the rules of the section `tokens` and of schedules.
import { Cron, CronPattern } from 'croner'
import { type At, checkClientPair, findDuplicates } from './rule-parts.ts'
import { readSchedule } from './schedule-schema.ts'
import type { ClusterConfig, TokensConfig } from './tokens-schema.ts'
import type { Problem } from './validate.ts'

/** Everything about the section that no schema of a single setting can express. */
export function checkTokensRules(tokens: TokensConfig): Problem[] {
  const { clusters, schedule, onConflict } = tokens
  const names = clusters.map(({ name }) => name)
  const preferred = /^prefer:(.*)$/.exec(onConflict)?.[1]
  return [
    ...clusters.flatMap((cluster, index) => checkCluster(cluster, ['tokens', 'clusters', index])),
    ...findDuplicates(
      clusters,
      ({ name }) => name,
      (_, index) => ['tokens', 'clusters', index, 'name'],
      'name',
    ),
    ...findDuplicates(
      clusters,
      ({ url }) => normalise(url),
      (_, index) => ['tokens', 'clusters', index, 'url'],
      'address',
    ),
    ...(schedule === undefined ? [] : checkSchedule(schedule, ['tokens', 'schedule'])),
    ...(preferred === undefined || names.includes(preferred)
      ? []
      : [{ at: ['tokens', 'onConflict'], message: `names no cluster; the clusters are ${names.join(', ')}` }]),
  ]
}

function checkCluster({ url: text, tls }: ClusterConfig, at: At): Problem[] {
  const fault = findUrlFault(text)
  if (fault !== undefined) return [{ at: [...at, 'url'], message: fault }]
  if (tls !== undefined && new URL(text).protocol !== 'https:') {
    return [{ at: [...at, 'tls'], message: 'has no meaning with an http address: remove it, or use https' }]
  }
  return checkClientPair(tls, [...at, 'tls'])
}

/** Never repeats the address: what does not belong there may be a secret. */
function findUrlFault(text: string): string | undefined {
  if (!URL.canParse(text)) return 'is not a URL'
  const { username, password } = new URL(text)
  if (username !== '' || password !== '') return 'must not contain a user name or a password: use authorization'
  return /[?#]/.test(text) ? 'must not contain a query or a fragment' : undefined
}

/** The same for addresses that lead to the same place; what is no URL is only the same as itself. */
function normalise(text: string): string {
  return URL.canParse(text) ? new URL(text).href.replace(/\/+$/, '') : text
}

type Schedule = NonNullable<TokensConfig['schedule']>

/** What is wrong with a schedule at `at`: an expression or a time zone that nobody understands, or that never comes. */
export function checkSchedule(schedule: Schedule, at: At): Problem[] {
  const { cron, timeZone } = readSchedule(schedule)
  const [atCron, atZone] =
    typeof schedule === 'string'
      ? [at, at]
      : [
          [...at, 'cron'],
          [...at, 'timeZone'],
        ]
  if (!isTimeZone(timeZone)) {
    return [{ at: atZone, message: 'is not a time zone that is known here; use a name such as Europe/Berlin, or UTC' }]
  }
  const fault = findCronFault(cron, timeZone)
  return fault === undefined ? [] : [{ at: atCron, message: fault }]
}

function isTimeZone(name: string): boolean {
  try {
    new Cron('* * * * *', { timezone: name, paused: true }).nextRun()
    return true
  } catch {
    return false
  }
}

function findCronFault(cron: string, timezone: string): string | undefined {
  const mode = '5-or-6-parts'
  try {
    // Cron alone would take a date for an expression.
    new CronPattern(cron, undefined, { mode })
    // No year can be given, so what does not come after this day never comes.
    const first = new Cron(cron, { mode, timezone, paused: true }).nextRun(new Date(Date.UTC(2000, 0, 1)))
    return first === null ? 'is a moment that never comes' : undefined
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error)
    return `is not a cron expression of five or six parts: ${reason}`
  }
}
