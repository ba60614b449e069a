// Turns: how many at once, in which order, and what a change of their number does.
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { Turns } from '../../src/lib/turns.ts'

const none = new AbortController().signal

/** Takes turns that are kept until they are ended by number. */
function take(turns: Turns, count: number) {
  const begun: number[] = []
  const taken = Array.from({ length: count }, async (_, at) => {
    const own = await turns.take(none)
    begun.push(at)
    return own
  })
  const end = async (at: number) => (await taken[at])?.[Symbol.dispose]()
  return { begun, end }
}

test('gives so many at once, and the others in their order', async () => {
  const { begun, end } = take(new Turns(2), 4)
  await turn()
  expect(begun).toEqual([0, 1])
  await end(1)
  await end(1)
  await turn()
  expect(begun).toEqual([0, 1, 2])
  await end(0)
  await turn()
  expect(begun).toEqual([0, 1, 2, 3])
})

test('one who stops waiting is passed over', async () => {
  const turns = new Turns(1)
  const first = await turns.take(none)
  const leaving = new AbortController()
  const second = turns.take(leaving.signal)
  const third = turns.take(none)
  leaving.abort(new Error('no longer'))
  await expect(second).rejects.toThrow('no longer')
  first[Symbol.dispose]()
  await expect(third).resolves.toBeDefined()
})

test('with more turns those who wait begin at once', async () => {
  const turns = new Turns(1)
  const { begun } = take(turns, 4)
  turns.resize(3)
  await turn()
  expect(begun).toEqual([0, 1, 2])
})

test('with fewer turns nobody begins until enough have ended', async () => {
  const turns = new Turns(3)
  const { begun, end } = take(turns, 5)
  turns.resize(1)
  await end(0)
  await end(1)
  await turn()
  expect(begun).toEqual([0, 1, 2])
  await end(2)
  await turn()
  expect(begun).toEqual([0, 1, 2, 3])
})
