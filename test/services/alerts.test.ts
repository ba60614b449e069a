// Each alert of docs/alerts.yaml, played by Prometheus' own tool: it fires in its situation, with the words that it promises, and not in
// one that looks alike.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { installPackages } from './lib/debian.ts'
import { runCommand } from './lib/run-command.ts'
import { createRunFolder, type RunFolder } from './lib/run-folder.ts'

const PROMTOOL = '/usr/bin/promtool'
const RULES = join(import.meta.dirname, '../../docs/alerts.yaml')
/** All windows and pauses are over by then. */
const EVALUATED_AT = '80m'

/** Series by name and labels → values, one a minute, in the notation of the tool. */
type Series = Readonly<Record<string, string>>

interface Situation {
  readonly fires: Series
  /** Labels of the alert beside its severity and where it comes from. */
  readonly labels?: Readonly<Record<string, string>>
  /** Looks alike, and is no reason to get up. */
  readonly calm: Series
}

const A = 'namespace="syncer", job="syncer", instance="a:8080"'
const B = 'namespace="syncer", job="syncer", instance="b:8080"'
const REQUESTS = 'syncer_http_requests_total'
const CHECKS = 'syncer_gateway_checks_total'

const SITUATIONS: Readonly<Record<string, Situation>> = {
  SyncerGone: { fires: {}, calm: { [`syncer_process_start_time_seconds{${A}}`]: '1+0x90' } },
  SyncerErrors: {
    fires: {
      [`${REQUESTS}{${A}, operation="getSynced", status="503"}`]: '0+10x90',
      [`${REQUESTS}{${A}, operation="getSynced", status="200"}`]: '0+90x90',
    },
    calm: {
      [`${REQUESTS}{${A}, operation="getReadyz", status="503"}`]: '0+10x90',
      [`${REQUESTS}{${A}, operation="getSynced", status="200"}`]: '0+90x90',
    },
  },
  SyncerDefect: {
    labels: { operation: 'getStatus' },
    fires: { [`${REQUESTS}{${A}, operation="getStatus", status="500"}`]: '0+0x75 1+0x15' },
    calm: { [`${REQUESTS}{${A}, operation="getStatus", status="500"}`]: '0+0x20 1+0x70' },
  },
  SyncerBusy: {
    labels: { instance: 'a:8080' },
    fires: { [`syncer_nodejs_eventloop_lag_p99_seconds{${A}}`]: '0.3+0x90' },
    calm: { [`syncer_nodejs_eventloop_lag_p99_seconds{${A}}`]: '0.3+0x74 0.01+0x15' },
  },
  SyncerNoReplicas: {
    fires: { [`syncer_gateway_replicas{${A}}`]: '0+0x90' },
    calm: { [`syncer_gateway_replicas{${A}}`]: '0+0x90', [`syncer_gateway_replicas{${B}}`]: '3+0x90' },
  },
  SyncerReplicaListOld: {
    labels: { instance: 'a:8080' },
    fires: { [`syncer_gateway_replica_list_age_seconds{${A}}`]: '0+60x90' },
    calm: { [`syncer_gateway_replica_list_age_seconds{${A}}`]: '170+0x90' },
  },
  SyncerReplicaDown: {
    labels: { replica: 'gw-1' },
    fires: { [`syncer_gateway_replica_up{${A}, replica="gw-1"}`]: '0+0x90' },
    calm: {
      [`syncer_gateway_replica_up{${A}, replica="gw-1"}`]: '0+0x90',
      [`syncer_gateway_replica_up{${B}, replica="gw-1"}`]: '1+0x90',
    },
  },
  SyncerVerdictsTimeout: {
    fires: {
      [`${CHECKS}{${A}, status="Timeout", expect="present"}`]: '0+10x90',
      [`${CHECKS}{${A}, status="Synced", expect="present"}`]: '0+90x90',
    },
    calm: {
      [`${CHECKS}{${A}, status="Timeout", expect="present"}`]: '0+1x90',
      [`${CHECKS}{${A}, status="NotSynced", expect="absent"}`]: '0+99x90',
    },
  },
  SyncerVerdictsLate: {
    fires: {
      [`${CHECKS}{${A}, status="Partialy", expect="present"}`]: '0+10x90',
      [`${CHECKS}{${B}, status="NotSynced", expect="present"}`]: '0+10x90',
      [`${CHECKS}{${A}, status="Synced", expect="present"}`]: '0+80x90',
    },
    calm: {
      [`${CHECKS}{${A}, status="Partialy", expect="present"}`]: '0+5x90',
      [`${CHECKS}{${A}, status="Timeout", expect="present"}`]: '0+20x90',
      [`${CHECKS}{${A}, status="Synced", expect="present"}`]: '0+75x90',
    },
  },
  SyncerChecksRejected: {
    fires: { [`syncer_gateway_checks_rejected_total{${A}}`]: '0+1x90' },
    calm: { [`syncer_gateway_checks_rejected_total{${A}}`]: '5+0x90' },
  },
  SyncerNobodyLeads: {
    fires: { [`syncer_dsync_is_leader{${A}}`]: '0+0x90', [`syncer_dsync_is_leader{${B}}`]: '0+0x90' },
    calm: { [`syncer_dsync_is_leader{${A}}`]: '0+0x90', [`syncer_dsync_is_leader{${B}}`]: '1+0x90' },
  },
  SyncerTwoLead: {
    fires: { [`syncer_dsync_term{${A}}`]: '7+0x90', [`syncer_dsync_term{${B}}`]: '8+0x90' },
    calm: { [`syncer_dsync_term{${A}}`]: '7+0x78 stale', [`syncer_dsync_term{${B}}`]: '_x78 8+0x12' },
  },
  SyncerLeasesAway: {
    labels: { instance: 'b:8080' },
    fires: { [`syncer_dsync_store_up{${A}}`]: '1+0x90', [`syncer_dsync_store_up{${B}}`]: '0+0x90' },
    calm: { [`syncer_dsync_store_up{${A}}`]: '1+0x90', [`syncer_dsync_store_up{${B}}`]: '0+0x76 1+0x14' },
  },
  SyncerLeadershipMoves: {
    fires: { [`syncer_dsync_terms_total{${A}}`]: '0+0.1x90', [`syncer_dsync_terms_total{${B}}`]: '0+0.1x90' },
    calm: { [`syncer_dsync_terms_total{${A}}`]: '0+0x30 1+0x60', [`syncer_dsync_terms_total{${B}}`]: '1+0x90' },
  },
  SyncerRunsFail: {
    labels: { kind: 'tokens' },
    fires: {
      [`syncer_runs_total{${A}, kind="tokens", state="failed", trigger="schedule"}`]: '0+1x90',
      [`syncer_runs_total{${A}, kind="db", state="succeeded", trigger="schedule"}`]: '0+1x90',
    },
    calm: {
      [`syncer_runs_total{${A}, kind="tokens", state="failed", trigger="api"}`]: '0+1x90',
      [`syncer_runs_total{${B}, kind="tokens", state="succeeded", trigger="schedule"}`]: '0+1x90',
    },
  },
  SyncerScheduleMissed: {
    labels: { name: 'db:app' },
    fires: { [`syncer_schedule_missed_total{${A}, name="db:app"}`]: '0+0.2x90' },
    calm: { [`syncer_schedule_missed_total{${A}, name="db:app"}`]: '0+0.03x90' },
  },
  SyncerTokensNotSynced: {
    fires: { [`syncer_tokens_last_success_timestamp_seconds{${A}}`]: '0+0x90' },
    calm: {
      [`syncer_tokens_last_success_timestamp_seconds{${A}}`]: '0+0x90',
      [`syncer_tokens_last_success_timestamp_seconds{${B}}`]: '0+60x90',
    },
  },
  SyncerDbNotSynced: {
    labels: { pair: 'app' },
    fires: {
      [`syncer_db_last_success_timestamp_seconds{${A}, pair="app"}`]: '0+0x90',
      [`syncer_db_last_success_timestamp_seconds{${A}, pair="other"}`]: '0+60x90',
    },
    calm: { [`syncer_db_last_success_timestamp_seconds{${A}, pair="app"}`]: '0+60x90' },
  },
  SyncerDeadLetters: {
    labels: { pair: 'app' },
    fires: { [`syncer_db_dead_letters{${A}, pair="app"}`]: '3+0x90', [`syncer_dsync_is_leader{${A}}`]: '1+0x90' },
    calm: {
      [`syncer_db_dead_letters{${A}, pair="app"}`]: '3+0x90',
      [`syncer_dsync_is_leader{${A}}`]: '0+0x90',
      [`syncer_db_dead_letters{${B}, pair="app"}`]: '0+0x90',
      [`syncer_dsync_is_leader{${B}}`]: '1+0x90',
    },
  },
}

