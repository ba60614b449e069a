// The image, built by Debian's buildah from the Dockerfile as it is, and run as a container engine would run it: its own entry point and
// environment, a user of one's choice, processes and mounts of its own, and a root file system that nobody can write to. The network is
// that of the machine.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { BASE_IMAGE, installImageTools, makeBaseRoot } from './image-base.ts'
import { runCommand } from './run-command.ts'
import { cacheFolder, createRunFolder } from './run-folder.ts'
import { type Exit, startProcess } from './server-process.ts'

const ROOT = join(import.meta.dirname, '../../..')
const EXEC_TIMEOUT_MS = 60_000
const BUILD_TIMEOUT_MS = 900_000
/** Layers that share files where the file system of this machine can, else copies. */
const DRIVERS = ['overlay', 'vfs'] as const
/** Names of containers, before the number of the process whose they are. */
const OWNED = 'syncer-test-'
const exec = promisify(execFile)

/** What the image says of itself. */
export interface ImageConfig {
  readonly User: string
  readonly Env: readonly string[]
  readonly Entrypoint: readonly string[]
  readonly Cmd: readonly string[]
  readonly WorkingDir: string
  readonly Labels: Readonly<Record<string, string>>
  readonly ExposedPorts: Readonly<Record<string, unknown>>
  readonly Volumes: Readonly<Record<string, unknown>>
  readonly Healthcheck: { readonly Test: readonly string[] }
}

export interface Image extends AsyncDisposable {
  readonly config: ImageConfig
  /** Its file system on this machine. */
  readonly root: string
  /** Runs a command in its file system and nothing else, as this user. */
  look(user: string, ...command: readonly string[]): Promise<string>
  /** Starts a container and resolves when `ready` says so. */
  run(options: ContainerOptions): Promise<Container>
}

export interface ContainerOptions {
  /** `UID:GID` */
  readonly user: string
  /** Content of `/etc/syncer`, by name. */
  readonly files: Readonly<Record<string, string>>
  /** After the entry point, in place of the image's own command. */
  readonly args?: readonly string[]
  readonly ready: () => Promise<boolean>
}

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

export interface Container extends AsyncDisposable {
  /** Runs a command in it, beside the service. */
  exec(...command: readonly string[]): Promise<Ran>
  /** Sends a signal to process 1, and to no other. */
  signal(signal: NodeJS.Signals): void
  log(): string
  readonly exited: Promise<Exit>
}

/** Builds it. Throws with what the build said when it fails. */
export async function buildImage(log: (line: string) => void): Promise<Image> {
  await installImageTools(log)
  const buildah = await openStorage()
  const baseRoot = await makeBaseRoot(log)
  await importBase(buildah, baseRoot)
  const npmCache = (await runCommand('npm', ['config', 'get', 'cache', '--silent'])).trim()
  const iid = createRunFolder('image')
  const file = join(iid.path, 'iid')
  // HEALTHCHECK is of Docker's format. What npm has fetched before it need not fetch again.
  const options = ['--format', 'docker', '--pull=never', '--network=host', '--layers=false', '--iidfile', file]
  await buildah('bud', ...options, '--volume', `${npmCache}:/root/.npm`, '--build-arg', 'REVISION=tested', ROOT)
  const id = readFileSync(file, 'utf8')
    .trim()
    .replace(/^sha256:/, '')
  iid.remove()
  await removeForgotten(buildah)
  const container = (await buildah('from', '--pull=never', '--name', `${OWNED}${process.pid}`, id)).trim()
  const root = (await buildah('mount', container)).trim()
  const { Docker } = JSON.parse(await buildah('inspect', '--type', 'image', id)) as {
    readonly Docker: { readonly config: ImageConfig }
  }
  const config = Docker.config
  return {
    config,
    root,
    look: async (user, ...command) => runCommand('chroot', [`--userspec=${user}`, root, ...command]),
    run: (how) => startContainer(root, config, how),
    [Symbol.asyncDispose]: async () => {
      await buildah('umount', container)
      await buildah('rm', container)
      await buildah('rmi', id)
    },
  }
}

/** What tests that were killed have left. */
async function removeForgotten(buildah: Buildah): Promise<void> {
  const names = await buildah('containers', '--noheading', '--format', '{{.ContainerName}}')
  for (const name of names.split('\n').filter((one) => one.startsWith(OWNED))) {
    if (existsSync(`/proc/${name.slice(OWNED.length)}`)) continue
    await buildah('umount', name)
    await buildah('rm', name)
    await buildah('rmi', '--prune')
  }
}

type Buildah = (command: string, ...args: readonly string[]) => Promise<string>

