import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '../../src/config/load.ts'
import { document } from '../openapi/document.ts'

const ROOT = join(import.meta.dirname, '../..')
const page = readFileSync(join(ROOT, 'docs/status-page.md'), 'utf8')
const all = (what: RegExp) => [...page.matchAll(what)].map(([, found = '']) => found)

describe('docs/status-page.md', () => {
  it('shows a configuration that is one', async () => {
    const [block = ''] = all(/```yaml\n([\s\S]*?)```/g)
    const rest =
      'gateway:\n  discovery: { kind: static, replicas: [{ name: gw-0, address: 127.0.0.1 }] }\n  probe: { scheme: http, host: api.example, path: /, port: 80, token: bearer }\n'
    const { config } = await loadConfig({
      ...{ path: '/syncer.yaml', env: {}, cwd: '/' },
      readFile: async () => `${block}${rest}`,
    })
    expect(config.auth.open).toEqual(['ui'])
    const [token = ''] = all(/printf %s (\S+) \| sha256sum/g)
    const hash = createHash('sha256').update(token).digest('hex')
    expect(parse(block).auth.callers[0].sha256).toBe(hash)
  })

  it('names calls that there are', () => {
    const named = all(/`(?:GET )?(\/v1\/[\w/{}]+)`/g)
    expect(named.length).toBeGreaterThan(4)
    for (const path of named) expect(document.paths[path], path).toBeDefined()
  })

  it('shows and links what there is', () => {
    for (const target of all(/\]\(([^)#]+)\)/g))
      if (!target.startsWith('https:')) expect(existsSync(join(ROOT, 'docs', target)), target).toBe(true)
  })
})
