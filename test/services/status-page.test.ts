// The status page in a real browser, over a service with everything: what it shows, what can be done on it and by whom, and what it is
// like when the service is away.
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Chromium, startChromium, type Visit } from './lib/chromium.ts'
import { BEARERS, type StatusScene, startStatusScene } from './lib/status-scene.ts'

const VIEWS = ['overview', 'gateway', 'tokens', 'databases', 'runs'] as const
const MANY = 400
const EVIL = '<img src=x onerror=alert(1)>'

/** What reaches beyond the window, where that makes the page scroll sideways. */
const TOO_WIDE = `document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('body *')]
  .filter((one) => one.getBoundingClientRect().right > innerWidth).map((one) => one.outerHTML.slice(0, 200))`

let scene: StatusScene
let chromium: Chromium
const visits: Visit[] = []
beforeAll(async () => {
  chromium = await startChromium()
})
afterAll(() => chromium?.[Symbol.asyncDispose]())
beforeEach(async () => {
  scene = await startStatusScene()
  fillClusters()
})

// Whatever a test did: nothing was forbidden or failed in the page, and nobody else was asked.
afterEach(async () => {
  for (const visit of visits.splice(0)) {
    const { complaints, asked } = visit
    await visit[Symbol.asyncDispose]()
    expect(complaints).toEqual([])
    expect(asked.filter((url) => !url.startsWith(`${scene.url}/`))).toEqual([])
  }
})
afterEach(() => scene[Symbol.asyncDispose]())

function fillClusters(): void {
  const data = (name: string, minutesAgo: number) => ({
    ...{ cmd: 'run', cpus: 1, mem: 256, version: '1', owner: 'alice', root: 'east', cluster: 'east', name },
    'last-update-time': Date.now() - minutesAgo * 60_000,
    'last-update-user': 'alice',
  })
  scene.east.put('reports', data('reports', 30))
  scene.east.put('evil', data(EVIL, 20))
  scene.east.put('gone', { ...data('gone', 5), deleted: true })
  scene.west.put('gone', data('gone', 60))
}

/** More tokens than are read in a moment. */
function putMany(): void {
  const data = { cmd: 'run', cpus: 1, mem: 1, version: '1', 'last-update-user': 'alice' }
  for (let i = 0; i < MANY; i++) scene.east.put(`many-${i}`, { ...data, 'last-update-time': Date.now() })
}

/** A verify that finds differences and a dry run; resolves with their ids when they have ended. */
async function makeRuns(): Promise<{ readonly verify: string; readonly plan: string }> {
  const start = async (path: string, body: object) => ((await scene.ask(path, body)) as { readonly id: string }).id
  const verify = await start('/v1/db/verify', { pair: 'notes' })
  const plan = await start('/v1/tokens/sync', { dryRun: true })
  await settle()
  return { verify, plan }
}

/** Resolves when no run is under way. */
async function settle(): Promise<void> {
  const underWay = async () =>
    (await Promise.all(['queued', 'running'].map((state) => scene.ask(`/v1/runs?state=${state}`)))) as {
      items: object[]
    }[]
  await expect.poll(async () => (await underWay()).flatMap(({ items }) => items), { interval: 10 }).toEqual([])
}

async function visit(hash = '', options: Parameters<Chromium['open']>[0] = {}): Promise<Page> {
  const one = await chromium.open(options)
  visits.push(one)
  one.page.setDefaultTimeout(10_000)
  await one.page.goto(`${scene.url}/status/${hash}`)
  return one.page
}

/** The page as somebody sees it who has signed in. */
async function visitAs(
  who: keyof typeof BEARERS,
  hash = '',
  options: Parameters<Chromium['open']>[0] = {},
): Promise<Page> {
  const page = await visit(hash, options)
  await signIn(page, BEARERS[who])
  await page.getByText('live', { exact: true }).waitFor()
  return page
}

async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel('Bearer token').fill(token)
  await page.getByRole('dialog').getByRole('button', { name: 'Sign in' }).click()
}

const textOf = (page: Page, selector = 'main') => page.locator(selector).innerText()
const rowOf = (page: Page, name: string) => page.getByRole('row').filter({ hasText: name })

