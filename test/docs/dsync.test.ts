import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { deriveTimings } from '../../src/dsync/index.ts'

const ROOT = join(import.meta.dirname, '../..')
const page = readFileSync(join(ROOT, 'docs/dsync.md'), 'utf8')

describe('docs/dsync.md', () => {
  it('has an example that runs', () => {
    const [, example = ''] = /```ts\n(.*?)```/s.exec(page) ?? []
    const entry = pathToFileURL(join(ROOT, 'src/dsync/index.ts')).href
    const code = example.replace("'syncer/dsync'", `'${entry}'`)
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module-typescript', '-e', code], {
      encoding: 'utf8',
      timeout: 20_000,
    })
    expect(stderr).toBe('')
    expect(stdout).toBe('leading with token 1n\nimported 42\nhad it at once: true\n')
  }, 30_000)

  it('names every duration that can be set', () => {
    for (const name of Object.keys(deriveTimings())) {
      if (name !== 'tickMs') expect(page).toContain(`\`${name}\``)
    }
  })

  it('names only files and scripts that there are', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    for (const [, name = ''] of page.matchAll(/npm run ([\w:]+)/g)) expect(scripts).toHaveProperty([name])
    expect(readFileSync(join(ROOT, 'roles/dsync.yaml'), 'utf8')).toContain('leases')
  })
})
