// Schemathesis in a Python environment of its own, in the cache folder; one environment for each list of pinned versions.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { installPackages } from './debian.ts'
import { runCommand } from './run-command.ts'
import { cacheFolder } from './run-folder.ts'

const REQUIREMENTS = join(import.meta.dirname, 'schemathesis-requirements.txt')

/** Path of the command. Throws when it was not installed. */
export function findSchemathesis(): string {
  const { ready, command } = paths()
  if (!existsSync(ready)) throw new Error('schemathesis is missing: `npm run test:services` installs it')
  return command
}

/** Makes the environment unless it is there. Throws when Python or the packages cannot be had. */
export async function installSchemathesis(log: (line: string) => void): Promise<void> {
  const { folder, ready } = paths()
  if (existsSync(ready)) return
  log('installing schemathesis')
  await ensurePython(log)
  rmSync(folder, { recursive: true, force: true }) // one that was left half done
  await runCommand('python3', ['-m', 'venv', folder])
  const pip = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--retries',
    '5',
    '--no-deps',
    '-r',
    REQUIREMENTS,
  ]
  await runCommand(join(folder, 'bin', 'python'), pip)
  writeFileSync(`${ready}.new`, '')
  renameSync(`${ready}.new`, ready)
}

async function ensurePython(log: (line: string) => void): Promise<void> {
  try {
    await runCommand('python3', ['-c', 'import venv, ensurepip'])
  } catch {
    await installPackages(['python3', 'python3-venv'], log)
  }
}

function paths() {
  const key = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex').slice(0, 12)
  const folder = join(cacheFolder(), `schemathesis-${key}`)
  return { folder, ready: join(folder, '.ready'), command: join(folder, 'bin', 'schemathesis') }
}