describe('whoever comes', () => {
  it('is asked for a bearer token, which stays in the tab', async () => {
    const page = await visit()
    await page.getByRole('dialog').waitFor()
    expect(await textOf(page)).toContain('Sign in to see how things are')
    await signIn(page, 'wrong-token')
    await page.getByRole('alert').filter({ hasText: 'token' }).waitFor()
    await signIn(page, BEARERS.operator)
    await page
      .getByRole('heading', { level: 1 })
      .filter({ hasText: /well|failed|asked/ })
      .waitFor()
    expect(await page.getByRole('button', { name: 'Sign out' }).innerText()).toContain('operator')

    await page.reload()
    await page.getByText('live', { exact: true }).waitFor()
    // Neither in the address, nor where other tabs and later days would find it.
    expect(page.url()).toBe(`${scene.url}/status/`)
    expect(await page.evaluate('JSON.stringify([localStorage, document.cookie])')).not.toContain(BEARERS.operator)
    expect(scene.log.join('')).not.toContain(BEARERS.operator)

    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('dialog').waitFor()
    expect(await page.evaluate('sessionStorage.length')).toBe(0)
    expect(await textOf(page)).not.toContain('gw-0')
  })

  it('is told that a token without the scope is not enough', async () => {
    const page = await visit()
    await signIn(page, BEARERS.asker)
    await page.getByRole('alert').filter({ hasText: 'scope "read"' }).waitFor()
  })

  it('finds no button for what they may not do', async () => {
    const page = await visitAs('reader', '#/gateway')
    await rowOf(page, 'gw-0').waitFor()
    expect(await page.getByRole('heading', { name: 'Check a token' }).count()).toBe(0)
    await page.getByRole('link', { name: 'Tokens', exact: true }).click()
    await rowOf(page, 'east').waitFor()
    await page.getByRole('link', { name: 'Databases', exact: true }).click()
    await page.getByRole('heading', { name: 'Pair notes' }).waitFor()
    for (const name of ['Dry run', 'Sync notes', 'Verify notes', 'Apply exactly this'])
      expect([name, await page.getByRole('button', { name }).count()]).toEqual([name, 0])
  })
})

describe('the gateway', () => {
  it('shows a verdict with what each replica said, and keeps the token to itself', async () => {
    const page = await visitAs('operator', '#/gateway')
    const token = scene.logIn()
    await page.getByLabel('Token', { exact: true }).fill(token)
    await page.getByRole('button', { name: 'Check' }).click()
    await page.getByRole('status').filter({ hasText: 'every replica that was asked' }).waitFor()
    expect(await page.getByRole('table', { name: 'What each replica said' }).innerText()).toMatch(
      /gw-1[\s\S]*present[\s\S]*gw-2[\s\S]*present/,
    )
    // Told of the replicas, in the chart, and after a reload too.
    await rowOf(page, 'gw-1').filter({ hasText: 'up' }).waitFor()
    await page.reload()
    await page.getByRole('img', { name: /Checks of the last quarter of an hour: [1-9]\d* Synced/ }).waitFor()
    await page.getByRole('img', { name: /[1-9]\d* arrivals?, p99 at most/ }).waitFor()
    const kept = await page.evaluate(
      'JSON.stringify([location.href, history.state, sessionStorage, localStorage, document.body.innerText])',
    )
    expect(kept).not.toContain(token)
    expect(scene.log.join('')).not.toContain(token)
  })

  it('tells in words which replica is down and why, large and in the title', async () => {
    const page = await visitAs('operator', '#/overview')
    scene.gateway.replicas[2]?.behave('reset')
    const checking = await visitAs('operator', '#/gateway')
    await checking.getByLabel('Token', { exact: true }).fill(scene.logIn())
    await checking.getByRole('button', { name: 'Check' }).click()
    await checking.getByRole('status').filter({ hasText: 'Timeout' }).waitFor()
    await rowOf(checking, 'gw-2').filter({ hasText: 'broke the connection' }).first().waitFor()
    await page.getByRole('heading', { level: 1 }).filter({ hasText: 'gw-2 broke the connection' }).waitFor()
    expect(await page.title()).toContain('gw-2')
  })
})

