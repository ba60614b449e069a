import { expect, test } from 'vitest'
import { Outage } from '../../src/db/outage.ts'
import { FakeClock } from '../lib/fake-clock.ts'

function watch() {
  const clock = new FakeClock()
  const told: string[] = []
  const outage = new Outage('store a', { clock, retryForMs: 30_000, onAway: (message) => told.push(message) })
  return { clock, told, outage }
}

test('is told once it has lasted, and once when it is over', async () => {
  const { clock, told, outage } = watch()
  outage.failed('one')
  await clock.advance(1_999)
  outage.failed('two')
  expect(told).toEqual([])
  await clock.advance(1)
  outage.failed('three')
  outage.failed('four')
  expect(told).toEqual(['store a: three; each request is tried again for 30 s'])
  await clock.advance(10_400)
  outage.worked()
  outage.worked()
  expect(told.slice(1)).toEqual(['store a: answers again, after 12 s'])
})

test('is none where something succeeds in between, and is told anew when it comes back', async () => {
  const { clock, told, outage } = watch()
  for (let round = 0; round < 10; round++) {
    outage.failed('broken')
    await clock.advance(1_500)
    outage.worked()
  }
  expect(told).toEqual([])
  for (let round = 0; round < 2; round++) {
    outage.failed('broken')
    await clock.advance(2_000)
    outage.failed('broken')
    outage.worked()
  }
  expect(told).toHaveLength(4)
})
