// Replaces a file as a whole: whoever reads it sees the old content or the new one, after a crash too.
import { randomUUID } from 'node:crypto'
import { mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Resolves when the text is safe on disk under this path. A new file can be read by its owner alone; folders are made. */
export async function replaceFile(path: string, text: string): Promise<void> {
  // What a symbolic link leads to is replaced, not the link.
  const target = await realpath(path).catch(() => path)
  const mode = await stat(target).then(
    (existing) => existing.mode & 0o777,
    () => 0o600,
  )
  await mkdir(dirname(target), { recursive: true })
  const draft = `${target}.${randomUUID()}.tmp`
  try {
    await using file = await open(draft, 'wx', mode)
    await file.writeFile(text)
    await file.sync()
    await rename(draft, target)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
  await syncFolder(dirname(target))
}

/** A file that was made or renamed is there after a crash only when its folder was written as well. */
export async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r')
  await folder.sync()
}
