// Pure: which of the allowed names was probably meant.
import { distance } from 'fastest-levenshtein'

/** The allowed name nearest to `name`, in whatever case or with `_` and `-`; undefined when none is near. */
export function closestName(name: string, allowed: readonly string[]): string | undefined {
  if (name.length > 64) return undefined
  const wanted = normalise(name)
  const ranked = allowed
    .map((candidate) => ({ candidate, edits: editsBetween(wanted, normalise(candidate)) }))
    .sort((a, b) => a.edits - b.edits || (a.candidate < b.candidate ? -1 : 1))
  const best = ranked[0]
  const limit = name.length <= 3 ? 1 : Math.max(2, Math.floor(name.length / 3))
  return best !== undefined && best.edits <= limit && best.edits < best.candidate.length ? best.candidate : undefined
}

/** Letters that only changed places are one mistake: `prot`. */
const editsBetween = (a: string, b: string): number =>
  a !== b && [...a].sort().join('') === [...b].sort().join('') ? 1 : distance(a, b)

const normalise = (name: string): string => name.toLowerCase().replaceAll(/[_-]/g, '')
