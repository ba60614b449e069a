// A folder of the cache that takes long to make: it is there whole or not at all, and only one process makes it.
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

const LOOK_MS = 200

/**
 * Has `make` fill an empty folder, which then gets the path `folder`, unless that is there; waits for another process that has begun.
 * What an interrupted one left is thrown away. Throws what `make` throws.
 */
export async function makeCachedFolder(folder: string, make: (unfinished: string) => Promise<void>): Promise<void> {
  const lock = `${folder}.lock`
  const isThere = () => existsSync(folder)
  while (!isThere()) {
    if (takeLock(lock)) {
      try {
        if (!isThere()) await makeFolder(folder, make)
      } finally {
        rmSync(lock, { force: true })
      }
    } else {
      await sleep(LOOK_MS)
    }
  }
}

async function makeFolder(folder: string, make: (unfinished: string) => Promise<void>): Promise<void> {
  const unfinished = `${folder}.new`
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished)
  await make(unfinished)
  renameSync(unfinished, folder)
}

/** False while a living process holds it; one that died without giving it back no longer does. */
function takeLock(path: string): boolean {
  const mine = `${path}.${process.pid}`
  writeFileSync(mine, String(process.pid))
  try {
    linkSync(mine, path) // appears with its content, or not at all
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    if (!isHeld(path)) rmSync(path, { force: true })
    return false
  } finally {
    rmSync(mine, { force: true })
  }
}

function isHeld(path: string): boolean {
  try {
    process.kill(Number(readFileSync(path, 'utf8')), 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
