// Installs what Debian packages: with the lock waited for, the package lists read anew when they are too old, and a few tries.
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { runCommand } from './run-command.ts'

const TRIES = 4
const PAUSE_MS = 5_000
const POLICY = '/usr/sbin/policy-rc.d'

/** Installs packages; needs root, or sudo without a password. Throws when they cannot be had: nothing is skipped. */
export async function installPackages(packages: readonly string[], log: (line: string) => void): Promise<void> {
  const names = packages.join(' ')
  if (!existsSync('/usr/bin/apt-get'))
    throw new Error(`apt-get is missing: install the equivalents of ${names} by hand`)
  log(`installing ${names}`)
  const restore = forbidServices()
  try {
    if (!hasLists()) await retry('apt-get update', () => apt(['update']), log)
    const install = () => apt(['install', '--yes', '--no-install-recommends', ...packages])
    try {
      await install()
    } catch (error) {
      // Lists that are too old name versions that are gone.
      log(`reading the package lists again (${firstLine(error)})`)
      await retry('apt-get update', () => apt(['update']), log)
      await retry('apt-get install', install, log)
    }
  } finally {
    restore()
  }
}

function apt(args: readonly string[]): Promise<string> {
  const command = ['apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3', ...args]
  const [first = '', ...rest] =
    process.getuid?.() === 0 ? command : ['sudo', '-n', 'DEBIAN_FRONTEND=noninteractive', ...command]
  return runCommand(first, rest, { DEBIAN_FRONTEND: 'noninteractive' })
}

async function retry(what: string, run: () => Promise<unknown>, log: (line: string) => void): Promise<void> {
  for (let i = 1; ; i++) {
    try {
      await run()
      return
    } catch (error) {
      if (i === TRIES) throw error
      log(`${what} failed, trying again in ${(PAUSE_MS * i) / 1_000} s (${firstLine(error)})`)
      await sleep(PAUSE_MS * i)
    }
  }
}

function hasLists(): boolean {
  const folder = '/var/lib/apt/lists'
  return existsSync(folder) && readdirSync(folder).some((name) => name.includes('Packages'))
}

/** Debian starts a server right after its installation, on port 80 of every address: tests start their own. */
function forbidServices(): () => void {
  if (existsSync(POLICY) || process.getuid?.() !== 0) return () => undefined
  writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  return () => rmSync(POLICY, { force: true })
}

function firstLine(error: unknown): string {
  return String(error instanceof Error ? error.message : error).split('\n', 1)[0] ?? ''
}
