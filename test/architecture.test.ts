import { globSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { describe, expect, it } from 'vitest'
import { findBreaches, type Packages } from './lib/architecture.ts'

const ROOT = join(import.meta.dirname, '..')
const PACKAGES: Packages = {
  name: 'syncer',
  dependencies: ['fastify', '@kubernetes/client-node', 'undici'],
  devDependencies: ['vitest'],
}

const judge = (...files: readonly (readonly [path: string, text: string])[]) => findBreaches(new Map(files), PACKAGES)
const EMPTY = 'export const a = 1\n'

describe('the architecture', () => {
  it('holds in every source of the project', () => {
    const paths = globSync(['src/**/*.ts', 'generated/**/*.ts'], { cwd: ROOT }).map((path) => path.split(sep).join('/'))
    const files = new Map(paths.map((path) => [path, readFileSync(join(ROOT, path), 'utf8')]))
    const { name, dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    expect(files.size).toBeGreaterThan(10)
    expect(
      findBreaches(files, {
        name,
        dependencies: Object.keys(dependencies),
        devDependencies: Object.keys(devDependencies),
      }),
    ).toEqual([])
  })
})

describe('the rules of the architecture', () => {
  it.each([
    ['src/http/a.ts', '../synced/b.ts'],
    ['src/http/a.ts', '../../generated/b.ts'],
    ['src/cli/a.ts', '../main.ts'],
    ['src/synced/a.ts', '../lib/kube/b.ts'],
    ['src/synced/a.ts', './discovery/b.ts'],
    ['src/runs/a.ts', '../tokens/b.ts'],
    ['src/main.ts', './http/b.ts'],
  ])('let %s import %s', (path, specifier) => {
    const target = join('/', path, '..', specifier).slice(1)
    expect(judge([path, `import { a } from '${specifier}'\nexport const b = a\n`], [target, EMPTY])).toEqual([])
  })

  it.each([
    ['src/lib/a.ts', '../synced/b.ts', 'lib may not import synced; it may import nothing'],
    ['src/lib/a.ts', '../config/b.ts', 'lib may not import config; it may import nothing'],
    ['src/synced/a.ts', '../config/b.ts', 'synced may not import config; it may import lib'],
    ['src/synced/a.ts', '../dsync/b.ts', 'synced may not import dsync; it may import lib'],
    ['src/tokens/a.ts', '../db/b.ts', 'tokens may not import db; it may import lib'],
    ['src/db/a.ts', '../runs/b.ts', 'db may not import runs; it may import lib'],
    ['src/synced/a.ts', '../http/b.ts', 'synced may not import http; it may import lib'],
    ['src/synced/a.ts', '../../generated/b.ts', 'synced may not import generated; it may import lib'],
    ['generated/a.ts', '../src/lib/b.ts', 'generated may not import lib; it may import nothing'],
    ['src/nowhere/a.ts', '../lib/b.ts', 'belongs to nowhere, which has no rule yet'],
  ])('stop %s from importing %s', (path, specifier, why) => {
    const target = join('/', path, '..', specifier).slice(1)
    expect(judge([path, `${EMPTY}import { b } from '${specifier}'\n`], [target, EMPTY])).toEqual([`${path}:2 ${why}`])
  })

  it.each([
    ["import type { B } from '../dsync/b.ts'\n"],
    ["export { b } from '../dsync/b.ts'\n"],
    ["export * from '../dsync/b.ts'\n"],
    ["const b = await import('../dsync/b.ts')\n"],
    ["type B = import('../dsync/b.ts').B\n"],
    ["import '../dsync/b.ts'\n"],
  ])('see the import in %j', (text) => {
    expect(judge(['src/synced/a.ts', text], ['src/dsync/b.ts', EMPTY])).toEqual([
      'src/synced/a.ts:1 synced may not import dsync; it may import lib',
    ])
  })

  it('let main load a capability later, and know its types', () => {
    const text = "import type { B } from './synced/b.ts'\nexport const load = () => import('./synced/b.ts')\n"
    expect(judge(['src/main.ts', text], ['src/synced/b.ts', EMPTY])).toEqual([])
  })

  it('stop main from loading a capability at once, by whatever way', () => {
    expect(
      judge(
        ['src/main.ts', "import './http/a.ts'\n"],
        ['src/http/a.ts', "import '../synced/b.ts'\n"],
        ['src/synced/b.ts', EMPTY],
        ['src/cli/a.ts', "import '../synced/b.ts'\n"],
      ),
    ).toEqual(['src/http/a.ts:1 makes src/main.ts load src/synced/b.ts at once: import() it'])
  })

  it.each([
    ['src/synced/a.ts', "import 'fastify'\n", 'may not import fastify'],
    ['src/http/a.ts', "import '@kubernetes/client-node'\n", 'may not import @kubernetes/client-node'],
    [
      'src/lib/kube/a.ts',
      "import '@kubernetes/client-node'\n",
      'loads @kubernetes/client-node at once: import() it when it is needed',
    ],
    ['src/http/a.ts', "import 'left-pad/x'\n", 'imports left-pad, which package.json does not name'],
    ['src/http/a.ts', "import 'vitest'\n", 'imports vitest, which is not installed in production'],
    ['src/http/a.ts', "import './gone.ts'\n", 'imports src/http/gone.ts, which is not one of the sources'],
    ['src/http/a.ts', 'await import(name)\n', 'imports what cannot be read here: use a literal'],
  ])('refuse in %s %j', (path, text, why) => {
    expect(judge([path, text])).toEqual([`${path}:1 ${why}`])
  })

  it.each([
    ['await import("@kubernetes/client-node")\n'],
    ["import type { KubeConfig } from '@kubernetes/client-node'\n"],
    ["import { type KubeConfig } from '@kubernetes/client-node'\n"],
  ])('let src/lib/kube have %s', (text) => {
    expect(judge(['src/lib/kube/a.ts', text])).toEqual([])
  })

  it.each([
    ['const home = process.env.HOME\n'],
    ["const home = process['env'].HOME\n"],
    ['const { env } = process\n'],
    ['start(globalThis.process.env)\n'],
    ["import { env } from 'node:process'\n"],
  ])('let only src/config read the environment: %s', (text) => {
    expect(judge(['src/http/a.ts', text])).toEqual(['src/http/a.ts:1 reads process.env; only src/config does'])
    expect(judge(['src/config/a.ts', text])).toEqual([])
    expect(judge(['src/dsync/a.ts', text])).toEqual(['src/dsync/a.ts:1 reads process.env; only src/config does'])
    expect(judge(['src/dsync/environment.ts', text])).toEqual([])
  })

  it('find circles, but not those of types or of import()', () => {
    const files = (third: string) =>
      judge(['src/lib/a.ts', "import './b.ts'\n"], ['src/lib/b.ts', "import './c.ts'\n"], ['src/lib/c.ts', third])
    expect(files("import './a.ts'\n")).toEqual([
      'src/lib/a.ts:1 imports itself in a circle: src/lib/a.ts -> src/lib/b.ts -> src/lib/c.ts -> src/lib/a.ts',
    ])
    expect(files("import type { A } from './a.ts'\n")).toEqual([])
    expect(files("import('./a.ts')\n")).toEqual([])
  })

  it('keep files short', () => {
    expect(judge(['src/lib/a.ts', '\n'.repeat(401)])).toEqual(['src/lib/a.ts:401 is longer than 400 lines'])
    expect(judge(['src/lib/a.ts', '\n'.repeat(400)])).toEqual([])
  })
})
