import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const SOURCE = `
export async function main(): Promise<void> {
  const [what, ...rest] = process.argv.slice(2)
  if (what === 'exit') process.exitCode = Number(rest[0])
  if (what === 'wait') {
    const alive = setInterval(() => {}, 1_000)
    process.on('SIGTERM', () => {
      process.stdout.write('stopped')
      process.exitCode = 7
      clearInterval(alive)
    })
  }
  process.stdout.write(\`source \${rest.join(' ')}\\n\`)
  if (what === 'echo') for await (const chunk of process.stdin) process.stdout.write(chunk)
}
`
/** Makes the Node that runs the command believe that it is an old one. */
const OLD =
  'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.20.2"}})'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'syncer-bin-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

const write = async (path: string, content: string) => {
  const file = join(folder, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, content)
}

/** A checkout or package with the real command and our own sources, `at` a folder below. */
const lay = async (at: string, files: Readonly<Record<string, string>>) => {
  await write(join(at, 'package.json'), '{"type":"module"}')
  await mkdir(join(folder, at, 'bin'), { recursive: true })
  await copyFile(join(import.meta.dirname, '../../bin/syncer'), join(folder, at, 'bin/syncer'))
  for (const [path, content] of Object.entries(files)) await write(join(at, path), content)
}

const start = (at: string, args: readonly string[], options: { old?: boolean } = {}): ChildProcess =>
  spawn(process.execPath, [...(options.old ? ['--import', OLD] : []), join(folder, at, 'bin/syncer'), ...args])

const finish = async (child: ChildProcess, input = '') => {
  child.stdin?.end(input)
  const [out, err, [code]] = await Promise.all([
    text(child.stdout ?? Readable.from([])),
    text(child.stderr ?? Readable.from([])),
    once(child, 'exit'),
  ])
  return { out, err, code }
}

const compiled = "export const main = async () => void process.stdout.write('compiled\\n')\n"

describe('bin/syncer', () => {
  it('runs the sources of a checkout, and leaves them the arguments and the exit code', async () => {
    await lay('.', { 'src/cli/main.ts': SOURCE, 'dist/src/cli/main.js': compiled })
    expect(await finish(start('.', ['exit', '3', 'a b']))).toEqual({ out: 'source 3 a b\n', err: '', code: 3 })
  })

  it('runs the compiled files of a package', async () => {
    await lay('node_modules/syncer', { 'src/cli/main.ts': SOURCE, 'dist/src/cli/main.js': compiled })
    expect(await finish(start('node_modules/syncer', []))).toEqual({ out: 'compiled\n', err: '', code: 0 })
  })

  it('runs the compiled files where there are no others', async () => {
    await lay('.', { 'dist/src/cli/main.js': compiled })
    expect(await finish(start('.', []))).toMatchObject({ out: 'compiled\n', code: 0 })
  })

  it('says in one line which Node it needs', async () => {
    await lay('.', { 'src/cli/main.ts': SOURCE })
    expect(await finish(start('.', [], { old: true }))).toEqual({
      out: '',
      err: 'syncer: needs Node 24.11 or newer, this is 20.20.2\n',
      code: 2,
    })
  })

  describe('on an old Node, with a newer one installed', () => {
    beforeEach(async () => {
      await lay('.', { 'src/cli/main.ts': SOURCE })
      await mkdir(join(folder, 'node_modules/node/bin'), { recursive: true })
      await symlink(process.execPath, join(folder, 'node_modules/node/bin/node'))
    })

    it('hands over arguments and input, and passes the exit code on', async () => {
      expect(await finish(start('.', ['exit', '3'], { old: true }))).toEqual({ out: 'source 3\n', err: '', code: 3 })
      expect(await finish(start('.', ['echo'], { old: true }), 'hello')).toEqual({
        out: 'source \nhello',
        err: '',
        code: 0,
      })
    })

    it('passes signals on and waits for the end', async () => {
      const child = start('.', ['wait'], { old: true })
      child.stdout?.once('data', () => child.kill('SIGTERM'))
      expect(await finish(child)).toEqual({ out: 'source \nstopped', err: '', code: 7 })
    })
  })
})
