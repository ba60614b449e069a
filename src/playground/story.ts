// Pure: what the playground tells, where everything is and what to try by hand.
import { verdictText } from '../cli/verdict-text.ts'
import type { CheckResult } from '../synced/contract.ts'
import type { Playground } from './playground.ts'

type Places = Pick<Playground, 'url' | 'configFile' | 'caFile'> & {
  readonly gateway: {
    readonly replicas: readonly { readonly name: string; readonly address: string; readonly port: number }[]
  }
}

/** Where everything is. */
export function addressesText({ url, gateway, configFile }: Places): string {
  const replicas = gateway.replicas.map((replica) => `  ${replica.name.padEnd(14)} ${baseOf(replica)}`)
  return [
    `  service        ${url}`,
    `  Swagger UI     ${url}/swagger-ui`,
    ...replicas,
    `  configuration  ${configFile}`,
    '',
  ].join('\n')
}

/** The first login and its verdict. */
export function verdictStory(result: CheckResult, colours: boolean): string {
  return `\nA login at ${result.origin}, and the question right after it: has the token reached the others?\n\n${verdictText(result, colours)}`
}

/** Commands that can be copied into another terminal as they are. */
export function tryText({ url, gateway, caFile }: Places): string {
  const [first, second, third] = gateway.replicas
  if (first === undefined || second === undefined || third === undefined)
    throw new RangeError('the story needs three replicas')
  const ask = (query = '') =>
    `curl -si '${url}/v1/synced${query}' -H "X-Auth-Token: $T" -H 'X-Nginx-Origin: ${second.name}'`
  const login = `T=login-$RANDOM; curl -s --cacert ${caFile} -d $T ${baseOf(second)}/login`
  const behave = (what: string) => `curl -s --cacert ${caFile} -X PUT -d ${what} ${baseOf(third)}/behaviour`
  return `
Try it from another terminal:

  # Log in at ${second.name} and ask at once: X-Token-Status says when it is safe to go on.
  ${login} && ${ask()}

  # Log out: has everybody forgotten the token?
  curl -s --cacert ${caFile} -d $T ${baseOf(second)}/logout && ${ask('?expect=absent')}

  # One replica hears nothing of the others: Partialy, and the answer names it. (Also: freeze, fail, reset, redirect, throttle.)
  ${behave('cut-off')} && ${login} && ${ask()}
  ${behave('answer')}

  # How each replica does, and how far zone_sync lags behind.
  curl -s ${url}/v1/replicas
  curl -s ${url}/metrics | grep ^syncer_

Ctrl-C ends it.
`
}

const baseOf = ({ address, port }: { readonly address: string; readonly port: number }): string =>
  `https://${address}:${port}`
