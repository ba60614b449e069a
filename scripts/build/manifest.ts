// What the package.json of the package is, given that of the checkout.

interface Manifest {
  readonly exports: Readonly<Record<string, string>>
  readonly [field: string]: unknown
}

/** Of use in a checkout alone; `private` keeps that from being published uncompiled. */
const LEFT_OUT = ['private', 'scripts', 'devDependencies', 'allowScripts']

/** Text of the manifest of the package: the exports are those of the checkout, compiled, with their declarations first. */
export function renderManifest(text: string): string {
  const { exports, ...fields } = JSON.parse(text) as Manifest
  const kept = Object.entries(fields).filter(([name]) => !LEFT_OUT.includes(name))
  const compiled = Object.entries(exports).map(([name, target]) => [name, compile(target)])
  return `${JSON.stringify({ ...Object.fromEntries(kept), exports: Object.fromEntries(compiled) }, null, 2)}\n`
}

function compile(target: string): string | { readonly types: string; readonly default: string } {
  const [, path] = /^\.\/(.*)\.ts$/.exec(target) ?? []
  return path === undefined ? target : { types: `./dist/${path}.d.ts`, default: `./dist/${path}.js` }
}
