// Pure: what the playground tells, where everything is and what to try by hand.
import { isSyncItem, type SyncItem } from '../cli/db-text.ts'
import { type Run, type RunItem, type TokenItem, tokenItemsOf } from '../cli/run-text.ts'
import { verdictText } from '../cli/verdict-text.ts'
import type { CheckResult } from '../synced/contract.ts'
import type { Playground } from './playground.ts'

interface Place {
  readonly name: string
  readonly url: string
}

type Places = Pick<Playground, 'url' | 'configFile' | 'caFile' | 'databases' | 'node'> & {
  readonly gateway: {
    readonly replicas: readonly { readonly name: string; readonly address: string; readonly port: number }[]
  }
  readonly clusters: { readonly east: Place; readonly west: Place }
}

/** Where everything is. */
export function addressesText({ url, gateway, clusters, databases, configFile }: Places): string {
  const replicas = gateway.replicas.map((replica) => `  ${replica.name.padEnd(14)} ${baseOf(replica)}`)
  const waiters = [clusters.east, clusters.west].map((one) => `  ${`Waiter ${one.name}`.padEnd(14)} ${one.url}`)
  return [
    `  service        ${url}`,
    `  status page    ${url}/status/`,
    `  Swagger UI     ${url}/swagger-ui`,
    ...replicas,
    ...waiters,
    `  databases      ${databases.desk}`,
    `                 ${databases.pocket}`,
    `  configuration  ${configFile}`,
    '',
  ].join('\n')
}

/** The first login and its verdict. */
export function verdictStory(result: CheckResult, colours: boolean): string {
  return `\nA login at ${result.origin}, and the question right after it: has the token reached the others?\n\n${verdictText(result, colours)}`
}

/** What a sync of the service did, in a line; undefined when there is nothing to tell of it. */
export function syncStory(run: Run, items: readonly RunItem[]): string | undefined {
  const told = run.kind === 'tokens' ? tellTokens(run, tokenItemsOf(items)) : tellRows(run, items.filter(isSyncItem))
  if (run.dryRun || told === undefined) return undefined
  const when = (run.endedAt ?? run.createdAt).slice(11, 19)
  const who = run.trigger === 'schedule' ? 'The schedule synced' : 'A call synced'
  const what = run.kind === 'tokens' ? 'the tokens of the two Waiter clusters' : 'the notes of the two databases'
  return `${when} ${who} ${what}: ${told}\n`
}

/** Undefined when nothing was written. */
function tellTokens({ state, summary, problem }: Run, items: readonly TokenItem[]): string | undefined {
  if (summary === null || !('sync' in summary)) return problem && `${state}, ${problem.detail}`
  const { counts, sync, tokens } = summary
  const told = tellCounts([
    [counts.create, 'created'],
    [counts.update, 'overwritten'],
    [counts.softDelete, 'marked as deleted'],
    [counts.hardDelete, 'removed for good'],
    [sync.failed.length, 'failed'],
  ])
  if (told === undefined) return undefined
  const names = items.filter(({ status, results }) => status === 'failed' || isWritten(results)).map(({ id }) => id)
  return `${told} (${names.join(', ')}); ${tokens['previously-synced']} of ${tokens.total} were in step before.`
}

/** Undefined when nothing was written, and of a verify. */
function tellRows({ state, summary, problem }: Run, items: readonly SyncItem[]): string | undefined {
  if (problem !== undefined) return `${state}, ${problem.detail}`
  if (summary === null || !('deadLetters' in summary)) return undefined
  const appliedTo = (direction: SyncItem['direction']) =>
    items.filter((item) => item.direction === direction).reduce((sum, { applied }) => sum + applied, 0)
  const told = tellCounts([
    [appliedTo('left-to-right'), 'brought to pocket.db'],
    [appliedTo('right-to-left'), 'brought to desk.db'],
    [summary.counts.failed, 'failed'],
  ])
  return told && `${told}; ${summary.counts.equal} were there already.`
}

