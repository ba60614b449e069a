// Pure: what a run of tokens would do or has done, as rows: what changes where and why. Deletes are told apart, so that nobody misses one.
/** @import { RunItem, TokenItem, TokenResult, Tone } from '../types.ts' */

/**
 * @typedef {'deletes' | 'changes' | 'failed' | 'leftAlone' | 'inStep'} SectionName
 * @typedef {{ token: string, cluster: string, what: string, why: string, tone: Tone }} PlanRow
 * @typedef {{ name: SectionName, title: string, rows: readonly PlanRow[] }} PlanSection
 */

/** @type {Readonly<Record<SectionName, string>>} */
const TITLES = {
  deletes: 'Deletes',
  changes: 'Changes',
  failed: 'Failed',
  leftAlone: 'Left alone',
  inStep: 'In step already',
}
const ORDER = /** @type {const} */ (['deletes', 'changes', 'failed', 'leftAlone', 'inStep'])

/** @type {Readonly<Record<string, readonly [done: string, planned: string]>>} */
const EFFECTS = {
  create: ['created', 'create'],
  update: ['overwritten', 'overwrite'],
  softDelete: ['marked as deleted', 'mark as deleted'],
  hardDelete: ['removed for good', 'remove for good'],
}

/** @type {Readonly<Record<string, readonly [what: string, why: string]>>} */
const CODES = {
  'success/token-match': ['nothing to do', 'it is as it should be'],
  'success/skip-missing': ['left alone', 'neither version is there'],
  'success/skip-opt-out': ['left alone', 'its metadata keeps it out of the sync'],
  'success/skip-hard-delete': ['left alone', 'it was not there to remove'],
  'error/token-read': ['left alone', 'it could not be read'],
  'error/token-sync': ['not written', 'the write was refused'],
  'error/tokens-deleted': ['left alone', 'deleted here and on the latest cluster, but not everywhere'],
  'error/root-mismatch': ['left alone', 'two tokens of one name: another root, another editor, other content'],
  'error/hard-delete': ['not removed', 'the removal was refused'],
  'error/conflict': ['left alone', 'edited here and elsewhere, neither knowing of the other'],
  'error/plan-outdated': ['left alone', 'it has changed since the plan was made'],
  'error/max-deletes': ['left alone', 'one delete more than is allowed'],
}

/**
 * The sections that have rows; deletes first.
 * @param {Iterable<RunItem>} items
 * @param {{ dryRun: boolean, nameOf: (url: string) => string }} how
 * @returns {readonly PlanSection[]}
 */
export function planSections(items, how) {
  /** @type {Map<SectionName, PlanRow[]>} */
  const bySection = new Map()
  for (const item of items) {
    if (!('latest' in item)) continue
    for (const [url, result] of Object.entries(item.results)) {
      const name = sectionOf(result)
      const rows = bySection.get(name) ?? []
      rows.push(rowOf(item, url, result, how))
      bySection.set(name, rows)
    }
  }
  return ORDER.flatMap((name) => {
    const rows = bySection.get(name)
    return rows === undefined ? [] : [{ name, title: TITLES[name], rows: rows.toSorted(byTokenAndCluster) }]
  })
}

/** @param {TokenResult} result @returns {SectionName} */
function sectionOf({ code, effect }) {
  if (code.startsWith('error/')) return 'failed'
  if (effect === 'softDelete' || effect === 'hardDelete') return 'deletes'
  if (effect !== undefined) return 'changes'
  return code === 'success/token-match' ? 'inStep' : 'leftAlone'
}

/** @type {Readonly<Record<SectionName, Tone>>} */
const TONES = { deletes: 'warn', changes: 'busy', failed: 'bad', leftAlone: 'idle', inStep: 'good' }

/**
 * @param {TokenItem} item
 * @param {string} url
 * @param {TokenResult} result
 * @param {{ dryRun: boolean, nameOf: (url: string) => string }} how
 * @returns {PlanRow}
 */
function rowOf({ id, latest }, url, result, { dryRun, nameOf }) {
  const { code, effect, details } = result
  const known = CODES[code] ?? [code, '']
  const effects = effect === undefined ? undefined : EFFECTS[effect]
  const what = code.startsWith('error/') || effect === undefined ? known[0] : (effects?.[dryRun ? 1 : 0] ?? effect)
  const message = typeof details?.['message'] === 'string' ? details['message'] : ''
  const why =
    effect !== undefined && !code.startsWith('error/')
      ? whyWritten(effect, nameOf(latest.cluster))
      : [known[1], message].filter((part) => part !== '').join(': ')
  return { token: id, cluster: nameOf(url), what, why, tone: TONES[sectionOf(result)] }
}

/** @param {string} effect @param {string} from */
function whyWritten(effect, from) {
  if (effect === 'create') return `it is on ${from} and not here`
  if (effect === 'softDelete') return `it was deleted on ${from}`
  if (effect === 'hardDelete') return 'it is marked as deleted everywhere'
  return `the version on ${from} is the latest`
}

/** @param {PlanRow} a @param {PlanRow} b */
function byTokenAndCluster(a, b) {
  const [left, right] = [`${a.token}\n${a.cluster}`, `${b.token}\n${b.cluster}`]
  return left < right ? -1 : left > right ? 1 : 0
}

/**
 * The rows in which every word of a search is found.
 * @template {object} Row
 * @param {readonly Row[]} rows
 * @param {string} search
 * @returns {readonly Row[]}
 */
export function searchRows(rows, search) {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return rows
  return rows.filter((row) => {
    const text = Object.values(row).join('\n').toLowerCase()
    return words.every((word) => text.includes(word))
  })
}
