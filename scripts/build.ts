// Makes dist/, what a package and an image run: the sources compiled, since Node strips no types under node_modules, declarations of
// what others import, and the files that are read at run time, each where the code that reads it looks for it.
import { spawnSync } from 'node:child_process'
import { cp, glob, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
const DIST = join(ROOT, 'dist')
const COMPILER = createRequire(import.meta.url).resolve('typescript/bin/tsc')
/** Read at run time, from the same place beside the code. */
const READ = ['openapi/syncer.yaml', 'generated/openapi.json', 'public']

await rm(DIST, { recursive: true, force: true })
compile('tsconfig.build.json')
compile('tsconfig.declarations.json')
// An import of the manifest by the name of the package brings it along; in a package there is the real one.
await rm(join(DIST, 'package.json'), { force: true })
for await (const path of glob('**/*.d.ts', { cwd: DIST })) await nameCompiled(join(DIST, path))
for (const path of READ) await cp(join(ROOT, path), join(DIST, path), { recursive: true, filter: isRead })

function compile(project: string): void {
  const { status, error } = spawnSync(process.execPath, [COMPILER, '--project', join(ROOT, project)], {
    stdio: ['ignore', 2, 2], // what a caller reads from standard output is the name of a tarball
  })
  if (error !== undefined) throw error
  if (status !== 0) process.exit(status ?? 1)
}

/** The compiler leaves the endings of sources in declarations; there are no sources where these go. */
async function nameCompiled(file: string): Promise<void> {
  const text = await readFile(file, 'utf8')
  await writeFile(file, text.replaceAll(/((?:from |import\()(['"])\.{1,2}\/[^'"]+)\.ts\2/g, '$1.js$2'))
}

/** Types of the page are for its authors. */
function isRead(path: string): boolean {
  return !path.endsWith('.ts')
}
