// The libraries of the status page, as files beside it: a browser finds them without a build, and an installation without packages.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

const LIBRARIES = [
  { name: 'preact', license: 'preact/LICENSE', files: { 'preact.js': 'preact/dist/preact.mjs' } },
  { name: 'preact hooks', license: undefined, files: { 'hooks.js': 'preact/hooks/dist/hooks.mjs' } },
  { name: 'htm', license: 'htm/LICENSE', files: { 'htm.js': 'htm/dist/htm.module.js' } },
  {
    name: 'uPlot',
    license: 'uplot/LICENSE',
    files: { 'uplot.js': 'uplot/dist/uPlot.esm.js', 'uplot.css': 'uplot/dist/uPlot.min.css' },
  },
] as const

/** What the files are to the compiler. */
const TYPES = {
  'preact.d.ts': "export * from 'preact'",
  'hooks.d.ts': "export * from 'preact/hooks'",
  'htm.d.ts': "export { default } from 'htm'",
  'uplot.d.ts': "export { default } from 'uplot'",
} as const

/** Path from the root of the checkout → content. */
export async function renderVendor(root: string): Promise<readonly (readonly [string, string])[]> {
  const read = (path: string) => readFile(join(root, 'node_modules', path), 'utf8')
  const files = LIBRARIES.flatMap((library) => Object.entries(library.files))
  const texts = files.map(async ([name, path]) => [`public/vendor/${name}`, asBrowserFile(await read(path))] as const)
  const licenses = LIBRARIES.map(async ({ name, license }) =>
    license === undefined ? '' : `${name}\n\n${(await read(license)).trim()}\n\n\n`,
  )
  const notice = ['public/vendor/LICENSES.txt', (await Promise.all(licenses)).join('')] as const
  const types = Object.entries(TYPES).map(([name, text]) => [`public/vendor/${name}`, `${text}\n`] as const)
  return [...(await Promise.all(texts)), ...types, notice]
}

/** A browser knows no names of packages, and the maps of the sources are not there. */
function asBrowserFile(text: string): string {
  const own = text.replaceAll(/from ?"preact"/g, 'from"./preact.js"').replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, '')
  return `${own.trimEnd()}\n`
}