/** Storage of images in the cache folder: the machine's own stays as it is. */
async function openStorage(): Promise<Buildah> {
  const folder = join(cacheFolder(), 'image-storage')
  mkdirSync(folder, { recursive: true })
  let problem: unknown
  for (const driver of DRIVERS) {
    const where = [
      '--root',
      join(folder, driver),
      '--runroot',
      join(folder, `${driver}-run`),
      '--storage-driver',
      driver,
    ]
    const buildah: Buildah = (command, ...args) =>
      runCommand('buildah', [...where, command, ...args], { BUILDAH_ISOLATION: 'chroot' }, BUILD_TIMEOUT_MS)
    try {
      const scratch = (await buildah('from', '--pull=never', 'scratch')).trim()
      await buildah('mount', scratch)
      await buildah('rm', scratch)
      return buildah
    } catch (error) {
      problem = error
    }
  }
  throw new Error('no driver for the storage of images works here', { cause: problem })
}

/** The root file system as an image, imported once; the name of the folder says what is in it. */
async function importBase(buildah: Buildah, root: string): Promise<void> {
  const recipe = 'syncer.test.base'
  const known = await buildah('images', '--quiet', '--filter', `label=${recipe}=${root}`)
  if (known.trim() !== '') return
  const container = (await buildah('from', '--pull=never', 'scratch')).trim()
  await buildah('add', '--quiet', container, root, '/')
  const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
  const authorities = 'NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt'
  await buildah(
    'config',
    '--env',
    path,
    '--env',
    authorities,
    '--cmd',
    'node',
    '--label',
    `${recipe}=${root}`,
    container,
  )
  await buildah('commit', '--quiet', '--format', 'docker', container, BASE_IMAGE)
  await buildah('rm', container)
  await buildah('rmi', '--prune') // the base of another recipe
}

/** Bash, as the first process of namespaces of its own: mounts, lets go of the right to change them, and becomes process 1 of the image. */
const BEGIN = `
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=0755 tmpfs "$root/dev"
for device in null zero random urandom; do touch "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=1777 tmpfs "$root/var/lib/syncer"
mount --bind -o ro "$files" "$root/etc/syncer"
mount -o remount,bind,ro "$root"
exec chroot --userspec="$user" "$root" /usr/bin/env -i -C "$cwd" "$@"
`

async function startContainer(root: string, config: ImageConfig, options: ContainerOptions): Promise<Container> {
  const folder = createRunFolder('container')
  const files = join(folder.path, 'files')
  mkdirSync(files)
  for (const [name, text] of Object.entries(options.files)) writeFileSync(join(files, name), text, { mode: 0o644 })
  const inside = ['--mount', '--pid', '--ipc', '--uts', '--fork', '--kill-child', '--propagation', 'private']
  const server = await startProcess({
    name: 'container',
    command: 'unshare',
    args: [
      ...inside,
      'bash',
      '-euc',
      BEGIN,
      'bash',
      ...config.Env,
      ...config.Entrypoint,
      ...(options.args ?? config.Cmd),
    ],
    env: { root, files, user: options.user, cwd: config.WorkingDir },
    stdoutFile: join(folder.path, 'log'),
    ready: options.ready,
    readyTimeoutMs: 30_000,
  }).catch((error: unknown) => {
    folder.remove()
    throw error
  })
  const first = findFirst(server.pid)
  return {
    exec: async (...command) => {
      const enter = [
        '--target',
        String(first),
        '--mount',
        '--pid',
        '--ipc',
        '--uts',
        'chroot',
        `--userspec=${options.user}`,
      ]
      const all = [...enter, root, '/usr/bin/env', '-i', '-C', config.WorkingDir, ...config.Env, ...command]
      try {
        const { stdout, stderr } = await exec('nsenter', all, { timeout: EXEC_TIMEOUT_MS })
        return { code: 0, out: stdout, err: stderr }
      } catch (error) {
        const { code, stdout, stderr } = error as { code?: unknown; stdout: string; stderr: string }
        if (typeof code !== 'number') throw error
        return { code, out: stdout, err: stderr }
      }
    },
    signal: (signal) => {
      process.kill(first, signal)
    },
    log: () => server.output(),
    exited: server.exited,
    [Symbol.asyncDispose]: async () => {
      await server.stop()
      folder.remove()
    },
  }
}

const childrenOf = (pid: number): readonly number[] => {
  const path = `/proc/${pid}/task/${pid}/children`
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split(' ').filter(Boolean).map(Number) : []
}

/** Numbers of a process, here and in namespaces further in. */
const numbersOf = (pid: number): readonly number[] =>
  [...(/^NSpid:(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '').matchAll(/\d+/g)].map(Number)

/** Process 1 of the namespace that a descendant of this one began. */
function findFirst(pid: number): number {
  const depth = numbersOf(process.pid).length
  const todo = [pid]
  for (;;) {
    const one = todo.shift()
    if (one === undefined) throw new Error(`no process 1 below ${pid}`)
    const numbers = numbersOf(one)
    if (numbers.length > depth && numbers.at(-1) === 1) return one
    todo.push(...childrenOf(one))
  }
}