/** Undefined when all are 0. */
function tellCounts(counts: readonly (readonly [number: number, what: string])[]): string | undefined {
  const told = counts.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`)
  return told.length === 0 ? undefined : told.join(', ')
}

const isWritten = (results: TokenItem['results']): boolean =>
  Object.values(results).some(({ effect }) => effect !== undefined)

/** Commands that can be copied into another terminal as they are. */
export function tryText(places: Places): string {
  return `
Try it from another terminal:
${gatewayCommands(places)}${tokenCommands(places)}${dbCommands(places)}
  # Metrics of all of it.
  curl -s ${places.url}/metrics | grep ^syncer_

Ctrl-C ends it.
`
}

function gatewayCommands({ url, gateway, caFile }: Places): string {
  const [first, second, third] = gateway.replicas
  if (first === undefined || second === undefined || third === undefined)
    throw new RangeError('the story needs three replicas')
  const ask = (query = '') =>
    `curl -si '${url}/v1/synced${query}' -H "X-Auth-Token: $T" -H 'X-Nginx-Origin: ${second.name}'`
  const login = `T=login-$RANDOM; curl -s --cacert ${caFile} -d $T ${baseOf(second)}/login`
  const behave = (what: string) => `curl -s --cacert ${caFile} -X PUT -d ${what} ${baseOf(third)}/behaviour`
  return `
  # Log in at ${second.name} and ask at once: X-Token-Status says when it is safe to go on.
  ${login} && ${ask()}

  # Log out: has everybody forgotten the token?
  curl -s --cacert ${caFile} -d $T ${baseOf(second)}/logout && ${ask('?expect=absent')}

  # One replica hears nothing of the others: Partialy, and the answer names it. (Also: freeze, fail, reset, redirect, throttle.)
  ${behave('cut-off')} && ${login} && ${ask()}
  ${behave('answer')}

  # How each replica does, and how far zone_sync lags behind.
  curl -s ${url}/v1/replicas
`
}

function tokenCommands({ url, clusters: { east, west } }: Places): string {
  const json = `-H 'Content-Type: application/json'`
  const edit = (cluster: Place, version: string) =>
    `curl -s ${json} -d '{"token":"checkout","cmd":"run-it","cpus":1,"mem":512,"run-as-user":"services","version":"${version}"}' ${cluster.url}/token`
  const sync = (body: string) => `curl -s -H 'Prefer: wait=10' ${json} -d '${body}' ${url}/v1/tokens/sync`
  const look = (cluster: Place) => `curl -s -H 'X-Waiter-Token: checkout' ${cluster.url}/token`
  return `
  # Edit a token at ${east.name}; ten seconds later at most the schedule has brought it to ${west.name}.
  ${edit(east, 'by-hand')} && sleep 11 && ${look(west)}

  # Edit it again and ask what a sync would do (a dry run writes nothing); look at what it found for each token.
  R=$(${edit(west, 'planned')} -o /dev/null && ${sync('{"dryRun":true}')} | sed 's/^{"id":"\\([^"]*\\)".*/\\1/'); echo $R
  curl -s ${url}/v1/runs/$R/items

  # Carry out exactly that plan: what has changed since then, were it by the schedule, is refused.
  ${sync('{"plan":"\'$R\'"}')}

  # Runs, the newest first, and one of them as a stream of events.
  curl -s '${url}/v1/runs?limit=5'
  curl -sN ${url}/v1/runs/$R/events
`
}

function dbCommands({ url, node, databases: { pair, desk } }: Places): string {
  const post = (operation: string, more = '') =>
    `curl -s -H 'Prefer: wait=10' -H 'Content-Type: application/json' -d '{"pair":"${pair}"${more}}' ${url}/v1/db/${operation}`
  const sql = `INSERT INTO notes SELECT lower('11111111-1111-4111-8111-' || hex(randomblob(6))), timeuuid, 'by hand', 0 FROM syncer_now`
  const write = `${node} -e "new (require('node:sqlite').DatabaseSync)('${desk}').exec(\\"${sql}\\")"`
  return `
  # Write a note into desk.db, and ask what is to be done: in both ways, and nothing is written. The schedule does it, or you.
  ${write} && ${post('sync', ',"dryRun":true')}
  ${post('sync')}

  # Is every row the same in both databases?
  ${post('verify')}
`
}

const baseOf = ({ address, port }: { readonly address: string; readonly port: number }): string =>
  `https://${address}:${port}`
