// Sets of shards as Kubernetes writes sets of indexes, `0-12,15`. Pure.

/** Throws RangeError for what is none. */
export function parseShards(text: string): Set<number> {
  const found = new Set<number>()
  for (const part of text === '' ? [] : text.split(',')) {
    const [, first, last = first] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part) ?? []
    if (first === undefined) throw new RangeError(`${JSON.stringify(part)} is no range of shards`)
    for (let at = Number(first); at <= Number(last); at++) found.add(at)
  }
  return found
}

export function formatShards(shards: Iterable<number>): string {
  const ranges: { first: number; last: number }[] = []
  for (const shard of [...shards].sort((a, b) => a - b)) {
    const open = ranges.at(-1)
    if (open !== undefined && shard <= open.last + 1) open.last = shard
    else ranges.push({ first: shard, last: shard })
  }
  return ranges.map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`)).join(',')
}
