// A real browser for tests of pages: Debian's Chromium, driven by Playwright. What a page says to its console, what it may not do by its
// policy, and whom it asks is kept, so that a test can hold it to saying nothing, and to asking nobody else.
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { installPackages } from './debian.ts'

const EXECUTABLE = '/usr/bin/chromium'
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/** Makes sure that it is there. Throws when it cannot be had. */
export async function installChromium(log: (line: string) => void): Promise<void> {
  if (!existsSync(EXECUTABLE)) await installPackages(['chromium', 'fonts-dejavu-core'], log)
  if (!existsSync(EXECUTABLE)) throw new Error(`${EXECUTABLE} is still missing after the installation`)
}

export interface Chromium extends AsyncDisposable {
  /** A page in a context of its own, as a new visitor has it. */
  open(options?: BrowserContextOptions): Promise<Visit>
}

/** One visitor's page, and what came of it. */
export interface Visit extends AsyncDisposable {
  readonly page: Page
  /** Errors of scripts, errors and warnings in the console, breaches of the policy; without those of requests that were not answered. */
  readonly complaints: readonly string[]
  /** Addresses that were asked for, in order. */
  readonly asked: readonly string[]
  /** What axe finds wrong in the page as it is now, as `rule: element`. */
  findBarriers(): Promise<readonly string[]>
}

/** Starts it; in a container, or as root, without the sandbox that it could not make there. */
export async function startChromium(): Promise<Chromium> {
  await installChromium(console.error)
  const browser = await chromium.launch({
    executablePath: EXECUTABLE,
    args: ['--no-sandbox', '--disable-dev-shm-usage'],
  })
  return {
    open: (options = {}) => openVisit(browser, options),
    [Symbol.asyncDispose]: () => browser.close(),
  }
}

async function openVisit(browser: Browser, options: BrowserContextOptions): Promise<Visit> {
  const context = await browser.newContext({ locale: 'en-GB', timezoneId: 'UTC', ...options })
  const page = await context.newPage()
  const complaints: string[] = []
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  page.on('pageerror', (error) => complaints.push(String(error.stack ?? error)))
  page.on('console', (message) => {
    if (!['error', 'warning'].includes(message.type())) return
    // Said of every answer that is an error, and of a server that is away: tests know of those.
    if (message.text().startsWith('Failed to load resource')) return
    complaints.push(message.text())
  })
  return {
    page,
    complaints,
    asked,
    findBarriers: () => findBarriers(page),
    [Symbol.asyncDispose]: () => context.close(),
  }
}

/** In a world of its own, to which the policy of the page does not apply: the page stays as strict as it is. */
async function findBarriers(page: Page): Promise<readonly string[]> {
  const session = await page.context().newCDPSession(page)
  const { frameTree } = await session.send('Page.getFrameTree')
  const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld', {
    frameId: frameTree.frame.id,
    worldName: 'axe',
  })
  const evaluate = async (expression: string) => {
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
      ...{ expression, contextId, awaitPromise: true, returnByValue: true },
    })
    if (exceptionDetails !== undefined)
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result.value
  }
  await evaluate(readFileSync(AXE, 'utf8'))
  const found = await evaluate(`axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
    violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => id + ': ' + html + ' ' + failureSummary)))`)
  await session.detach()
  return found as readonly string[]
}
