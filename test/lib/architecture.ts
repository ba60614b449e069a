// The rules of the house about who may import whom, over sources given as text; test/architecture.test.ts applies them to the tree.
//
//   lib <- synced, tokens, db, dsync, state <- runs <- http <- main, wiring <- cli, playground
//
// config stands beside lib, and no capability knows it. Everything here is pure.
import { posix } from 'node:path'
import ts from 'typescript'

const CAPABILITIES = ['synced', 'tokens', 'db', 'dsync'] as const

/** What each part of the house may import besides itself. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  config: ['lib'],
  synced: ['lib'],
  tokens: ['lib'],
  db: ['lib'],
  dsync: ['lib'],
  state: ['lib'],
  runs: ['lib', 'state', ...CAPABILITIES],
  http: ['lib', 'config', 'state', 'runs', 'generated', ...CAPABILITIES],
  wiring: ['lib', 'config', 'state', 'runs', 'http', ...CAPABILITIES],
  main: ['lib', 'config', 'state', 'runs', 'http', 'wiring', ...CAPABILITIES],
  cli: ['lib', 'config', 'state', 'runs', 'wiring', 'main', 'generated', ...CAPABILITIES],
  playground: ['lib', 'config', 'wiring', 'main', 'cli', ...CAPABILITIES],
  generated: [],
}

/** Packages that only some parts may import, and how. */
const CONFINED: readonly { readonly name: string; readonly to: RegExp; readonly lazily: boolean }[] = [
  { name: '@kubernetes/client-node', to: /^src\/lib\/kube\//, lazily: true },
  { name: 'fastify', to: /^src\/http\//, lazily: false },
  { name: '@fastify/swagger', to: /^src\/http\//, lazily: false },
  { name: '@fastify/swagger-ui', to: /^src\/http\//, lazily: false },
  { name: 'commander', to: /^src\/cli\//, lazily: false },
  { name: 'openapi-fetch', to: /^generated\//, lazily: false },
]

/** What src/main.ts may load only when it is configured, whoever imports it on the way. */
const LOADED_LAZILY: readonly string[] = [...CAPABILITIES, 'state', 'runs']
/** dsync is a library of its own too, used where src/config is not: it reads the environment, but in this one file. */
const ALONE = 'src/dsync/environment.ts'
const MAX_LINES = 400

interface Import {
  readonly specifier: string
  readonly line: number
  /** `import type`, or every name in it is one: gone at run time. */
  readonly typeOnly: boolean
  /** `import()`: loaded when reached. */
  readonly lazy: boolean
}

interface Source {
  readonly path: string
  readonly imports: readonly Import[]
  readonly complaints: readonly string[]
}

export interface Packages {
  /** Our own; what it exports may be imported by name. */
  readonly name: string
  readonly dependencies: readonly string[]
  readonly devDependencies: readonly string[]
}

/** Every breach of the rules in these files (path from the root, POSIX, to text), as `path:line what`, sorted. */
export function findBreaches(files: ReadonlyMap<string, string>, packages: Packages): readonly string[] {
  const sources = [...files].map(([path, text]) => readSource(path, text))
  const breaches = sources.flatMap((source) => [
    ...source.complaints,
    ...source.imports.flatMap((one) =>
      judge(source.path, one, files, packages).map((why) => `${source.path}:${one.line} ${why}`),
    ),
  ])
  return [...breaches, ...findCycles(sources), ...findEager(sources, 'src/main.ts')].sort()
}

/** The part of the house that a file belongs to: a folder of src, `main`, or the top folder. */
function partOf(path: string): string {
  const [top = '', folder = '', ...rest] = path.split('/')
  if (top !== 'src') return top
  return rest.length === 0 ? folder.replace(/\.ts$/, '') : folder
}

function judge(path: string, one: Import, files: ReadonlyMap<string, string>, packages: Packages): string[] {
  if (one.specifier.startsWith('.')) return judgeOwn(path, one, files)
  return one.specifier.startsWith('node:') ? [] : judgePackage(path, one, packages)
}

function judgeOwn(path: string, one: Import, files: ReadonlyMap<string, string>): string[] {
  const target = posix.join(posix.dirname(path), one.specifier)
  if (!files.has(target)) return [`imports ${target}, which is not one of the sources`]
  const from = partOf(path)
  const to = partOf(target)
  if (from === to) return []
  const allowed = ALLOWED[from]
  if (allowed === undefined) return [`belongs to ${from}, which has no rule yet`]
  if (!allowed.includes(to)) return [`${from} may not import ${to}; it may import ${allowed.join(', ') || 'nothing'}`]
  return []
}

function judgePackage(path: string, one: Import, packages: Packages): string[] {
  const name = one.specifier.split('/', one.specifier.startsWith('@') ? 2 : 1).join('/')
  const isDevelopment = packages.devDependencies.includes(name)
  if (name === packages.name) return []
  if (!isDevelopment && !packages.dependencies.includes(name))
    return [`imports ${name}, which package.json does not name`]
  if (isDevelopment && partOf(path) !== 'playground') return [`imports ${name}, which is not installed in production`]
  const confined = CONFINED.find((rule) => rule.name === name)
  if (confined === undefined) return []
  if (!confined.to.test(path)) return [`may not import ${name}`]
  if (confined.lazily && !one.lazy && !one.typeOnly) return [`loads ${name} at once: import() it when it is needed`]
  return []
}

function readSource(path: string, text: string): Source {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.ESNext, true)
  const imports: Import[] = []
  const complaints: string[] = []
  const lineOf = (node: ts.Node) => file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1
  const add = (node: ts.Node, specifier: ts.Node, typeOnly: boolean, lazy: boolean) => {
    if (ts.isStringLiteralLike(specifier))
      imports.push({ specifier: specifier.text, line: lineOf(node), typeOnly, lazy })
    else complaints.push(`${path}:${lineOf(node)} imports what cannot be read here: use a literal`)
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node, node.moduleSpecifier, isTypeOnly(node.importClause), false)
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier)
      add(node, node.moduleSpecifier, node.isTypeOnly, false)
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node, node.argument.literal, true, true)
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node, node.arguments[0] ?? node, false, true)
    }
    if (isEnvironment(node) && partOf(path) !== 'config' && path !== ALONE) {
      complaints.push(`${path}:${lineOf(node)} reads process.env; only src/config does`)
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  const lines = text.split('\n').length - 1
  if (lines > MAX_LINES && partOf(path) !== 'generated')
    complaints.push(`${path}:${lines} is longer than ${MAX_LINES} lines`)
  return { path, imports, complaints }
}

function isTypeOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true
  const named = clause.namedBindings
  return (
    clause.name === undefined &&
    named !== undefined &&
    ts.isNamedImports(named) &&
    named.elements.every((one) => one.isTypeOnly)
  )
}

/** `process.env`, `process['env']`, `{ env } = process` and `import { env } from 'node:process'`. */
function isEnvironment(node: ts.Node): boolean {
  const isProcess = (one: ts.Node | undefined) => one !== undefined && /^(globalThis\.)?process$/.test(one.getText())
  if (ts.isPropertyAccessExpression(node)) return node.name.text === 'env' && isProcess(node.expression)
  if (ts.isElementAccessExpression(node)) return isProcess(node.expression)
  if (ts.isVariableDeclaration(node)) return ts.isObjectBindingPattern(node.name) && isProcess(node.initializer)
  return (
    ts.isImportDeclaration(node) &&
    ts.isStringLiteral(node.moduleSpecifier) &&
    node.moduleSpecifier.text === 'node:process'
  )
}

/** The imports that are followed at once, resolved. */
function eagerTargets({ path, imports }: Source): readonly { readonly target: string; readonly line: number }[] {
  return imports
    .filter((one) => !one.typeOnly && !one.lazy && one.specifier.startsWith('.'))
    .map((one) => ({ target: posix.join(posix.dirname(path), one.specifier), line: one.line }))
}

/** Imports by which `root` loads a capability before anybody knows whether it is configured. */
function findEager(sources: readonly Source[], root: string): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]))
  const found: string[] = []
  const seen = new Set<string>()
  const walk = (path: string): void => {
    const source = byPath.get(path)
    if (source === undefined || seen.has(path)) return
    seen.add(path)
    for (const { target, line } of eagerTargets(source)) {
      if (LOADED_LAZILY.includes(partOf(target)))
        found.push(`${path}:${line} makes ${root} load ${target} at once: import() it`)
      else walk(target)
    }
  }
  walk(root)
  return found
}

/** Circles among what is loaded at once; each is told once, from its first file in the alphabet. */
function findCycles(sources: readonly Source[]): string[] {
  const next = new Map(sources.map((source) => [source.path, eagerTargets(source)]))
  const found = new Set<string>()
  const done = new Set<string>()
  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path)
    if (start >= 0) {
      const circle = trail.slice(start)
      const first = circle.indexOf([...circle].sort()[0] ?? '')
      const turned = [...circle.slice(first), ...circle.slice(0, first)]
      found.add(`${turned[0]}:1 imports itself in a circle: ${[...turned, turned[0]].join(' -> ')}`)
      return
    }
    if (done.has(path)) return
    for (const { target } of next.get(path) ?? []) walk(target, [...trail, path])
    done.add(path)
  }
  for (const path of next.keys()) walk(path, [])
  return [...found]
}
