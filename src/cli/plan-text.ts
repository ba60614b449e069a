// Pure: what a token sync found and did, as people read it: what changes where and why, deletes set apart, then the sum of it.
import { styleText } from 'node:util'
import type { Code, Counts, Effect, ItemStatus, Mode } from '../tokens/contract.ts'

/** What happened, or would happen, to a token on one cluster. */
export interface ShownResult {
  readonly cluster: string
  readonly code: string
  readonly effect?: Effect | undefined
  /** What the cluster said, or what is wrong. */
  readonly message?: string | undefined
  /** Parameters in which this cluster and the latest differ. */
  readonly differs?: readonly string[] | undefined
}

export interface ShownToken {
  readonly token: string
  readonly latest: { readonly cluster: string; readonly lastUpdateTime?: string | undefined }
  readonly results: readonly ShownResult[]
}

export interface ShownSync {
  readonly mode: Mode
  readonly dryRun: boolean
  /** How many clusters were compared; left out where that is not known. */
  readonly clusters?: number | undefined
  readonly tokens: readonly ShownToken[]
  readonly sync: Readonly<Record<ItemStatus, number>>
  readonly counts: Counts
  readonly totals: Readonly<Record<'pending' | 'previouslySynced' | 'selected' | 'total', number>>
  /** Milliseconds by which clusters are ahead of this machine; negative when they are behind. */
  readonly clockSkew: readonly { readonly cluster: string; readonly skewMs: number }[]
}

type Colour = 'green' | 'yellow' | 'red' | 'dim'
interface Words {
  readonly sign: '+' | '~' | '-' | '=' | '!' | '.'
  readonly done: string
  /** In a dry run; the same when left out. */
  readonly planned?: string
}

const COLOURS: Readonly<Record<Words['sign'], Colour>> = {
  '+': 'green',
  '~': 'yellow',
  '-': 'red',
  '=': 'dim',
  '!': 'red',
  '.': 'dim',
}

const WORDS: Readonly<Record<Code, Words>> = {
  'success/token-match': { sign: '=', done: 'in step already' },
  'success/sync-update': { sign: '~', done: 'overwritten', planned: 'to be overwritten' },
  'success/soft-delete': { sign: '-', done: 'marked as deleted', planned: 'to be marked as deleted' },
  'success/hard-delete': { sign: '-', done: 'removed for good', planned: 'to be removed for good' },
  'success/skip-missing': { sign: '.', done: 'left alone: it is not there, nor on the latest cluster' },
  'success/skip-opt-out': { sign: '.', done: 'left alone: its metadata keeps it out of the sync' },
  'success/skip-hard-delete': { sign: '.', done: 'left alone: there is nothing to remove' },
  'error/token-read': { sign: '!', done: 'could not be read' },
  'error/token-sync': { sign: '!', done: 'could not be written' },
  'error/tokens-deleted': { sign: '!', done: 'left alone: deleted here and on the latest cluster, but not everywhere' },
  'error/root-mismatch': { sign: '!', done: 'left alone: another root, another editor and other content' },
  'error/hard-delete': { sign: '!', done: 'could not be removed' },
  'error/conflict': { sign: '!', done: 'left alone: edited here and elsewhere, neither knowing of the other' },
  'error/plan-outdated': { sign: '!', done: 'left alone: it has changed since the plan was made' },
  'error/max-deletes': { sign: '!', done: 'left alone: one delete more than is allowed' },
}
const CREATED: Words = { sign: '+', done: 'created', planned: 'to be created' }
const REMOVED: readonly string[] = ['success/soft-delete', 'success/hard-delete', 'error/hard-delete']

type Section = 'Changes' | 'Left alone' | 'Failed' | 'Deletes'
const SECTIONS: readonly Section[] = ['Changes', 'Left alone', 'Failed', 'Deletes']

/** The whole of it. Ends with a newline. */
export function planText(sync: ShownSync, colours: boolean): string {
  return `${tokensText(sync.tokens, sync.dryRun, colours)}${summaryLines(sync).join('\n')}\n`
}