interface Rule {
  readonly alert: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

const rules: readonly Rule[] = parse(readFileSync(RULES, 'utf8')).groups.flatMap(
  ({ rules: inGroup }: { readonly rules: readonly Rule[] }) => inGroup,
)

/** What the alert has to say in a situation. */
function expectedOf({ alert, labels, annotations }: Rule, more: Readonly<Record<string, string>>) {
  const source = alert === 'SyncerGone' ? {} : { namespace: 'syncer', job: 'syncer' }
  const fill = (text: string) => text.replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => more[label] ?? '')
  return {
    exp_labels: { ...labels, ...source, ...more },
    exp_annotations: Object.fromEntries(Object.entries(annotations).map(([name, text]) => [name, fill(text)])),
  }
}

let folder: RunFolder
beforeAll(async () => {
  if (!existsSync(PROMTOOL)) await installPackages(['prometheus'], console.error)
  folder = createRunFolder('alerts')
})
afterAll(() => folder?.remove())

async function play(alertname: string, series: Series, expected: readonly object[]): Promise<void> {
  const file = join(folder.path, `${alertname}.yaml`)
  const input = Object.entries(series).map(([name, values]) => ({ series: name, values }))
  const test = {
    interval: '1m',
    input_series: input,
    alert_rule_test: [{ eval_time: EVALUATED_AT, alertname, exp_alerts: expected }],
  }
  writeFileSync(file, JSON.stringify({ rule_files: [RULES], evaluation_interval: '1m', tests: [test] }))
  await runCommand(PROMTOOL, ['test', 'rules', file])
}

