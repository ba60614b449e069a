// Makes a checkout ready to run: installs what the lock file says when node_modules is missing or older than it.
// Plain JavaScript that the oldest supported npm host (Node 20) runs; everything after it runs on the Node of node_modules.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')

/** What npm wrote down after its last install, against what the lock file asks for now. */
function isStale() {
  const installed = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(installed)) return true
  const has = JSON.parse(readFileSync(installed, 'utf8')).packages
  const wants = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  for (const [path, entry] of Object.entries(wants)) {
    if (path === '' || entry.optional || entry.peer) continue
    if (has[path]?.version !== entry.version) return true
  }
  return !existsSync(join(root, 'node_modules', '.bin', 'node'))
}

if (isStale()) {
  process.stderr.write('installing dependencies (npm ci)\n')
  const { status, error } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  })
  if (error) process.stderr.write(`npm ci could not be started: ${error.message}\n`)
  if (status !== 0) process.exit(status ?? 1)
}
