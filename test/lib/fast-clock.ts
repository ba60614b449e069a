import { type Clock, systemClock } from '../../src/lib/clock.ts'

/** Time that passes `times` as fast: for what works in threads and processes of its own, which no test can turn by hand. */
export const createFastClock = (times: number): Clock => ({
  ...systemClock,
  now: () => systemClock.now() * times,
  setTimer: (delayMs, fn) => systemClock.setTimer(delayMs / times, fn),
})