describe('the tokens', () => {
  it('are planned, shown with deletes apart, and written exactly so', async () => {
    const page = await visitAs('operator', '#/tokens')
    await page.getByRole('button', { name: 'Dry run' }).click()
    await page.getByRole('button', { name: 'Apply exactly this' }).waitFor()
    const planId = page.url().slice(-36)
    expect(await textOf(page, '.plan-section.deletes')).toMatch(
      /Deletes 1[\s\S]*gone[\s\S]*west[\s\S]*mark as deleted[\s\S]*it was deleted on east/,
    )
    expect(await textOf(page, '.plan-section.changes')).toMatch(
      /reports[\s\S]*west[\s\S]*create[\s\S]*it is on east and not here/,
    )
    expect(scene.west.get('reports')).toBeUndefined()

    await page.getByLabel('Search').fill('REPORTS west')
    await page.getByText('1 row', { exact: true }).waitFor()
    expect(await page.locator('.plan-section.deletes').count()).toBe(0)
    await page.getByLabel('Search').fill('')

    await page.getByRole('button', { name: 'Apply exactly this' }).click()
    expect(await page.getByRole('dialog').innerText()).toContain('1 delete among them')
    await page.getByRole('button', { name: 'Leave it' }).click()
    expect(scene.west.get('reports')).toBeUndefined()
    await page.getByRole('button', { name: 'Apply exactly this' }).click()
    await page.getByRole('button', { name: 'Write 3 changes' }).click()
    await page.getByRole('heading', { name: 'Token plan', exact: true }).waitFor()
    await page.getByRole('status').filter({ hasText: 'succeeded' }).waitFor()
    expect(await textOf(page, '.plan-section.changes')).toMatch(/reports[\s\S]*created/)
    expect(scene.west.get('reports')).toBeDefined()
    expect(await scene.ask(`/v1/runs/${page.url().slice(-36)}`)).toMatchObject({ request: { plan: planId } })
  })

  it('are shown as text, whatever their names are', async () => {
    scene.east.put(EVIL, {
      cmd: 'run',
      cpus: 1,
      mem: 1,
      version: '1',
      'last-update-time': Date.now(),
      'last-update-user': 'eve',
    })
    const page = await visitAs('operator', '#/tokens')
    await page.getByRole('button', { name: 'Dry run' }).click()
    await rowOf(page, EVIL).first().waitFor()
    expect(await page.locator('main img').count()).toBe(0)
  })
})

describe('a long run', () => {
  it('is followed by its events, and asked to end', async () => {
    putMany()
    scene.west.latencyMs = 300
    const page = await visitAs('operator', '#/tokens')
    await page.getByRole('button', { name: 'Dry run' }).click()
    const bar = page.getByRole('progressbar', { name: 'Progress of the run' })
    await bar.waitFor()
    await page.getByText(/ of \d+ · .* a second · about .* left/).waitFor()
    await rowOf(page, 'many-').first().waitFor()
    const before = await page.getByRole('row').count()
    await expect.poll(() => page.getByRole('row').count(), { timeout: 20_000 }).toBeGreaterThan(before)

    const overview = await visitAs('reader', '#/runs')
    await rowOf(overview, 'running').first().waitFor()
    expect(await overview.getByRole('button', { name: 'Cancel run' }).count()).toBe(0)
    await page.getByRole('button', { name: 'Cancel run' }).click()
    await page.getByRole('status').filter({ hasText: 'cancelled' }).waitFor()
    expect(await page.getByRole('button', { name: 'Cancel run' }).count()).toBe(0)
    await rowOf(overview, 'cancelled').first().waitFor()
  })
})

