// Pages as tests read them: fenced blocks, links, and the anchors of headings as GitHub makes them. Pure.

export interface Block {
  /** The word behind the fence: `sh`, `yaml`, empty for what is only shown. */
  readonly language: string
  readonly text: string
  /** Of the opening fence, from 1. */
  readonly line: number
}

/** Fenced blocks in their order. Throws for a fence that is never closed. */
export function blocksOf(page: string): readonly Block[] {
  const blocks: Block[] = []
  let open:
    | { readonly fence: string; readonly language: string; readonly line: number; readonly lines: string[] }
    | undefined
  for (const [index, line] of page.split('\n').entries()) {
    const [, fence, language = ''] = /^\s*(`{3,})\s*([\w-]*)/.exec(line) ?? []
    if (open === undefined) {
      if (fence !== undefined) open = { fence, language, line: index + 1, lines: [] }
    } else if (line.trim() === open.fence) {
      blocks.push({ language: open.language, text: `${open.lines.join('\n')}\n`, line: open.line })
      open = undefined
    } else open.lines.push(line)
  }
  if (open !== undefined) throw new Error(`the block in line ${open.line} is never closed`)
  return blocks
}

/** The page without its fenced blocks. */
export const withoutBlocks = (page: string): string => page.replaceAll(/^\s*(`{3,})[\s\S]*?^\s*\1\s*$/gm, '')

export interface Link {
  /** Empty for a place on the same page. */
  readonly target: string
  /** Empty for the whole page. */
  readonly anchor: string
}

/** Links and images to what is in the repository; addresses of the web are left out. */
export function linksOf(page: string): readonly Link[] {
  return [
    ...withoutBlocks(page)
      .replaceAll(/`[^`\n]+`/g, '')
      .matchAll(/\]\(([^)\s]+)\)/g),
  ]
    .map(([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [target = '', anchor = ''] = link.split('#')
      return { target, anchor }
    })
}

/** What can stand behind `#` in a link to the page. */
export function anchorsOf(page: string): readonly string[] {
  const seen = new Map<string, number>()
  return [...withoutBlocks(page).matchAll(/^#{1,6} +(.*?) *$/gm)].map(([, heading = '']) => {
    const anchor = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
      .replaceAll(' ', '-')
    const before = seen.get(anchor) ?? 0
    seen.set(anchor, before + 1)
    return before === 0 ? anchor : `${anchor}-${before}`
  })
}
