import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import { beforeAll, describe, expect, it } from 'vitest'
import { createProgram } from '../src/cli/program.ts'
import { createFakeIo } from './cli/fake-io.ts'

const ROOT = join(import.meta.dirname, '..')
const PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md']
/** npm runs these without `run`. */
const SHORT = ['ci', 'start', 'test', 'pack']

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const all = (text: string, what: RegExp) => [...text.matchAll(what)].map(([, found = '']) => found)

/** Everything that a page says in code, inline or in blocks. */
const codeOf = (page: string) =>
  [...page.matchAll(/```\w*\n([\s\S]*?)```|`([^`\n]+)`/g)].map(([, block, inline]) => block ?? inline ?? '').join('\n')

const TOP =
  /(?<![\w./-])((?:openapi|generated|src|test|scripts|docs|bin|bench|roles|helm|public|examples|\.ci)\/[\w./-]*)/g

describe.each(PAGES)('%s', (name) => {
  let page: string
  let code: string
  let program: Command
  beforeAll(() => {
    page = read(name)
    code = codeOf(page)
    program = createProgram(createFakeIo(), { code: 0 })
  })

  it('names scripts that there are', () => {
    const { scripts } = JSON.parse(read('package.json'))
    const named = [...all(code, /npm run ([\w:-]+)/g), ...all(code, /npm (start|test)\b/g)]
    for (const script of named) expect(Object.keys(scripts), script).toContain(script)
    if (name === 'CONTRIBUTING.md') {
      const hidden = Object.keys(scripts).filter((script) => !named.includes(script) && !/^(pre|post)/.test(script))
      expect(hidden, 'scripts that nobody is told of').toEqual([])
    }
    expect(all(code, /npm (?!run\b)(\w+)/g).filter((word) => !SHORT.includes(word))).toEqual([])
  })

  it('names paths that there are', () => {
    for (const path of all(code, TOP)) expect(existsSync(join(ROOT, path)), path).toBe(true)
  })

  it('names commands and options that there are', () => {
    const find = (words: readonly string[]): Command => {
      let command = program
      for (const word of words) {
        const next = command.commands.find((one) => one.name() === word)
        if (next === undefined) break
        command = next
      }
      return command
    }
    for (const line of all(code, /(?<![\w/-])(?:node bin\/)?syncer((?: +[\w<>.:/-]+)+)/g)) {
      const words = line.trim().split(/ +/)
      const command = find(words)
      expect(command.commands, `syncer ${line} stops short of a command`).toEqual([])
      for (const option of words.filter((word) => word.startsWith('--') && word !== '--help')) {
        expect(
          command.options.map((one) => one.long),
          `syncer ${line}`,
        ).toContain(option)
      }
    }
  })
})

describe('README.md', () => {
  const page = read('README.md')

  it('lists every command', () => {
    const program = createProgram(createFakeIo(), { code: 0 })
    const paths = program.commands.flatMap((one) =>
      one.commands.length === 0 ? [one.name()] : one.commands.map((below) => `${one.name()} ${below.name()}`),
    )
    for (const path of paths) expect(page).toMatch(new RegExp(`^\\| \`syncer ${path}[ \`]`, 'm'))
  })

  it('shows a client that there is', async () => {
    const { exports } = JSON.parse(read('package.json'))
    for (const name of all(page, /from 'syncer(\/\w+)'/g)) expect(Object.keys(exports)).toContain(`.${name}`)
    const client = await import('../generated/client.ts')
    for (const name of all(page, /import \{ (\w+) \} from 'syncer\/client'/g)) expect(client).toHaveProperty(name)
    for (const name of all(page, /syncer\.(\w+)\(/g)) {
      expect(client.createSyncerClient({ baseUrl: 'http://a' })).toHaveProperty(name)
    }
  })
})

describe('the test of the pages', () => {
  it('reads code in blocks and in lines', () => {
    expect(codeOf('a `b` c\n```sh\nnpm run d\n```\n`e`')).toBe('b\nnpm run d\n\ne')
  })
})

describe('docs/db.md', () => {
  const page = read('docs/db.md')

  it('says of deletes before anything else', () => {
    expect(page.split('\n').slice(1, 4).join(' ')).toContain('**Deletes are not carried over.**')
  })
})
