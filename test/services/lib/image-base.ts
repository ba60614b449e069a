// A stand-in for the image that the Dockerfile begins with, where no registry of images can be asked: Debian's smallest system as
// debootstrap makes it, with the Node of this project and npm from where npm has them, laid out as in the original.
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { makeCachedFolder } from './cached-folder.ts'
import { installPackages } from './debian.ts'
import { runCommand } from './run-command.ts'
import { cacheFolder, createRunFolder } from './run-folder.ts'

/** What the Dockerfile calls it. */
export const BASE_IMAGE = 'docker.io/library/node:26-bookworm-slim'

const ROOT = join(import.meta.dirname, '../../..')
const SUITE = 'bookworm'
const NPM = 'npm@11.6.2'
const NODE = join(ROOT, 'node_modules/node/bin/node')
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt'
/** Another recipe is another folder. */
const RECIPE = 2

/** Makes sure that the tools are there. Throws when they cannot be had. */
export async function installImageTools(log: (line: string) => void): Promise<void> {
  const needed = { buildah: '/usr/bin/buildah', debootstrap: '/usr/sbin/debootstrap', unshare: '/usr/bin/unshare' }
  const names: Readonly<Record<string, string>> = { unshare: 'util-linux' }
  const missing = Object.entries(needed).filter(([, path]) => !existsSync(path))
  if (missing.length > 0)
    await installPackages(
      missing.map(([name]) => names[name] ?? name),
      log,
    )
  const still = Object.values(needed).filter((path) => !existsSync(path))
  if (still.length > 0) throw new Error(`${still.join(', ')} is still missing after the installation`)
}

/** Path of its root file system, made once. */
export async function makeBaseRoot(log: (line: string) => void): Promise<string> {
  const version = (await runCommand(NODE, ['--version'])).trim()
  const folder = join(cacheFolder(), `image-base-${SUITE}-${version}-${NPM}-${RECIPE}`)
  await makeCachedFolder(folder, async (unfinished) => {
    log(`making a base for images: Debian ${SUITE}, Node ${version}`)
    const root = join(unfinished, 'root')
    const variant = ['--variant=minbase', '--include=ca-certificates,libatomic1']
    await runCommand('debootstrap', [...variant, SUITE, root, ...(await findMirror())])
    await runCommand('chroot', [root, 'apt-get', 'clean'])
    writeFileSync(join(root, 'etc/apt/apt.conf.d/10proxy'), await readProxies())
    await addNode(root)
    await addUser(root)
  })
  return join(folder, 'root')
}

/** Where this machine has Debian from; nothing where that is elsewhere, so that the usual place is asked. */
async function findMirror(): Promise<readonly string[]> {
  const format = '$(LABEL) $(REPO_URI)'
  const known = await runCommand('apt-get', ['indextargets', '--format', format, 'Created-By: Packages'])
  const mirror = /^Debian (https?:\S+)$/m.exec(known)?.[1]
  return mirror === undefined ? [] : [mirror]
}

/** Lines of apt's configuration that name a proxy. */
async function readProxies(): Promise<string> {
  const all = await runCommand('apt-config', ['dump', '--format', '%f "%v";%n', 'Acquire'])
  return all.replaceAll(/^(?!.*::Proxy ).*\n?/gm, '')
}

async function addNode(root: string): Promise<void> {
  const local = join(root, 'usr/local')
  const modules = join(local, 'lib/node_modules')
  mkdirSync(modules, { recursive: true })
  copyFileSync(NODE, join(local, 'bin/node'))
  chmodSync(join(local, 'bin/node'), 0o755)
  const run = createRunFolder('npm')
  try {
    const tarball = (await runCommand('npm', ['pack', '--silent', '--pack-destination', run.path, NPM])).trim()
    await runCommand('tar', ['-xzf', join(run.path, tarball), '-C', run.path])
    cpSync(join(run.path, 'package'), join(modules, 'npm'), { recursive: true })
  } finally {
    run.remove()
  }
  for (const name of ['npm', 'npx']) symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, 'bin', name))
  // Of yarn the original has more; here it is seen that it goes.
  const yarn = join(root, 'opt/yarn-v1.22.22/bin')
  mkdirSync(yarn, { recursive: true })
  writeFileSync(join(yarn, 'yarn'), '#!/bin/sh\n', { mode: 0o755 })
  for (const name of ['yarn', 'yarnpkg']) symlinkSync('/opt/yarn-v1.22.22/bin/yarn', join(local, 'bin', name))
  // How this machine reaches registries is how a build on it does.
  const registry = (await runCommand('npm', ['config', 'get', 'registry', '--silent'])).trim()
  mkdirSync(join(local, 'etc'), { recursive: true })
  writeFileSync(join(local, 'etc/npmrc'), `registry=${registry}\n`)
  for (const file of new Set([AUTHORITIES, process.env['NODE_EXTRA_CA_CERTS'] ?? AUTHORITIES]))
    if (existsSync(file)) writeFileSync(join(root, AUTHORITIES), readFileSync(file), { flag: 'a' })
}

async function addUser(root: string): Promise<void> {
  await runCommand('chroot', [root, 'useradd', '--uid', '1000', '--create-home', '--shell', '/bin/bash', 'node'])
}