describe('docs/alerts.yaml', () => {
  it('is taken by Prometheus', async () => {
    expect(await runCommand(PROMTOOL, ['check', 'rules', RULES])).toContain(`SUCCESS: ${rules.length} rules found`)
    expect(Object.keys(SITUATIONS).toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted())
  })

  it.each(rules)('$alert fires in its situation, and says so', async (rule) => {
    const { fires, labels = {} } = SITUATIONS[rule.alert] ?? expect.unreachable('no situation')
    await play(rule.alert, fires, [expectedOf(rule, labels)])
  })

  it.each(rules)('$alert is silent where it only looks like it', async ({ alert }) => {
    await play(alert, SITUATIONS[alert]?.calm ?? expect.unreachable('no situation'), [])
  })

  it('tells of the first defect too, which makes the series', async () => {
    const rule = rules.find(({ alert }) => alert === 'SyncerDefect') ?? expect.unreachable('no such alert')
    const series = { [`${REQUESTS}{${A}, operation="getStatus", status="500"}`]: '_x75 1+0x15' }
    await play(rule.alert, series, [expectedOf(rule, { operation: 'getStatus' })])
  })

  it('is played: a situation that is none fails', async () => {
    const rule = rules.find(({ alert }) => alert === 'SyncerTwoLead') ?? expect.unreachable('no such alert')
    await expect(play(rule.alert, {}, [expectedOf(rule, {})])).rejects.toThrow('FAILED')
  })
})
