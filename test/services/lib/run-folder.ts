// Where tests keep what they download (across runs) and what their servers write (one folder a server, removed with it).
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { guardFolder } from './watchdog.ts'

/** The folder that survives runs: `SYNCER_TEST_CACHE`, else `syncer-test` in the user's cache folder. It is made when missing. */
export function cacheFolder(): string {
  const user = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  const path = resolve(process.env['SYNCER_TEST_CACHE'] ?? join(user, 'syncer-test'))
  mkdirSync(path, { recursive: true })
  return path
}

/** A folder of one server: gone when removed, and also when this process dies. */
export interface RunFolder {
  readonly path: string
  remove(): void
}

/** Makes an empty folder for one server. */
export function createRunFolder(name: string): RunFolder {
  const path = mkdtempSync(join(tmpdir(), `syncer-test-${name}-`))
  const release = guardFolder(path)
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true, force: true })
      release()
    },
  }
}