describe('the databases', () => {
  it('are verified, with the first differences, and synced', async () => {
    const page = await visitAs('operator', '#/databases')
    const pair = await textOf(page)
    expect(pair).toMatch(
      /Left\s+sqlite .*desk\.db[\s\S]*Right\s+sqlite .*pocket\.db[\s\S]*in the process of the service/,
    )
    expect(pair).toContain('No window is complete yet')
    await page.getByRole('button', { name: 'Verify notes' }).click()
    await page.getByRole('heading', { name: 'Differences' }).waitFor()
    await rowOf(page, 'newer on the right').first().waitFor()
    expect(await textOf(page)).toContain('4 differences, 2 equal')

    await page.getByRole('link', { name: 'All of databases' }).click()
    await page.getByRole('button', { name: 'Sync notes' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Sync' }).click()
    await page.getByRole('heading', { name: 'Database sync of notes' }).waitFor()
    await page.getByRole('status').filter({ hasText: 'succeeded' }).waitFor()
    await rowOf(page, 'left to right').filter({ hasText: 'updated' }).waitFor()
    await page.getByRole('link', { name: 'Databases', exact: true }).click()
    await rowOf(page, 'left to right').filter({ hasText: 'ago' }).waitFor()
  })
})

describe('runs', () => {
  it('are filtered, and the filter stands in the address', async () => {
    await makeRuns()
    await scene.ask('/v1/db/sync', { pair: 'notes', dryRun: true })
    await settle()
    const page = await visitAs('operator', '#/runs')
    await page.getByLabel('Kind').selectOption('db')
    await expect.poll(() => page.url()).toContain('#/runs?kind=db')
    await expect
      .poll(() => page.locator('tbody tr').allInnerTexts())
      .toSatisfy((rows: string[]) => rows.length >= 2 && rows.every((row) => row.includes('database')))
    await page.getByLabel('State').selectOption('failed')
    await expect.poll(() => page.locator('tbody tr').allInnerTexts()).toSatisfy((rows: string[]) => rows.length === 1)
    await page.reload()
    await rowOf(page, '4 differences').waitFor()
    expect(await page.getByLabel('State').inputValue()).toBe('failed')
  })

  it('are paged', async () => {
    await makeRuns()
    for (let i = 0; i < 26; i++) await scene.ask('/v1/db/sync', { pair: 'notes', dryRun: true }).then(() => settle())
    const page = await visitAs('operator', '#/runs')
    await page.getByRole('button', { name: 'Older' }).click()
    await page.getByRole('button', { name: 'Newer' }).waitFor()
    await rowOf(page, 'database verify').waitFor()
    await page.getByRole('button', { name: 'Newer' }).click()
    await expect.poll(() => page.locator('tbody tr').count()).toBe(25)
  })
})

describe('when the service is away', () => {
  it('the page says since when, tries again by itself, and goes on', async () => {
    const page = await visitAs('operator', '#/overview')
    await page.getByRole('heading', { name: 'Leadership' }).waitFor()
    await scene.stop()
    await page
      .getByRole('status')
      .filter({ hasText: /No answer since .*: the service cannot be reached/ })
      .waitFor()
    expect(await page.title()).toContain('No answer')
    expect(await page.getByRole('heading', { level: 1 }).innerText()).toMatch(
      /^No answer since .* Until then: All is well$/,
    )
    // What was known is still there.
    expect(await textOf(page)).toContain('Gateway replicas')
    await page.getByText(/Asking again in \d+ s/).waitFor()
    await scene.start()
    await page.getByText('live', { exact: true }).waitFor({ timeout: 30_000 })
    expect(await page.getByText('No answer since').count()).toBe(0)
  })

  it('a run that is looked at is followed beyond its interruption', async () => {
    putMany()
    scene.west.latencyMs = 300
    const page = await visitAs('operator', '#/tokens')
    await page.getByRole('button', { name: 'Dry run' }).click()
    await rowOf(page, 'many-').first().waitFor()
    await scene.stop()
    await page.getByRole('status').filter({ hasText: 'No answer since' }).waitFor()
    expect(await textOf(page)).toContain('running')
    await scene.start()
    await page.getByRole('status').filter({ hasText: 'interrupted' }).waitFor({ timeout: 30_000 })
    expect(await rowOf(page, 'many-').count()).toBeGreaterThan(0)
    expect(await page.getByRole('button', { name: 'Cancel run' }).count()).toBe(0)
  })
})

describe('everybody', () => {
  it('can use it by keyboard alone', async () => {
    const page = await visit()
    const focused = () =>
      page.evaluate('document.activeElement.innerText || document.activeElement.name || document.activeElement.tagName')
    await page.getByRole('dialog').waitFor()
    await expect.poll(focused).toBe('bearer')
    await page.keyboard.type(BEARERS.operator)
    await page.keyboard.press('Enter')
    await page.getByText('live', { exact: true }).waitFor()

    await page.evaluate('document.activeElement.blur()')
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('Skip to the content')
    const tabTo = async (name: string) => {
      for (let i = 0; i < 40 && (await focused()) !== name; i++) await page.keyboard.press('Tab')
      expect(await focused()).toBe(name)
    }
    await tabTo('Tokens')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Tokens', level: 1 }).waitFor()
    // Whoever moved is where they went.
    await expect.poll(() => page.evaluate('document.activeElement.id')).toBe('main')
    await tabTo('Dry run')
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Token sync, dry run' }).waitFor()
  })

  it('gets the focus back when a dialog is closed', async () => {
    const page = await visitAs('operator', '#/databases')
    await page.getByRole('button', { name: 'Sync notes' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await expect.poll(() => page.evaluate('document.activeElement.getAttribute("aria-label")')).toBe('Sync notes')
  })

  it.each(['light', 'dark'] as const)('finds no barrier in any view in %s colours', async (colorScheme) => {
    const page = await visit('', { colorScheme })
    const one = visits.at(-1)
    await page.getByRole('dialog').waitFor()
    expect(await one?.findBarriers()).toEqual([])
    await signIn(page, BEARERS.operator)
    await page.getByText('live', { exact: true }).waitFor()
    const { verify, plan } = await makeRuns()
    for (const hash of [...VIEWS, `runs/${verify}`, `tokens/${plan}`]) {
      await page.goto(`${scene.url}/status/#/${hash}`)
      await page.getByRole('heading', { level: 1 }).waitFor()
      if (hash.includes('/')) await page.getByText('Started by').waitFor()
      if (hash === 'gateway') for (const table of await page.getByText('As a table').all()) await table.click()
      expect([hash, await one?.findBarriers()]).toEqual([hash, []])
    }
    await page.goto(`${scene.url}/status/#/databases`)
    await page.getByRole('button', { name: 'Sync notes' }).click()
    expect(await one?.findBarriers()).toEqual([])
  })

  it('can choose the colours, for the next visit too', async () => {
    const page = await visitAs('reader', '', { colorScheme: 'light' })
    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor')
    const light = await ground()
    await page.getByLabel('Colours').selectOption('dark')
    expect(await ground()).not.toBe(light)
    await page.reload()
    await page.getByText('live', { exact: true }).waitFor()
    expect(await ground()).not.toBe(light)
    expect(await page.getByLabel('Colours').inputValue()).toBe('dark')
  })

  it('need not scroll sideways on 320 pixels', async () => {
    const page = await visitAs('operator', '', { viewport: { width: 320, height: 640 } })
    const one = visits.at(-1)
    const { verify, plan } = await makeRuns()
    for (const hash of [...VIEWS, `runs/${verify}`, `tokens/${plan}`]) {
      await page.goto(`${scene.url}/status/#/${hash}`)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await page.waitForTimeout(300)
      expect([hash, await page.evaluate(TOO_WIDE)]).toEqual([hash, []])
      expect([hash, await one?.findBarriers()]).toEqual([hash, []])
    }
  })
})

describe('a service with a gateway alone', () => {
  it('shows nothing of what it has not', async () => {
    await using alone = await startStatusScene({ tokens: undefined, db: undefined, state: undefined })
    const one = await chromium.open()
    await one.page.goto(`${alone.url}/status/`)
    await signIn(one.page, BEARERS.operator)
    await one.page.getByText('live', { exact: true }).waitFor()
    expect(await one.page.getByRole('navigation').getByRole('link').allInnerTexts()).toEqual(['Overview', 'Gateway'])
    expect(await textOf(one.page)).not.toMatch(/Schedules|Token sync|Database/)
    await one[Symbol.asyncDispose]()
    expect(one.complaints).toEqual([])
  })
})
