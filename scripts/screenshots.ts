// `npm run screenshots`: pictures of the status page for the documents, of a playground in which a few things happen. Needs Debian's
// Chromium, which it installs when it is missing.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { systemClock } from '../src/lib/clock.ts'
import { keepLoggingIn, logInAndCheck } from '../src/playground/logins.ts'
import { type Playground, startPlayground } from '../src/playground/playground.ts'
import { startChromium } from '../test/services/lib/chromium.ts'

const FOLDER = join(import.meta.dirname, '../docs/screenshots')
const STEP_MS = 10_000
const STEPS = 91
const NEVER = '0 0 0 1 1 *'

/** Takes all of them in one colour scheme. */
async function takePictures(scheme: 'light' | 'dark', playground: Playground): Promise<void> {
  await using chromium = await startChromium()
  await using visit = await chromium.open({ colorScheme: scheme, viewport: { width: 1180, height: 700 } })
  const { page } = visit
  // Nobody waits for a quarter of an hour: that of the pictures is made up, in the form in which the service gives it.
  await page.route('**/v1/gateway/history', (route) => route.fulfill({ json: makeHistory(Date.now()) }))
  const open = async (hash: string) => {
    await page.goto(`${playground.url}/status/#/${hash}`)
    await page.getByText('live', { exact: true }).waitFor()
    await page.getByRole('heading', { level: 1 }).waitFor()
  }
  await open('overview')
  await picture(page, `overview-${scheme}`)
  await open('gateway')
  await picture(page, `gateway-${scheme}`)
  await open('tokens')
  await page.getByRole('button', { name: 'Dry run' }).click()
  await page.getByRole('button', { name: 'Apply exactly this' }).waitFor()
  await picture(page, `plan-${scheme}`)
  await open('databases')
  await page.getByRole('button', { name: 'Verify notes' }).click()
  await page.getByRole('heading', { name: 'Differences' }).waitFor()
  await picture(page, `verify-${scheme}`)
}

async function picture(page: Page, name: string): Promise<void> {
  await page.evaluate('document.fonts.ready.then(() => new Promise(requestAnimationFrame))')
  await page.screenshot({ path: join(FOLDER, `${name}.png`), animations: 'disabled' })
  console.log(`wrote docs/screenshots/${name}.png`)
}

/** A quarter of an hour in which one replica was slow for two minutes. The same every time, but for the time of day. */
function makeHistory(now: number) {
  const items = Array.from({ length: STEPS }, (_, step) => {
    const wave = Math.sin(step / 6) + Math.sin(step / 2.3) / 2
    const isSlow = step > 48 && step < 60
    const checks = {
      Synced: Math.round(isSlow ? 9 + 2 * wave : 16 + 5 * wave),
      Partialy: isSlow ? 4 + (step % 3) : Number(step % 17 === 0),
      NotSynced: isSlow && step % 4 === 0 ? 2 : 0,
      Timeout: isSlow && step % 3 === 0 ? 3 : 0,
    }
    const p50Ms = (isSlow ? 690 : 500) + 40 * wave
    return {
      startedAt: new Date(now - (STEPS - step) * STEP_MS).toISOString(),
      checks,
      lag: { p50Ms, p99Ms: p50Ms + (isSlow ? 900 : 430) + 30 * Math.cos(step), samples: checks.Synced * 4 },
    }
  })
  return { stepMs: STEP_MS, items }
}

/** A run that changes nothing, so that there is a last one. */
async function runDry(path: string): Promise<void> {
  const body = path === 'db/sync' ? { pair: playground.databases.pair, dryRun: true } : { dryRun: true }
  const headers = { 'content-type': 'application/json', prefer: 'wait=10' }
  await fetch(`${playground.url}/v1/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
}

await mkdir(FOLDER, { recursive: true })
const stopping = new AbortController()
await using playground = await startPlayground({ env: {}, clock: systemClock, anyPorts: true, schedule: NEVER })
const logins = keepLoggingIn(playground, { clock: systemClock, random: Math.random, signal: stopping.signal })
for (const place of playground.gateway.replicas.keys()) await logInAndCheck(playground, place, stopping.signal)
for (const path of ['tokens/sync', 'db/sync']) await runDry(path)
for (const scheme of ['light', 'dark'] as const) await takePictures(scheme, playground)
stopping.abort()
await logins
