// The header `Prefer` (RFC 7240): of all preferences only `wait` is heeded here. Pure. A preference that is unknown or
// malformed is ignored, as the standard wants it: it is a wish, not a part of the request.

/** Longest wait that is granted, in seconds. */
export const MAX_WAIT_SECONDS = 60

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+"
const PREFERENCE = new RegExp(`^\\s*(${TOKEN})\\s*(?:=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|(${TOKEN})?)\\s*)?$`)

/** Whole seconds, 0 to 60, for which the caller is willing to wait; undefined when it does not say. */
export function readWait(prefer: string | undefined): number | undefined {
  for (const preference of splitOutsideQuotes(prefer ?? '', ',')) {
    const [, name, quoted, plain] = PREFERENCE.exec(splitOutsideQuotes(preference, ';')[0] ?? '') ?? []
    if (name?.toLowerCase() !== 'wait') continue
    // The first one counts, whatever it is.
    const value = quoted?.replaceAll(/\\(.)/g, '$1') ?? plain ?? ''
    return /^[0-9]+$/.test(value) ? Math.min(Number(value), MAX_WAIT_SECONDS) : undefined
  }
  return undefined
}

function splitOutsideQuotes(text: string, separator: ',' | ';'): readonly string[] {
  return text.match(separator === ',' ? /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/g : /(?:[^;"]|"(?:[^"\\]|\\.)*"?)+/g) ?? []
}
