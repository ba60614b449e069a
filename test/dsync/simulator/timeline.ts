// True time, which no candidate can see: what is due is done in its order.

interface Due {
  readonly at: number
  readonly seq: number
  readonly fn: () => void
  isOff: boolean
}

export interface Planned {
  cancel(): void
}

export class Timeline {
  #now = 0
  #seq = 0
  readonly #heap: Due[] = []

  get now(): number {
    return this.#now
  }

  /** Does `fn` in `inMs`; what is planned for the same moment keeps its order. */
  plan(inMs: number, fn: () => void): Planned {
    const due: Due = { at: this.#now + Math.max(0, inMs), seq: this.#seq++, fn, isOff: false }
    this.#push(due)
    return {
      cancel: () => {
        due.isOff = true
      },
    }
  }

  run(untilMs: number): void {
    for (let due = this.#heap[0]; due !== undefined && due.at <= untilMs; due = this.#heap[0]) {
      this.#pop()
      if (due.isOff) continue
      this.#now = due.at
      due.fn()
    }
    this.#now = untilMs
  }

  #push(due: Due): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(due)
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = heap[above]
      if (parent === undefined || !isBefore(due, parent)) break
      heap[at] = parent
      at = above
    }
    heap[at] = due
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      const left = heap[2 * at + 1]
      if (left === undefined) break
      const right = heap[2 * at + 2]
      const isRight = right !== undefined && isBefore(right, left)
      const child = isRight ? right : left
      if (!isBefore(child, last)) break
      heap[at] = child
      at = 2 * at + (isRight ? 2 : 1)
    }
    heap[at] = last
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.at < b.at || (a.at === b.at && a.seq < b.seq)
}
