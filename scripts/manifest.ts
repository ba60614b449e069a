// The manifest of the package. In a checkout the exports lead to sources, which run as they are; in a package they lead to compiled files
// and declarations, and what only a checkout needs is gone. npm packs the manifest that it finds: `manifest.ts pack` puts that of the
// package in its place, `manifest.ts restore` brings back what was there.
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderManifest } from './build/manifest.ts'

const ROOT = join(import.meta.dirname, '..')
const MANIFEST = join(ROOT, 'package.json')
/** Never packed, by its ending. */
const KEPT = `${MANIFEST}.orig`

const [command] = process.argv.slice(2)
if (command === 'pack') {
  restore() // what was interrupted left the wrong one
  const manifest = readFileSync(MANIFEST, 'utf8')
  replace(KEPT, manifest)
  replace(MANIFEST, renderManifest(manifest))
} else if (command === 'restore') {
  restore()
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true })
} else {
  console.error('usage: manifest.ts pack|restore')
  process.exitCode = 2
}

function restore(): void {
  if (!existsSync(KEPT)) return
  const kept = readFileSync(KEPT, 'utf8')
  // Somebody who has mended or edited it meanwhile keeps what is there.
  if (readFileSync(MANIFEST, 'utf8') === renderManifest(kept)) replace(MANIFEST, kept)
  rmSync(KEPT)
}

/** At once: whoever reads it meanwhile finds the one or the other. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}