/** What becomes of each token that is not the same everywhere, in sections; nothing when there is none. Ends with an empty line. */
export function tokensText(tokens: readonly ShownToken[], dryRun: boolean, colours: boolean): string {
  const bySection = Map.groupBy(tokens, sectionOf)
  const sections = SECTIONS.map((section) => ({ section, tokens: bySection.get(section) ?? [] }))
  return sections
    .filter((one) => one.tokens.length > 0)
    .flatMap((one) => [
      paint('bold', `${one.section} (${count(one.tokens.length, 'token')})`, colours),
      ...one.tokens.flatMap((token) => tokenLines(token, dryRun, colours)),
      '',
    ])
    .map((line) => `${line}\n`)
    .join('')
}

/** Where a token is told of; undefined for one that is the same everywhere, which is not told of. Deletes win: nobody may miss one. */
function sectionOf({ results }: ShownToken): Section | undefined {
  if (results.some(({ code, effect }) => REMOVED.includes(code) || effect === 'softDelete' || effect === 'hardDelete'))
    return 'Deletes'
  if (results.some(({ code }) => code.startsWith('error/'))) return 'Failed'
  if (results.some(({ code }) => code === 'success/sync-update')) return 'Changes'
  return results.some(({ code }) => code !== 'success/token-match') ? 'Left alone' : undefined
}

function tokenLines({ token, latest, results }: ShownToken, dryRun: boolean, colours: boolean): string[] {
  const when = latest.lastUpdateTime === undefined ? '' : `, updated ${clean(latest.lastUpdateTime)}`
  const head = `  ${paint('bold', clean(token), colours)}  latest on ${clean(latest.cluster)}${when}`
  const width = Math.max(0, ...results.map(({ cluster }) => cluster.length))
  return [head, ...results.map((result) => resultLine(result, width, dryRun, colours))]
}

function resultLine(result: ShownResult, width: number, dryRun: boolean, colours: boolean): string {
  const { sign, done, planned = done } = wordsOf(result)
  const what = dryRun ? planned : done
  const code = sign === '!' ? ` (${clean(result.code)})` : ''
  const message = result.message === undefined ? '' : `: ${clean(result.message)}`
  const differs =
    (result.differs ?? []).length === 0 ? '' : `; differs in ${(result.differs ?? []).map(clean).join(', ')}`
  const line = `${sign} ${clean(result.cluster).padEnd(width)}  ${what}${code}${message}${differs}`
  return `    ${paint(COLOURS[sign], line, colours)}`
}

function wordsOf({ code, effect }: ShownResult): Words {
  if (effect === 'create') return CREATED
  // A service that is newer than this command may have codes that it does not know.
  return isCode(code) ? WORDS[code] : { sign: code.startsWith('error/') ? '!' : '.', done: clean(code) }
}

const isCode = (code: string): code is Code => Object.hasOwn(WORDS, code)

function summaryLines({ mode, dryRun, clusters, sync, counts, totals, clockSkew }: ShownSync): string[] {
  const { create, update, softDelete, hardDelete, skip, conflict } = counts
  const rest = totals.pending - totals.selected
  const kind = [...(mode === 'compat' ? ['compat'] : []), ...(dryRun ? ['dry run'] : [])]
  return [
    `${kind.length > 0 ? `${kind.join(', ')}: ` : ''}${count(totals.total, 'token')}${clusters === undefined ? '' : ` on ${count(clusters, 'cluster')}`}, ${totals.previouslySynced} in step before, ${totals.pending} to look at${rest > 0 ? `, ${rest} of them left for the next run by the limit` : ''}`,
    `${dryRun ? 'would be' : 'were'}: created ${create}, overwritten ${update}, marked as deleted ${softDelete}, removed for good ${hardDelete}; left alone ${skip}, in dispute ${conflict}`,
    `tokens: ${sync.unmodified} unmodified, ${sync.updated} ${dryRun ? 'to update' : 'updated'}, ${sync.failed} failed`,
    ...clockSkew.map(
      ({ cluster, skewMs }) =>
        `the clock of ${clean(cluster)} is ${Math.abs(skewMs / 1_000).toFixed(1)} s ${skewMs > 0 ? 'ahead' : 'behind'}: what is the latest version may be wrong`,
    ),
  ]
}

/** So many things, `1 token`, `2 tokens`. */
export const count = (number: number, thing: string): string => `${number} ${thing}${number === 1 ? '' : 's'}`

/** What comes from elsewhere must not steer the terminal, nor begin a line of its own. */
export function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]+/gu, ' ')
}

const paint = (style: Colour | 'bold', text: string, colours: boolean): string =>
  colours ? styleText(style, text, { validateStream: false }) : text
