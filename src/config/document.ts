// Pure: the text of a configuration file as a value, and where in the text each part of it stands.
// YAML 1.2 with merge keys; JSON is YAML too. Aliases are bounded: nested ones can grow a small file without end.
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml'

const MAX_ALIASES = 100
/** One bracket too few makes the parser complain about all that follows. */
const MAX_COMPLAINTS = 3

export interface ConfigDocument {
  readonly value: unknown
  /** Line (from 1) of the deepest part of the path that the text has; undefined for an empty text. */
  lineOf(at: readonly (string | number)[]): number | undefined
}

export type ParsedText =
  | { readonly ok: true; readonly document: ConfigDocument }
  | { readonly ok: false; readonly problems: readonly string[] }

/** Parses YAML; an empty text is an empty mapping. Problems carry line and column and never the text around them. */
export function parseText(text: string): ParsedText {
  const lines = new LineCounter()
  const document = parseDocument(text, {
    prettyErrors: false,
    lineCounter: lines,
    uniqueKeys: true,
    stringKeys: true,
    merge: true,
  })
  const broken = [...document.errors, ...document.warnings]
  if (broken.length > 0) {
    const problems = broken.map((error) => {
      const { line, col } = lines.linePos(error.pos[0])
      return `line ${line}, column ${col}: ${reason(error.code, error.message)}`
    })
    return { ok: false, problems: [...new Set(problems)].slice(0, MAX_COMPLAINTS) }
  }
  let value: unknown
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIASES }) ?? {}
  } catch (error) {
    return { ok: false, problems: [error instanceof ReferenceError ? error.message : 'the aliases cannot be resolved'] }
  }
  return { ok: true, document: { value, lineOf: (at) => lineOf(document, lines, at) } }
}

function reason(code: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return 'this key is there twice in one mapping'
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here; one file is one configuration'
  if (code === 'NON_STRING_KEY') return 'a key must be text'
  // It quotes the text, which may be a secret.
  if (code === 'UNEXPECTED_TOKEN') return 'this does not belong here'
  return message
}

function lineOf(document: Document, lines: LineCounter, at: readonly (string | number)[]): number | undefined {
  let node: unknown = document.contents
  let offset: number | undefined
  for (const key of at) {
    if (isAlias(node)) node = node.resolve(document)
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key))
      if (pair === undefined) break
      offset = (pair.key as Node).range?.[0] ?? offset
      node = pair.value
    } else if (isSeq(node)) {
      node = node.items[Number(key)]
      if (node === undefined) break
      offset = (node as Node).range?.[0] ?? offset
    } else break
  }
  return offset === undefined ? undefined : lines.linePos(offset).line
}
