// Files that are whole at every moment: a reader, or whoever comes after a crash, finds the old text or the new one.
import { randomBytes } from 'node:crypto'
import { open, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * Writes `text` to `path`, in place of what is there: beside it first, then by its new name, all of it on disk when this resolves.
 * What is there keeps its permissions, and a symbolic link its target; a new file has `mode`. Throws what the file system throws.
 */
export async function replaceFile(path: string, text: string, mode = 0o666): Promise<void> {
  const target = await realpath(path).catch((error: unknown) => {
    if (isMissing(error)) return path
    throw error
  })
  const old = await stat(target).catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
  // A pipe or a device cannot be replaced: /dev/stdout is written to as it is.
  if (old !== undefined && !old.isFile()) return await write(target, 'w', text, mode)
  const beside = `${target}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await write(beside, 'wx', text, old === undefined ? mode : old.mode & 0o777)
    await rename(beside, target)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
  await syncFolder(dirname(target))
}

async function write(path: string, flags: string, text: string, mode: number): Promise<void> {
  await using file = await open(path, flags, mode)
  await file.writeFile(text)
  if ((await file.stat()).isFile()) await file.sync()
}

/** Brings the names in a folder to disk, new ones too; Windows knows no such thing. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  await using folder = await open(path, 'r')
  await folder.sync()
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT'
