// The package as others get it: packed from a copy of the checkout by npm itself, and installed in folders that know nothing of it.
import { execFile } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { makeCachedFolder } from './cached-folder.ts'
import { cacheFolder } from './run-folder.ts'

const ROOT = join(import.meta.dirname, '../../..')
const TIMEOUT_MS = 300_000
/** What packing needs nothing of. */
const ASIDE = ['.git', 'bench', 'dist', 'helm', 'node_modules', 'test']
const exec = promisify(execFile)

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a command as a user at a terminal would, who was not started by npm. Resolves whatever its exit code. */
export async function runHere(cwd: string, command: string, ...args: readonly string[]): Promise<Ran> {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_OPTIONS|NODE_ENV$)/i.test(name)),
  )
  try {
    const { stdout, stderr } = await exec(command, args, { cwd, env, timeout: TIMEOUT_MS, maxBuffer: 1e8 })
    return { code: 0, out: stdout, err: stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout: string; stderr: string }
    if (typeof code !== 'number') throw error
    return { code, out: stdout, err: stderr }
  }
}

/** The same for what has to go well. Throws with all that it said when it does not. */
export async function runWell(cwd: string, command: string, ...args: readonly string[]): Promise<string> {
  const { code, out, err } = await runHere(cwd, command, ...args)
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} ended with ${code}: ${out}${err}`)
  return out
}

/** A copy of the checkout, with its dependencies: packing changes the folder that it is done in for a while. */
export function copyCheckout(folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const name of readdirSync(ROOT))
    if (!ASIDE.includes(name) && !name.endsWith('.tgz'))
      cpSync(join(ROOT, name), join(folder, name), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
}

/** Content of every file by its path, without dependencies. */
export function readAll(folder: string): ReadonlyMap<string, string> {
  const list = (below: string): readonly string[] =>
    readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
      const path = join(below, entry.name)
      return entry.isDirectory() ? list(path) : entry.isFile() ? [path] : []
    })
  return new Map(list('').map((path) => [path, readFileSync(join(folder, path), 'latin1')]))
}

/** Path of a Node of this version, kept. */
export async function fetchNode(version: string): Promise<string> {
  const folder = join(cacheFolder(), `node-${version}`)
  await makeCachedFolder(folder, async (unfinished) => {
    const name = `node-${process.platform}-${process.arch}@${version}`
    const tarball = (await runWell(unfinished, 'npm', 'pack', '--silent', name)).trim()
    await runWell(unfinished, 'tar', '-xzf', tarball, '--strip-components=2', 'package/bin/node')
  })
  const node = join(folder, 'node')
  if (!existsSync(node)) throw new Error(`${node} is missing`)
  return node
}
