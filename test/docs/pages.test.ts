// What holds for every page: links and anchors lead somewhere, options and settings exist, configurations are taken.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { routes } from '../../generated/routes.ts'
import { createProgram } from '../../src/cli/program.ts'
import { ConfigSchema } from '../../src/config/schema.ts'
import { createFakeIo } from '../cli/fake-io.ts'
import { loadText } from '../config/load-text.ts'
import { anchorsOf, blocksOf, linksOf, withoutBlocks } from './markdown.ts'
import { blocksIn, listPages, ROOT, readPage } from './pages.ts'

const PAGES = listPages()
/** Of other programs that pages name, and of scripts in package.json. */
const FOREIGN = new Set([
  ...['--namespace', '--create-namespace', '--values', '--set', '--strict', '--field-selector'], // helm, kubectl
  ...['--read-only', '--tmpfs', '--build-arg', '--platform', '--global', '--insecure', '--detach'], // docker, npm, curl
  ...['--seed', '--schedules', '--minutes', '--check', '--db', '--queue-timeout'], // scripts, and the original token-syncer
])
const SECTIONS = Object.keys(ConfigSchema.properties)

const options = new Set(
  createProgram(createFakeIo(), { code: 0 })
    .commands.flatMap((one) => [one, ...one.commands])
    .flatMap((one) => one.options.flatMap(({ long, short }) => [long, short])),
)

/** YAML blocks that are, or whose `config` is, a configuration of the service. */
const configurations = PAGES.flatMap((page) =>
  blocksIn(page, 'yaml').flatMap(({ text, line }) => {
    const parsed = parse(text)
    const config = parsed?.config ?? parsed
    const isOurs = Object.keys(config ?? {}).some((key) => SECTIONS.includes(key))
    return isOurs ? [{ page, line, config }] : []
  }),
)

describe.each(PAGES)('%s', (page) => {
  const text = readPage(page)

  it('leads to what is there', () => {
    for (const { target, anchor } of linksOf(text)) {
      const path = target === '' ? page : normalize(join(dirname(page), target))
      expect(existsSync(join(ROOT, path)), `${target} of ${page}`).toBe(true)
      if (anchor === '') continue
      expect(statSync(join(ROOT, path)).isFile(), path).toBe(true)
      expect(anchorsOf(readFileSync(join(ROOT, path), 'utf8')), `${target}#${anchor}`).toContain(anchor)
    }
  })

  it('closes its blocks, and has one heading of the first rank', () => {
    expect(() => blocksOf(text)).not.toThrow()
    expect(withoutBlocks(text).match(/^# /gm)).toHaveLength(1)
  })

  it('names problems that there are', () => {
    const known = anchorsOf(readPage('docs/problems.md'))
    for (const [, name = ''] of text.matchAll(/\/problems\/([a-z-]+)/g)) expect(known).toContain(name)
  })
})

describe('options of commands', () => {
  it.each(PAGES.filter((page) => !page.startsWith('docs/decisions') && page !== 'CONTRIBUTING.md'))(
    'that %s names exist',
    (page) => {
      const text = readPage(page)
      const blocks = blocksOf(text).filter(({ language }) => ['', 'sh', 'console'].includes(language))
      const inline = [...withoutBlocks(text).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)
      const code = [...blocks.map((block) => block.text), ...inline].join('\n')
      const named = [...code.matchAll(/(?<![\w-])(--[a-z][a-z-]+)/g)].map(([, name = '']) => name)
      const unknown = named.filter((name) => !options.has(name) && !FOREIGN.has(name) && name !== '--help')
      expect(unknown).toEqual([])
    },
  )
})

describe('settings', () => {
  const reference = readPage('docs/configuration.md')
  /** Not `dsync.lock(…)`, a call of the library, and not `dsync.yaml`, a file. */
  const setting = new RegExp(`^((?:${SECTIONS.join('|')})\\.(?!yaml)[\\w.[\\]]+)(?![\\w(])`)

  // The chart has values of its own under the same names.
  it.each(PAGES.filter((page) => !page.startsWith('helm/')))('that %s names exist', (page) => {
    const inline = [...withoutBlocks(readPage(page)).matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => code)
    const named = inline.flatMap((code) => setting.exec(code)?.[1] ?? [])
    expect(named.filter((name) => !reference.includes(`\`${name}`))).toEqual([])
  })
})

describe('configurations in pages', () => {
  it('are there', () => {
    expect(new Set(configurations.map(({ page }) => page)).size).toBeGreaterThan(5)
  })

  it.each(configurations)('are taken: $page:$line', async ({ config }) => {
    const text = JSON.stringify(config)
    const env = Object.fromEntries([...text.matchAll(/"env":"(\w+)"/g)].map(([, name = '']) => [name, 'secret']))
    await expect(loadText(text, env)).resolves.toBeDefined()
  })
})

describe('CONTRIBUTING.md', () => {
  it('has every folder of the tree in its map', () => {
    const [map = ''] = blocksOf(readPage('CONTRIBUTING.md')).map(({ text }) => text)
    const inMap = [...map.matchAll(/^(\S+)\/? /gm)].map(([, path = '']) => path.replace(/\/$/, ''))
    const files = execFileSync('git', ['ls-files'], { cwd: ROOT, encoding: 'utf8' }).trim().split('\n')
    const folders = new Set(
      files
        .map((file) => file.split('/'))
        .filter((parts) => parts.length > (parts[0] === 'src' ? 2 : 1))
        .map((parts) => (parts[0] === 'src' ? parts.slice(0, 2).join('/') : String(parts[0]))),
    )
    // These are named by the file that matters in them.
    const named = new Set([...inMap, '.ci', 'bin'])
    expect([...folders].filter((folder) => !named.has(folder))).toEqual([])
    for (const path of inMap) expect(existsSync(join(ROOT, path)), path).toBe(true)
  })
})

describe('docs/security.md', () => {
  it('has every scope and every mode of authentication', () => {
    const page = readPage('docs/security.md')
    const tabled = [...page.matchAll(/^\| `(\w+)` \|/gm)].map(([, word]) => word)
    const modes = ConfigSchema.properties.auth.anyOf.map(({ properties }) => properties.mode.const)
    expect(tabled).toEqual(['synced', 'read', 'tokens', 'db', ...modes])
    const scopes = new Set(Object.values(routes).flatMap((route) => route.scopes ?? []))
    expect(scopes).toEqual(new Set(['synced', 'read', 'tokens', 'db']))
  })
})

describe('docs/README.md', () => {
  it('leads to every page', () => {
    const index = linksOf(readPage('docs/README.md')).map(({ target }) => normalize(join('docs', target)))
    const further = linksOf(readPage('docs/upgrade/README.md')).map(({ target }) =>
      normalize(join('docs/upgrade', target)),
    )
    const pages = PAGES.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md')
    const missing = pages.filter(
      (page) => ![...index, ...further].includes(page) && !page.startsWith('docs/decisions/'),
    )
    expect(missing).toEqual([])
  })
})
