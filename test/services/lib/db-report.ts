// What a run of `syncer db sync --output json` says of itself, and whether that adds up. Pure.

const COUNTS = ['read', 'applied', 'older', 'equal', 'echoed', 'failed'] as const
export type Counts = Readonly<Record<(typeof COUNTS)[number], number>>

export interface ReportItem extends Counts {
  readonly table: string
  readonly direction: 'left-to-right' | 'right-to-left'
  readonly ms: number
}

export interface Report {
  readonly state: 'succeeded' | 'failed'
  /** Null where a run ended before it had one. */
  readonly window: { readonly begin: string; readonly end: string } | null
  readonly items: readonly ReportItem[]
  readonly counts: Counts
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

/** The report of a run that has ended by itself. Throws when there is not exactly one. */
export function readReport({ out, err, code }: Ended): Report {
  try {
    return JSON.parse(out) as Report
  } catch {
    throw new Error(`standard output is not one object (exit ${code}): ${out.slice(0, 300)}\n${err.slice(-600)}`)
  }
}

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** Everything that does not add up; empty when all does. */
export function judgeReport(ended: Ended): readonly string[] {
  if (ended.code === null) return []
  if (ended.code !== 0 && ended.code !== 1) return [`exit ${ended.code}: ${ended.err.slice(-600)}`]
  let report: Report
  try {
    report = readReport(ended)
  } catch (error) {
    return [String(error)]
  }
  const complaints: string[] = []
  const say = (isSo: boolean, what: string) => {
    if (!isSo) complaints.push(`${what}: ${ended.out.slice(0, 1_500)}`)
  }
  say((ended.code === 0) === (report.state === 'succeeded'), `exit ${ended.code} with the state ${report.state}`)
  const { window } = report
  const isUnknown = window === null && report.state === 'failed' && report.items.length === 0
  say(isUnknown || (TIME.test(window?.begin ?? '') && TIME.test(window?.end ?? '')), 'the window is no pair of times')
  for (const counts of [report.counts, ...report.items]) {
    const sum = counts.applied + counts.older + counts.equal + counts.echoed + counts.failed
    say(counts.read === sum, `read ${counts.read}, accounted for ${sum}`)
    say(
      COUNTS.every((name) => Number.isSafeInteger(counts[name]) && counts[name] >= 0),
      'a count is no count',
    )
  }
  for (const name of COUNTS) {
    const sum = report.items.reduce((all, item) => all + item[name], 0)
    say(report.counts[name] === sum, `${name} is ${report.counts[name]}, the sum of the items ${sum}`)
  }
  const places = report.items.map(({ table, direction }) => `${table} ${direction}`)
  say(new Set(places).size === places.length, 'a table and direction comes twice')
  say(report.state === 'failed' || report.counts.failed === 0, 'a run with failed rows succeeded')
  return complaints
}
