// Pure: a verdict as people read it, the replica that is behind first of all.
import { styleText } from 'node:util'
import type { CheckResult, ReplicaAnswer } from '../synced/contract.ts'
import { tableLines } from './text-table.ts'

/** One line with the verdict, one for each replica. Ends with a newline. */
export function verdictText(result: CheckResult, colours: boolean): string {
  const colour = result.status === 'Synced' ? 'green' : result.status === 'Timeout' ? 'yellow' : 'red'
  const word = colours ? styleText(colour, result.status, { validateStream: false }) : result.status
  const wanted = result.expect === 'present' ? 'present' : 'absent'
  const counted = result.replicas.filter((replica) => replica.counted)
  const right = counted.filter((replica) => replica.state === wanted).length
  const done = result.expect === 'present' ? 'have the token' : 'have forgotten the token'
  const head =
    counted.length === 0
      ? `${word}: no replica but ${result.origin}`
      : `${word}: ${right} of ${counted.length} replicas beside ${result.origin} ${done} after ${round(result.ms)} ms`
  return `${[head, ...tableLines(result.replicas.map(cells))].join('\n')}\n`
}

function cells({ name, state, reason, counted, attempts, ms }: ReplicaAnswer): readonly string[] {
  const said = reason === undefined ? state : `${state} (${reason})`
  const asked = `${attempts} ${attempts === 1 ? 'probe' : 'probes'}`
  return [name, counted ? said : `${said}, not counted`, asked, ms === null ? '-' : `${round(ms)} ms`]
}

const round = (ms: number): number => Math.round(ms * 10) / 10
