import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { replaceFile } from '../../src/lib/replace-file.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'syncer-replace-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const modeOf = async (path: string) => (await stat(path)).mode & 0o777

describe('replacing a file', () => {
  it('makes one that is not there, with the permissions that are wanted, and leaves nothing beside it', async () => {
    await replaceFile(join(folder, 'a'), 'text', 0o600)
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('text')
    expect(await modeOf(join(folder, 'a'))).toBe(0o600)
    expect(await readdir(folder)).toEqual(['a'])
  })

  it('keeps the permissions of one that is there', async () => {
    await writeFile(join(folder, 'a'), 'a longer old text')
    await chmod(join(folder, 'a'), 0o640)
    await replaceFile(join(folder, 'a'), 'new', 0o600)
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('new')
    expect(await modeOf(join(folder, 'a'))).toBe(0o640)
  })

  it('shows every reader a whole text', async () => {
    const path = join(folder, 'a')
    const texts = ['a'.repeat(100_000), 'b'.repeat(200_000)]
    await replaceFile(path, texts[0] ?? '')
    const writing = (async () => {
      for (let i = 0; i < 20; i++) await replaceFile(path, texts[i % 2] ?? '')
    })()
    let read = 0
    const isDone = writing.then(() => true)
    while (!(await Promise.race([isDone, false]))) {
      expect(texts).toContain(await readFile(path, 'utf8'))
      read++
    }
    expect(read).toBeGreaterThan(0)
  })

  it('follows a symbolic link', async () => {
    await writeFile(join(folder, 'target'), 'old')
    await symlink('target', join(folder, 'link'))
    await replaceFile(join(folder, 'link'), 'new')
    expect(await readFile(join(folder, 'target'), 'utf8')).toBe('new')
    expect((await readdir(folder)).sort()).toEqual(['link', 'target'])
  })

  it('writes to a device as it is', async () => {
    await replaceFile('/dev/null', 'text')
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true)
  })

  it('says what the file system says, and leaves nothing behind', async () => {
    await expect(replaceFile(join(folder, 'no', 'a'), 'text')).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(replaceFile(folder, 'text')).rejects.toMatchObject({ code: 'EISDIR' })
    expect(await readdir(folder)).toEqual([])
  })
})
