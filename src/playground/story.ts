// Pure: what the playground tells, where everything is and what to try by hand.
import { type Run, type RunItem, type TokenItem, tokenItemsOf } from '../cli/run-text.ts'
import { verdictText } from '../cli/verdict-text.ts'
import type { CheckResult } from '../synced/contract.ts'
import type { Playground } from './playground.ts'

interface Place {
  readonly name: string
  readonly url: string
}

type Places = Pick<Playground, 'url' | 'configFile' | 'caFile'> & {
  readonly gateway: {
    readonly replicas: readonly { readonly name: string; readonly address: string; readonly port: number }[]
  }
  readonly clusters: { readonly east: Place; readonly west: Place }
}

/** Where everything is. */
export function addressesText({ url, gateway, clusters, configFile }: Places): string {
  const replicas = gateway.replicas.map((replica) => `  ${replica.name.padEnd(14)} ${baseOf(replica)}`)
  const waiters = [clusters.east, clusters.west].map((one) => `  ${`Waiter ${one.name}`.padEnd(14)} ${one.url}`)
  return [
    `  service        ${url}`,
    `  Swagger UI     ${url}/swagger-ui`,
    ...replicas,
    ...waiters,
    `  configuration  ${configFile}`,
    '',
  ].join('\n')
}

/** The first login and its verdict. */
export function verdictStory(result: CheckResult, colours: boolean): string {
  return `\nA login at ${result.origin}, and the question right after it: has the token reached the others?\n\n${verdictText(result, colours)}`
}

/** What a token sync of the service did, in a line; undefined when there is nothing to tell of it. */
export function syncStory(run: Run, items: readonly RunItem[]): string | undefined {
  const when = (run.endedAt ?? run.createdAt).slice(11, 19)
  const who = run.trigger === 'schedule' ? 'The schedule synced' : 'A call synced'
  const head = `${when} ${who} the tokens of the two Waiter clusters`
  if (run.kind !== 'tokens') return undefined
  if (run.summary === null || !('sync' in run.summary))
    return run.problem && `${head}: ${run.state}, ${run.problem.detail}\n`
  const { counts, sync, tokens } = run.summary
  const done = [
    [counts.create, 'created'],
    [counts.update, 'overwritten'],
    [counts.softDelete, 'marked as deleted'],
    [counts.hardDelete, 'removed for good'],
  ] as const
  const told = [...done, [sync.failed.length, 'failed'] as const]
    .filter(([number]) => number > 0)
    .map(([number, what]) => `${number} ${what}`)
  if (run.dryRun || told.length === 0) return undefined
  const names = tokenItemsOf(items)
    .filter(({ status, results }) => status === 'failed' || isWritten(results))
    .map(({ id }) => id)
  return `${head}: ${told.join(', ')} (${names.join(', ')}); ${tokens['previously-synced']} of ${tokens.total} were in step before.\n`
}

const isWritten = (results: TokenItem['results']): boolean =>
  Object.values(results).some(({ effect }) => effect !== undefined)

/** Commands that can be copied into another terminal as they are. */
export function tryText(places: Places): string {
  return `
Try it from another terminal:
${gatewayCommands(places)}${tokenCommands(places)}
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

const baseOf = ({ address, port }: { readonly address: string; readonly port: number }): string =>
  `https://${address}:${port}`
