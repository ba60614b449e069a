// The pages of the repository: every Markdown file that git knows or will know.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Block, blocksOf } from './markdown.ts'

export const ROOT = join(import.meta.dirname, '../..')

export interface PageBlock extends Block {
  /** Path of the page from the root. */
  readonly page: string
}

/** Paths from the root, sorted. */
export function listPages(): readonly string[] {
  const options = ['ls-files', '--cached', '--others', '--exclude-standard', '--deduplicate', '--', '*.md']
  return execFileSync('git', options, { cwd: ROOT, encoding: 'utf8' }).trim().split('\n').toSorted()
}

export const readPage = (page: string): string => readFileSync(join(ROOT, page), 'utf8')

/** Blocks of a page that people run: `sh`, and those that show a prompt. */
export function commandBlocksOf(page: string): readonly PageBlock[] {
  return blocksOf(readPage(page))
    .filter(({ language, text }) => ['sh', 'bash', 'console'].includes(language) || /^\$ /m.test(text))
    .map((block) => ({ ...block, page }))
}

/** Blocks of a page in this language. */
export const blocksIn = (page: string, language: string): readonly Block[] =>
  blocksOf(readPage(page)).filter((block) => block.language === language)
